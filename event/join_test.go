package event

import (
	"reflect"
	"testing"
)

// recording is an Observer all of whose functions add to a list.
func recording(name string, calls *[]string) *Observer {
	o := new(Observer)
	v := reflect.ValueOf(o).Elem()
	for i := range v.NumField() {
		v.Field(i).Set(reflect.MakeFunc(v.Type().Field(i).Type, func([]reflect.Value) []reflect.Value {
			*calls = append(*calls, name+" "+v.Type().Field(i).Name)
			return nil
		}))
	}
	return o
}

func TestJoin(t *testing.T) {
	var calls []string
	joined := reflect.ValueOf(Join(recording("a", &calls), recording("b", &calls))).Elem()
	for i := range joined.NumField() {
		f := joined.Field(i)
		name := joined.Type().Field(i).Name
		calls = nil
		if f.IsNil() {
			t.Errorf("%s is lost", name)
			continue
		}
		f.Call([]reflect.Value{reflect.Zero(f.Type().In(0))})
		if want := []string{"a " + name, "b " + name}; !reflect.DeepEqual(calls, want) {
			t.Errorf("%s called %v, want %v", name, calls, want)
		}
	}
}

// What one of them does not listen to stays unheard, and costs nothing.
func TestJoinWithNothing(t *testing.T) {
	var calls []string
	a := recording("a", &calls)
	if Join(a, nil) != a || Join(nil, a) != a || Join(nil, nil) != nil {
		t.Error("joined with nil, an Observer must stay what it is")
	}
	Join(a, new(Observer)).CommandStarted(nil)
	Join(new(Observer), a).PoolReady(nil)
	if want := []string{"a CommandStarted", "a PoolReady"}; !reflect.DeepEqual(calls, want) {
		t.Errorf("called %v, want %v", calls, want)
	}
	if Join(new(Observer), new(Observer)).CommandStarted != nil {
		t.Error("nobody listens, but there is a function")
	}
}
