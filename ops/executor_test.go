package ops

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/concern"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/internal/auth"
	"github.com/motor-go/motor/session"
	"github.com/motor-go/motor/wire"
)

func TestEnvelope(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{t: t, script: []line{ok()}}
		s.perform(func(ctx context.Context, x *Executor) {
			if _, err := x.Run(ctx, insert(t)); err != nil {
				t.Fatal(err)
			}
		})
		if got, _ := s.said(0, "$db").Str(); got != "db" {
			t.Errorf("$db is %q", got)
		}
		if n, ok := s.said(0, "txnNumber").Int64(); !ok || n != 1 {
			t.Errorf("txnNumber is %v", s.said(0, "txnNumber"))
		}
		if _, ok := s.said(0, "lsid", "id").Binary(); !ok {
			t.Errorf("lsid is %v", s.said(0, "lsid"))
		}
		if seq := s.heard[0].Sequences; len(seq) != 1 || seq[0].ID != "documents" {
			t.Errorf("sequences are %v", seq)
		}
		for _, absent := range []string{"$readPreference", "writeConcern", "readConcern", "$clusterTime", "autocommit"} {
			if v := s.said(0, absent); !v.IsZero() {
				t.Errorf("%s is %v", absent, v)
			}
		}
	})
}

func TestWriteIsSentAgainWithItsNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, trouble := range map[string]line{
			"network":       hangUp,
			"server":        fail(189, RetryableWriteError),
			"write concern": ok(bson.E{Key: "writeConcernError", Value: bson.D{{Key: "code", Value: 91}}}, bson.E{Key: "errorLabels", Value: bson.A{RetryableWriteError}}),
		} {
			s := &stage{t: t, script: []line{trouble, ok()}}
			s.perform(func(ctx context.Context, x *Executor) {
				if _, err := x.Run(ctx, insert(t)); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
			same(t, name+": txnNumber", s.said(0, "txnNumber"), s.said(1, "txnNumber"))
			same(t, name+": lsid", s.said(0, "lsid"), s.said(1, "lsid"))
		}
	})
}

func TestWriteThatIsNotRetryable(t *testing.T) {
	multi := func(t *testing.T) Command {
		return &Update{Envelope: Envelope{DB: "db"}, Collection: "c", Multi: true, Updates: AppendUpdate(nil, &UpdateStatement{
			Filter: bson.Raw{5, 0, 0, 0, 0}, Update: bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: bson.Raw{5, 0, 0, 0, 0}}, Multi: true,
		})}
	}
	synctest.Test(t, func(t *testing.T) {
		s := &stage{t: t, script: []line{hangUp}}
		s.perform(func(ctx context.Context, x *Executor) {
			_, err := x.Run(ctx, multi(t))
			var broken *ConnectionError
			if !errors.As(err, &broken) || broken.Server != "a:1" || !broken.Sent {
				t.Errorf("error is %#v", err)
			}
			if HasLabel(err, RetryableWriteError) {
				t.Error("a multi-update's error is labelled as retryable")
			}
		})
		if v := s.said(0, "txnNumber"); !v.IsZero() {
			t.Errorf("a multi-update has txnNumber %v", v)
		}
	})
}

func TestReadIsSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{t: t, script: []line{fail(11600), ok(bson.E{Key: "cursor", Value: bson.D{{Key: "id", Value: int64(0)}, {Key: "ns", Value: "db.c"}, {Key: "firstBatch", Value: bson.A{}}}})}}
		s.perform(func(ctx context.Context, x *Executor) {
			if _, err := x.Run(ctx, find()); err != nil {
				t.Error(err)
			}
		})
		if !s.said(1, "txnNumber").IsZero() {
			t.Error("a read has a txnNumber")
		}
	})
}

func TestOverloadBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy := fail(462, SystemOverloadedError, RetryableError)
		s := &stage{t: t, script: []line{busy, busy, ok()}}
		s.perform(func(ctx context.Context, x *Executor) {
			start := time.Now()
			if _, err := x.Run(ctx, &Generic{Envelope: Envelope{DB: "db"}, Body: encode(t, bson.D{{Key: "ping", Value: 1}})}); err != nil {
				t.Error(err)
			}
			if waited := time.Since(start); waited > 600*time.Millisecond {
				t.Errorf("waited %v, which is more than the two backoffs can be", waited)
			}
		})
	})
}

func TestClusterTimeIsPassedOn(t *testing.T) {
	at := bson.Timestamp{T: 100, I: 3}
	synctest.Test(t, func(t *testing.T) {
		s := &stage{t: t, script: []line{ok(bson.E{Key: "$clusterTime", Value: bson.D{{Key: "clusterTime", Value: at}}}, bson.E{Key: "operationTime", Value: at}), ok(), ok()}}
		s.perform(func(ctx context.Context, x *Executor) {
			causal, err := session.New(x.Sessions, session.Options{})
			if err != nil {
				t.Fatal(err)
			}
			write, read := insert(t), find()
			write.Session, read.Session = causal, causal
			for _, cmd := range []Command{write, read, find()} {
				if _, err := x.Run(ctx, cmd); err != nil {
					t.Fatal(err)
				}
			}
		})
		if got, _ := s.said(1, "$clusterTime", "clusterTime").Timestamp(); got != at {
			t.Errorf("$clusterTime of the next command is %v", got)
		}
		if got, _ := s.said(1, "readConcern", "afterClusterTime").Timestamp(); got != at {
			t.Errorf("afterClusterTime of the read is %v", got)
		}
		if v := s.said(2, "readConcern"); !v.IsZero() {
			t.Errorf("a read outside of the session has read concern %v", v)
		}
	})
}

func TestCursorKeepsItsSession(t *testing.T) {
	batch := func(field string, id int64, docs ...any) line {
		return ok(bson.E{Key: "cursor", Value: bson.D{{Key: "id", Value: id}, {Key: "ns", Value: "db.c"}, {Key: field, Value: bson.A(docs)}}})
	}
	one, two := bson.D{{Key: "_id", Value: 1}}, bson.D{{Key: "_id", Value: 2}}
	synctest.Test(t, func(t *testing.T) {
		s := &stage{t: t, script: []line{batch("firstBatch", 7, one), batch("nextBatch", 7, two), ok()}}
		s.perform(func(ctx context.Context, x *Executor) {
			c, err := x.Open(ctx, find(), CursorOptions{BatchSize: 1})
			if err != nil {
				t.Fatal(err)
			}
			for want := int32(1); want <= 2; want++ {
				if ok, err := c.Next(ctx); !ok || err != nil {
					t.Fatal(ok, err)
				}
				if got, _ := c.Current().Lookup("_id").Int32(); got != want {
					t.Errorf("document %d has _id %d", want, got)
				}
			}
			if x.Sessions.Len() != 0 {
				t.Error("the session went back to the pool under an open cursor")
			}
			c.Close(ctx)
			if x.Sessions.Len() != 1 {
				t.Error("the session did not go back to the pool")
			}
		})
		same(t, "lsid of getMore", s.said(0, "lsid"), s.said(1, "lsid"))
		same(t, "lsid of killCursors", s.said(0, "lsid"), s.said(2, "lsid"))
		if got, _ := s.said(2, "cursors", "0").Int64(); got != 7 {
			t.Errorf("killed cursor %d", got)
		}
	})
}

func TestUnacknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{t: t, script: []line{ok(), ok()}}
		s.perform(func(ctx context.Context, x *Executor) {
			cmd := insert(t)
			cmd.WriteConcern = concern.WriteConcern{W: 0}
			res, err := x.Run(ctx, cmd)
			if err != nil || res.Reply != nil {
				t.Errorf("unacknowledged write gave %v, %v", res.Reply, err)
			}
			// The next command on the same connection must not read another's reply.
			if _, err := x.Run(ctx, insert(t)); err != nil {
				t.Error(err)
			}
			explicit, _ := session.New(x.Sessions, session.Options{})
			cmd.Session = explicit
			if _, err := x.Run(ctx, cmd); !errors.Is(err, session.ErrUnacknowledged) {
				t.Errorf("an unacknowledged write in a session gave %v", err)
			}
		})
		if s.heard[0].Flags&wire.MoreToCome == 0 {
			t.Error("moreToCome is not set")
		}
		if !s.said(0, "lsid").IsZero() || !s.said(0, "txnNumber").IsZero() {
			t.Error("an unacknowledged write has a session")
		}
	})
}

func TestTransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stage{t: t, script: []line{ok(), ok(), hangUp, ok()}}
		s.perform(func(ctx context.Context, x *Executor) {
			sess, _ := session.New(x.Sessions, session.Options{})
			if err := sess.StartTransaction(session.TransactionOptions{WriteConcern: &concern.WriteConcern{W: 2}}, time.Now(), 0); err != nil {
				t.Fatal(err)
			}
			write, read := insert(t), find()
			write.Session, read.Session = sess, sess
			read.ReadPreference = concern.ReadPreference{Mode: concern.Secondary}
			for _, cmd := range []Command{write, read} {
				if _, err := x.Run(ctx, cmd); err != nil {
					t.Fatal(err)
				}
			}
			if err := x.CommitTransaction(ctx, sess, Timeout{}); err != nil {
				t.Fatal(err)
			}
		})
		for i := range s.heard {
			if b, ok := s.said(i, "autocommit").Bool(); !ok || b {
				t.Errorf("command %d has autocommit %v", i, s.said(i, "autocommit"))
			}
			same(t, "txnNumber", s.said(0, "txnNumber"), s.said(i, "txnNumber"))
			if start := s.said(i, "startTransaction"); start.IsZero() != (i > 0) {
				t.Errorf("command %d has startTransaction %v", i, start)
			}
		}
		if w, _ := s.said(2, "writeConcern", "w").AsInt64(); w != 2 {
			t.Errorf("the commit has write concern %v", s.said(2, "writeConcern"))
		}
		if w, _ := s.said(3, "writeConcern", "w").Str(); w != "majority" {
			t.Errorf("the second commit has write concern %v", s.said(3, "writeConcern"))
		}
	})
}

func TestReauthentication(t *testing.T) {
	login := ok(bson.E{Key: "conversationId", Value: 1}, bson.E{Key: "done", Value: true}, bson.E{Key: "payload", Value: bson.Binary{}})
	user, err := auth.New(auth.Credential{Username: "ann", Password: "secret", Mechanism: auth.PLAIN})
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		s := &stage{t: t, auth: user, script: []line{login, fail(391), login, ok()}}
		s.perform(func(ctx context.Context, x *Executor) {
			if _, err := x.Run(ctx, insert(t)); err != nil {
				t.Error(err)
			}
		})
		for i, want := range []string{"saslStart", "insert", "saslStart", "insert"} {
			if got := commandName(s.heard[i].Body); got != want {
				t.Errorf("command %d is %s, want %s", i, got, want)
			}
		}
		same(t, "txnNumber", s.said(1, "txnNumber"), s.said(3, "txnNumber"))
	})
}

func TestEventsAreRedacted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var started []bson.Raw
		var failures []error
		s := &stage{t: t, script: []line{ok(), fail(11)}}
		s.perform(func(ctx context.Context, x *Executor) {
			x.Observer = &event.Observer{
				CommandStarted: func(e *event.CommandStarted) { started = append(started, e.Command.Raw()) },
				CommandFailed:  func(e *event.CommandFailed) { failures = append(failures, e.Failure) },
			}
			for _, d := range []bson.D{{{Key: "ping", Value: 1}}, {{Key: "createUser", Value: "u"}, {Key: "pwd", Value: "secret"}}} {
				x.Run(ctx, &Generic{Envelope: Envelope{DB: "admin"}, Body: encode(t, d)})
			}
		})
		if len(started) != 2 || started[0].Lookup("ping").IsZero() || len(started[1]) != 5 {
			t.Errorf("commands seen: %v", started)
		}
		var refused *wire.CommandError
		if len(failures) != 1 || !errors.As(failures[0], &refused) || refused.Code != 11 || refused.Message != "" || refused.Reply != nil {
			t.Errorf("failures seen: %v", failures)
		}
	})
}
