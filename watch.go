package motor

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/changestream"
	"github.com/motor-go/motor/internal/option"
	"github.com/motor-go/motor/ops"
)

// FullDocument says what a change event holds beside the change.
type FullDocument string

// The modes of the change-streams specification. UpdateLookup is for
// FullDocument only, Off for FullDocumentBeforeChange only.
const (
	DefaultDocument FullDocument = "default"
	Off             FullDocument = "off"
	UpdateLookup    FullDocument = "updateLookup"
	WhenAvailable   FullDocument = "whenAvailable"
	Required        FullDocument = "required"
)

// WatchOptions are the options of Watch.
type WatchOptions struct {
	FullDocument             FullDocument
	FullDocumentBeforeChange FullDocument
	// ResumeAfter, StartAfter and StartAtOperationTime say where the stream
	// begins; the server refuses more than one of them. By default it begins now.
	// The first two are resume tokens as ChangeStream.ResumeToken gives them: keep
	// the bytes of the bson.Raw to go on in another process.
	ResumeAfter, StartAfter bson.Raw
	StartAtOperationTime    bson.Timestamp
	BatchSize               *int32
	// MaxAwaitTime bounds one wait of the server for new events. The stream
	// goes on after it.
	MaxAwaitTime       time.Duration
	Collation          *Collation
	Comment            any
	ShowExpandedEvents bool
}

// Namespace is the name of a database and of a collection in it.
type Namespace struct {
	DB   string `bson:"db"`
	Coll string `bson:"coll,omitempty"`
}

// ChangeEvent is one change. Which fields are set depends on OperationType.
type ChangeEvent[T any] struct {
	// ID is the resume token.
	ID            bson.Raw       `bson:"_id"`
	OperationType string         `bson:"operationType"`
	ClusterTime   bson.Timestamp `bson:"clusterTime,omitempty"`
	WallTime      time.Time      `bson:"wallTime,omitempty"`
	NS            Namespace      `bson:"ns,omitempty"`
	NSType        string         `bson:"nsType,omitempty"`
	To            *Namespace     `bson:"to,omitempty"`
	// DocumentKey is the _id and the shard key of the document.
	DocumentKey              bson.Raw           `bson:"documentKey,omitempty"`
	FullDocument             *T                 `bson:"fullDocument,omitempty"`
	FullDocumentBeforeChange *T                 `bson:"fullDocumentBeforeChange,omitempty"`
	UpdateDescription        *UpdateDescription `bson:"updateDescription,omitempty"`
	CollectionUUID           *bson.Binary       `bson:"collectionUUID,omitempty"`
	LSID                     bson.Raw           `bson:"lsid,omitempty"`
	TxnNumber                int64              `bson:"txnNumber,omitempty"`
	OperationDescription     bson.Raw           `bson:"operationDescription,omitempty"`
	// Other holds the fields that this driver does not know.
	Other map[string]bson.RawValue `bson:",inline"`
}

// UpdateDescription says what an update changed.
type UpdateDescription struct {
	UpdatedFields      bson.Raw         `bson:"updatedFields"`
	RemovedFields      []string         `bson:"removedFields"`
	TruncatedArrays    []TruncatedArray `bson:"truncatedArrays,omitempty"`
	DisambiguatedPaths bson.Raw         `bson:"disambiguatedPaths,omitempty"`
}

// TruncatedArray says to which size an array was cut.
type TruncatedArray struct {
	Field   string `bson:"field"`
	NewSize int32  `bson:"newSize"`
}

// ChangeStream is an open change stream. It resumes by itself after errors
// from which the specification says that it may. It serves one goroutine at a
// time and must be closed, which any goroutine may do.
//
// If timeoutMS is set, it bounds the opening of the stream and then each call of
// Next or TryNext anew, with the resume attempt that the call may take. A time-out
// leaves the stream open: the next call resumes it. If it comes before any event
// did, the server is too slow to read its oplog in that time, and a stream with
// a greater timeout should be opened.
type ChangeStream[T any] struct {
	inner *changestream.Stream
	codec bson.Options
	into  ChangeEvent[T] // what Decode decodes into; zero meanwhile
	err   error
}

// Watch opens a change stream on the collection. It is open when Watch returns:
// a change made afterwards is not missed. pipeline holds further stages, or is
// nil.
func (c *Collection[T]) Watch(ctx context.Context, pipeline any, opts ...WatchOptions) (*ChangeStream[T], error) {
	return watch[T](ctx, c.db, c.name, c.settings, pipeline, option.Of(opts))
}

// Watch opens a change stream on all collections of the database.
func (d *Database) Watch(ctx context.Context, pipeline any, opts ...WatchOptions) (*ChangeStream[bson.D], error) {
	return watch[bson.D](ctx, d, "", d.settings, pipeline, option.Of(opts))
}

// Watch opens a change stream on the whole deployment.
func (c *Client) Watch(ctx context.Context, pipeline any, opts ...WatchOptions) (*ChangeStream[bson.D], error) {
	admin := c.Database("admin")
	return watch[bson.D](ctx, admin, "", admin.settings, pipeline, option.Of(opts))
}

func watch[T any](ctx context.Context, d *Database, coll string, s settings, pipeline any, o WatchOptions) (*ChangeStream[T], error) {
	env, err := d.envelope(ctx, s)
	if err != nil {
		return nil, err
	}
	e := newEncoder(s.codec)
	cmd := ops.Aggregate{
		Envelope:   env,
		Collection: coll,
		Collation:  e.collation(o.Collation),
		Comment:    e.value("comment", o.Comment),
	}
	co := changestream.Options{
		Start:                    changestream.Start{After: e.token("startAfter", o.StartAfter), ResumeAfter: e.token("resumeAfter", o.ResumeAfter), AtOperationTime: o.StartAtOperationTime},
		FullDocument:             string(o.FullDocument),
		FullDocumentBeforeChange: string(o.FullDocumentBeforeChange),
		ShowExpandedEvents:       o.ShowExpandedEvents,
		AllChanges:               d.name == "admin" && coll == "",
		Pipeline:                 e.pipeline(pipeline),
		MaxAwait:                 o.MaxAwaitTime,
		BatchSize:                o.BatchSize,
	}
	if e.err != nil {
		return nil, fmt.Errorf("watch: %w", e.err)
	}
	await := ops.CursorOptions{MaxAwait: o.MaxAwaitTime}
	if err := DefaultTimeoutMode.bound(TailableAwait, &cmd.Timeout, &await); err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	inner, err := changestream.Open(ctx, d.client.exec, cmd, co)
	if err != nil {
		return nil, err
	}
	return &ChangeStream[T]{inner: inner, codec: s.codec}, nil
}

// All iterates over the events as they come, until the stream ends or the loop
// is left, which closes the stream. An event that cannot be decoded comes as a
// *DecodeError, and a loop that goes on gets the next one; any other error ends
// the stream, ctx's among them.
func (s *ChangeStream[T]) All(ctx context.Context) iter.Seq2[ChangeEvent[T], error] {
	return func(yield func(ChangeEvent[T], error) bool) {
		defer s.Close(closing(ctx))
		for s.Next(ctx) {
			event, err := s.Decode()
			if !yield(event, err) {
				return
			}
		}
		if s.err != nil {
			yield(ChangeEvent[T]{}, s.err)
		}
	}
}

// Next waits for the next event. It reports false when the stream has ended or
// ctx has; Err says why. After ctx has ended, Next may be called with another:
// the stream then resumes and misses nothing.
func (s *ChangeStream[T]) Next(ctx context.Context) bool {
	if err := made(s.inner != nil, ctx); err != nil {
		s.err = err
		return false
	}
	if s.err != nil && !s.inner.Alive() {
		return false
	}
	ok, err := s.inner.Next(ctx)
	s.err = err
	return ok
}

// TryNext is Next that asks the server at most once.
func (s *ChangeStream[T]) TryNext(ctx context.Context) bool {
	if err := made(s.inner != nil, ctx); err != nil {
		s.err = err
		return false
	}
	if s.err != nil && !s.inner.Alive() {
		return false
	}
	ok, err := s.inner.TryNext(ctx)
	s.err = err
	return ok
}

// Decode is the event that Next moved to. If its documents cannot be decoded,
// the error is a *DecodeError, and the event is all but these: its ID and its
// DocumentKey say where to go on and which document it was.
func (s *ChangeStream[T]) Decode() (event ChangeEvent[T], err error) {
	if s.Current() == nil {
		return event, errors.New("the change stream is at no event; call Next first")
	}
	err = s.codec.Unmarshal(s.inner.Event(), &s.into)
	event, s.into = s.into, event
	if err != nil {
		event = s.envelope()
		err = &DecodeError{
			Server: s.inner.Server(), Namespace: strings.TrimSuffix(event.NS.DB+"."+event.NS.Coll, "."), ID: event.DocumentKey.Lookup("_id"),
			Document: s.inner.Event(), Err: err,
		}
	}
	return event, err
}

// envelope is the event without the documents that it is about, as far as it
// can be decoded.
func (s *ChangeStream[T]) envelope() (event ChangeEvent[T]) {
	dst, at := bson.BeginDocument(nil)
	for key, v := range s.inner.Event().All() {
		if key != "fullDocument" && key != "fullDocumentBeforeChange" {
			dst = bson.AppendValue(dst, key, v)
		}
	}
	codec := s.codec
	codec.ReplaceInvalidUTF8 = true
	codec.Unmarshal(bson.EndDocument(dst, at), &event)
	return event
}

// Current is the event that Next moved to, as it came, nil if there was none.
// It stays valid.
func (s *ChangeStream[T]) Current() bson.Raw {
	if s.inner == nil {
		return nil
	}
	return s.inner.Event()
}

// ResumeToken is where another stream would go on after the events seen so
// far; nil if that is not known.
func (s *ChangeStream[T]) ResumeToken() bson.Raw {
	if s.inner == nil {
		return nil
	}
	return s.inner.ResumeToken()
}

// Err is the error that ended the stream, or nil.
func (s *ChangeStream[T]) Err() error { return s.err }

// ID is the server's identifier of the stream's cursor.
func (s *ChangeStream[T]) ID() int64 {
	if s.inner == nil {
		return 0
	}
	return s.inner.ID()
}

// Close closes the stream here and on the server, for which it has the whole
// timeoutMS anew. A Next, TryNext or All that waits in another goroutine ends,
// without an error.
func (s *ChangeStream[T]) Close(ctx context.Context) error {
	if s.inner == nil {
		return nil
	}
	ctx = present(ctx)
	var timeout *ops.Timeout
	if d := bindingOf(ctx).timeout; d != nil {
		timeout = new(ops.NewTimeout(d))
	}
	return s.inner.Close(ctx, timeout)
}
