package spectests

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/tracing"
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

// spanLog keeps the spans of a client, as a tracing.Tracer.
type spanLog struct {
	mu    sync.Mutex
	spans []*span
}

// Start begins a span. Those of a client are within no span of anybody else.
func (l *spanLog) Start(_ context.Context, parent tracing.Span, name string, attributes []slog.Attr) tracing.Span {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &span{log: l, name: name, attributes: attributes}
	if p, ok := parent.(*span); ok {
		p.nested = append(p.nested, s)
	} else {
		l.spans = append(l.spans, s)
	}
	return s
}

// ended are the spans that have ended, in the order of their starts.
func (l *spanLog) ended() []*span {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(l.spans), func(s *span) bool { return !s.ended })
}

// span is a span with those that it contains, in the order of their starts.
type span struct {
	log        *spanLog
	name       string
	attributes []slog.Attr
	nested     []*span
	ended      bool
}

func (s *span) Set(attributes ...slog.Attr) {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.attributes = append(s.attributes, attributes...)
}

// Fail adds nothing: the error is among the attributes.
func (s *span) Fail(error) {}

func (s *span) End() {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.ended = true
}

// document is the attributes as a document.
func (s *span) document() bson.Raw {
	doc, at := bson.BeginDocument(nil)
	for _, a := range s.attributes {
		if a.Value.Kind() == slog.KindInt64 {
			doc = bson.AppendInt64(doc, a.Key, a.Value.Int64())
		} else {
			doc = bson.AppendString(doc, a.Key, a.Value.String())
		}
	}
	return bson.EndDocument(doc, at)
}

func (s *span) String() string { return fmt.Sprintf("%s %v", s.name, s.document()) }

// matchSpans compares spans in their order. With extra, others may stand
// between them.
func (m matcher) matchSpans(path string, want []expectedSpan, got []*span, extra bool) error {
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

func (m matcher) matchSpan(path string, want expectedSpan, got *span, extra bool) error {
	if got.name != want.Name {
		return fmt.Errorf("%s: is the span %q, want %q", path, got.name, want.Name)
	}
	if err := m.match(join(path, "attributes"), document(want.Attributes), document(got.document()), true); err != nil {
		return err
	}
	return m.matchSpans(join(path, "nested"), want.Nested, got.nested, extra)
}

func spanTranscript(list []*span, indent string) string {
	var b strings.Builder
	for _, s := range list {
		fmt.Fprintf(&b, "%s%v%s", indent, s, spanTranscript(s.nested, indent+"  "))
	}
	return b.String()
}
