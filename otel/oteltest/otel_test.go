// Package oteltest tests package otel with the SDK of OpenTelemetry, on which
// otel itself must not depend.
package oteltest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest"
	"github.com/motor-go/motor/otel"
)

// traced is a client with the spans and the metrics of what it does.
type traced struct {
	*motor.Client
	spans  *tracetest.InMemoryExporter
	reader *sdkmetric.ManualReader
	tracer trace.Tracer
}

func connect(t *testing.T, uri string, o otel.Options) traced {
	t.Helper()
	c := traced{spans: tracetest.NewInMemoryExporter(), reader: sdkmetric.NewManualReader()}
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(c.spans))
	c.tracer = provider.Tracer("application")
	o.TracerProvider, o.MeterProvider = provider, sdkmetric.NewMeterProvider(sdkmetric.WithReader(c.reader))
	observer, err := otel.Observer(o)
	if err != nil {
		t.Fatal(err)
	}
	if c.Client, err = motor.Connect(t.Context(), uri, motor.ClientOptions{Observer: observer}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

// tree is the spans that were exported, each with the names of those that it
// lies in.
func (c traced) tree() []string {
	list := c.spans.GetSpans()
	names := map[trace.SpanID]string{}
	for range list { // parents end after their children
		for _, s := range list {
			names[s.SpanContext.SpanID()] = strings.TrimPrefix(names[s.Parent.SpanID()]+" > "+s.Name, " > ")
		}
	}
	slices.SortFunc(list, func(a, b tracetest.SpanStub) int { return a.StartTime.Compare(b.StartTime) })
	var out []string
	for _, s := range list {
		out = append(out, names[s.SpanContext.SpanID()])
	}
	return out
}

func (c traced) attribute(t *testing.T, span, key string) string {
	t.Helper()
	for _, s := range c.spans.GetSpans() {
		if s.Name != span {
			continue
		}
		for _, a := range s.Attributes {
			if string(a.Key) == key {
				return a.Value.Emit()
			}
		}
	}
	return ""
}

func TestSpansNest(t *testing.T) {
	c := connect(t, mongotest.New(t, mongotest.Options{}).URI(), otel.Options{Enabled: new(true)})
	ctx, request := c.tracer.Start(t.Context(), "request")
	planets := c.Database("test").Collection("planets")
	if err := c.WithTransaction(ctx, func(ctx context.Context) error {
		_, err := planets.InsertOne(ctx, bson.D{{Key: "_id", Value: 1}})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := planets.Find(ctx, bson.D{{Key: "$no", Value: 1}}).Slice(); err == nil {
		t.Fatal("the server takes a wrong filter")
	}
	request.End()
	want := []string{
		"request",
		"request > transaction",
		"request > transaction > insert test.planets",
		"request > transaction > insert test.planets > insert",
		"request > transaction > commitTransaction admin",
		"request > transaction > commitTransaction admin > commitTransaction",
		"request > find test.planets",
		"request > find test.planets > find",
	}
	if got := c.tree(); !slices.Equal(got, want) {
		t.Errorf("the spans are\n%s, want\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for key, want := range map[string]string{
		"db.response.status_code": "2", "exception.type": "*wire.CommandError", "db.query.summary": "find test.planets",
		"network.transport": "tcp", "server.address": "127.0.0.1",
	} {
		if got := c.attribute(t, "find", key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if text := c.attribute(t, "find", "db.query.text"); text != "" {
		t.Errorf("the query text is shown although nobody asked for it: %s", text)
	}
}

// Prose tests 1 and 2 of open-telemetry.
func TestEnvironment(t *testing.T) {
	uri := mongotest.New(t, mongotest.Options{}).URI()
	for _, tt := range []struct {
		enabled, length string
		spans           int
		text            string
	}{
		{"false", "", 0, ""},
		{"", "100", 0, ""},
		{"true", "", 2, ""},
		{"YES", "1024", 2, `{"find":"planets","filter":{"x":1},"limit":1,"singleBatch":true}`},
		{"1", "9", 2, `{"find":"...`},
	} {
		t.Run(tt.enabled+" "+tt.length, func(t *testing.T) {
			t.Setenv("OTEL_GO_INSTRUMENTATION_MONGODB_ENABLED", tt.enabled)
			t.Setenv("OTEL_GO_INSTRUMENTATION_MONGODB_QUERY_TEXT_MAX_LENGTH", tt.length)
			c := connect(t, uri, otel.Options{})
			if _, err := c.Database("test").Collection("planets").FindOne(t.Context(), bson.D{{Key: "x", Value: 1}}); err != motor.ErrNoDocuments {
				t.Fatal(err)
			}
			if n := len(c.spans.GetSpans()); n != tt.spans {
				t.Errorf("there are %d spans, want %d", n, tt.spans)
			}
			if got := c.attribute(t, "find", "db.query.text"); got != tt.text {
				t.Errorf("the query text is %s, want %s", got, tt.text)
			}
		})
	}
}

func TestEnvironmentRefused(t *testing.T) {
	for _, tt := range []struct{ enabled, length, want string }{
		{"maybe", "", `OTEL_GO_INSTRUMENTATION_MONGODB_ENABLED is "maybe"`},
		{"1", "long", `QUERY_TEXT_MAX_LENGTH is "long"`},
		{"1", "-1", `QUERY_TEXT_MAX_LENGTH is "-1"`},
	} {
		t.Setenv("OTEL_GO_INSTRUMENTATION_MONGODB_ENABLED", tt.enabled)
		t.Setenv("OTEL_GO_INSTRUMENTATION_MONGODB_QUERY_TEXT_MAX_LENGTH", tt.length)
		if _, err := otel.Observer(otel.Options{}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}

func TestPoolMetrics(t *testing.T) {
	rs := mongotest.New(t, mongotest.Options{})
	c := connect(t, rs.URI()+"&maxPoolSize=7", otel.Options{Enabled: new(true)})
	primary := rs.Primary().Address()
	if err := c.Ping(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	check := func(want map[string]string) {
		t.Helper()
		got := c.metrics(t, primary)
		for name, value := range want {
			if got[name] != value {
				t.Errorf("%s is %q, want %q", name, got[name], value)
			}
		}
	}
	check(map[string]string{
		"max": "7", "idle.min": "0", "pending_requests": "0", "count used": "0", "count idle": "1",
		"create_time": "1 times", "wait_time": "1 times", "use_time": "1 times", "timeouts": "",
	})
	c.Close(context.Background())
	check(map[string]string{"max": "0", "count used": "0", "count idle": "0"})
}

// metrics are the values for one pool by the names of their instruments.
func (c traced) metrics(t *testing.T, pool string) map[string]string {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := c.reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, s := range all.ScopeMetrics {
		for _, m := range s.Metrics {
			name := strings.TrimPrefix(m.Name, "db.client.connection.")
			switch data := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range data.DataPoints {
					if of, _ := p.Attributes.Value("db.client.connection.pool.name"); of.AsString() == pool {
						state, _ := p.Attributes.Value("db.client.connection.state")
						out[strings.TrimSpace(name+" "+state.AsString())] = fmt.Sprint(p.Value)
					}
				}
			case metricdata.Histogram[float64]:
				for _, p := range data.DataPoints {
					if of, _ := p.Attributes.Value("db.client.connection.pool.name"); of.AsString() == pool {
						out[name] = fmt.Sprintf("%d times", p.Count)
					}
				}
			}
		}
	}
	return out
}
