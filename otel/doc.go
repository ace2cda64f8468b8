// Package otel traces and measures what a client does, on the API of
// OpenTelemetry (specification open-telemetry; semantic conventions for
// databases). What becomes of spans and metrics is up to the program, which
// chooses the SDK and its exporters.
//
//	observer, err := otel.Observer(otel.Options{Enabled: new(true)})
//	if err != nil { ... }
//	client, err := motor.Connect(ctx, uri, motor.ClientOptions{Observer: observer})
//
// # Spans
//
// There is a span for each operation (find warehouse.users), within the span
// that the operation's context carries, and within it one for each command that
// it sends, retries among them. The operations of a transaction lie in a span
// named transaction. Sensitive commands have no span.
//
// The commands themselves are only shown if Options.QueryTextMaxLength allows
// it: they hold the data of the program's users.
//
// # Metrics
//
// The connection pools are measured by the names of the semantic conventions:
// db.client.connection.count (by state), max, idle.min, pending_requests,
// timeouts, create_time, wait_time and use_time, each with the attribute
// db.client.connection.pool.name, which is the server's address.
//
// # Environment
//
// What Options leave open is decided by the variables
// OTEL_GO_INSTRUMENTATION_MONGODB_ENABLED (1, true or yes) and
// OTEL_GO_INSTRUMENTATION_MONGODB_QUERY_TEXT_MAX_LENGTH (a number of bytes). By
// default nothing is traced or measured.
package otel
