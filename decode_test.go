package motor_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest"
)

// moonCount is a document some of which do not fit.
type moonCount struct {
	Name  string `bson:"_id"`
	Moons int
}

// The second of three documents cannot be decoded. Whoever reads them hears of
// it, and gets the others.
func TestDecodeErrorIsAboutOneDocument(t *testing.T) {
	ctx := bounded(t)
	db := connectTo(t, mongotest.NewStandalone(t, mongotest.Options{}).URI()).Database("sky")
	if _, err := db.Collection("planets").InsertMany(ctx, []bson.D{d("_id", "Earth", "moons", 1), d("_id", "Mars", "moons", "two"), d("_id", "Venus", "moons", 0)}); err != nil {
		t.Fatal(err)
	}
	coll := motor.CollectionOf[moonCount](db, "planets")
	mars := d("_id", "Mars")
	check := func(what string, err error) {
		t.Helper()
		e, ok := errors.AsType[*motor.DecodeError](err)
		inner, _ := errors.AsType[*bson.DecodeError](err)
		if !ok || e.Namespace != "sky.planets" || e.Document.Lookup("moons").String() != `"two"` || inner == nil || inner.Path != "moons" {
			t.Fatalf("%s: %#v", what, err)
		}
		if name, _ := e.ID.Str(); name != "Mars" || e.Server == "" || !strings.HasPrefix(e.Error(), e.Server+`: sky.planets: the document with the _id "Mars": cannot decode string "moons"`) {
			t.Errorf("%s: %v", what, e)
		}
	}
	one := int32(1)
	for what, docs := range map[string]motor.Docs[moonCount]{
		"Find":      coll.Find(ctx, nil, motor.FindOptions{BatchSize: &one, Sort: d("_id", 1)}),
		"Aggregate": coll.Aggregate(ctx, bson.A{d("$sort", d("_id", 1))}),
	} {
		var names []string
		var failed []error
		for doc, err := range docs {
			if err != nil {
				failed = append(failed, err)
				continue
			}
			names = append(names, doc.Name)
		}
		if len(failed) != 1 || !slices.Equal(names, []string{"Earth", "Venus"}) {
			t.Fatalf("%s: %v, %v", what, names, failed)
		}
		check(what, failed[0])
		_, err := docs.Slice()
		check(what+", Slice", err)
	}
	_, err := coll.FindOne(ctx, mars)
	check("FindOne", err)
	_, err = coll.FindOneAndUpdate(ctx, mars, d("$set", d("rings", false)))
	check("FindOneAndUpdate", err)
	_, err = coll.Find(ctx, mars, motor.FindOptions{Projection: d("_id", 0)}).First()
	if err == nil || !strings.Contains(err.Error(), ": sky.planets: a document without _id: cannot decode") {
		t.Errorf("without _id: %v", err)
	}

	cursor, err := coll.FindCursor(ctx, nil, motor.FindOptions{Sort: d("_id", 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer cursor.Close(ctx)
	cursor.Next(ctx)
	cursor.Next(ctx)
	_, err = cursor.Decode()
	check("Cursor", err)
	if doc, err := func() (moonCount, error) { cursor.Next(ctx); return cursor.Decode() }(); err != nil || doc.Name != "Venus" {
		t.Errorf("after the error: %v, %v", doc, err)
	}
	if cursor.Next(ctx) {
		t.Error("there are four documents")
	}
	if doc, err := cursor.Decode(); err == nil || !strings.Contains(err.Error(), "at no document") {
		t.Errorf("behind the end: %v, %v", doc, err)
	}
}

// An event whose document cannot be decoded says which it was, and the stream
// goes on behind it.
func TestDecodeErrorOfChangeStream(t *testing.T) {
	ctx := bounded(t)
	db := connectTo(t, mongotest.New(t, mongotest.Options{Nodes: 1}).URI()).Database("sky")
	stream, err := motor.CollectionOf[moonCount](db, "planets").Watch(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Collection("planets").InsertMany(ctx, []bson.D{d("_id", "Mars", "moons", "two"), d("_id", "Earth", "moons", 1)}); err != nil {
		t.Fatal(err)
	}
	failed := 0
	for event, err := range stream.All(ctx) {
		name, _ := event.DocumentKey.Lookup("_id").Str()
		if err != nil {
			e, ok := errors.AsType[*motor.DecodeError](err)
			if id, _ := e.ID.Str(); !ok || id != "Mars" || name != "Mars" || e.Namespace != "sky.planets" || event.OperationType != "insert" || event.FullDocument != nil {
				t.Fatalf("%+v, %v", event, err)
			}
			if token := stream.ResumeToken(); event.ID.String() != token.String() || e.Document.Lookup("_id").String() != token.String() {
				t.Errorf("the event has the token %v, the stream is at %v", event.ID, token)
			}
			failed++
			continue
		}
		if name != "Earth" || event.FullDocument.Moons != 1 {
			t.Errorf("%+v", event)
		}
		break
	}
	if failed != 1 {
		t.Errorf("%d events could not be decoded", failed)
	}
	if _, err := stream.Decode(); err != nil {
		t.Errorf("the last event is gone: %v", err)
	}
	if stream.Next(ctx) {
		t.Error("the stream is closed")
	}
}

// Text of other encodings is read if the options ask for it, or as raw bytes.
func TestInvalidUTF8(t *testing.T) {
	latin1 := "\xe9"
	doc, at := bson.BeginDocument(nil)
	doc = bson.EndDocument(bson.AppendString(bson.AppendInt32(doc, "_id", 1), "s", latin1), at)
	primary := newDeployment(t, map[string]bson.Raw{"find": found(t, "firstBatch", 0, bson.Raw(doc))})
	db := primary.connect().Database("db")
	if _, err := db.Collection("coll").Find(t.Context(), nil).Slice(); err == nil || !strings.Contains(err.Error(), "db.coll: the document with the _id 1") {
		t.Errorf("by default: %v", err)
	}
	raw, err := motor.CollectionOf[bson.Raw](db, "coll").FindOne(t.Context(), nil)
	if s, _ := raw.Lookup("s").Str(); err != nil || s != latin1 {
		t.Errorf("raw: %q, %v", raw, err)
	}
	list, err := primary.connect(motor.ClientOptions{BSON: bson.Options{ReplaceInvalidUTF8: true}}).Database("db").Collection("coll").Find(t.Context(), nil).Slice()
	if err != nil || len(list) != 1 || list[0][1].Value != "\uFFFD" {
		t.Errorf("replaced: %v, %v", list, err)
	}
}
