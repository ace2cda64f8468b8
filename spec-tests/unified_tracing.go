package spectests

import (
	"fmt"
	"strings"

	"github.com/motor-go/motor/bson"
)

// expectedTracing is an expectTracingMessagesForClient.
type expectedTracing struct {
	Client           string
	IgnoreExtraSpans bool `spec:"optional"`
	Spans            []expectedSpan
}

type expectedSpan struct {
	Name       string
	Attributes bson.Raw
	Nested     []expectedSpan `spec:"optional"`
}

// Span is a span of a trace that has ended, with those that it contains in the
// order of their starts.
type Span struct {
	Name       string
	Attributes bson.Raw
	Nested     []*Span
}

func (s *Span) String() string { return fmt.Sprintf("%s %v", s.Name, s.Attributes) }

// matchSpans compares spans in their order. With extra, others may stand
// between them.
func (m matcher) matchSpans(path string, want []expectedSpan, got []*Span, extra bool) error {
	rest := got
	for i, w := range want {
		var first error
		found := false
		for len(rest) > 0 && !found {
			err := m.matchSpan(join(path, fmt.Sprint(i)), w, rest[0], extra)
			if rest = rest[1:]; err == nil {
				found = true
			} else if first == nil {
				first = err
			}
			if err != nil && !extra {
				break
			}
		}
		if !found && first == nil {
			first = fmt.Errorf("%s: the span %q is missing", join(path, fmt.Sprint(i)), w.Name)
		}
		if !found {
			return fmt.Errorf("%w%s", first, spanTranscript(got, "\n  "))
		}
	}
	if len(rest) > 0 && !extra {
		return fmt.Errorf("%s: there are %d spans, want %d%s", path, len(got), len(want), spanTranscript(got, "\n  "))
	}
	return nil
}

func (m matcher) matchSpan(path string, want expectedSpan, got *Span, extra bool) error {
	if got.Name != want.Name {
		return fmt.Errorf("%s: is the span %q, want %q", path, got.Name, want.Name)
	}
	if err := m.match(join(path, "attributes"), document(want.Attributes), document(got.Attributes), true); err != nil {
		return err
	}
	return m.matchSpans(join(path, "nested"), want.Nested, got.Nested, extra)
}

func spanTranscript(list []*Span, indent string) string {
	var b strings.Builder
	for _, s := range list {
		fmt.Fprintf(&b, "%s%v%s", indent, s, spanTranscript(s.Nested, indent+"  "))
	}
	return b.String()
}
