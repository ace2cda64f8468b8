package tracing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strconv"
	"sync"

	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/wire"
)

// Tracer begins spans. All are of the kind client.
type Tracer interface {
	// Start begins a span within parent, or if that is nil within the span that
	// ctx carries.
	Start(ctx context.Context, parent Span, name string, attributes []slog.Attr) Span
}

// Span is what a Tracer keeps of an operation or a command. The values of
// attributes are strings or int64.
type Span interface {
	Set(attributes ...slog.Attr)
	// Fail says why the operation or the command failed.
	Fail(err error)
	End()
}

// Observer is an Observer that makes spans by t. The attribute db.query.text has
// up to textLength bytes of a command; if that is 0 there is none.
func Observer(t Tracer, textLength int) *event.Observer {
	s := &spans{tracer: t, textLength: textLength}
	return &event.Observer{
		OperationStarted: s.operationStarted,
		OperationEnded:   s.operationEnded,
		CommandStarted:   s.commandStarted,
		CommandSucceeded: s.commandSucceeded,
		CommandFailed:    s.commandFailed,
	}
}

type spans struct {
	tracer     Tracer
	textLength int
	operations sync.Map // int64, the OperationID, to operation
	commands   sync.Map // int32, the RequestID, to Span
}

// operation is a span with the context that it was begun in.
type operation struct {
	Span
	ctx context.Context
}

func (s *spans) operationStarted(e *event.OperationStarted) {
	var parent Span
	if o, ok := s.operations.Load(e.Parent); ok {
		parent = o.(operation).Span
	}
	name, attributes := operationSpan(e)
	s.operations.Store(e.OperationID, operation{s.tracer.Start(e.Context, parent, name, attributes), e.Context})
}

func (s *spans) operationEnded(e *event.OperationEnded) {
	o, ok := s.operations.LoadAndDelete(e.OperationID)
	if !ok {
		return
	}
	span := o.(operation).Span
	if e.Failure != nil {
		fail(span, e.Failure)
	}
	span.End()
}

// commandStarted begins the span of a command. There is none of a sensitive
// command, nor of one that nobody called for.
func (s *spans) commandStarted(e *event.CommandStarted) {
	parent, ok := s.operations.Load(e.OperationID)
	if !ok {
		return
	}
	if command := e.Command.Raw(); command.Len() > 0 {
		o := parent.(operation)
		s.commands.Store(e.RequestID, s.tracer.Start(o.ctx, o.Span, e.CommandName, commandSpan(e, command, s.textLength)))
	}
}

func (s *spans) commandSucceeded(e *event.CommandSucceeded) {
	c, ok := s.commands.LoadAndDelete(e.RequestID)
	if !ok {
		return
	}
	span := c.(Span)
	if id, ok := e.Reply.Lookup("cursor", "id").AsInt64(); ok && id != 0 {
		span.Set(slog.Int64("db.mongodb.cursor_id", id))
	}
	span.End()
}

func (s *spans) commandFailed(e *event.CommandFailed) {
	c, ok := s.commands.LoadAndDelete(e.RequestID)
	if !ok {
		return
	}
	span := c.(Span)
	fail(span, e.Failure)
	var refused *wire.CommandError
	if errors.As(e.Failure, &refused) {
		span.Set(slog.String("db.response.status_code", strconv.Itoa(int(refused.Code))))
	}
	span.End()
}

func fail(span Span, err error) {
	span.Fail(err)
	span.Set(
		slog.String("exception.message", err.Error()),
		slog.String("exception.type", fmt.Sprintf("%T", err)),
		slog.String("exception.stacktrace", string(debug.Stack())))
}
