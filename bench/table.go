package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Own is how the tables call the driver of this repository.
const Own = "motor"

// printTable writes a table for each group: for each driver the time and the
// CPU time of a task, their shares of the baseline's, half the distance of the
// quartiles of the CPU share, and what was allocated.
func printTable(w io.Writer, results []Result) {
	for _, group := range groups(results) {
		tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintf(tw, "%s\t\ttime\tcpu\ttime share\tcpu share\tspread\tallocs\tbytes\n", group)
		for _, r := range results {
			if r.Group != group {
				continue
			}
			name := r.Name
			for _, d := range r.Drivers {
				fmt.Fprintf(tw, "  %s\t%s\t%s\t%s\t%.3f\t%.3f\t±%.0f%%\t%.4g\t%s\n", name, d.Name,
					duration(d.Time), duration(d.CPU), d.TimeShare, d.Share, d.spread(), d.Allocs, size(d.Allocated))
				name = ""
			}
		}
		tw.Flush()
		fmt.Fprintln(w)
	}
}

// spread is half the distance of the quartiles of the CPU share, in percent of
// it.
func (m Measured) spread() float64 { return 50 * (m.High - m.Low) / m.Share }

// printRatios writes for each suite a line
//
//	ratio <suite> <median share>
//
// with the median of our CPU shares of the official driver's.
func printRatios(w io.Writer, results []Result) {
	for _, suite := range suites {
		var shares []float64
		for _, r := range results {
			if class, _, _ := strings.Cut(r.Group, " "); class == suite.name && r.Baseline == Official {
				shares = append(shares, r.own().Share)
			}
		}
		if len(shares) > 0 {
			slices.Sort(shares)
			fmt.Fprintf(w, "ratio %s %.3f\n", suite.name, quantile(shares, 0.5))
		}
	}
}

// groups are the groups of the results, in order.
func groups(results []Result) (names []string) {
	for _, r := range results {
		if !slices.Contains(names, r.Group) {
			names = append(names, r.Group)
		}
	}
	return names
}

// own is what was measured of our driver.
func (r Result) own() Measured { return r.driver(Own) }

// driver is what was measured of a driver; its zero value if it did not take
// part.
func (r Result) driver(name string) Measured {
	for _, d := range r.Drivers {
		if d.Name == name {
			return d
		}
	}
	return Measured{}
}

// duration is ns nanoseconds in a unit that suits.
func duration(ns float64) string {
	switch {
	case ns < 1e3:
		return fmt.Sprintf("%.0fns", ns)
	case ns < 1e6:
		return fmt.Sprintf("%.2fµs", ns/1e3)
	}
	return fmt.Sprintf("%.2fms", ns/1e6)
}

// size is n bytes in a unit that suits.
func size(n float64) string {
	switch {
	case n < 1e4:
		return fmt.Sprintf("%.0fB", n)
	case n < 1e6:
		return fmt.Sprintf("%.1fkB", n/1e3)
	}
	return fmt.Sprintf("%.1fMB", n/1e6)
}
