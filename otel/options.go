package otel

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/internal/tracing"
	"github.com/motor-go/motor/pool"
)

// Options say what is traced. The zero value leaves all to the environment.
type Options struct {
	// Enabled switches tracing and metrics on or off. If it is nil,
	// OTEL_GO_INSTRUMENTATION_MONGODB_ENABLED decides.
	Enabled *bool
	// QueryTextMaxLength is the number of bytes of a command that the attribute
	// db.query.text shows; 0 leaves the attribute out. If it is nil,
	// OTEL_GO_INSTRUMENTATION_MONGODB_QUERY_TEXT_MAX_LENGTH decides.
	QueryTextMaxLength *int
	// TracerProvider and MeterProvider are the global ones if they are nil.
	TracerProvider trace.TracerProvider
	MeterProvider  metric.MeterProvider
}

const (
	enabledVariable    = "OTEL_GO_INSTRUMENTATION_MONGODB_ENABLED"
	textLengthVariable = "OTEL_GO_INSTRUMENTATION_MONGODB_QUERY_TEXT_MAX_LENGTH"
)

// Observer is what motor.ClientOptions.Observer takes; nil if tracing is not
// enabled. Its errors are a variable of the environment that cannot be
// understood, and those of the MeterProvider.
func Observer(o Options) (*event.Observer, error) {
	on, err := o.enabled()
	if err != nil || !on {
		return nil, err
	}
	length, err := o.textLength()
	if err != nil {
		return nil, err
	}
	if o.TracerProvider == nil {
		o.TracerProvider = otel.GetTracerProvider()
	}
	if o.MeterProvider == nil {
		o.MeterProvider = otel.GetMeterProvider()
	}
	pools, err := poolObserver(o.MeterProvider.Meter(scope, metric.WithInstrumentationVersion(pool.DriverVersion)))
	if err != nil {
		return nil, fmt.Errorf("otel: %w", err)
	}
	return event.Join(tracing.Observer(newTracer(o.TracerProvider), length), pools), nil
}

func (o Options) enabled() (bool, error) {
	if o.Enabled != nil {
		return *o.Enabled, nil
	}
	switch text := os.Getenv(enabledVariable); strings.ToLower(text) {
	case "1", "true", "yes":
		return true, nil
	case "", "0", "false", "no":
		return false, nil
	default:
		return false, fmt.Errorf("otel: %s is %q; write 1, true or yes to enable tracing, 0, false or no otherwise", enabledVariable, text)
	}
}

func (o Options) textLength() (int, error) {
	if o.QueryTextMaxLength != nil {
		return *o.QueryTextMaxLength, nil
	}
	text := os.Getenv(textLengthVariable)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("otel: %s is %q, not a number of bytes", textLengthVariable, text)
	}
	return n, nil
}
