package event

import "testing"

func TestTruncate(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{
		{"abc", 3, "abc"},
		{"abcd", 3, "abc..."},
		{"", 0, ""},
		{"a", 0, "..."},
		{"aäb", 2, "a..."}, // the ä takes the bytes 1 and 2
		{"aäb", 3, "aä..."},
		{"日本", 5, "日..."},
		{"日本", 2, "..."},
	} {
		if got := Truncate(c.in, c.n); got != c.want {
			t.Errorf("%q cut after %d is %q, want %q", c.in, c.n, got, c.want)
		}
	}
}
