package bson

import (
	"reflect"
	"sync"
	"testing"
)

// Who asks for a codec that somebody else has made at the same moment gets
// that one.
func TestCodecIsMadeTwice(t *testing.T) {
	config := newConfig(Options{}, new(codecs))
	for n := range 2000 {
		typ := reflect.StructOf([]reflect.StructField{{Name: "A", Type: reflect.ArrayOf(n, reflect.TypeFor[int32]())}})
		var start, done sync.WaitGroup
		start.Add(1)
		for range 4 {
			done.Go(func() {
				start.Wait()
				if c := config.codecOf(typ); c == nil || c.typ != typ {
					t.Errorf("the codec of %v is %v", typ, c)
				}
			})
		}
		start.Done()
		done.Wait()
	}
}
