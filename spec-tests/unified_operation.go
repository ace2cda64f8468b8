package spectests

import (
	"context"
	"fmt"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

// outcome is what an operation returned.
type outcome struct {
	// value is zero if there is no result.
	value bson.RawValue
	shape shape
	// entity is a cursor, a change stream or a collection, which can only be
	// saved.
	entity any
}

// shape says which documents in a value are root documents.
type shape uint8

const (
	plain shape = iota
	root        // the value itself
	rows        // the elements of the value
)

func (o outcome) check(m matcher, want bson.RawValue) error {
	if o.entity != nil {
		return malformedf("expectResult cannot be used with a %T", o.entity)
	}
	if arr, ok := want.Array(); ok && o.shape == rows {
		return m.array("result", arr, o.value, true)
	}
	return m.rows("result", want, o)
}

// rows is match for an outcome, also if an operator stands for the whole.
func (m matcher) rows(path string, want bson.RawValue, o outcome) error {
	if doc, ok := want.Document(); ok && o.shape == rows {
		if name, operand, ok := matchOperator(doc); ok && name == "$$unsetOrMatches" {
			if o.value.IsZero() {
				return nil
			}
			return o.check(m, operand)
		}
	}
	return m.match(path, want, o.value, o.shape == root)
}

// value is a Go value as an outcome.
func value(v any) (outcome, error) {
	encoded, err := bson.MarshalValue(v)
	return outcome{value: encoded}, err
}

// one is a document, or null if there is none.
func one(doc bson.Raw, err error) (outcome, error) {
	if err == motor.ErrNoDocuments {
		return outcome{value: bson.RawValue{Type: bson.TypeNull}, shape: root}, nil
	}
	if doc == nil {
		return outcome{}, err
	}
	return outcome{value: document(doc), shape: root}, err
}

// many are all documents of a sequence.
func many[R any](docs []R, err error) (outcome, error) {
	if err != nil {
		return outcome{}, err
	}
	res, err := value(docs)
	res.shape = rows
	return res, err
}

// runnable is an operation on an entity.
type runnable func(ctx context.Context, r *testRun, object any, args bson.Raw) (outcome, error)

// on makes an operation of a function whose arguments are the fields of a
// struct; see decode.
func on[E, A any](f func(ctx context.Context, r *testRun, object E, a A) (outcome, error)) runnable {
	return func(ctx context.Context, r *testRun, object any, args bson.Raw) (outcome, error) {
		var a A
		if err := decode(&a, args); err != nil {
			return outcome{}, malformedf("arguments: %w", err)
		}
		return f(ctx, r, object.(E), a)
	}
}

// none are the arguments of an operation that takes none.
type none struct{}

// table is the operations on a kind of entity.
func table(object any) (kind string, operations map[string]runnable) {
	switch object.(type) {
	case *client:
		return "client", clientOperations
	case *database:
		return "database", databaseOperations
	case *collection:
		return "collection", collectionOperations
	case *session:
		return "session", sessionOperations
	case *cursor:
		return "cursor", cursorOperations
	case *bucket:
		return "bucket", bucketOperations
	}
	return fmt.Sprintf("%T", object), nil
}

// perform runs one operation and checks what came of it. The error of the
// operation itself is returned, too, for withTransaction to see.
func (r *testRun) perform(ctx context.Context, op operation) (failed, operationErr error) {
	if op.Object == "testRunner" {
		f, ok := runnerOperations[op.Name]
		if !ok {
			return malformedf("the operation %s of the test runner is not supported", op.Name), nil
		}
		_, err := f(ctx, r, r, op.Arguments)
		return err, nil
	}
	res, err := r.operate(ctx, op)
	if isMalformed(err) {
		return err, err
	}
	if op.IgnoreResultAndError {
		return nil, err
	}
	return r.checkOutcome(op, res, err), err
}

func (r *testRun) checkOutcome(op operation, res outcome, err error) error {
	m := matcher{&r.entities}
	if op.ExpectError != nil {
		return op.ExpectError.check(m, err, res)
	}
	if err != nil {
		return err
	}
	if !op.ExpectResult.IsZero() {
		if err := res.check(m, op.ExpectResult); err != nil {
			return err
		}
	}
	if op.SaveResultAsEntity == "" {
		return r.discard(res)
	}
	switch {
	case res.entity != nil:
		return r.entities.add(op.SaveResultAsEntity, res.entity)
	case res.value.IsZero():
		return malformedf("there is no result to save as %q", op.SaveResultAsEntity)
	}
	return r.entities.add(op.SaveResultAsEntity, res.value)
}

// discard keeps a cursor that is not saved, to be closed with the test.
func (r *testRun) discard(res outcome) error {
	if c, ok := res.entity.(*cursor); ok {
		r.entities.keep(c)
	}
	return nil
}

// operate runs one operation of an entity.
func (r *testRun) operate(ctx context.Context, op operation) (outcome, error) {
	object, err := r.entities.get(op.Object)
	if err != nil {
		return outcome{}, err
	}
	kind, operations := table(object)
	f, ok := operations[op.Name]
	if !ok {
		return outcome{}, malformedf("operation %s of object %s is not offered by the driver", op.Name, kind)
	}
	ctx, args, err := r.common(ctx, op.Arguments)
	if err != nil {
		return outcome{}, err
	}
	return f(ctx, r, object, args)
}

// common takes the arguments out that any operation may have.
func (r *testRun) common(ctx context.Context, args bson.Raw) (context.Context, bson.Raw, error) {
	rest, at := bson.BeginDocument(nil)
	for key, v := range args.All() {
		switch key {
		case "session":
			s, err := lookupName[*session](&r.entities, v)
			if err != nil {
				return nil, nil, err
			}
			ctx = s.Bind(ctx)
		case "timeoutMS":
			ms, ok := v.AsInt64()
			if !ok {
				return nil, nil, malformedf("the timeoutMS %v is not a whole number", v)
			}
			ctx = motor.WithTimeout(ctx, time.Duration(ms)*time.Millisecond)
		default:
			rest = bson.AppendValue(rest, key, v)
		}
	}
	return ctx, bson.EndDocument(rest, at), nil
}
