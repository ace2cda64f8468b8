package spectests

import (
	"encoding/binary"
	"time"

	"github.com/motor-go/motor/bson"
)

// proseObjectID tests the fields of an ObjectID. That the random one differs
// between processes is a test of package bson.
func proseObjectID(t T) {
	t.Run("Timestamp", func(t T) {
		for seconds, want := range map[uint32]time.Time{
			0x00000000: time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC),
			0x7FFFFFFF: time.Date(2038, 1, 19, 3, 14, 7, 0, time.UTC),
			0x80000000: time.Date(2038, 1, 19, 3, 14, 8, 0, time.UTC),
			0xFFFFFFFF: time.Date(2106, 2, 7, 6, 28, 15, 0, time.UTC),
		} {
			var id bson.ObjectID
			binary.BigEndian.PutUint32(id[:], seconds)
			if got := id.Timestamp(); !got.Equal(want) {
				t.Errorf("%#x is %s instead of %s", seconds, got, want)
			}
			if made := bson.NewObjectIDFromTimestamp(want); !made.Timestamp().Equal(want) {
				t.Errorf("an ObjectID made at %s says %s", want, made.Timestamp())
			}
		}
	})
	t.Run("Counter", func(t T) {
		counter := func() uint32 {
			id := bson.NewObjectIDFromTimestamp(time.Unix(0, 0))
			return uint32(id[9])<<16 | uint32(id[10])<<8 | uint32(id[11])
		}
		// Others may make ObjectIDs meanwhile, so that a few numbers are missed.
		const missed = 1000
		last := counter()
		for range 1<<24 + 1 {
			n := counter()
			if step := (n - last) & 0xFFFFFF; step == 0 || step > missed {
				t.Fatalf("0x%06x comes after 0x%06x", n, last)
			}
			if n < last {
				return
			}
			last = n
		}
		t.Errorf("the counter never overflows")
	})
}
