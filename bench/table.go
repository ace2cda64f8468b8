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

// printTable writes a table for each group and then, for each, a line
//
//	ratio <group> <median share>
//
// with the median of our shares of the baseline's time, group words joined by
// hyphens.
func printTable(w io.Writer, results []Result) {
	var groups []string
	for _, r := range results {
		if !slices.Contains(groups, r.Group) {
			groups = append(groups, r.Group)
		}
	}
	for _, group := range groups {
		tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		head := false
		for _, r := range results {
			if r.Group != group {
				continue
			}
			if !head {
				fmt.Fprintf(tw, "%s\t", group)
				for _, d := range r.Drivers {
					fmt.Fprintf(tw, "%s\tshare\tspread\tcpu\tallocs\t", d.Name)
				}
				fmt.Fprintln(tw)
				head = true
			}
			fmt.Fprintf(tw, "%s\t", r.Name)
			for _, d := range r.Drivers {
				fmt.Fprintf(tw, "%s\t%.3f\t±%.0f%%\t%s\t%.4g\t", duration(d.Time), d.Share, 50*(d.High-d.Low)/d.Share, duration(d.CPU), d.Allocs)
			}
			fmt.Fprintln(tw)
		}
		tw.Flush()
		fmt.Fprintln(w)
	}
	for _, group := range groups {
		if shares := ownShares(results, group); len(shares) > 0 {
			fmt.Fprintf(w, "ratio %s %.3f\n", strings.ReplaceAll(group, " ", "-"), quantile(shares, 0.5))
		}
	}
}

// ownShares are the sorted shares of our own driver in a group.
func ownShares(results []Result, group string) (shares []float64) {
	for _, r := range results {
		for _, d := range r.Drivers {
			if r.Group == group && d.Name == Own {
				shares = append(shares, d.Share)
			}
		}
	}
	slices.Sort(shares)
	return shares
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
