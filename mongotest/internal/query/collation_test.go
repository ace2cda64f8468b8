package query

import (
	"slices"
	"strings"
	"sync"
	"testing"
)

func collation(t testing.TB, spec string) *Collation {
	t.Helper()
	c, err := ParseCollation(parse(t, spec))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCollationOrder(t *testing.T) {
	for _, test := range []struct{ spec, want string }{
		{`{'locale': 'simple'}`, "10 2 B Zoo a a-b ab b zoo Ä ä"},
		{`{'locale': 'en'}`, "10 2 a ä Ä a-b ab b B zoo Zoo"},
		{`{'locale': 'en', 'caseFirst': 'upper'}`, "10 2 a Ä ä a-b ab B b Zoo zoo"},
		{`{'locale': 'en', 'numericOrdering': true}`, "2 10 a ä Ä a-b ab b B zoo Zoo"},
		{`{'locale': 'sv'}`, "10 2 a a-b ab b B zoo Zoo ä Ä"},
	} {
		words := strings.Fields("b B a ä Ä zoo Zoo 10 2 a-b ab")
		c := collation(t, test.spec)
		slices.SortFunc(words, c.Compare)
		if got := strings.Join(words, " "); got != test.want {
			t.Errorf("%s: %s, want %s", test.spec, got, test.want)
		}
	}
}

func TestCollationEquality(t *testing.T) {
	for _, test := range []struct {
		spec, a, b string
		equal      bool
	}{
		{`{'locale': 'en', 'strength': 1}`, "cafe", "CAFÉ", true},
		{`{'locale': 'en', 'strength': 2}`, "cafe", "CAFE", true},
		{`{'locale': 'en', 'strength': 2}`, "cafe", "café", false},
		{`{'locale': 'en', 'strength': 3}`, "cafe", "Cafe", false},
		{`{'locale': 'en', 'strength': 1, 'caseLevel': true}`, "cafe", "café", true},
		{`{'locale': 'en', 'strength': 1, 'caseLevel': true}`, "cafe", "Cafe", false},
		{`{'locale': 'en', 'strength': 1, 'alternate': 'shifted'}`, "a-b", "ab", true},
		{`{'locale': 'en', 'strength': 1}`, "a-b", "ab", false},
		{`{'locale': 'en', 'strength': 5}`, "a", "a", true},
	} {
		c := collation(t, test.spec)
		if got := c.Compare(test.a, test.b) == 0; got != test.equal {
			t.Errorf("%s: %q equals %q: %v", test.spec, test.a, test.b, got)
		}
		if got := string(AppendKey(nil, stringValue(test.a), c)) == string(AppendKey(nil, stringValue(test.b), c)); got != test.equal {
			t.Errorf("%s: keys of %q and %q are equal: %v", test.spec, test.a, test.b, got)
		}
	}
}

func TestCollationDocument(t *testing.T) {
	c := collation(t, `{'locale': 'fr_CA', 'backwards': true, 'strength': {'$numberDouble': '2'}}`)
	want := parse(t, `{'locale': 'fr_CA', 'caseLevel': false, 'caseFirst': 'off', 'strength': 2, 'numericOrdering': false,
		'alternate': 'non-ignorable', 'maxVariable': 'punct', 'normalization': false, 'backwards': true, 'version': '57.1'}`)
	if got := c.Document(); got.String() != want.String() {
		t.Errorf("%s, want %s", got, want)
	}
	if !SameCollation(nil, collation(t, `{'locale': 'simple'}`)) || SameCollation(nil, c) {
		t.Error("the simple collation is not told from another")
	}
}

// TestCollationIsConcurrent must be run with the race detector to prove much.
func TestCollationIsConcurrent(t *testing.T) {
	c := collation(t, `{'locale': 'en', 'strength': 2}`)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				if c.Compare("Straße", "strasse") == 0 || c.Compare("ABC", "abc") != 0 {
					t.Error("wrong order")
				}
			}
		})
	}
	wg.Wait()
}
