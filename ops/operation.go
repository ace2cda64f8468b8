package ops

import (
	"context"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/session"
	"github.com/motor-go/motor/topology/description"
)

// Operation is an operation that was announced to those who trace (see
// event.OperationStarted). Its zero value announces nothing.
type Operation struct {
	observer *event.Observer
	id       int64
	start    time.Time
}

// Begin announces an operation of several commands, whose envelope env is. The
// error is that of a session which cannot be used.
func (x *Executor) Begin(ctx context.Context, env *Envelope, name, collection string) (Operation, error) {
	env.OperationID = NewOperationID()
	if s := env.Session; s != nil {
		if err := s.Enter(); err != nil {
			return Operation{}, err
		}
		defer s.Leave()
	}
	if !x.traced() {
		return Operation{}, nil
	}
	return x.announce(ctx, env, event.OperationStarted{Name: name, DatabaseName: env.DB, CollectionName: collection}), nil
}

// traced reports whether somebody listens to operations.
func (x *Executor) traced() bool {
	return x.Observer != nil && (x.Observer.OperationStarted != nil || x.Observer.OperationEnded != nil)
}

func (x *Executor) announce(ctx context.Context, env *Envelope, e event.OperationStarted) Operation {
	e.Context, e.OperationID = ctx, env.OperationID
	if s := env.Session; s != nil {
		x.announceTransaction(ctx, s)
		e.Parent = s.Transaction.OperationID
	}
	o := Operation{x.Observer, e.OperationID, time.Now()}
	if f := x.Observer.OperationStarted; f != nil {
		f(&e)
	}
	return o
}

// End announces the end of the operation.
func (o Operation) End(err error) {
	if o.observer != nil && o.observer.OperationEnded != nil {
		o.observer.OperationEnded(&event.OperationEnded{OperationID: o.id, Duration: time.Since(o.start), Failure: err})
	}
}

// announceTransaction announces the transaction of s with its first operation.
func (x *Executor) announceTransaction(ctx context.Context, s *session.Session) {
	t := &s.Transaction
	if t.State() != session.TransactionStarting || t.OperationID != 0 {
		return
	}
	t.OperationID, t.Announced = NewOperationID(), time.Now()
	if f := x.Observer.OperationStarted; f != nil {
		f(&event.OperationStarted{Context: ctx, Name: "transaction", OperationID: t.OperationID})
	}
}

// endTransaction announces the end of the transaction of s, if its beginning
// was.
func (x *Executor) endTransaction(s *session.Session, err error) {
	t := &s.Transaction
	if t.OperationID != 0 {
		Operation{x.Observer, t.OperationID, t.Announced}.End(err)
		t.OperationID = 0
	}
}

// traceOperation is entered with an announcement.
func (c *call) traceOperation(ctx context.Context) (res Result, err error) {
	c.env.OperationID = NewOperationID()
	op := c.announce(ctx, c.env, event.OperationStarted{
		Name: c.operationName(), DatabaseName: c.env.DB, CollectionName: collection(c.command),
	})
	res, err = c.entered(ctx)
	c.env.OperationID = 0
	op.End(res.failure(err))
	return res, err
}

// failure is what went wrong with a command of which the executor says err.
func (r Result) failure(err error) error {
	if list := r.WriteErrors(); err == nil && len(list) > 0 {
		return list[0]
	}
	if b, ok := r.command.(*ClientBulkWrite); ok && err == nil {
		return b.failure(r)
	}
	return err
}

// operationName is the specification's name of what the command does.
func (c *call) operationName() string {
	if g, ok := c.command.(*Generic); ok && g.Custom {
		return "runCommand"
	}
	switch c.traits.name {
	case "create":
		return "createCollection"
	case "drop":
		return "dropCollection"
	}
	return c.traits.name
}

// collection is the collection that the command is about, if there is one.
func collection(cmd Command) string {
	if cmd.envelope().DB == "admin" {
		return ""
	}
	doc, at := bson.BeginDocument(nil)
	return event.CollectionName(bson.EndDocument(cmd.appendFields(doc, &description.Server{}), at))
}

// namespace is the collection that the command is about, with its database. Of
// a user's own command nobody can know whether its first value is a collection.
func namespace(cmd Command) string {
	if g, ok := cmd.(*Generic); ok && g.Custom {
		return ""
	}
	if name := collection(cmd); name != "" {
		return cmd.envelope().DB + "." + name
	}
	return ""
}
