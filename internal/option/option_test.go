package option_test

import (
	"testing"

	"github.com/motor-go/motor/internal/option"
)

type options struct {
	Limit  int
	Upsert bool
	Hint   any
	Retry  *bool
}

func TestOf(t *testing.T) {
	first := options{Limit: 1, Hint: "a", Retry: new(true)}
	for _, test := range []struct {
		given []options
		want  options
	}{
		{nil, options{}},
		{[]options{first}, first},
		{[]options{first, {}}, first},
		{[]options{first, {Limit: 2, Upsert: true}}, options{2, true, "a", first.Retry}},
		{[]options{first, {Hint: 3}, {Hint: "b"}}, options{1, false, "b", first.Retry}},
	} {
		if got := option.Of(test.given); got != test.want {
			t.Errorf("%v gives %v, not %v", test.given, got, test.want)
		}
	}
	if no := new(false); *option.Of([]options{first, {Retry: no}}).Retry {
		t.Error("a pointer to false is not set")
	}
}

func TestOneAllocatesNothing(t *testing.T) {
	for _, given := range [][]options{nil, {{Limit: 1}}} {
		if n := testing.AllocsPerRun(100, func() { option.Of(given) }); n != 0 {
			t.Errorf("%d given: %v allocations", len(given), n)
		}
	}
}
