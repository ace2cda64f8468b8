package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
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
	// Per divides the results: those of a task with 100 documents are for one
	// of them. Zero divides by nothing.
	Per int
	// Task is the task of DriverBench that the case is, if it is one, and
	// Scale how many of them are an iteration by the specification.
	Task  Task
	Scale int
	// Least is how many tasks a round has at least.
	Least int
	// Long says that a task takes too long to be measured quickly.
	Long bool

	// Open, if set, makes ready what is left out above, and Close ends that.
	Open  func(ctx context.Context, c *Case) error
	Close func()
	// Before, if set, runs before each driver's turn.
	Before func() error

	trip trip // what the case is made of, if it is of round trips
}

// onClose adds something to what Close does.
func (c *Case) onClose(f func()) {
	first := c.Close
	c.Close = func() {
		f()
		if first != nil {
			first()
		}
	}
}

// A Driver does the task of a case n times.
type Driver struct {
	Name string
	Do   func(n int) error
}

// The peers: Official is the one that all others are compared with, and Legacy
// its last release of the old line.
const (
	Official = "v2.10.0"
	Legacy   = "v1.17.10"
)

// Plan says how long to measure.
type Plan struct {
	Rounds int
	Slot   time.Duration
	// Passes is in how many parts the rounds of round trips are done, from the
	// first case to the last and all over again. How threads and processors
	// happen to be arranged shows in a round trip, and stays for a while.
	Passes int
	// ByLetter measures as the specification of DriverBench has it instead.
	ByLetter bool
	// Only names the one driver to be measured, if not all are.
	Only string
	// Until, if set, ends a case early once enough was seen, as on a machine
	// that is busy with other things.
	Until time.Time
}

// over reports whether enough rounds are done, in which a driver was at work
// for the time.
func (p Plan) over(rounds int, worked time.Duration) bool {
	const enough = 3
	switch {
	case p.ByLetter:
		return worked >= time.Minute && (rounds >= 100 || worked >= 5*time.Minute)
	case rounds >= enough && !p.Until.IsZero() && time.Now().After(p.Until):
		return true
	}
	return rounds >= p.Rounds
}

// pass is the i-th part of the plan. What makes no round trips is measured
// before all that does, which leaves a large heap behind.
func (p Plan) pass(i int, trips bool) Plan {
	switch {
	case trips:
		p.Rounds = (p.Rounds + i) / p.Passes
	case i > 0:
		p.Rounds = 0
	}
	return p
}

// split is the plan for the next case if n are left until the end: an equal
// part of the time.
func (p Plan) split(end time.Time, n int) Plan {
	if !end.IsZero() {
		p.Until = time.Now().Add(time.Until(end) / time.Duration(n))
	}
	return p
}

// Result is what a case took.
type Result struct {
	Group, Name, Baseline string
	Bytes                 int `json:",omitempty"`
	Per                   int `json:",omitempty"`
	Task                  Task
	Rounds                int
	Drivers               []Measured
}

// Measured is what one task took one driver: medians over the rounds.
type Measured struct {
	Name string
	// Time and CPU are in nanoseconds. CPU is that of all threads, so that it
	// contains what the garbage collector did meanwhile.
	Time, CPU float64
	// TimeShare and Share are the time and the CPU time, divided by the
	// baseline's in the same round.
	TimeShare, Share float64
	// Low and High are the quartiles of Share.
	Low, High float64
	// Allocs and Allocated are the number and the bytes of allocations.
	Allocs, Allocated float64
	// Percentiles are those of the time that DriverBench asks for.
	Percentiles map[int]float64
}

// sample is one round of one driver.
type sample struct{ time, cpu, allocs, allocated float64 }

// series are the samples of a case, driver by driver.
type series struct {
	drivers []string
	samples [][]sample
}

// Measure runs the case and adds to what other passes gave, and is in the first
// of them what checks it.
func (p Plan) Measure(ctx context.Context, c Case, s *series) error {
	settle()
	if c.Open != nil {
		err := c.Open(ctx, &c)
		if c.Close != nil {
			defer c.Close()
		}
		if err != nil {
			return err
		}
	}
	first := s.drivers == nil
	if first && c.Check != nil {
		if err := c.Check(); err != nil {
			return fmt.Errorf("the drivers do not do the same: %w", err)
		}
	}
	if p.Only != "" {
		c.Drivers = slices.DeleteFunc(c.Drivers, func(d Driver) bool { return d.Name != p.Only })
	}
	if first {
		for _, d := range c.Drivers {
			s.drivers = append(s.drivers, d.Name)
		}
		s.samples = make([][]sample, len(c.Drivers))
	}
	return p.sample(ctx, &c, s.samples)
}

// settle waits until the drivers have let go of the buffers that they keep for
// a while. A large heap is collected seldom, so that a case would not be charged
// with the garbage that it makes.
func settle() {
	const small, patience = 16 << 20, 4 * time.Second
	var m runtime.MemStats
	for start := time.Now(); time.Since(start) < patience; time.Sleep(100 * time.Millisecond) {
		runtime.GC()
		if runtime.ReadMemStats(&m); m.HeapAlloc < small {
			return
		}
	}
}

// result is what the case took in all passes.
func (s *series) result(c Case) (Result, error) {
	r := Result{Group: c.Group, Name: c.Name, Baseline: c.Baseline, Bytes: c.Bytes, Per: c.Per, Task: c.Task}
	base := slices.Index(s.drivers, c.Baseline)
	if base < 0 {
		return r, errors.New("there is no baseline")
	}
	r.Rounds = len(s.samples[base])
	for i, name := range s.drivers {
		r.Drivers = append(r.Drivers, summarize(name, s.samples[i], s.samples[base]))
	}
	return r, nil
}

// sample lets the drivers take turns, and adds to the samples of each.
func (p Plan) sample(ctx context.Context, c *Case, samples [][]sample) error {
	times := make([]int, len(c.Drivers))
	for i, d := range c.Drivers {
		var err error
		if times[i], err = p.calibrate(c, d); err != nil {
			return fmt.Errorf("%s: %w", d.Name, err)
		}
	}
	var worked time.Duration
	for round := 0; !p.over(round, worked); round++ {
		for i, d := range c.Drivers {
			if err := ctx.Err(); err != nil {
				return err
			}
			start := time.Now()
			s, err := c.measure(d, times[i])
			if err != nil {
				return fmt.Errorf("%s: %w", d.Name, err)
			}
			if i == 0 {
				worked += time.Since(start)
			}
			samples[i] = append(samples[i], s)
		}
	}
	return nil
}

// calibrate finds how many tasks fill a slot. Of two tries the faster counts, as
// the other may have had to connect, or to wait for the processor.
func (p Plan) calibrate(c *Case, d Driver) (int, error) {
	if p.ByLetter && c.Scale > 0 {
		return c.Scale, nil
	}
	for n := max(1, c.Least); ; n *= 2 {
		took := time.Duration(math.MaxInt64)
		for range 2 {
			if c.Before != nil {
				if err := c.Before(); err != nil {
					return 0, err
				}
			}
			start := time.Now()
			if err := d.Do(n); err != nil {
				return 0, err
			}
			if took = min(took, time.Since(start)); took >= 10*p.Slot {
				break
			}
		}
		if took >= p.Slot/4 {
			return max(1, c.Least, int(int64(n)*int64(p.Slot)/int64(took))), nil
		}
	}
}

// measure is one round of one driver. It begins without garbage of others.
func (c *Case) measure(d Driver, n int) (sample, error) {
	if c.Before != nil {
		if err := c.Before(); err != nil {
			return sample{}, err
		}
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, start := cpuTime(), time.Now()
	err := d.Do(n)
	took, used := time.Since(start), cpuTime()-cpu
	runtime.ReadMemStats(&after)
	per := float64(n * max(1, c.Per))
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

// summarize are the medians of a driver's rounds, and its shares of the
// baseline's.
func summarize(name string, samples, baseline []sample) Measured {
	of := func(value func(sample) float64) []float64 {
		values := make([]float64, len(samples))
		for i, s := range samples {
			values[i] = value(s)
		}
		slices.SortFunc(values, cmp.Compare)
		return values
	}
	shares := func(value func(sample) float64) []float64 {
		values := make([]float64, len(samples))
		for i, s := range samples {
			values[i] = value(s) / value(baseline[i])
		}
		slices.SortFunc(values, cmp.Compare)
		return values
	}
	wall := func(s sample) float64 { return s.time }
	cpu := func(s sample) float64 { return s.cpu }
	cpuShares := shares(cpu)
	m := Measured{
		Name:        name,
		Time:        quantile(of(wall), 0.5),
		CPU:         quantile(of(cpu), 0.5),
		Allocs:      quantile(of(func(s sample) float64 { return s.allocs }), 0.5),
		Allocated:   quantile(of(func(s sample) float64 { return s.allocated }), 0.5),
		TimeShare:   quantile(shares(wall), 0.5),
		Share:       quantile(cpuShares, 0.5),
		Low:         quantile(cpuShares, 0.25),
		High:        quantile(cpuShares, 0.75),
		Percentiles: map[int]float64{},
	}
	for _, p := range []int{10, 25, 50, 75, 90, 95, 98, 99} {
		m.Percentiles[p] = percentile(of(wall), p)
	}
	return m
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
