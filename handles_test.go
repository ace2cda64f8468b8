package motor_test

import (
	"context"
	"fmt"
	"reflect"
	"runtime/debug"
	"testing"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/gridfs"
	"github.com/motor-go/motor/mongotest"
)

// callAll calls all methods of a handle with ctx and otherwise zero arguments.
// None may panic; those that take a context must fail, but for those in fine.
func callAll(t *testing.T, handle any, ctx context.Context, fine ...string) {
	t.Helper()
	v := reflect.ValueOf(handle)
	for i := range v.NumMethod() {
		m := v.Type().Method(i)
		name := fmt.Sprintf("%T.%s", handle, m.Name)
		func() {
			defer func() {
				if p := recover(); p != nil {
					t.Errorf("%s panics: %v\n%s", name, p, debug.Stack())
				}
			}()
			var args []reflect.Value
			takesContext := false
			for j := range m.Type.NumIn() - 1 {
				in := m.Type.In(j + 1)
				if m.Type.IsVariadic() && j == m.Type.NumIn()-2 {
					break
				}
				if in == reflect.TypeFor[context.Context]() {
					takesContext = true
					c := reflect.New(in).Elem()
					if ctx != nil {
						c.Set(reflect.ValueOf(ctx))
					}
					args = append(args, c)
					continue
				}
				args = append(args, reflect.Zero(in))
			}
			results := v.Method(i).Call(args)
			for _, fine := range fine {
				takesContext = takesContext && m.Name != fine
			}
			for _, r := range results {
				if r.Type() == reflect.TypeFor[error]() && r.IsNil() && takesContext {
					t.Errorf("%s gives no error", name)
				}
				if r.Kind() == reflect.Func && !r.IsNil() && r.Type().CanSeq2() {
					for _, err := range r.Seq2() {
						if err.IsNil() {
							t.Errorf("%s gives a result", name)
						}
						break
					}
				}
			}
		}()
	}
}

// What was not made as it should be says so, instead of a panic deep inside.
func TestZeroHandles(t *testing.T) {
	for _, handle := range []any{
		new(motor.Client), (*motor.Client)(nil), new(motor.Database), new(motor.Collection[bson.D]), motor.CollectionOf[bson.D](nil, "c"),
		new(motor.Client).Database("db"), (*motor.Client)(nil).Database("db").Collection("c"),
		new(motor.Session), new(motor.Cursor[bson.D]), new(motor.ChangeStream[bson.D]), motor.Docs[bson.D](nil),
		new(gridfs.Bucket), gridfs.NewBucket(nil), new(gridfs.DownloadStream), new(gridfs.UploadStream),
	} {
		callAll(t, handle, t.Context(), "Bind", "Close")
	}
}

// Without a context there is an error, too.
func TestNilContext(t *testing.T) {
	server := mongotest.NewStandalone(t, mongotest.Options{})
	client, err := motor.Connect(t.Context(), server.URI())
	if err != nil {
		t.Fatal(err)
	}
	var none context.Context
	if _, err := motor.Connect(none, server.URI()); err == nil {
		t.Error("Connect takes nil for a context")
	}
	db := client.Database("db")
	coll := db.Collection("c")
	if _, err := coll.InsertMany(t.Context(), []bson.D{{}, {}, {}}); err != nil {
		t.Fatal(err)
	}
	session, err := client.StartSession()
	if err != nil {
		t.Fatal(err)
	}
	cursor, err := coll.FindCursor(t.Context(), nil, motor.FindOptions{BatchSize: new(int32(1))})
	if err != nil {
		t.Fatal(err)
	}
	bucket := gridfs.NewBucket(db)
	for _, handle := range []any{coll, db, session, cursor, bucket, client} {
		callAll(t, handle, none, "Bind", "Close", "End", "ShareTimeout", "TryNext")
	}
}
