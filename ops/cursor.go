package ops

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/shelf"
	"github.com/motor-go/motor/session"
	"github.com/motor-go/motor/wire"
)

// CursorOptions are what a cursor needs to know beyond the reply that opened
// it.
type CursorOptions struct {
	// BatchSize of every getMore; 0 leaves it to the server.
	BatchSize int32
	// Limit is the greatest number of documents; 0 means no limit.
	Limit int64
	// MaxAwait is how long a getMore of a tailable cursor with awaitData waits
	// on the server; 0 leaves it to the server.
	MaxAwait time.Duration
	Comment  bson.RawValue
	RawData  bool
	// KillAfterError kills the cursor even if a getMore failed on the server,
	// which has usually ended it then.
	KillAfterError bool
	// Iteration gives each call of Next the whole timeout, instead of all of
	// them together what the opening command has left (timeoutMode).
	Iteration bool
	// Reuse puts each batch of a getMore in the place of the one before.
	Reuse bool
}

// Cursor iterates over the documents of a server's cursor, batch by batch. It
// serves one goroutine at a time.
type Cursor struct {
	exec     *Executor
	options  CursorOptions
	envelope Envelope // of getMore and killCursors
	ns       string
	coll     string
	id       int64
	wire     int32 // the greatest version of the server that opened it
	implicit bool  // the session is the cursor's own
	closed   bool

	batch     bson.Raw // what is left of it: elements without length
	remaining int      // documents left in the batch, -1 if not counted
	returned  int64
	current   bson.Raw
	token     bson.Raw // postBatchResumeToken
	reply     bson.Raw // the last one

	memory *wire.Memory // where batches are, nil if they have memory of their own
}

// memories are for batches. They are large, so cursors take turns.
var memories shelf.Shelf[*wire.Memory]

// Open runs a command that answers with a cursor.
func (x *Executor) Open(ctx context.Context, cmd Command, o CursorOptions) (*Cursor, error) {
	c, err := x.open(ctx, cmd, o)
	if err != nil && c != nil {
		c.Close(ctx)
		return nil, err
	}
	return c, err
}

// open is Open that gives the cursor also with a *WriteConcernError.
func (x *Executor) open(ctx context.Context, cmd Command, o CursorOptions) (*Cursor, error) {
	env := cmd.envelope()
	c := &Cursor{exec: x, options: o}
	if env.Session == nil {
		env.Session, c.implicit = session.NewImplicit(x.Sessions), true
	}
	run := call{Executor: x, command: cmd, traits: cmd.traits(), env: env, opens: true}
	res, err := run.start(ctx)
	c.envelope = Envelope{DB: env.DB, Session: env.Session, ReadPreference: env.ReadPreference, Timeout: env.Timeout, pin: res.pin}
	c.envelope.Timeout.Untold = false
	if res.Reply == nil { // it failed, or it was a write that is not acknowledged
		c.finish()
		if err != nil {
			return nil, err
		}
		return c, nil
	}
	c.envelope.Server, c.wire = res.Server, res.MaxWireVersion
	if err := c.take(res.Reply); err != nil {
		c.finish()
		return nil, err
	}
	return c, err
}

// take reads the cursor document of a reply.
func (c *Cursor) take(reply bson.Raw) error {
	doc, ok := reply.Lookup("cursor").Document()
	if !ok {
		return fmt.Errorf("%s: the reply has no cursor document: %v", c.Server(), reply)
	}
	c.reply, c.batch, c.remaining = reply, nil, 0
	for key, v := range doc.All() {
		switch key {
		case "id":
			id, ok := v.AsInt64()
			if !ok {
				return fmt.Errorf("%s: the cursor's id is a %v", c.Server(), v.Type)
			}
			c.id = id
		case "ns":
			c.ns, _ = v.Str()
		case "firstBatch", "nextBatch":
			arr, ok := v.Array()
			if !ok {
				return fmt.Errorf("%s: the cursor's %s is a %v", c.Server(), key, v.Type)
			}
			c.batch, c.remaining = bson.Raw(arr[4:len(arr)-1]), -1
		case "postBatchResumeToken":
			c.token, _ = v.Document()
		}
	}
	if db, coll, ok := cutNamespace(c.ns); ok {
		c.envelope.DB, c.coll = db, coll
	}
	if c.id == 0 {
		c.finish()
	}
	return nil
}

// cutNamespace splits "db.collection" at the first dot.
func cutNamespace(ns string) (db, coll string, ok bool) {
	for i := range len(ns) {
		if ns[i] == '.' {
			return ns[:i], ns[i+1:], true
		}
	}
	return "", "", false
}

// TryNext moves to the next document, asking the server at most once for more.
// It reports false at the end, after an error, or if there is nothing at
// present.
func (c *Cursor) TryNext(ctx context.Context) (bool, error) {
	if ok, err := c.nextInBatch(); ok || err != nil {
		return ok, err
	}
	c.begin()
	return c.fetch(ctx)
}

// Next moves to the next document, waiting for one as long as the server keeps
// the cursor.
func (c *Cursor) Next(ctx context.Context) (bool, error) {
	if ok, err := c.nextInBatch(); ok || err != nil {
		return ok, err
	}
	c.begin()
	for {
		ok, err := c.fetch(ctx)
		if ok || err != nil || !c.Alive() {
			return ok, err
		}
	}
}

// begin is the begin of an iteration that needs the server.
func (c *Cursor) begin() {
	if c.options.Iteration {
		c.envelope.Timeout = c.envelope.Timeout.Begin()
	}
}

// fetch moves to the first document of another batch, if there are more.
func (c *Cursor) fetch(ctx context.Context) (bool, error) {
	c.current = nil
	if !c.Alive() {
		c.forget()
		return false, nil
	}
	if err := c.getMore(ctx); err != nil {
		return false, err
	}
	return c.nextInBatch()
}

// nextInBatch moves to the next document of the batch.
func (c *Cursor) nextInBatch() (bool, error) {
	if len(c.batch) == 0 {
		return false, nil
	}
	doc, rest, err := bson.NextElementDocument(c.batch)
	if err != nil {
		c.batch = nil
		return false, fmt.Errorf("%s: cursor on %s: %w", c.Server(), c.ns, err)
	}
	c.current, c.batch = doc, rest
	if c.remaining > 0 {
		c.remaining--
	}
	c.returned++
	return true, nil
}

// forget gives the memory of batches away, when all of them were seen.
func (c *Cursor) forget() {
	if c.memory != nil {
		memories.Put(c.memory)
		c.memory, c.reply, c.current, c.token = nil, nil, nil, nil
	}
}

// Current is the document that Next moved to, nil if there was none. It shares
// memory with its batch, which stays valid, but with the option Reuse only until
// the next call of Next or TryNext.
func (c *Cursor) Current() bson.Raw { return c.current }

// Remaining counts the documents left in the batch.
func (c *Cursor) Remaining() int {
	if c.remaining < 0 {
		c.remaining = 0
		for rest := []byte(c.batch); len(rest) > 0; c.remaining++ {
			var err error
			if _, rest, err = bson.NextElementDocument(rest); err != nil {
				break
			}
		}
	}
	return c.remaining
}

// ID is the server's identifier, 0 once it is exhausted.
func (c *Cursor) ID() int64 { return c.id }

// Namespace is the name of the database and the collection.
func (c *Cursor) Namespace() string { return c.ns }

// Server is the address of the server that has the cursor.
func (c *Cursor) Server() string { return c.envelope.Server.Address() }

// MaxWireVersion is that of the server that has the cursor.
func (c *Cursor) MaxWireVersion() int32 { return c.wire }

// Reply is the whole reply that brought the last batch.
func (c *Cursor) Reply() bson.Raw { return c.reply }

// PostBatchResumeToken is the token that the last batch came with, or nil.
func (c *Cursor) PostBatchResumeToken() bson.Raw { return c.token }

// Alive reports whether the server may have more documents.
func (c *Cursor) Alive() bool { return c.id != 0 && !c.closed }

// SetBatchSize changes the batch size of getMores to come.
func (c *Cursor) SetBatchSize(n int32) { c.options.BatchSize = n }

// SetMaxAwait changes the wait of getMores to come.
func (c *Cursor) SetMaxAwait(d time.Duration) { c.options.MaxAwait = d }

// SetComment changes the comment of getMores to come.
func (c *Cursor) SetComment(v bson.RawValue) { c.options.Comment = v }

func (c *Cursor) getMore(ctx context.Context) error {
	g := GetMore{
		Envelope: c.envelope, Cursor: c.id, Collection: c.coll, BatchSize: c.options.BatchSize,
		Comment: c.options.Comment, RawData: c.options.RawData,
	}
	g.MaxTime = c.options.MaxAwait
	if c.options.Limit > 0 {
		left := c.options.Limit - c.returned
		if left <= 0 {
			return c.Close(ctx)
		}
		if g.BatchSize > 0 {
			g.BatchSize = int32(min(int64(g.BatchSize), left))
		}
	}
	if c.options.Reuse && c.memory == nil {
		var ok bool
		if c.memory, ok = memories.Take(); !ok {
			c.memory = new(wire.Memory)
		}
	}
	g.Memory = c.memory
	res, err := c.exec.Run(ctx, &g)
	if err != nil {
		c.memory = nil // the error may refer to it
		c.failed(err)
		return err
	}
	return c.take(res.Reply)
}

// failed notes that a getMore failed. A server's error ends the cursor there; it
// need not be killed, unless the server was too busy to look at the command. A
// cursor with a connection of its own keeps that until it is closed, and can
// only be killed through it (load-balancers).
func (c *Cursor) failed(err error) {
	pinned := c.envelope.pin != nil
	switch e := err.(type) {
	case *wire.CommandError:
		if !pinned && !c.options.KillAfterError && !e.HasLabel(SystemOverloadedError) {
			c.id = 0
			c.finish()
		}
	case *ConnectionError:
		if pinned && e.Network && !errors.Is(err, wire.ErrTimeout) {
			c.id = 0
		}
	}
}

// SetTimeout changes the timeout of what is to come.
func (c *Cursor) SetTimeout(t Timeout) { c.envelope.Timeout = t }

// Close kills the server's cursor if there still is one, for which it takes the
// whole timeout anew. An error of the server is of no use to anybody and not
// returned.
func (c *Cursor) Close(ctx context.Context) error {
	if c.closed {
		return nil
	}
	c.closed, c.batch, c.remaining = true, nil, 0
	if c.id != 0 {
		k := KillCursors{Envelope: c.envelope, Collection: c.coll, Cursor: c.id}
		k.Timeout = k.Timeout.Begin()
		c.exec.Run(ctx, &k)
		c.id = 0
	}
	c.finish()
	return nil
}

// finish lets go of what the cursor holds.
func (c *Cursor) finish() {
	c.envelope.pin.Release()
	c.envelope.pin = nil
	if s := c.envelope.Session; c.implicit && s != nil {
		s.End(time.Now(), time.Duration(c.exec.Topology.Description().LogicalSessionTimeoutMinutes)*time.Minute)
	}
}

// FirstOfBatch is the first document of a reply's first batch, and whether
// there is one.
func FirstOfBatch(reply bson.Raw) (bson.Raw, bool) {
	arr, ok := reply.Lookup("cursor", "firstBatch").Array()
	if !ok {
		return nil, false
	}
	return arr.Index(0).Document()
}
