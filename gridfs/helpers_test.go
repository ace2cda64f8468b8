package gridfs_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/gridfs"
)

// database is an empty one, and the commands that are sent by its client.
func database(t testing.TB) (*motor.Database, *commands) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	log := new(commands)
	client, err := motor.Connect(ctx, deployment, motor.ClientOptions{Observer: &event.Observer{CommandStarted: log.started}})
	if err != nil {
		t.Fatal(err)
	}
	db := client.Database(strings.NewReplacer("/", "_", "#", "_", " ", "_").Replace(t.Name()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := db.Drop(ctx); err != nil {
			t.Error(err)
		}
		client.Close(ctx)
	})
	return db, log
}

// commands are those that a client has sent.
type commands struct {
	mu   sync.Mutex
	list []command
}

type command struct {
	name, collection string
	body             bson.Raw
}

func (c *commands) started(e *event.CommandStarted) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := e.CommandName
	if key == "getMore" {
		key = "collection"
	}
	collection, _ := e.Command.Lookup(key).Str()
	c.list = append(c.list, command{e.CommandName, collection, e.Command.Raw()})
}

// take is the commands since the last take.
func (c *commands) take() []command {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.list
	c.list = nil
	return list
}

// names is take as "name collection".
func (c *commands) names() (names []string) {
	for _, c := range c.take() {
		names = append(names, c.name+" "+c.collection)
	}
	return names
}

// content is n bytes that look like no others.
func content(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)}).Read(b)
	return b
}

// store puts data into a bucket.
func store(t testing.TB, b *gridfs.Bucket, name string, data []byte, opts ...gridfs.UploadOptions) bson.ObjectID {
	t.Helper()
	id, err := b.UploadFromStream(t.Context(), name, bytes.NewReader(data), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// count is how many documents a collection has.
func count(t testing.TB, db *motor.Database, collection string) int {
	t.Helper()
	n, err := db.Collection(collection).CountDocuments(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return int(n)
}
