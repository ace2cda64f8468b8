package main

import (
	"math/rand/v2"
	"testing"
)

func TestFlat(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	series := func(n int, at func(i int) float64) (s []float64) {
		for i := range n {
			s = append(s, at(i))
		}
		return s
	}
	noise := func() float64 { return 10 * random.Float64() }
	some := tolerance{0.01, 2}
	for _, tt := range []struct {
		name   string
		series []float64
		tolerance
		flat bool
	}{
		{"constant", series(30, func(int) float64 { return 280 }), some, true},
		{"noise", series(300, func(int) float64 { return 280 + noise() }), some, true},
		{"warming up", series(30, func(i int) float64 { return float64(min(i, 10)) }), some, true},
		{"shrinking", series(30, func(i int) float64 { return float64(300 - i) }), some, true},
		{"a step in the first third", series(360, func(i int) float64 { return float64(min(i/100, 1) * 100) }), some, true},
		{"spikes", series(300, func(i int) float64 { return float64(i % 3 / 2 * 1000) }), some, true},
		{"zero", series(30, func(int) float64 { return 0 }), tolerance{}, true},

		{"one more each time", series(360, func(i int) float64 { return 280 + float64(i) + noise() }), some, false},
		{"one more every tenth time", series(360, func(i int) float64 { return 280 + float64(i/10) + noise() }), some, false},
		{"a leak among spikes", series(300, func(i int) float64 { return float64(i%3/2*1000 + i) }), some, false},
		{"a step in the last third", series(300, func(i int) float64 { return float64(i / 210 * 100) }), some, false},
		{"more than nothing", series(30, func(i int) float64 { return float64(i / 15) }), tolerance{}, false},
		{"too few", series(2, func(int) float64 { return 0 }), some, false},
		{"none", nil, some, false},
	} {
		if err := flat(tt.series, tt.tolerance); (err == nil) != tt.flat {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// Over half an hour the soak finds what a single failover leaves behind.
func TestTolerancesFindALeakOfEachFailover(t *testing.T) {
	const failovers = 360
	for _, m := range measures {
		flatSeries, leak := make([]sample, failovers), make([]sample, failovers)
		for i := range failovers {
			usual := sample{heap: 2 << 20, goroutines: 280, sockets: 102, pooled: 96, servers: counts{Cursors: 60}}
			flatSeries[i] = usual
			usual.heap += uint64(i) * 10 << 10
			usual.goroutines += i
			usual.sockets += 2 * i
			usual.pooled += i
			usual.inUse += i
			usual.servers.Cursors += i
			leak[i] = usual
		}
		before, after := report{samples: flatSeries}, report{samples: leak}
		if err := flat(before.series(m.of), m.tolerance); err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
		if flat(after.series(m.of), m.tolerance) == nil {
			t.Errorf("%s: one more with each of %d failovers is not found", m.name, failovers)
		}
	}
}
