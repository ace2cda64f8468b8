package motor_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/concern"
	"github.com/motor-go/motor/mongotest"
)

// The rule by which a context's deadline and timeoutMS meet: a findOne that the
// server has no answer to for 200 ms.
func TestTimeoutRule(t *testing.T) {
	const never = 200
	ms := func(n int) *time.Duration { return new(time.Duration(n) * time.Millisecond) }
	for name, c := range map[string]struct {
		uri       string
		settings  motor.Settings
		operation *time.Duration // WithTimeout
		context   *time.Duration
		maxTime   int64 // -1: not sent
		took      int
	}{
		"nothing":                                {"", motor.Settings{}, nil, nil, -1, never},
		"a context alone is not told":            {"", motor.Settings{}, nil, ms(50), -1, 50},
		"of the client":                          {"timeoutMS=60", motor.Settings{}, nil, nil, 60, 60},
		"of the collection":                      {"timeoutMS=60", motor.Settings{Timeout: ms(70)}, nil, nil, 70, 70},
		"of the operation":                       {"timeoutMS=60", motor.Settings{Timeout: ms(70)}, ms(80), nil, 80, 80},
		"no limit":                               {"timeoutMS=60", motor.Settings{}, ms(0), nil, -1, never},
		"the context's is earlier":               {"timeoutMS=60", motor.Settings{}, nil, ms(50), 50, 50},
		"the context's is later":                 {"timeoutMS=60", motor.Settings{}, nil, ms(100), 60, 60},
		"no limit lets the context's be told":    {"timeoutMS=0", motor.Settings{}, nil, ms(50), 50, 50},
		"older timeouts hold":                    {"socketTimeoutMS=40", motor.Settings{}, nil, nil, -1, 40},
		"older timeouts are ignored":             {"socketTimeoutMS=40", motor.Settings{Timeout: ms(60)}, nil, nil, 60, 60},
		"older timeouts are ignored at no limit": {"socketTimeoutMS=40&timeoutMS=0", motor.Settings{}, nil, nil, -1, never},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, false, mongotest.Options{}, func(t *testing.T, b *bubble) {
				client, seen := b.connect(c.uri + "&retryReads=false")
				b.block(1, never, "", "find")
				ctx := t.Context()
				if c.operation != nil {
					ctx = motor.WithTimeout(ctx, *c.operation)
				}
				if c.context != nil {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, *c.context)
					defer cancel()
				}
				start := time.Now()
				_, err := client.Database("db").Collection("coll").With(c.settings).FindOne(ctx, nil)
				if c.took == never {
					if err != motor.ErrNoDocuments {
						t.Errorf("error %v", err)
					}
				} else {
					b.timesOut(start, time.Duration(c.took)*time.Millisecond, err)
				}
				if got := seen.maxTime("find"); got != c.maxTime {
					t.Errorf("maxTimeMS %d, want %d", got, c.maxTime)
				}
				// The connection is kept, and answers the next command.
				if _, err := client.Database("db").RunCommand(t.Context(), d("ping", 1)); c.uri == "timeoutMS=60" && err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestTimeoutIgnoresOlderOptions(t *testing.T) {
	inBubble(t, true, mongotest.Options{}, func(t *testing.T, b *bubble) {
		client, seen := b.connect("timeoutMS=500")
		coll := client.Database("db").Collection("coll").With(motor.Settings{WriteConcern: &motor.WriteConcern{W: concern.Majority, WTimeout: time.Minute}})
		if _, err := coll.EstimatedDocumentCount(t.Context(), motor.EstimatedCountOptions{MaxTime: time.Minute}); err != nil {
			t.Fatal(err)
		}
		if ms := seen.maxTime("count"); ms != 500 {
			t.Errorf("count has maxTimeMS %d", ms)
		}
		if _, err := coll.InsertOne(t.Context(), d("_id", 1)); err != nil {
			t.Fatal(err)
		}
		if v := seen.commands[len(seen.commands)-1].Lookup("writeConcern", "wtimeout"); !v.IsZero() {
			t.Errorf("insert has wtimeout %v", v)
		}
	})
}

// A check-out has what is left of timeoutMS, or else the wait queue timeout.
func TestTimeoutOfCheckOut(t *testing.T) {
	for options, want := range map[string]int{
		"waitQueueTimeoutMS=20":                                20,
		"waitQueueTimeoutMS=20&timeoutMS=50":                   50,
		"waitQueueTimeoutMS=20&timeoutMS=0":                    -1,
		"timeoutMS=100&serverSelectionTimeoutMS=30":            30,
		"waitQueueTimeoutMS=20&timeoutMS=10&maxConnecting=100": 10,
	} {
		t.Run(options, func(t *testing.T) {
			inBubble(t, false, mongotest.Options{}, func(t *testing.T, b *bubble) {
				b.block(1, 200, "", "find")
				client, _ := b.connect("maxPoolSize=1&" + options)
				db := client.Database("db")
				held := make(chan struct{})
				go func() {
					defer close(held)
					db.Collection("coll").FindOne(motor.WithTimeout(t.Context(), time.Minute), nil)
				}()
				time.Sleep(time.Millisecond)
				start := time.Now()
				_, err := db.RunCommand(t.Context(), d("ping", 1))
				if want < 0 {
					if err != nil || time.Since(start) != 199*time.Millisecond {
						t.Errorf("after %v: %v", time.Since(start), err)
					}
				} else {
					b.timesOut(start, time.Duration(want)*time.Millisecond, err)
				}
				<-held
			})
		})
	}
}

func TestTimeoutOfCursors(t *testing.T) {
	docs := func(t *testing.T, b *bubble) {
		var list []bson.D
		for i := range 4 {
			list = append(list, d("_id", i))
		}
		if _, err := b.internal.Database("db").Collection("coll").InsertMany(t.Context(), list); err != nil {
			t.Fatal(err)
		}
	}
	two := new(int32(2))
	t.Run("lifetime", func(t *testing.T) {
		inBubble(t, false, mongotest.Options{}, func(t *testing.T, b *bubble) {
			docs(t, b)
			client, seen := b.connect("timeoutMS=100")
			cursor, err := client.Database("db").Collection("coll").FindCursor(t.Context(), nil, motor.FindOptions{BatchSize: two})
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			for range *two { // they are here
				if !cursor.Next(t.Context()) {
					t.Fatal(cursor.Err())
				}
			}
			start := time.Now()
			cursor.Next(t.Context())
			b.timesOut(start, 0, cursor.Err())
			if err := cursor.Close(t.Context()); err != nil || seen.maxTime("killCursors") != 100 {
				t.Errorf("killCursors has maxTimeMS %d, error %v", seen.maxTime("killCursors"), err)
			}
			if seen.maxTime("find") != 100 {
				t.Errorf("find has maxTimeMS %d", seen.maxTime("find"))
			}
		})
	})
	t.Run("iteration", func(t *testing.T) {
		inBubble(t, false, mongotest.Options{}, func(t *testing.T, b *bubble) {
			docs(t, b)
			client, seen := b.connect("timeoutMS=100")
			b.block(2, 60, "", "find", "getMore")
			n := 0
			for _, err := range client.Database("db").Collection("coll").Find(t.Context(), nil, motor.FindOptions{BatchSize: two, TimeoutMode: motor.Iteration}) {
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Second)
				n++
			}
			if n != 4 || seen.maxTime("find") != -1 || seen.maxTime("getMore") != -1 {
				t.Errorf("%d documents, maxTimeMS %d and %d", n, seen.maxTime("find"), seen.maxTime("getMore"))
			}
		})
	})
	t.Run("a context's deadline is not the cursor's", func(t *testing.T) {
		inBubble(t, false, mongotest.Options{}, func(t *testing.T, b *bubble) {
			docs(t, b)
			client, seen := b.connect("timeoutMS=100")
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			cursor, err := client.Database("db").Collection("coll").FindCursor(ctx, nil, motor.FindOptions{BatchSize: two})
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(60 * time.Millisecond)
			if list, err := cursor.Slice(t.Context()); err != nil || len(list) != 4 || seen.maxTime("find") != 100 {
				t.Errorf("%d documents, maxTimeMS %d, error %v", len(list), seen.maxTime("find"), err)
			}
		})
	})
}

func TestChangeStreamOutlastsTimeout(t *testing.T) {
	inBubble(t, true, mongotest.Options{}, func(t *testing.T, b *bubble) {
		client, seen := b.connect("timeoutMS=100")
		coll := client.Database("db").Collection("coll")
		stream, err := coll.Watch(t.Context(), nil, motor.WatchOptions{MaxAwaitTime: 10 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Close(context.WithoutCancel(t.Context()))
		for range 2 {
			start := time.Now()
			stream.Next(t.Context())
			b.timesOut(start, 100*time.Millisecond, stream.Err())
		}
		if _, err := coll.InsertOne(t.Context(), d("_id", 1)); err != nil {
			t.Fatal(err)
		}
		if !stream.Next(t.Context()) || stream.Err() != nil {
			t.Fatalf("no event: %v", stream.Err())
		}
		if n := seen.count("aggregate"); n != 3 {
			t.Errorf("%d aggregates, want one and two to resume", n)
		}
	})
}

func TestTimeoutThatOperationsShare(t *testing.T) {
	inBubble(t, false, mongotest.Options{}, func(t *testing.T, b *bubble) {
		b.block(3, 60, "", "ping")
		client, seen := b.connect("timeoutMS=150")
		db := client.Database("db")
		start := time.Now()
		ctx, cancel, err := db.ShareTimeout(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer cancel()
		var maxTimes []int64
		for err == nil {
			_, err = db.RunCommand(ctx, d("ping", 1))
			maxTimes = append(maxTimes, seen.maxTime("ping"))
		}
		b.timesOut(start, 150*time.Millisecond, err)
		if want := []int64{150, 90, 30}; !slices.Equal(maxTimes, want) {
			t.Errorf("maxTimeMS %v, want %v", maxTimes, want)
		}
		time.Sleep(time.Second)
	})
}

func TestTimeoutsThatMakeNoSense(t *testing.T) {
	client := connectTo(t, "mongodb://unused.invalid/?serverSelectionTimeoutMS=0")
	db := client.Database("db")
	coll, limited := db.Collection("coll"), db.Collection("coll", motor.Settings{Timeout: new(time.Second)})
	for want, run := range map[string]func(ctx context.Context) error{
		"negative": func(ctx context.Context) error {
			return coll.With(motor.Settings{Timeout: new(-time.Second)}).Drop(ctx)
		},
		"is negative": func(ctx context.Context) error { return db.Drop(motor.WithTimeout(ctx, -1)) },
		"where timeoutMS is not": func(ctx context.Context) error {
			_, err := coll.Find(ctx, nil, motor.FindOptions{TimeoutMode: motor.CursorLifetime}).First()
			return err
		},
		"tailable": func(ctx context.Context) error {
			_, err := limited.Find(ctx, nil, motor.FindOptions{CursorType: motor.Tailable, TimeoutMode: motor.CursorLifetime}).First()
			return err
		},
		"$out": func(ctx context.Context) error {
			_, err := limited.Aggregate(ctx, bson.A{d("$out", "other")}, motor.AggregateOptions{TimeoutMode: motor.Iteration}).First()
			return err
		},
		"MaxAwaitTime": func(ctx context.Context) error {
			_, err := limited.Watch(ctx, nil, motor.WatchOptions{MaxAwaitTime: time.Second})
			return err
		},
		"WithTransaction": func(ctx context.Context) error {
			return client.WithTransaction(motor.WithTimeout(ctx, time.Minute), func(ctx context.Context) error {
				_, err := coll.InsertOne(motor.WithTimeout(ctx, time.Second), d("_id", 1))
				return err
			})
		},
	} {
		if err := run(t.Context()); err == nil || errors.Is(err, motor.ErrTimeout) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
