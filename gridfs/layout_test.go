package gridfs

import "testing"

// TestLayout compares with cutting files byte by byte.
func TestLayout(t *testing.T) {
	for length := range int64(40) {
		for size := int64(1); size < 12; size++ {
			l := layout{length, size}
			var chunks []int64
			for i := range length {
				if i%size == 0 {
					chunks = append(chunks, 0)
				}
				chunks[len(chunks)-1]++
			}
			if l.chunks() != int64(len(chunks)) {
				t.Errorf("%+v: %d chunks, want %d", l, l.chunks(), len(chunks))
			}
			for n, want := range chunks {
				if got := l.chunkLength(int64(n)); got != want {
					t.Errorf("%+v: chunk %d has %d bytes, want %d", l, n, got, want)
				}
			}
		}
	}
}

func TestBatch(t *testing.T) {
	for _, test := range []struct{ chunkSize, bytes, want int64 }{
		{255 << 10, 4 << 20, 16},
		{255 << 10, 1 << 20, 4},
		{4, 4 << 20, 1000},
		{16 << 20, 4 << 20, 1},
	} {
		if got := (layout{0, test.chunkSize}).batch(test.bytes); got != test.want {
			t.Errorf("chunks of %d bytes in %d bytes: %d, want %d", test.chunkSize, test.bytes, got, test.want)
		}
	}
}
