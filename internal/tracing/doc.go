// Package tracing makes spans of the events of a client, by the specification
// open-telemetry. It decides which spans there are, what they are called, what
// lies in what and which attributes they have; a Tracer keeps them.
package tracing
