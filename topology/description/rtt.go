package description

import "time"

const (
	// rttWeight is the weight of a new sample in the average.
	rttWeight = 0.2
	// rttSamples is how many samples the minimum is taken over.
	rttSamples = 10
)

// RoundTripTimes are measurements of the time that a server takes to answer
// hello. The zero value has none.
type RoundTripTimes struct {
	// Average is exponentially weighted.
	Average time.Duration

	recent [rttSamples]time.Duration
	count  int
}

// Add is r with one more sample. A negative one, which only a broken clock
// gives, is left out.
func (r RoundTripTimes) Add(sample time.Duration) RoundTripTimes {
	if sample < 0 {
		return r
	}
	if r.count == 0 {
		r.Average = sample
	} else {
		r.Average = time.Duration(rttWeight*float64(sample) + (1-rttWeight)*float64(r.Average))
	}
	r.recent[r.count%rttSamples] = sample
	r.count++
	return r
}

// Min is the shortest of the last ten samples, or 0 as long as there are less
// than two.
func (r RoundTripTimes) Min() time.Duration {
	if r.count < 2 {
		return 0
	}
	shortest := r.recent[0]
	for _, sample := range r.recent[:min(r.count, rttSamples)] {
		shortest = min(shortest, sample)
	}
	return shortest
}
