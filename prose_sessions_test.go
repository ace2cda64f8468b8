package motor_test

import (
	"context"
	"errors"
	"maps"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/internal/knobs"
)

// The prose tests of sessions/tests, by their numbers. Those that are missing
// cannot be written for this driver:
//
//	7, 16, 17  a client has one credential, from Connect to Close: there are not
//	           two users at a time, nor one after the other
//	12, 13     a Go process cannot fork and go on: the child would have one thread
//	           and none of the goroutines
//	15         has been removed
//	23         SnapshotTime is a method, there is nothing to assign to

func TestSessionsProse1SnapshotAndCausalConsistency(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		client, _ := l.connect()
		if _, err := client.StartSession(motor.SessionOptions{Snapshot: true, CausalConsistency: new(true)}); err == nil {
			l.Error("a causally consistent snapshot session was started")
		}
	})
}

func TestSessionsProse2PoolIsLIFO(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		client, _ := l.connect()
		l.ok(client.Ping(l.Context(), nil))
		start := func() (*motor.Session, string) {
			s, err := client.StartSession()
			l.ok(err)
			return s, s.ID().String()
		}
		a, idA := start()
		b, idB := start()
		a.End(l.Context())
		b.End(l.Context())
		first, id1 := start()
		second, id2 := start()
		if id1 != idB || id2 != idA {
			l.Errorf("after %s, then %s were returned, %s and %s were lent", idA, idB, id1, id2)
		}
		first.End(l.Context())
		second.End(l.Context())
	})
}

func TestSessionsProse3ClusterTimeInCommands(t *testing.T) {
	for name, operation := range map[string]func(*lab, *collection) error{
		"ping": func(l *lab, c *collection) error {
			_, err := c.Database().RunCommand(l.Context(), d("ping", 1))
			return err
		},
		"aggregate": func(l *lab, c *collection) error { _, err := c.Aggregate(l.Context(), bson.A{}).Slice(); return err },
		"find":      find,
		"insert":    insert,
	} {
		t.Run(name, func(t *testing.T) {
			inReplicaSet(t, func(l *lab) {
				client, tr := l.connect()
				l.ok(client.Ping(l.Context(), nil)) // the first reply brings the first cluster time
				for range 2 {
					replies := tr.of("succeeded")
					before := replies[len(replies)-1].doc.Lookup("$clusterTime")
					l.ok(operation(l, client.Database("db").Collection("c")))
					if sent := tr.last(l.T).Lookup("$clusterTime"); sent.String() != before.String() || sent.IsZero() {
						l.Errorf("%v was sent after %v was received", sent, before)
					}
				}
			})
		})
	}
}

// others are the operations of databases and clients that take a session, and
// those of collections that neither read nor write documents.
var others = named{
	"findOne": func(ctx context.Context, c *collection) error {
		_, err := c.FindOne(ctx, nil)
		return ignore(err, motor.ErrNoDocuments)
	},
	"countDocuments": func(ctx context.Context, c *collection) error {
		_, err := c.CountDocuments(ctx, nil)
		return err
	},
	"runCommand": func(ctx context.Context, c *collection) error {
		_, err := c.Database().RunCommand(ctx, d("ping", 1))
		return err
	},
	"runCursorCommand": func(ctx context.Context, c *collection) error {
		cursor, err := motor.RunCursorCommand[bson.D](ctx, c.Database(), d("find", "c"))
		if err == nil {
			err = cursor.Close(ctx)
		}
		return err
	},
	"aggregate of a database": func(ctx context.Context, c *collection) error {
		_, err := motor.AggregateDatabase[bson.D](ctx, c.Database().Client().Database("admin"), bson.A{d("$currentOp", bson.D{})}).Slice()
		return err
	},
	"listCollections": func(ctx context.Context, c *collection) error {
		_, err := c.Database().ListCollectionNames(ctx, nil)
		return err
	},
	"listDatabases": func(ctx context.Context, c *collection) error {
		_, err := c.Database().Client().ListDatabaseNames(ctx, nil)
		return err
	},
	"listIndexes": func(ctx context.Context, c *collection) error { _, err := c.ListIndexNames(ctx); return err },
	"dropIndexes": func(ctx context.Context, c *collection) error { return c.DropAllIndexes(ctx) },
	"create": func(ctx context.Context, c *collection) error {
		return c.Database().CreateCollection(ctx, bson.NewObjectID().Hex())
	},
	"collMod": func(ctx context.Context, c *collection) error {
		return c.Database().ModifyCollection(ctx, "c", motor.ModifyCollectionOptions{ValidationLevel: "off"})
	},
	"rename": func(ctx context.Context, c *collection) error {
		return c.Rename(ctx, "d", motor.RenameOptions{DropTarget: true})
	},
	"drop":         func(ctx context.Context, c *collection) error { return c.Drop(ctx) },
	"dropDatabase": func(ctx context.Context, c *collection) error { return c.Database().Drop(ctx) },
	"bulkWrite of a client": func(ctx context.Context, c *collection) error {
		_, err := c.Database().Client().BulkWrite(ctx, []motor.ClientWrite{{Namespace: "db.c", Model: motor.InsertOneModel[any]{Document: bson.D{}}}})
		return err
	},
	"watch": func(ctx context.Context, c *collection) error {
		stream, err := c.Watch(ctx, nil)
		if err == nil {
			err = stream.Close(ctx)
		}
		return err
	},
}

// everything is all operations that take a session.
func everything() named {
	all := maps.Clone(reads)
	maps.Copy(all, writes)
	maps.Copy(all, others)
	return all
}

func TestSessionsProse4ExplicitAndImplicit(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		client, tr := l.connect()
		s, ctx := l.sessionOf(client)
		c := client.Database("db").Collection("c")
		for name, operation := range everything() {
			l.ok(insert(l, c)) // what some of them work on
			l.ok(operation(ctx, c))
			if lsid := lsidOf(tr.last(l.T)); lsid != s.ID().String() {
				l.Errorf("%s: lsid %s, want that of the session", name, lsid)
			}
			l.ok(insert(l, c))
			l.ok(operation(l.Context(), c))
			if lsid := lsidOf(tr.last(l.T)); lsid == "" || lsid == s.ID().String() {
				l.Errorf("%s without a session: lsid %s", name, lsid)
			}
		}
	})
}

func lsidOf(command bson.Raw) string {
	lsid, _ := command.Lookup("lsid").Document()
	return lsid.String()
}

// refusedIn wants all operations with ctx to fail with an error, and nothing to
// be sent.
func refusedIn(l *lab, ctx context.Context, c *collection, tr *trail, want error) {
	l.Helper()
	all := everything()
	delete(all, "a write that is refused")
	for name, operation := range all {
		tr.forget()
		if err := operation(ctx, c); !errors.Is(err, want) {
			l.Errorf("%s gave %v, want %v", name, err, want)
		}
		if sent := tr.of("started"); len(sent) > 0 {
			l.Errorf("%s sent %v", name, sent)
		}
	}
}

func TestSessionsProse5SessionOfAnotherClient(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		client1, tr := l.connect()
		client2, _ := l.connect()
		_, ctx := l.sessionOf(client2)
		refusedIn(l, ctx, client1.Database("db").Collection("c"), tr, motor.ErrWrongClient)
	})
}

func TestSessionsProse6EndedSession(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		client, tr := l.connect()
		s, ctx := l.sessionOf(client)
		s.End(l.Context())
		refusedIn(l, ctx, client.Database("db").Collection("c"), tr, motor.ErrSessionEnded)
		var leaked context.Context
		l.ok(client.WithSession(l.Context(), func(ctx context.Context) error {
			leaked = ctx
			return nil
		}))
		refusedIn(l, leaked, client.Database("db").Collection("c"), tr, motor.ErrSessionEnded)
	})
}

// returned wants the implicit session of a cursor to be lent to the next
// operation although the cursor was not iterated to its end.
func returned(t *testing.T, documents int, batch int32, iterated int) {
	inReplicaSet(t, func(l *lab) {
		client, tr := l.connect()
		c := client.Database("db").Collection("c")
		for range documents {
			l.ok(insert(l, c))
		}
		cursor, err := c.FindCursor(l.Context(), nil, motor.FindOptions{BatchSize: &batch})
		l.ok(err)
		defer cursor.Close(l.Context())
		used := lsidOf(tr.last(l.T))
		for range iterated {
			if !cursor.Next(l.Context()) {
				l.Fatalf("the cursor ended: %v", cursor.Err())
			}
		}
		l.ok(insert(l, c))
		if next := lsidOf(tr.last(l.T)); next != used {
			l.Errorf("the next operation has %s, want the %s of the cursor", next, used)
		}
	})
}

func TestSessionsProse8ExhaustedAtOnce(t *testing.T) { returned(t, 2, 0, 1) }

func TestSessionsProse9ExhaustedByGetMore(t *testing.T) { returned(t, 5, 3, 4) }

// What the other tests leave behind is told to the server when the client ends:
// as many sessions as were ever made.
func TestSessionsProse10NoSessionIsLeftCheckedOut(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		client, tr := l.connect()
		c := client.Database("db").Collection("c")
		for _, operation := range everything() {
			l.ok(insert(l, c))
			l.ok(operation(l.Context(), c))
		}
		s, ctx := l.sessionOf(client)
		l.ok(writes["insertOne"](ctx, c))
		s.End(l.Context())
		used := map[string]bool{}
		for _, s := range tr.of("started") {
			used[lsidOf(s.doc)] = true
		}
		l.ok(client.Close(l.Context()))
		ended, _ := tr.of("started", "endSessions")[0].doc.Lookup("endSessions").Array()
		if ended.Len() != len(used) {
			l.Errorf("%d sessions were used, %d were ended", len(used), ended.Len())
		}
	})
}

func TestSessionsProse11FindAndGetMoreHaveTheSameSession(t *testing.T) {
	for topology, in := range map[string]func(*testing.T, func(*lab)){"single": inStandalone, "replica set": inReplicaSet, "sharded": inCluster} {
		for _, mode := range []string{"primary", "primaryPreferred", "secondary", "secondaryPreferred", "nearest"} {
			t.Run(topology+" "+mode, func(t *testing.T) {
				in(t, func(l *lab) {
					client, tr := l.connect("readPreference=" + mode)
					c := client.Database("db").Collection("c")
					_, err := c.InsertMany(l.Context(), []bson.D{{}, {}, {}})
					l.ok(err)
					synctest.Wait() // until secondaries have it
					list, err := c.Find(l.Context(), nil, motor.FindOptions{BatchSize: new(int32(2))}).Slice()
					l.ok(err)
					finds, more := tr.of("started", "find"), tr.of("started", "getMore")
					if len(list) != 3 || len(finds) != 1 || len(more) != 1 {
						l.Fatalf("%d documents, %d find, %d getMore", len(list), len(finds), len(more))
					}
					if a, b := lsidOf(finds[0].doc), lsidOf(more[0].doc); a == "" || a != b {
						l.Errorf("find has lsid %s, getMore %s", a, b)
					}
				})
			})
		}
	}
}

func TestSessionsProse14AllocatedAfterCheckOut(t *testing.T) {
	fewest := 8
	for range 5 {
		inReplicaSet(t, func(l *lab) {
			client, tr := l.connect("maxPoolSize=1", "retryWrites=true")
			c := client.Database("db").Collection("c")
			var wg sync.WaitGroup
			for _, name := range []string{"insertOne", "deleteOne", "updateOne", "bulkWrite", "findOneAndDelete", "findOneAndUpdate", "findOneAndReplace", "find"} {
				wg.Go(func() {
					if err := everything()[name](l.Context(), c); err != nil {
						l.Errorf("%s: %v", name, err)
					}
				})
			}
			wg.Wait()
			used := map[string]bool{}
			for _, s := range tr.of("started") {
				used[lsidOf(s.doc)] = true
			}
			fewest = min(fewest, len(used))
			if len(used) >= 8 {
				l.Errorf("%d sessions for 8 operations on one connection", len(used))
			}
		})
	}
	if fewest != 1 {
		t.Errorf("%d sessions at best, want one", fewest)
	}
}

func TestSessionsProse18And19ServerWithoutSessions(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		server := withoutSessions(l)
		client, tr := l.connectTo("mongodb://"+server+"/", knobs.Knobs{})
		c := client.Database("db").Collection("c")
		for _, operation := range []string{"find", "insertOne"} {
			everything()[operation](l.Context(), c)
			if lsid := tr.last(l.T).Lookup("lsid"); !lsid.IsZero() {
				l.Errorf("%v was sent to a server without sessions", tr.last(l.T))
			}
			_, ctx := l.sessionOf(client)
			tr.forget()
			if err := everything()[operation](ctx, c); !errors.Is(err, motor.ErrSessionsUnsupported) {
				l.Errorf("%s in a session gave %v", operation, err)
			}
			if sent := tr.of("started"); len(sent) > 0 {
				l.Errorf("%v was sent", sent)
			}
		}
	})
}

func TestSessionsProse20NoGossipByMonitors(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		client2, _ := l.connect()
		beat := make(chan struct{}, 1)
		tr := new(trail)
		observer := event.Join(tr.observer(), &event.Observer{ServerHeartbeatSucceeded: func(*event.ServerHeartbeatSucceeded) {
			select {
			case beat <- struct{}{}:
			default:
			}
		}})
		client1, err := motor.Connect(knobs.With(l.Context(), knobs.Knobs{HeartbeatFrequency: 10 * time.Millisecond}), l.nodes[0].URI(),
			motor.ClientOptions{Dial: l.network.DialContext, Observer: observer})
		l.ok(err)
		defer client1.Close(l.Context())
		l.ok(client1.Ping(l.Context(), nil))
		replies := tr.of("succeeded", "ping")
		before := replies[0].doc.Lookup("$clusterTime").String()
		l.ok(insert(l, client2.Database("test").Collection("test")))
		for range 3 {
			select {
			case <-beat:
			default:
			}
			<-beat
		}
		l.ok(client1.Ping(l.Context(), nil))
		if sent := tr.last(l.T).Lookup("$clusterTime").String(); sent != before {
			l.Errorf("%s was sent after %s was received", sent, before)
		}
	})
}

func TestSessionsProse21SnapshotTimeWithoutSnapshot(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		client, _ := l.connect()
		if _, err := client.StartSession(motor.SessionOptions{SnapshotTime: bson.Timestamp{T: 1}}); err == nil {
			l.Error("a session that is no snapshot session took a snapshotTime")
		}
	})
}

func TestSessionsProse22SnapshotTimeOfAnotherSession(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		client, _ := l.connect()
		s, ctx := l.sessionOf(client, motor.SessionOptions{Snapshot: false})
		for range 2 {
			if at := s.SnapshotTime(); !at.IsZero() {
				l.Errorf("a session that is no snapshot session reads at %v", at)
			}
			l.ok(reads["find"](ctx, client.Database("db").Collection("c")))
		}
	})
}
