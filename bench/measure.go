package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// A Case is one task, to be done by several drivers.
type Case struct {
	// Group and Name say what is done, and with what: "bson decode D", "flat".
	Group, Name string
	// Baseline is the driver whose time is 1.
	Baseline string
	// Drivers do the task. Case by case they take turns.
	Drivers []Driver
	// Check reports whether all drivers do the same. It runs first.
	Check func() error
	// Bytes is how much data one task goes over, zero if that means nothing.
	Bytes int
}

// A Driver does the task of a case n times.
type Driver struct {
	Name string
	Do   func(n int) error
}

// Official is the peer that all others are compared with.
const Official = "v2.10.0"

// Plan says how long to measure.
type Plan struct {
	Rounds int
	Slot   time.Duration
}

// Result is what a case took.
type Result struct {
	Group, Name, Baseline string
	Bytes                 int `json:",omitempty"`
	Drivers               []Measured
}

// Measured is what one task took one driver: medians over the rounds.
type Measured struct {
	Name string
	// Time and CPU are in nanoseconds. CPU is that of all threads, so that it
	// contains what the garbage collector did meanwhile.
	Time, CPU float64
	// Share is the time divided by the baseline's in the same round.
	Share float64
	// Low and High are the quartiles of the shares.
	Low, High float64
	// Allocs and Allocated are the number and the bytes of allocations.
	Allocs, Allocated float64
}

// sample is one round of one driver.
type sample struct{ time, cpu, allocs, allocated float64 }

// Measure runs the case.
func (p Plan) Measure(ctx context.Context, c Case) (Result, error) {
	r := Result{Group: c.Group, Name: c.Name, Baseline: c.Baseline, Bytes: c.Bytes}
	if c.Check != nil {
		if err := c.Check(); err != nil {
			return r, fmt.Errorf("the drivers do not do the same: %w", err)
		}
	}
	base := slices.IndexFunc(c.Drivers, func(d Driver) bool { return d.Name == c.Baseline })
	if base < 0 {
		return r, errors.New("there is no baseline")
	}
	times := make([]int, len(c.Drivers))
	for i, d := range c.Drivers {
		var err error
		if times[i], err = p.calibrate(d); err != nil {
			return r, fmt.Errorf("%s: %w", d.Name, err)
		}
	}
	samples := make([][]sample, len(c.Drivers))
	for range p.Rounds {
		for i, d := range c.Drivers {
			if err := ctx.Err(); err != nil {
				return r, err
			}
			s, err := measure(d, times[i])
			if err != nil {
				return r, fmt.Errorf("%s: %w", d.Name, err)
			}
			samples[i] = append(samples[i], s)
		}
	}
	for i, d := range c.Drivers {
		shares := make([]float64, p.Rounds)
		for round := range shares {
			shares[round] = samples[i][round].time / samples[base][round].time
		}
		slices.Sort(shares)
		r.Drivers = append(r.Drivers, Measured{
			Name:      d.Name,
			Time:      median(samples[i], func(s sample) float64 { return s.time }),
			CPU:       median(samples[i], func(s sample) float64 { return s.cpu }),
			Allocs:    median(samples[i], func(s sample) float64 { return s.allocs }),
			Allocated: median(samples[i], func(s sample) float64 { return s.allocated }),
			Share:     quantile(shares, 0.5),
			Low:       quantile(shares, 0.25),
			High:      quantile(shares, 0.75),
		})
	}
	return r, nil
}

// calibrate finds how many tasks fill a slot.
func (p Plan) calibrate(d Driver) (int, error) {
	for n := 1; ; n *= 2 {
		start := time.Now()
		if err := d.Do(n); err != nil {
			return 0, err
		}
		if took := time.Since(start); took >= p.Slot/4 {
			return max(1, int(int64(n)*int64(p.Slot)/int64(took))), nil
		}
	}
}

// measure is one round of one driver. It begins without garbage of others.
func measure(d Driver, n int) (sample, error) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, start := cpuTime(), time.Now()
	err := d.Do(n)
	took, used := time.Since(start), cpuTime()-cpu
	runtime.ReadMemStats(&after)
	per := float64(n)
	return sample{
		time:      float64(took) / per,
		cpu:       float64(used) / per,
		allocs:    float64(after.Mallocs-before.Mallocs) / per,
		allocated: float64(after.TotalAlloc-before.TotalAlloc) / per,
	}, err
}

// cpuTime is the processor time that the process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func median(samples []sample, of func(sample) float64) float64 {
	values := make([]float64, len(samples))
	for i, s := range samples {
		values[i] = of(s)
	}
	slices.SortFunc(values, cmp.Compare)
	return quantile(values, 0.5)
}

// quantile is the q-th part of the sorted values, between its neighbours.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}
