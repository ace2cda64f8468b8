package changestream

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/ops"
	"github.com/motor-go/motor/wire"
)

// Options are the options of a stream.
type Options struct {
	Start                    Start
	FullDocument             string
	FullDocumentBeforeChange string
	ShowExpandedEvents       bool
	// AllChanges watches the whole deployment.
	AllChanges bool
	// Pipeline are the user's stages.
	Pipeline bson.RawArray
	// MaxAwait bounds the wait of one getMore on the server.
	MaxAwait time.Duration
	// BatchSize of the first and all other batches; nil leaves it to the
	// server.
	BatchSize *int32
}

// ErrNoToken says that the pipeline took the resume token off an event.
var ErrNoToken = errors.New("a change event came without its resume token; the pipeline must not remove or change _id")

// Stream is an open change stream. It serves one goroutine at a time, but Close
// may be called by any.
type Stream struct {
	exec      *ops.Executor
	aggregate ops.Aggregate // without the first stage
	options   Options
	cursor    *ops.Cursor
	position  Position
	fragments joiner
	event     bson.Raw
	token     bson.Raw // where a stream goes on after event
	// interrupted says that the caller's context ended during a command, so
	// that nobody knows what the cursor has delivered.
	interrupted bool

	life context.Context // ends with Close, and with it every wait
	end  context.CancelFunc

	mu   sync.Mutex
	busy bool // a call is at work; it closes the cursor if the stream is closed meanwhile
}

// Open opens a stream. aggregate says on what, with everything that the user
// asked of the command but its pipeline.
func Open(ctx context.Context, exec *ops.Executor, aggregate ops.Aggregate, o Options) (*Stream, error) {
	s := &Stream{exec: exec, aggregate: aggregate, options: o, position: NewPosition(o.Start)}
	s.life, s.end = context.WithCancel(context.Background())
	if err := s.open(ctx, o.Start); err != nil {
		return nil, err
	}
	s.token = s.position.Token
	return s, nil
}

func (s *Stream) open(ctx context.Context, from Start) error {
	cmd := s.aggregate
	cmd.Pipeline = s.pipeline(from)
	cmd.BatchSize = s.options.BatchSize
	o := ops.CursorOptions{MaxAwait: s.options.MaxAwait, Comment: cmd.Comment, Iteration: true}
	if s.options.BatchSize != nil {
		o.BatchSize = *s.options.BatchSize
	}
	cursor, err := s.exec.Open(ctx, &cmd, o)
	if err != nil {
		return err
	}
	s.cursor = cursor
	opened, _ := cursor.Reply().Lookup("operationTime").Timestamp()
	s.position = s.position.Opens(opened, s.cursor.MaxWireVersion(), cursor.Remaining(), cursor.PostBatchResumeToken())
	return nil
}

// pipeline is $changeStream followed by the user's stages.
func (s *Stream) pipeline(from Start) bson.RawArray {
	dst, arr := bson.BeginDocument(nil)
	dst, stage := bson.BeginDocument(bson.AppendIndexHeader(dst, bson.TypeEmbeddedDocument, 0))
	dst, doc := bson.BeginEmbedded(dst, "$changeStream")
	if s.options.FullDocument != "" {
		dst = bson.AppendString(dst, "fullDocument", s.options.FullDocument)
	}
	if s.options.FullDocumentBeforeChange != "" {
		dst = bson.AppendString(dst, "fullDocumentBeforeChange", s.options.FullDocumentBeforeChange)
	}
	if s.options.ShowExpandedEvents {
		dst = bson.AppendBool(dst, "showExpandedEvents", true)
	}
	if s.options.AllChanges {
		dst = bson.AppendBool(dst, "allChangesForCluster", true)
	}
	if from.After != nil {
		dst = bson.AppendDocument(dst, "startAfter", from.After)
	}
	if from.ResumeAfter != nil {
		dst = bson.AppendDocument(dst, "resumeAfter", from.ResumeAfter)
	}
	if !from.AtOperationTime.IsZero() {
		dst = bson.AppendTimestamp(dst, "startAtOperationTime", from.AtOperationTime)
	}
	dst = bson.EndDocument(bson.EndDocument(dst, doc), stage)
	i := 1
	for v := range s.options.Pipeline.Values() {
		dst = append(bson.AppendIndexHeader(dst, v.Type, i), v.Value...)
		i++
	}
	return bson.RawArray(bson.EndDocument(dst, arr))
}

// TryNext moves to the next event, asking the server at most once for more. It
// reports false if there is none at present or the stream has ended. An error
// because ctx ended, or because timeoutMS is over, leaves the stream open: the
// next call resumes it.
func (s *Stream) TryNext(ctx context.Context) (bool, error) {
	return s.move(ctx, false)
}

// Next moves to the next event, waiting for it. It reports false when the
// stream has ended.
func (s *Stream) Next(ctx context.Context) (bool, error) {
	return s.move(ctx, true)
}

// move is TryNext, again and again if the caller waits. It has the whole
// timeout.
func (s *Stream) move(ctx context.Context, wait bool) (bool, error) {
	if !s.enter() {
		return false, nil
	}
	defer s.leave(ctx)
	s.event = nil
	t := &s.aggregate.Timeout
	*t = t.Begin()
	within, cancel := t.Bound(ctx)
	defer cancel()
	for {
		ok, err := s.attempt(within)
		if ok || err != nil || !wait || !s.Alive() {
			return ok, err
		}
	}
}

// attempt is TryNext within the time that there is.
func (s *Stream) attempt(ctx context.Context) (bool, error) {
	ok, err := s.advance(ctx)
	switch {
	case err == nil:
		s.interrupted = false
	case s.life.Err() != nil:
		return false, nil
	case ctx.Err() != nil || s.aggregate.Timeout.Set && errors.Is(err, wire.ErrTimeout):
		s.interrupted = true
	default:
		s.end()
	}
	return ok, err
}

// enter reports whether there is work to do: the stream is not closed.
func (s *Stream) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = s.life.Err() == nil
	return s.busy
}

// leave ends what enter began.
func (s *Stream) leave(ctx context.Context) {
	s.mu.Lock()
	s.busy = false
	closed := s.life.Err() != nil
	s.mu.Unlock()
	if closed {
		s.cursor.Close(ctx)
	}
}

// advance is tryNext with a resume attempt after an error that allows it. If
// that succeeds, another may follow the next error.
func (s *Stream) advance(ctx context.Context) (bool, error) {
	if s.interrupted {
		if err := s.resume(ctx); err != nil {
			return false, err
		}
		s.interrupted = false
	}
	for {
		ok, err := s.tryNext(ctx)
		if err == nil || ctx.Err() != nil || s.life.Err() != nil || !Resumable(err, s.cursor.MaxWireVersion()) {
			return ok, err
		}
		if err := s.resume(ctx); err != nil {
			return false, err
		}
		if s.cursor.Remaining() == 0 {
			return false, nil
		}
	}
}

func (s *Stream) resume(ctx context.Context) error {
	ctx, stop := s.waiting(ctx)
	defer stop()
	s.cursor.Close(ctx)
	return s.open(ctx, s.position.Resume())
}

// waiting is ctx that ends also with the stream.
func (s *Stream) waiting(ctx context.Context) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	heedless := context.AfterFunc(s.life, cancel)
	return ctx, func() {
		heedless()
		cancel()
	}
}

// tryNext reads one event, all fragments of it. Fragments read before an error
// are kept: the stream resumes with the one that follows.
func (s *Stream) tryNext(ctx context.Context) (bool, error) {
	for {
		doc, ok, err := s.document(ctx)
		if !ok || err != nil {
			if !s.fragments.pending() {
				s.token = s.position.Token
			}
			return false, err
		}
		if split, ok := doc.Lookup("splitEvent").Document(); ok {
			done, err := s.fragments.add(doc, split)
			if err != nil {
				return false, err
			}
			if !done {
				continue
			}
			doc, s.fragments = s.fragments.event(), joiner{}
		}
		s.event, s.token = doc, s.position.Token
		return true, nil
	}
}

// document reads one document of the cursor and moves the position.
func (s *Stream) document(ctx context.Context) (bson.Raw, bool, error) {
	if s.cursor.Remaining() == 0 {
		var stop func()
		ctx, stop = s.waiting(ctx)
		defer stop()
	}
	before := s.cursor.Reply()
	ok, err := s.cursor.TryNext(ctx)
	if err != nil {
		return nil, false, err
	}
	if !ok {
		if after := s.cursor.Reply(); len(after) > 0 && &after[0] != &before[0] {
			s.position = s.position.Batch(0, s.cursor.PostBatchResumeToken())
		}
		return nil, false, nil
	}
	doc := s.cursor.Current()
	id, ok := doc.Lookup("_id").Document()
	if !ok {
		return nil, false, ErrNoToken
	}
	s.position = s.position.Event(id, s.cursor.PostBatchResumeToken(), s.cursor.Remaining() == 0)
	return doc, true, nil
}

// Event is the event that Next moved to, nil if there was none. It stays valid.
func (s *Stream) Event() bson.Raw { return s.event }

// ResumeToken is where a new stream would go on after the events returned so
// far, or nil if that is not known.
func (s *Stream) ResumeToken() bson.Raw { return s.token.Clone() }

// Alive reports whether events may follow.
func (s *Stream) Alive() bool {
	return s.life.Err() == nil && (s.interrupted || s.cursor.Alive() || s.cursor.Remaining() > 0)
}

// ID is the server's identifier of the stream's cursor.
func (s *Stream) ID() int64 { return s.cursor.ID() }

// Server is the address of the server that has the stream's cursor.
func (s *Stream) Server() string { return s.cursor.Server() }

// Close ends the stream, within a timeout of its own if one is given. A call of
// Next or TryNext that is at work ends without an error, and closes the server's
// cursor in the place of Close.
func (s *Stream) Close(ctx context.Context, timeout *ops.Timeout) error {
	s.mu.Lock()
	done := s.busy || s.life.Err() != nil
	s.end()
	s.mu.Unlock()
	if done {
		return nil
	}
	if timeout != nil {
		s.cursor.SetTimeout(*timeout)
	}
	return s.cursor.Close(ctx)
}
