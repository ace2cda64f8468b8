package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// A Task is one of the tasks of DriverBench, the drivers' common benchmark.
type Task struct {
	Name string
	// Size is the data that it goes over, in bytes, as the specification
	// counts them.
	Size int
	// composites are the scores that it is part of.
	composites composite
}

// composite is a set of composite scores.
type composite uint

const (
	codec composite = 1 << iota
	single
	multi
	parallel
	read
	write
)

var composites = []struct {
	name string
	set  composite
}{
	{"BSONBench", codec},
	{"SingleBench", single},
	{"MultiBench", multi},
	{"ParallelBench", parallel},
	{"ReadBench", read},
	{"WriteBench", write},
}

// percentile is the p-th percentile of the sorted times by the specification's
// own rule, the nearest rank.
func percentile(sorted []float64, p int) float64 {
	return sorted[max(0, len(sorted)*p/100-1)]
}

// printScores writes the scores of the tasks and the composites, in megabytes
// per second: the higher the better.
func printScores(w io.Writer, results []Result) {
	var tasks []Result
	for _, r := range results {
		if r.Task.Size > 0 {
			tasks = append(tasks, r)
		}
	}
	if len(tasks) == 0 {
		return
	}
	names := []string{Own, Official, Legacy}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	defer tw.Flush()
	fmt.Fprint(tw, "DriverBench, MB/s\t")
	for _, name := range names {
		fmt.Fprintf(tw, "%s\t", name)
	}
	fmt.Fprintln(tw)
	line := func(label string, score func(driver string) float64) {
		fmt.Fprintf(tw, "%s\t", label)
		for _, name := range names {
			if s := score(name); s > 0 {
				fmt.Fprintf(tw, "%.1f\t", s)
			} else {
				fmt.Fprint(tw, "–\t")
			}
		}
		fmt.Fprintln(tw)
	}
	for _, r := range tasks {
		line(r.Task.Name, r.score)
	}
	mean := func(driver string, set composite) float64 {
		sum, n := 0.0, 0
		for _, r := range tasks {
			if s := r.score(driver); r.Task.composites&set != 0 && s > 0 {
				sum, n = sum+s, n+1
			}
		}
		return sum / float64(max(1, n))
	}
	for _, c := range composites {
		line(c.name, func(driver string) float64 { return mean(driver, c.set) })
	}
	line("DriverBench", func(driver string) float64 {
		r, w := mean(driver, read), mean(driver, write)
		if r == 0 || w == 0 {
			return 0
		}
		return (r + w) / 2
	})
}

// score is the data of the task in megabytes by the median time of the driver,
// 0 if it did not take part.
func (r Result) score(driver string) float64 {
	i := slices.IndexFunc(r.Drivers, func(m Measured) bool { return m.Name == driver })
	if i < 0 {
		return 0
	}
	return float64(r.Task.Size) / 1e6 / (r.Drivers[i].Percentiles[50] / 1e9)
}
