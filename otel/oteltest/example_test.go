package oteltest

import (
	"context"
	"fmt"
	"log"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest"
	"github.com/motor-go/motor/otel"
)

// A program that has set up the global providers leaves TracerProvider out.
func Example() {
	server, err := mongotest.StartStandalone(mongotest.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	spans := tracetest.NewInMemoryExporter()
	observer, err := otel.Observer(otel.Options{
		Enabled:        new(true),
		TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)),
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	client, err := motor.Connect(ctx, server.URI(), motor.ClientOptions{Observer: observer})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close(ctx)
	if _, err := client.Database("shop").Collection("orders").InsertOne(ctx, bson.D{{Key: "_id", Value: 1}}); err != nil {
		log.Fatal(err)
	}
	for _, span := range spans.GetSpans() { // in the order of their ends
		fmt.Println(span.SpanKind, span.Name)
	}
	// Output:
	// client insert
	// client insert shop.orders
}
