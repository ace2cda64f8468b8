package motor_test

import (
	"context"
	"testing"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

// The test plan of causal-consistency.md, by its numbers. Number 10 has been
// removed.

// named are operations of a collection, by name.
type named map[string]func(context.Context, *collection) error

var reads = named{
	"find": func(ctx context.Context, c *collection) error { _, err := c.Find(ctx, nil).Slice(); return err },
	"aggregate": func(ctx context.Context, c *collection) error {
		_, err := c.Aggregate(ctx, bson.A{}).Slice()
		return err
	},
	"distinct": func(ctx context.Context, c *collection) error {
		_, err := motor.Distinct[any](ctx, c, "a", nil)
		return err
	},
	"count": func(ctx context.Context, c *collection) error { _, err := c.EstimatedDocumentCount(ctx); return err },
}

var writes = named{
	"insertOne": func(ctx context.Context, c *collection) error { _, err := c.InsertOne(ctx, bson.D{}); return err },
	"insertMany": func(ctx context.Context, c *collection) error {
		_, err := c.InsertMany(ctx, []bson.D{{}, {}})
		return err
	},
	"updateOne":  func(ctx context.Context, c *collection) error { _, err := c.UpdateOne(ctx, bson.D{}, set); return err },
	"updateMany": func(ctx context.Context, c *collection) error { _, err := c.UpdateMany(ctx, bson.D{}, set); return err },
	"replaceOne": func(ctx context.Context, c *collection) error {
		_, err := c.ReplaceOne(ctx, bson.D{}, d("a", 1))
		return err
	},
	"deleteOne":  func(ctx context.Context, c *collection) error { _, err := c.DeleteOne(ctx, bson.D{}); return err },
	"deleteMany": func(ctx context.Context, c *collection) error { _, err := c.DeleteMany(ctx, bson.D{}); return err },
	"findOneAndUpdate": func(ctx context.Context, c *collection) error {
		_, err := c.FindOneAndUpdate(ctx, d("_id", 1), set)
		return ignore(err, motor.ErrNoDocuments)
	},
	"findOneAndDelete": func(ctx context.Context, c *collection) error {
		_, err := c.FindOneAndDelete(ctx, d("_id", 1))
		return ignore(err, motor.ErrNoDocuments)
	},
	"findOneAndReplace": func(ctx context.Context, c *collection) error {
		_, err := c.FindOneAndReplace(ctx, d("_id", 1), d("a", 1))
		return ignore(err, motor.ErrNoDocuments)
	},
	"bulkWrite": func(ctx context.Context, c *collection) error {
		_, err := c.BulkWrite(ctx, []motor.WriteModel[bson.D]{motor.InsertOneModel[bson.D]{Document: bson.D{}}})
		return err
	},
	"createIndex": func(ctx context.Context, c *collection) error {
		_, err := c.CreateIndex(ctx, motor.IndexModel{Keys: d("a", 1)})
		return err
	},
	"a write that is refused": func(ctx context.Context, c *collection) error {
		c.InsertOne(ctx, d("_id", 7))
		_, err := c.InsertOne(ctx, d("_id", 7))
		return ignore(err, motor.ErrDuplicateKey)
	},
}

var set = bson.D{{Key: "$set", Value: bson.D{{Key: "a", Value: 1}}}}

// sessionOf starts a session that ends with the test.
func (l *lab) sessionOf(client *motor.Client, options ...motor.SessionOptions) (*motor.Session, context.Context) {
	l.Helper()
	s, err := client.StartSession(options...)
	l.ok(err)
	l.Cleanup(func() { s.End(context.Background()) })
	return s, s.Bind(l.Context())
}

// eachIn runs a test for each operation in a session of its own, on a replica
// set.
func eachIn(t *testing.T, operations named, options motor.SessionOptions, test func(l *lab, ctx context.Context, s *motor.Session, c *collection, tr *trail, operation func() error)) {
	inReplicaSet(t, func(l *lab) {
		client, tr := l.connect()
		for name, operation := range operations {
			c := client.Database("db").Collection("c")
			s, ctx := l.sessionOf(client, options)
			tr.forget()
			test(l, ctx, s, c, tr, func() error {
				if err := operation(ctx, c); err != nil {
					l.Errorf("%s: %v", name, err)
				}
				return nil
			})
		}
	})
}

// after is the afterClusterTime of the command that was sent last, zero for none.
func (tr *trail) after(t *testing.T) bson.Timestamp {
	ts, _ := tr.last(t).Lookup("readConcern", "afterClusterTime").Timestamp()
	return ts
}

func TestCausalConsistencyProse1OperationTimeIsUnset(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		client, _ := l.connect()
		if s, _ := l.sessionOf(client); !s.OperationTime().IsZero() {
			l.Errorf("the operation time of a new session is %v", s.OperationTime())
		}
	})
}

func TestCausalConsistencyProse2FirstReadHasNoAfterClusterTime(t *testing.T) {
	eachIn(t, reads, motor.SessionOptions{CausalConsistency: new(true)}, func(l *lab, ctx context.Context, s *motor.Session, c *collection, tr *trail, operation func() error) {
		operation()
		if at := tr.after(l.T); !at.IsZero() {
			l.Errorf("%v has afterClusterTime", tr.last(l.T))
		}
	})
}

func TestCausalConsistencyProse3OperationTimeIsUpdated(t *testing.T) {
	for _, operations := range []named{reads, writes} {
		eachIn(t, operations, motor.SessionOptions{}, func(l *lab, ctx context.Context, s *motor.Session, c *collection, tr *trail, operation func() error) {
			operation()
			replies := tr.of("succeeded")
			if at, _ := replies[len(replies)-1].doc.Lookup("operationTime").Timestamp(); at.IsZero() || s.OperationTime() != at {
				l.Errorf("the operation time is %v after the reply %v", s.OperationTime(), replies[len(replies)-1].doc)
			}
		})
	}
	inReplicaSet(t, func(l *lab) {
		client, _ := l.connect()
		s, ctx := l.sessionOf(client)
		if _, err := client.Database("db").Collection("c").Find(ctx, d("$nope", 1)).Slice(); err == nil || s.OperationTime().IsZero() {
			l.Errorf("the operation time is %v after the error %v", s.OperationTime(), err)
		}
	})
}

func TestCausalConsistencyProse4ReadAfterRead(t *testing.T) {
	eachIn(t, reads, motor.SessionOptions{CausalConsistency: new(true)}, func(l *lab, ctx context.Context, s *motor.Session, c *collection, tr *trail, operation func() error) {
		c.FindOne(ctx, nil)
		at := s.OperationTime()
		operation()
		if got := tr.after(l.T); at.IsZero() || got != at {
			l.Errorf("%v, want afterClusterTime %v", tr.last(l.T), at)
		}
	})
}

func TestCausalConsistencyProse5ReadAfterWrite(t *testing.T) {
	eachIn(t, writes, motor.SessionOptions{CausalConsistency: new(true)}, func(l *lab, ctx context.Context, s *motor.Session, c *collection, tr *trail, operation func() error) {
		operation()
		at := s.OperationTime()
		c.FindOne(ctx, nil)
		if got := tr.after(l.T); at.IsZero() || got != at {
			l.Errorf("%v, want afterClusterTime %v", tr.last(l.T), at)
		}
	})
}

func TestCausalConsistencyProse6NotCausallyConsistent(t *testing.T) {
	eachIn(t, reads, motor.SessionOptions{CausalConsistency: new(false)}, func(l *lab, ctx context.Context, s *motor.Session, c *collection, tr *trail, operation func() error) {
		c.FindOne(ctx, nil)
		operation()
		if at := tr.after(l.T); !at.IsZero() {
			l.Errorf("%v has afterClusterTime", tr.last(l.T))
		}
	})
}

func TestCausalConsistencyProse7And11WithoutClusterTimes(t *testing.T) {
	inStandalone(t, func(l *lab) {
		client, tr := l.connect()
		_, ctx := l.sessionOf(client, motor.SessionOptions{CausalConsistency: new(true)})
		for range 2 {
			client.Database("db").Collection("c").FindOne(ctx, nil)
			command := tr.last(l.T)
			if !tr.after(l.T).IsZero() || !command.Lookup("$clusterTime").IsZero() {
				l.Errorf("%v was sent to a server without cluster times", command)
			}
		}
	})
}

func TestCausalConsistencyProse8And9ReadConcern(t *testing.T) {
	for level, want := range map[string]*motor.ReadConcern{"": nil, "majority": {Level: "majority"}} {
		eachIn(t, reads, motor.SessionOptions{CausalConsistency: new(true)}, func(l *lab, ctx context.Context, s *motor.Session, c *collection, tr *trail, _ func() error) {
			for name, operation := range reads {
				c := c.With(motor.Settings{ReadConcern: want})
				c.FindOne(ctx, nil)
				at := s.OperationTime()
				l.ok(operation(ctx, c))
				got, _ := tr.last(l.T).Lookup("readConcern", "level").Str()
				if got != level || tr.after(l.T) != at {
					l.Errorf("%s: %v, want level %q and afterClusterTime %v", name, tr.last(l.T), level, at)
				}
			}
		})
	}
}

func TestCausalConsistencyProse12WithClusterTimes(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		client, tr := l.connect()
		for range 2 {
			client.Database("db").Collection("c").FindOne(l.Context(), nil)
		}
		if tr.last(l.T).Lookup("$clusterTime").IsZero() {
			l.Errorf("%v has no $clusterTime", tr.last(l.T))
		}
	})
}
