package gridfs_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/gridfs"
	"github.com/motor-go/motor/mongotest"
)

// limit is the timeoutMS of these tests, and blocked how long the server takes
// for a command that is to exceed it.
const limit, blocked = 150, 200

// limited runs test in virtual time with a database of a client that has the
// limit, and with that of one that has none.
func limited(t *testing.T, test func(t *testing.T, db, internal *motor.Database, seen *commands)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network, seen := new(mongotest.Network), new(commands)
		server := mongotest.NewStandalone(t, mongotest.Options{Listen: network.Listen})
		connect := func(options string, o *event.Observer) *motor.Database {
			client, err := motor.Connect(t.Context(), server.URI()+options, motor.ClientOptions{Dial: network.DialContext, Observer: o})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { client.Close(context.Background()) })
			return client.Database("db")
		}
		internal := connect("?appName=internal", nil)
		for _, name := range []string{"fs.files", "fs.chunks"} {
			if err := internal.CreateCollection(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		test(t, connect("?timeoutMS=150", &event.Observer{CommandStarted: seen.started}), internal, seen)
	})
}

// block has the next command with the name take too long.
func block(t *testing.T, internal *motor.Database, command string) {
	fail(t, internal, bson.E{Key: "times", Value: 1}, bson.E{Key: "failCommands", Value: bson.A{command}}, bson.E{Key: "blockConnection", Value: true}, bson.E{Key: "blockTimeMS", Value: blocked})
}

// timesOut fails the test unless err is a time-out that came when the limit was
// over.
func timesOut(t *testing.T, start time.Time, err error) {
	t.Helper()
	if took := time.Since(start); !errors.Is(err, motor.ErrTimeout) || took != limit*time.Millisecond {
		t.Errorf("after %v: %v", took, err)
	}
}

// The prose tests 6 and 7 of the client-side-operations-timeout specification.

func TestTimeoutProse6UploadStream(t *testing.T) {
	limited(t, func(t *testing.T, db, internal *motor.Database, _ *commands) {
		block(t, internal, "insert")
		start := time.Now()
		u, err := gridfs.NewBucket(db).OpenUploadStream(t.Context(), "filename")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Write([]byte{0x12}); err != nil {
			t.Fatal(err)
		}
		timesOut(t, start, u.Close())
	})
}

func TestTimeoutProse6Abort(t *testing.T) {
	limited(t, func(t *testing.T, db, internal *motor.Database, _ *commands) {
		block(t, internal, "delete")
		start := time.Now()
		// Batches of a thousand chunks are the smallest that are sent before Close.
		u, err := gridfs.NewBucket(db, gridfs.Options{ChunkSizeBytes: 2}).OpenUploadStream(t.Context(), "filename")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := u.Write(make([]byte, 2000)); err != nil {
			t.Fatal(err)
		}
		timesOut(t, start, u.Abort(t.Context()))
	})
}

func TestTimeoutProse7DownloadStream(t *testing.T) {
	limited(t, func(t *testing.T, db, internal *motor.Database, seen *commands) {
		id := bson.ObjectID{11: 5}
		_, err := internal.Collection("fs.files").InsertOne(t.Context(), bson.D{
			{Key: "_id", Value: id},
			{Key: "length", Value: 10},
			{Key: "chunkSize", Value: 4},
			{Key: "uploadDate", Value: bson.DateTime(0)},
			{Key: "md5", Value: "57d83cd477bfb1ccd975ab33d827a92b"},
			{Key: "filename", Value: "length-10"},
			{Key: "contentType", Value: "application/octet-stream"},
			{Key: "aliases", Value: bson.A{}},
			{Key: "metadata", Value: bson.D{}},
		})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		d, err := gridfs.NewBucket(db).OpenDownloadStream(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		block(t, internal, "find")
		_, err = d.Read(make([]byte, 1))
		timesOut(t, start, err)
		if got := seen.names(); len(got) != 2 || got[0] != "find fs.files" || got[1] != "find fs.chunks" {
			t.Errorf("commands %q", got)
		}
	})
}

func TestStreamHasOneTimeout(t *testing.T) {
	limited(t, func(t *testing.T, db, internal *motor.Database, _ *commands) {
		b := gridfs.NewBucket(db, gridfs.Options{Timeout: new(time.Second)})
		u, err := b.OpenUploadStream(motor.WithTimeout(t.Context(), limit*time.Millisecond), "filename")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(limit * time.Millisecond)
		if _, err := u.Write(make([]byte, 8<<20)); !errors.Is(err, motor.ErrTimeout) {
			t.Errorf("a stream whose time was over took more: %v", err)
		}
		if err := u.Abort(t.Context()); err != nil {
			t.Errorf("a stream that timed out could not be cleaned up: %v", err)
		}
		for _, collection := range []string{"fs.files", "fs.chunks"} {
			if n := count(t, internal, collection); n != 0 {
				t.Errorf("%s has %d documents", collection, n)
			}
		}
	})
}
