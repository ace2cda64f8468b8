package motor_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/mongotest"
)

// The prose tests of the client-side-operations-timeout specification, by their
// numbers. The third is about encryption, the sixth and the seventh are in
// package gridfs.

func TestTimeoutProse1MultiBatchInserts(t *testing.T) {
	inBubble(t, false, mongotest.Options{}, func(t *testing.T, b *bubble) {
		b.block(2, 1010, "", "insert")
		client, seen := b.connect("timeoutMS=2000")
		docs := make([]bson.D, 50)
		for i := range docs {
			docs[i] = d("data", strings.Repeat("x", 1<<20))
		}
		start := time.Now()
		_, err := client.Database("db").Collection("coll").InsertMany(t.Context(), docs)
		b.timesOut(start, 2*time.Second, err)
		if n := seen.count("insert"); n != 2 {
			t.Errorf("%d commands were sent, want 2", n)
		}
	})
}

func TestTimeoutProse2Mongocryptd(t *testing.T) {
	p := newDeployment(t, map[string]bson.Raw{"ping": encode(t, d("ok", 1))})
	cryptd := encode(t, d("iscryptd", true, "ismaster", true, "helloOk", true, "minWireVersion", 0, "maxWireVersion", 25,
		"maxBsonObjectSize", 16<<20, "maxMessageSizeBytes", 48_000_000, "maxWriteBatchSize", 100_000, "ok", 1))
	p.script("hello", cryptd)
	p.script("isMaster", cryptd)
	seen := new(record)
	client := connectTo(t, "mongodb://"+p.addr+"/?timeoutMS=20000&serverMonitoringMode=poll", motor.ClientOptions{
		Observer: &event.Observer{CommandStarted: seen.started},
	})
	if _, err := client.Database("admin").RunCommand(t.Context(), d("ping", 1)); err != nil {
		t.Fatal(err)
	}
	if ms := seen.maxTime("ping"); ms != -1 {
		t.Errorf("ping was sent with maxTimeMS %d", ms)
	}
}

var withPassword = mongotest.Options{Username: "user", Password: "pencil"}

func TestTimeoutProse4BackgroundConnectionPooling(t *testing.T) {
	t.Run("timeoutMS used for handshake commands", func(t *testing.T) {
		inBubble(t, true, withPassword, func(t *testing.T, b *bubble) {
			b.block(1, 15, "timeoutBackgroundPoolTest", "saslContinue")
			_, seen := b.connect("minPoolSize=1&timeoutMS=10&appName=timeoutBackgroundPoolTest")
			time.Sleep(time.Second / 2)
			if seen.count("connection created") == 0 || seen.count("connection closed") == 0 {
				t.Errorf("only this happened: %v", seen.list)
			}
		})
	})
	t.Run("timeoutMS is refreshed for each handshake command", func(t *testing.T) {
		inBubble(t, true, withPassword, func(t *testing.T, b *bubble) {
			b.block(0, 15, "refreshTimeoutBackgroundPoolTest", "hello", "isMaster", "saslContinue")
			_, seen := b.connect("minPoolSize=1&timeoutMS=20&appName=refreshTimeoutBackgroundPoolTest")
			time.Sleep(time.Second / 2)
			if seen.count("connection created") != 1 || seen.count("connection ready") != 1 {
				t.Errorf("this happened: %v", seen.list)
			}
		})
	})
}

func TestTimeoutProse5BlockingIterationMethods(t *testing.T) {
	t.Run("tailable cursors", func(t *testing.T) {
		inBubble(t, true, mongotest.Options{}, func(t *testing.T, b *bubble) {
			db := b.internal.Database("db")
			if err := db.CreateCollection(t.Context(), "coll", motor.CreateCollectionOptions{Capped: true, Size: new(int64(500))}); err != nil {
				t.Fatal(err)
			}
			if _, err := db.Collection("coll").InsertOne(t.Context(), d("x", 1)); err != nil {
				t.Fatal(err)
			}
			b.block(0, 15, "", "getMore")
			client, seen := b.connect("timeoutMS=20")
			cursor, err := client.Database("db").Collection("coll").FindCursor(t.Context(), nil, motor.FindOptions{CursorType: motor.Tailable})
			if err != nil || cursor.ID() == 0 {
				t.Fatalf("cursor %v, error %v", cursor, err)
			}
			if !cursor.Next(t.Context()) || seen.count("getMore") != 0 {
				t.Fatalf("no document of the first batch: %v", cursor.Err())
			}
			start := time.Now()
			cursor.Next(t.Context())
			b.timesOut(start, 20*time.Millisecond, cursor.Err())
			if want := []string{"find", "getMore", "getMore", "getMore failed"}; !slices.Equal(seen.commandsOnly(), want) {
				t.Errorf("commands %v, want %v", seen.commandsOnly(), want)
			}
		})
	})
	t.Run("change streams", func(t *testing.T) {
		inBubble(t, true, mongotest.Options{}, func(t *testing.T, b *bubble) {
			b.block(0, 15, "", "getMore")
			client, seen := b.connect("timeoutMS=20")
			stream, err := client.Database("db").Collection("coll").Watch(t.Context(), nil, motor.WatchOptions{MaxAwaitTime: time.Millisecond})
			if err != nil || stream.ID() == 0 {
				t.Fatalf("stream %v, error %v", stream, err)
			}
			start := time.Now()
			stream.Next(t.Context())
			b.timesOut(start, 20*time.Millisecond, stream.Err())
			if want := []string{"aggregate", "getMore", "getMore", "getMore failed"}; !slices.Equal(seen.commandsOnly(), want) {
				t.Errorf("commands %v, want %v", seen.commandsOnly(), want)
			}
		})
	})
}

func TestTimeoutProse8ServerSelection(t *testing.T) {
	for options, name := range map[string]string{
		"serverSelectionTimeoutMS=10":              "serverSelectionTimeoutMS honored if timeoutMS is not set",
		"timeoutMS=10&serverSelectionTimeoutMS=20": "timeoutMS honored if it's lower than serverSelectionTimeoutMS",
		"timeoutMS=20&serverSelectionTimeoutMS=10": "serverSelectionTimeoutMS honored if it's lower than timeoutMS",
		"timeoutMS=0&serverSelectionTimeoutMS=10":  "serverSelectionTimeoutMS honored if timeoutMS=0",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &bubble{t: t, network: new(mongotest.Network)}
				client, _ := b.dial("mongodb://invalid/?" + options)
				start := time.Now()
				_, err := client.Database("admin").RunCommand(t.Context(), d("ping", 1))
				b.timesOut(start, 10*time.Millisecond, err)
				if selection := new(motor.SelectionError); !errors.As(err, &selection) {
					t.Errorf("the error is none of server selection: %v", err)
				}
			})
		})
	}
	for options, name := range map[string]string{
		"timeoutMS=10&serverSelectionTimeoutMS=20": "timeoutMS honored for connection handshake commands",
		"timeoutMS=20&serverSelectionTimeoutMS=10": "serverSelectionTimeoutMS honored for connection handshake commands",
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, true, withPassword, func(t *testing.T, b *bubble) {
				b.block(1, 15, "", "saslContinue")
				client, _ := b.connect(options)
				start := time.Now()
				_, err := client.Database("db").Collection("coll").InsertOne(t.Context(), d("x", 1))
				b.timesOut(start, 10*time.Millisecond, err)
			})
		})
	}
}

func TestTimeoutProse9EndSession(t *testing.T) {
	const limit = 150 * time.Millisecond
	for name, o := range map[string]struct {
		uri     string
		session motor.SessionOptions
		end     func(context.Context) context.Context
	}{
		"of the client":    {uri: "timeoutMS=150"},
		"of the session":   {session: motor.SessionOptions{DefaultTimeout: new(limit)}},
		"of the operation": {end: func(ctx context.Context) context.Context { return motor.WithTimeout(ctx, limit) }},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, true, mongotest.Options{}, func(t *testing.T, b *bubble) {
				b.block(1, 200, "", "abortTransaction")
				client, _ := b.connect(o.uri)
				session, err := client.StartSession(o.session)
				if err != nil {
					t.Fatal(err)
				}
				if err := session.StartTransaction(); err != nil {
					t.Fatal(err)
				}
				ctx := session.Bind(t.Context())
				if _, err := client.Database("db").Collection("coll").InsertOne(ctx, d("x", 1)); err != nil {
					t.Fatal(err)
				}
				if o.end != nil {
					ctx = o.end(ctx)
				}
				start := time.Now()
				b.timesOut(start, limit, session.End(ctx))
			})
		})
	}
}

func TestTimeoutProse10ConvenientTransactions(t *testing.T) {
	inBubble(t, true, mongotest.Options{}, func(t *testing.T, b *bubble) {
		b.block(2, 200, "", "insert", "abortTransaction")
		client, seen := b.connect("timeoutMS=150")
		start := time.Now()
		err := client.WithTransaction(t.Context(), func(ctx context.Context) error {
			_, err := client.Database("db").Collection("coll").InsertOne(ctx, d("_id", 1))
			return err
		})
		b.timesOut(start, 300*time.Millisecond, err)
		if want := []string{"insert", "insert failed", "abortTransaction", "abortTransaction failed"}; !slices.Equal(seen.commandsOnly(), want) {
			t.Errorf("commands %v, want %v", seen.commandsOnly(), want)
		}
	})
}

func TestTimeoutProse11MultiBatchBulkWrites(t *testing.T) {
	inBubble(t, false, mongotest.Options{}, func(t *testing.T, b *bubble) {
		hello, err := b.internal.Database("admin").RunCommand(t.Context(), d("hello", 1))
		if err != nil {
			t.Fatal(err)
		}
		document, _ := hello.Lookup("maxBsonObjectSize").AsInt64()
		message, _ := hello.Lookup("maxMessageSizeBytes").AsInt64()
		b.block(2, 1010, "", "bulkWrite")
		client, seen := b.connect("timeoutMS=2000")
		doc := d("a", strings.Repeat("b", int(document)-500))
		writes := slices.Repeat([]motor.ClientWrite{{Namespace: "db.coll", Model: motor.InsertOneModel[bson.D]{Document: doc}}}, int(message/document)+1)
		start := time.Now()
		_, err = client.BulkWrite(t.Context(), writes)
		b.timesOut(start, 2*time.Second, err)
		if n := seen.count("bulkWrite"); n != 2 {
			t.Errorf("%d commands were sent, want 2", n)
		}
	})
}
