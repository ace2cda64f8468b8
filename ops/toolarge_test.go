package ops

import (
	"errors"
	"slices"
	"testing"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/topology/description"
	"github.com/motor-go/motor/wire"
)

// sized is a document of n bytes, 12 at least.
func sized(n int) bson.Raw {
	doc, at := bson.BeginDocument(nil)
	return bson.EndDocument(bson.AppendBinary(doc, "x", bson.Binary{Data: make([]byte, n-13)}), at)
}

// A run of statements ends where one is too large, which has none.
func TestSplit(t *testing.T) {
	for _, c := range []struct {
		sizes []int
		want  []int // the ends of the runs; a run that is empty is that of a refused statement
	}{
		{[]int{20, 20, 20}, []int{3}},
		{[]int{20, 20, 20, 20}, []int{3, 4}},
		{[]int{50, 50, 20}, []int{2, 3}},
		{[]int{50, 51, 20}, []int{1, 1, 3}},
		{[]int{51}, []int{0}},
		{[]int{51, 51, 50}, []int{0, 1, 3}},
		{[]int{20, 51}, []int{1, 1}},
	} {
		var s Statements
		for _, n := range c.sizes {
			s.Docs = append(s.Docs, sized(n)...)
			s.Ends = append(s.Ends, len(s.Docs))
		}
		var got []int
		for i := 0; i < s.Len(); {
			n := s.split(i, limits{statements: 3, bytes: 100}, 50)
			got = append(got, n)
			i = max(n, i+1)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("statements of %v bytes are split at %v, want %v", c.sizes, got, c.want)
		}
	}
}

// What counts of an insert is the document, of other writes the statement, which
// may be larger by what a command has room for.
func TestClientStatementTooLarge(t *testing.T) {
	l := limits{statements: 10, bytes: 1 << 20, document: 50}
	update := func(n int) []byte {
		u := &UpdateStatement{Filter: sized(20), Update: bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: sized(20)}}
		rest := n - len(AppendClientUpdate(nil, u))
		u.Filter = sized(20 + rest)
		return AppendClientUpdate(nil, u)
	}
	for name, c := range map[string]struct {
		statement []byte
		want      string
	}{
		"insert":       {AppendClientInsert(nil, sized(50)), ""},
		"large insert": {AppendClientInsert(nil, sized(51)), "statement 1 on db.c was not sent: it is 51 bytes long; the limit is 50 (10334)"},
		"update":       {update(50 + documentRoom), ""},
		"large update": {update(51 + documentRoom), "statement 1 on db.c was not sent: it is 16435 bytes long; the limit is 16434 (10334)"},
	} {
		s := ClientStatements{Docs: AppendClientInsert(nil, sized(20)), Namespaces: []string{"db.c"}, Namespace: []int{0, 0}, Multi: make([]bool, 2)}
		s.Ends = []int{len(s.Docs)}
		s.Docs = append(s.Docs, c.statement...)
		s.Ends = append(s.Ends, len(s.Docs))
		_, n := s.batch(0, l)
		e := s.refused(1, l)
		switch {
		case c.want == "" && (n != 2 || e != nil):
			t.Errorf("%s: the batch ends at %d, with %v", name, n, e)
		case c.want != "" && (n != 1 || e == nil || e.Error() != c.want):
			t.Errorf("%s: the batch ends at %d, with %v, want %s", name, n, e, c.want)
		}
	}
}

func TestCheckSize(t *testing.T) {
	to, env := &description.Server{MaxBSONObjectSize: 50}, Envelope{DB: "db"}
	const more = 50 + documentRoom
	for name, c := range map[string]struct {
		cmd     Command
		refused bool
	}{
		"insert":              {&Insert{Envelope: env, Collection: "c", Docs: sized(50)}, false},
		"large insert":        {&Insert{Envelope: env, Collection: "c", Docs: sized(51)}, true},
		"two inserts":         {&Insert{Envelope: env, Collection: "c", Docs: slices.Concat(sized(50), sized(50))}, false},
		"update":              {&Update{Envelope: env, Collection: "c", Updates: sized(more)}, false},
		"large update":        {&Update{Envelope: env, Collection: "c", Updates: sized(more + 1)}, true},
		"delete":              {&Delete{Envelope: env, Collection: "c", Deletes: sized(more)}, false},
		"large delete":        {&Delete{Envelope: env, Collection: "c", Deletes: sized(more + 1)}, true},
		"what writes nothing": {find(), false},
	} {
		err := checkSize(c.cmd, to)
		if (err != nil) != c.refused || c.refused && !errors.Is(err, wire.ErrDocumentTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
