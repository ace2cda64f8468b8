package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest"
)

// deployment is the replica set that all tests share.
var deployment string

func TestMain(m *testing.M) {
	rs, err := mongotest.StartReplicaSet(mongotest.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	deployment = rs.URI()
	code := m.Run()
	rs.Close()
	os.Exit(code)
}

// newCollection is an empty one of this test alone.
func newCollection(t *testing.T) *collection {
	t.Helper()
	client, err := motor.Connect(t.Context(), deployment)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(context.Background()) })
	coll := motor.CollectionOf[bson.Raw](client.Database("changes"), strings.ReplaceAll(t.Name(), "/", "_"))
	if err := coll.Drop(t.Context()); err != nil {
		t.Fatal(err)
	}
	return coll
}

// newFeed is a feed that ends with the test.
func newFeed(t *testing.T, coll *collection, keep int) *feed {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	f, err := startFeed(ctx, coll, keep)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// insert inserts documents with the _id from first up to before end.
func insert(t *testing.T, coll *collection, first, end int) {
	t.Helper()
	for i := first; i < end; i++ {
		doc, err := bson.Marshal(bson.D{{Key: "_id", Value: i}, {Key: "square", Value: i * i}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := coll.InsertOne(t.Context(), doc); err != nil {
			t.Fatal(err)
		}
	}
}
