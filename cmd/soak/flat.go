package main

import (
	"fmt"
	"slices"
)

// tolerance is how much a series may grow and still be flat.
type tolerance struct {
	share float64 // of what it was
	plus  float64 // beside
}

// flat is an error if a series grows. The first third of it is taken for
// warming up; the median of the last third must not be above that of the second
// by more than the tolerance. Medians do not mind the moments after a failover
// when pools are half full, nor what a collection has left once.
func flat(series []float64, t tolerance) error {
	n := len(series) / 3
	if n == 0 {
		return fmt.Errorf("%d samples are too few to tell", len(series))
	}
	before, after := median(series[n:len(series)-n]), median(series[len(series)-n:])
	if most := before*(1+t.share) + t.plus; after > most {
		return fmt.Errorf("grew from %.4g to %.4g, and %.4g is allowed", before, after, most)
	}
	return nil
}

func median(series []float64) float64 {
	sorted := slices.Sorted(slices.Values(series))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
