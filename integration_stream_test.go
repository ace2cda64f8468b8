package motor_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/concern"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/mongotest"
)

// inMemory runs a test on a replica set in memory, in virtual time.
func inMemory(t *testing.T, test func(t *testing.T, rs *mongotest.ReplicaSet, n *mongotest.Network)) {
	synctest.Test(t, func(t *testing.T) {
		n := new(mongotest.Network)
		rs, err := mongotest.StartReplicaSet(mongotest.Options{Listen: n.Listen})
		if err != nil {
			t.Fatal(err)
		}
		defer rs.Close()
		test(t, rs, n)
	})
}

// A stream that is read through failovers, kills of the node that it reads from
// and replies that break off at every byte delivers each event once and in
// order.
func TestStreamSurvives(t *testing.T) {
	for _, mode := range []concern.Mode{motor.Primary, motor.SecondaryPreferred} {
		t.Run(fmt.Sprint(mode), func(t *testing.T) {
			inMemory(t, func(t *testing.T, rs *mongotest.ReplicaSet, n *mongotest.Network) {
				const failovers, kills = 100, 100
				s := startSurvival(t, rs, n, mode)
				for i := range failovers {
					await(t, "another primary", func() bool { return rs.Secondaries()[i%2].StepUp() })
					s.awaitNews(t)
				}
				for range kills {
					node := s.readsFrom(rs)
					node.Kill()
					s.awaitNews(t)
					if err := node.Restart(); err != nil {
						t.Fatal(err)
					}
					if _, err := rs.AwaitPrimary(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				cuts := s.cutEverywhere(t, "getMore") + s.cutEverywhere(t, "getMore", "aggregate")
				s.finish(t)
				t.Logf("%d failovers, %d kills, %d broken replies: the stream was opened %d times and gave %d events",
					failovers, kills, cuts, s.opened, len(s.seen))
				if cuts < 500 {
					t.Errorf("only %d replies were broken", cuts)
				}
			})
		})
	}
}

// survival is a stream under test, and a writer who keeps a journal of what it
// writes.
type survival struct {
	scissors *scissors
	work     sync.WaitGroup
	end      context.CancelFunc // of the writer

	mu            sync.Mutex
	changed       sync.Cond // of what follows
	journal, seen []string
	opened        int    // how often the stream was opened
	address       string // of the server that the stream heard of last
	stuck         bool
}

// counted is a document. The one with _id 0 counts the others.
type counted struct {
	ID int `bson:"_id"`
	N  int
}

func startSurvival(t *testing.T, rs *mongotest.ReplicaSet, n *mongotest.Network, mode concern.Mode) *survival {
	s := &survival{scissors: &scissors{network: n}}
	s.changed.L = &s.mu
	writer := connectTo(t, withOptions(rs.URI(), "w=majority"), motor.ClientOptions{Dial: n.DialContext})
	reader := connectTo(t, rs.URI(), motor.ClientOptions{Dial: s.scissors.dial, Observer: &event.Observer{CommandSucceeded: s.heard}})
	coll := motor.CollectionOf[counted](writer.Database("db"), "c")
	if _, err := coll.InsertOne(t.Context(), counted{}); err != nil {
		t.Fatal(err)
	}
	stream, err := motor.CollectionOf[counted](reader.Database("db"), "c").
		With(motor.Settings{ReadPreference: &motor.ReadPreference{Mode: mode}}).Watch(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	s.end = end
	s.work.Go(func() { s.write(ctx, coll) })
	s.work.Go(func() { s.read(t, stream) })
	t.Cleanup(func() {
		end()
		s.work.Wait()
	})
	return s
}

// write inserts documents and counts them, one after the other, and sets the
// count to 0 in the end. A write that failed is tried again, in a way that does
// nothing if it was made.
func (s *survival) write(ctx context.Context, coll *motor.Collection[counted]) {
	until := func(write func() error) {
		for err := write(); err != nil && !errors.Is(err, motor.ErrDuplicateKey); err = write() {
		}
	}
	set := func(old, n int) {
		until(func() error {
			_, err := coll.UpdateOne(context.Background(), d("_id", 0, "n", old), d("$set", d("n", n)))
			return err
		})
		s.note(fmt.Sprint("update ", n))
	}
	n := 0
	for ; ctx.Err() == nil; n++ {
		until(func() error {
			_, err := coll.InsertOne(context.Background(), counted{ID: n + 1, N: n + 1})
			return err
		})
		s.note(fmt.Sprint("insert ", n+1))
		set(n, n+1)
		time.Sleep(time.Millisecond)
		s.wait(func() bool { return len(s.seen) > len(s.journal)-2 })
	}
	set(n, 0)
}

func (s *survival) note(written string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.journal = append(s.journal, written)
	s.changed.Broadcast()
}

// read notes the events.
func (s *survival) read(t *testing.T, stream *motor.ChangeStream[counted]) {
	for change, err := range stream.All(t.Context()) {
		if err != nil {
			t.Errorf("the stream ended: %v", err)
			return
		}
		doc := change.FullDocument
		if u := change.UpdateDescription; u != nil {
			doc = new(counted)
			if err := bson.Unmarshal(u.UpdatedFields, doc); err != nil {
				t.Error(err)
			}
		}
		s.mu.Lock()
		s.seen = append(s.seen, fmt.Sprint(change.OperationType, " ", doc.N))
		s.changed.Broadcast()
		s.mu.Unlock()
		if doc.N == 0 {
			return
		}
	}
}

// heard observes the stream's commands.
func (s *survival) heard(e *event.CommandSucceeded) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e.CommandName {
	case "aggregate":
		s.opened++
		fallthrough
	case "getMore":
		s.address = e.Address
	}
}

// wait waits until ok, or until it takes too long.
func (s *survival) wait(ok func() bool) bool {
	defer time.AfterFunc(time.Minute, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.stuck = true
		s.changed.Broadcast()
	}).Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for !ok() && !s.stuck {
		s.changed.Wait()
	}
	return !s.stuck
}

// readsFrom is the node that the stream reads from.
func (s *survival) readsFrom(rs *mongotest.ReplicaSet) *mongotest.Node {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(rs.Nodes, func(n *mongotest.Node) bool { return n.Address() == s.address })
	return rs.Nodes[i]
}

// awaitNews waits until the stream has seen what is written from now on.
func (s *survival) awaitNews(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	n := max(len(s.journal), len(s.seen))
	s.mu.Unlock()
	if !s.wait(func() bool { return len(s.seen) > n+1 }) {
		t.Fatal("no events come any more")
	}
}

// cutEverywhere breaks off the replies to the commands, which follow each other:
// the reply to the last of them after every byte in turn. It returns the number
// of times.
func (s *survival) cutEverywhere(t *testing.T, commands ...string) (times int) {
	last := len(commands) - 1
	for at := 0; ; at++ {
		for _, c := range commands[:last] {
			s.scissors.arm(c, 0)
		}
		s.scissors.arm(commands[last], at)
		for !s.scissors.used() {
			s.awaitNews(t)
		}
		if !s.scissors.cut {
			return at // the reply is no longer than that
		}
	}
}

// finish compares what was seen with the journal.
func (s *survival) finish(t *testing.T) {
	s.end()
	s.work.Wait()
	if !slices.Equal(s.seen, s.journal) {
		at := 0
		for at < min(len(s.seen), len(s.journal)) && s.seen[at] == s.journal[at] {
			at++
		}
		t.Errorf("%d events were seen, %d written; after %d that agree: %q, want %q", len(s.seen), len(s.journal), at,
			s.seen[at:min(at+5, len(s.seen))], s.journal[at:min(at+5, len(s.journal))])
	}
}

// scissors dial connections on which they cut replies short.
type scissors struct {
	network *mongotest.Network

	mu   sync.Mutex
	next []cut
	cut  bool // the last was made, rather than behind the end of the reply
}

// cut is what is to be done: after so many bytes of the reply to the next such
// command the connection breaks.
type cut struct {
	command string
	at      int
}

func (s *scissors) arm(command string, at int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next = append(s.next, cut{command, at})
}

// used reports whether nothing is left to do.
func (s *scissors) used() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.next) == 0
}

func (s *scissors) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := s.network.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &scissored{Conn: conn, scissors: s}, nil
}

// scissored is one of their connections.
type scissored struct {
	net.Conn
	scissors *scissors
	command  string // the last that was sent
	reply    []byte // what has come of the reply to it
}

func (c *scissored) Write(message []byte) (int, error) {
	const name = 26 // where the key of the first element begins in an OP_MSG
	c.scissors.mu.Lock()
	c.command, c.reply = "", nil
	if len(message) > name {
		c.command = string(message[name : name+bytes.IndexByte(message[name:], 0)])
	}
	c.scissors.mu.Unlock()
	return c.Conn.Write(message)
}

func (c *scissored) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.scissors.mu.Lock()
	defer c.scissors.mu.Unlock()
	before := len(c.reply)
	c.reply = append(c.reply, b[:n]...)
	if len(c.scissors.next) == 0 || c.command != c.scissors.next[0].command {
		return n, err
	}
	switch at := c.scissors.next[0].at; {
	case len(c.reply) > at:
		c.scissors.next, c.scissors.cut = c.scissors.next[1:], true
		c.Conn.Close()
		return at - before, syscall.ECONNRESET
	case len(c.reply) >= 4 && len(c.reply) == int(binary.LittleEndian.Uint32(c.reply)):
		c.scissors.next, c.scissors.cut = c.scissors.next[1:], false
	}
	return n, err
}

// Close ends the wait of another goroutine, on the server too.
func TestStreamIsClosedByAnotherGoroutine(t *testing.T) {
	inMemory(t, func(t *testing.T, rs *mongotest.ReplicaSet, n *mongotest.Network) {
		killed := make(chan struct{}, 1)
		client := connectTo(t, rs.URI(), motor.ClientOptions{Dial: n.DialContext, Observer: &event.Observer{
			CommandSucceeded: func(e *event.CommandSucceeded) {
				if e.CommandName == "killCursors" {
					killed <- struct{}{}
				}
			},
		}})
		stream, err := client.Database("db").Collection("c").Watch(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan error)
		go func() {
			for _, err := range stream.All(t.Context()) {
				ended <- err
			}
			close(ended)
		}()
		synctest.Wait()
		before := time.Now()
		if err := stream.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if err, ok := <-ended; ok {
			t.Errorf("the loop gave an event or an error: %v", err)
		}
		<-killed
		if waited := time.Since(before); waited > 0 {
			t.Errorf("it took %v", waited)
		}
		if stream.Next(t.Context()) || stream.Err() != nil || stream.Close(t.Context()) != nil {
			t.Errorf("after Close there is an event or an error: %v", stream.Err())
		}
	})
}

// Every resume that succeeded allows another, even if nothing came in between.
func TestStreamResumesAgainAndAgain(t *testing.T) {
	client := replicaSet(t)
	coll := client.Database("db").Collection("c")
	stream, err := coll.Watch(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close(t.Context())
	if _, err := client.Database("admin").RunCommand(t.Context(), d("configureFailPoint", "failCommand", "mode", d("times", 5),
		"data", d("failCommands", bson.A{"getMore"}, "errorCode", 43))); err != nil {
		t.Fatal(err)
	}
	if _, err := coll.InsertOne(t.Context(), d("_id", 1)); err != nil {
		t.Fatal(err)
	}
	if !stream.Next(bounded(t)) {
		t.Errorf("the stream ended: %v", stream.Err())
	}
}
