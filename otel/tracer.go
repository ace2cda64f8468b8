package otel

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/motor-go/motor/internal/tracing"
	"github.com/motor-go/motor/pool"
)

// scope is the name of the tracer and the meter.
const scope = "github.com/motor-go/motor"

// tracer is a tracing.Tracer on the API of OpenTelemetry.
type tracer struct{ inner trace.Tracer }

func newTracer(p trace.TracerProvider) tracer {
	return tracer{p.Tracer(scope, trace.WithInstrumentationVersion(pool.DriverVersion))}
}

func (t tracer) Start(ctx context.Context, parent tracing.Span, name string, attributes []slog.Attr) tracing.Span {
	if p, ok := parent.(span); ok {
		ctx = trace.ContextWithSpan(ctx, p.inner)
	}
	_, inner := t.inner.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(translated(attributes)...))
	return span{inner}
}

type span struct{ inner trace.Span }

func (s span) Set(attributes ...slog.Attr) { s.inner.SetAttributes(translated(attributes)...) }

func (s span) Fail(err error) {
	s.inner.RecordError(err)
	s.inner.SetStatus(codes.Error, err.Error())
}

func (s span) End() { s.inner.End() }

func translated(list []slog.Attr) []attribute.KeyValue {
	out := make([]attribute.KeyValue, len(list))
	for i, a := range list {
		if a.Value.Kind() == slog.KindInt64 {
			out[i] = attribute.Int64(a.Key, a.Value.Int64())
		} else {
			out[i] = attribute.String(a.Key, a.Value.String())
		}
	}
	return out
}
