// Package knobs shortens waits that the specifications fix or leave to chance, for
// tests that would spend most of their time in them. Knobs travel in the context
// that a client is made with.
package knobs

import (
	"context"
	"time"
)

// Knobs are the waits that can be shortened. What is 0 stays as it is.
type Knobs struct {
	// HeartbeatFrequency takes the place of heartbeatFrequencyMS.
	HeartbeatFrequency time.Duration
	// MinHeartbeatFrequency takes the place of minHeartbeatFrequencyMS.
	MinHeartbeatFrequency time.Duration
	// MinRescanInterval takes the place of the 60 s of SRV polling
	// (minRescanSRVIntervalMS).
	MinRescanInterval time.Duration
	// DNSTimeout bounds the wait for each answer of a DNS server.
	DNSTimeout time.Duration
	// Jitter takes the place of random numbers in [0, 1) that pauses between
	// attempts are multiplied with.
	Jitter func() float64
}

type key struct{}

// With is ctx with the knobs.
func With(ctx context.Context, k Knobs) context.Context { return context.WithValue(ctx, key{}, k) }

// From are the knobs that ctx carries.
func From(ctx context.Context) Knobs {
	k, _ := ctx.Value(key{}).(Knobs)
	return k
}
