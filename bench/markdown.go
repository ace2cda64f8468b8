package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"text/template"
)

// page of the documentation. What it says about the way of measuring is true
// of every run; the figures are those of the report.
var markdownTemplate = template.Must(template.New("markdown").Funcs(template.FuncMap{
	"duration": duration, "size": size, "table": markdownTable, "overhead": markdownOverhead,
	"main": func(all []Result) []Result { return selected(all, Result.main) },
	"variants": func(all []Result) []Result {
		return selected(all, func(r Result) bool { return r.Baseline == Official && !r.main() && !r.scale() })
	},
	"scale": func(all []Result) []Result { return selected(all, Result.scale) },
	"times": func(a, b float64) float64 { return a * b },
	"scores": func(all []Result) string {
		var b strings.Builder
		printScores(&b, all)
		return b.String()
	},
}).Parse("" +
	`# Performance

Each case is done by this driver, by the official driver (` + Official + `, and ` + Legacy + ` of its old line), for BSON
also by globalsign/mgo, and by a bare connection that sends and receives the same bytes: the floor, below which no
driver can be. They take turns in one process, and what they find and send is compared for equality first. The server
is a process of its own with replies that are prepared, so that what is measured are the drivers.

![CPU time per operation, each case against the official driver and the floor](performance.svg)

This page was written by

    {{.Command}}

on {{.Machine}}.

Times are the processor time of the whole process per operation, garbage collection included; shares are the medians
over the rounds ({{(index .Results 0).Rounds}} here, those of round trips in {{.Passes}} passes over all of them) of the time divided by that of
the official driver ` + Official + ` in the same round, ± half the distance of their quartiles. Absolute times vary with
the machine and what else it does; shares hardly do.

{{table (main .Results)}}
## With a replica set, a context, a monitor

The same with a replica set (each command carries lsid and $clusterTime), with a context that can be cancelled, and with
a command monitor.

{{table (variants .Results)}}
What these cost this driver, as shares of its own plain case:

{{overhead .Results}}
## Scale

From 1 to 4,096 goroutines, pools of 8 to 512 connections, and 1 to 100,000 documents in an operation, where all figures
are for one document.

{{table (scale .Results)}}
## DriverBench

The scores of the drivers' common benchmark: megabytes per second of wall time, the higher the better. Tasks on many
files are done with fewer of them than the specification has, which changes their length, not their score; -driverbench
does them in full.

` + "```text" + `
{{scores .Results}}` + "```" + `
{{- if .Memory}}

## Memory

What is kept, on the heap and on stacks. A cursor is one whose first batch of 101 small documents is half read.

| | idle client | its goroutines | open cursor | 1,000 open cursors |
| --- | ---: | ---: | ---: | ---: |
{{range .Memory}}| {{.Name}} | {{size .Client}} | {{printf "%.0f" .Goroutines}} | {{size .Cursor}} | {{size (times .Cursor 1000)}} |
{{end}}{{else}}
{{end}}`))

func selected(all []Result, f func(Result) bool) []Result {
	return slices.DeleteFunc(slices.Clone(all), func(r Result) bool { return !f(r) })
}

// scale reports whether the result is about many of something.
func (r Result) scale() bool { return strings.HasPrefix(r.Group, "scale") }

// main reports whether the result is of a main case.
func (r Result) main() bool {
	return r.Baseline == Official && !strings.Contains(r.Group, ",") && !r.scale()
}

// markdown is the page of the documentation about a run.
func markdown(r Report) ([]byte, error) {
	var b bytes.Buffer
	err := markdownTemplate.Execute(&b, r)
	return b.Bytes(), err
}

// markdownTable is a table of the cases against the official driver.
func markdownTable(results []Result) string {
	var b strings.Builder
	b.WriteString("| case | motor | " + Official + " | share | " + Legacy + " | mgo | floor | allocations | bytes |\n")
	b.WriteString("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	share := func(m Measured) string {
		if m.Share == 0 {
			return ""
		}
		return fmt.Sprintf("%.2f", m.Share)
	}
	for _, group := range groups(results) {
		fmt.Fprintf(&b, "| **%s** |\n", group)
		for _, r := range results {
			if r.Group != group {
				continue
			}
			own, official := r.own(), r.driver(Official)
			fmt.Fprintf(&b, "| %s | %s | %s | **%.3f** ±%.0f %% | %s | %s | %s | %.4g / %.4g | %s / %s |\n", r.Name,
				duration(own.CPU), duration(official.CPU), own.Share, own.spread(),
				share(r.driver(Legacy)), share(r.driver("mgo")), share(r.driver(Floor)),
				own.Allocs, official.Allocs, size(own.Allocated), size(official.Allocated))
		}
	}
	b.WriteString("\nAllocations and their bytes: motor / " + Official + ".\n")
	return b.String()
}

// markdownOverhead is a table of the group overhead.
func markdownOverhead(results []Result) string {
	var b strings.Builder
	b.WriteString("| case | plain")
	rule := "| --- | ---:"
	for _, v := range variants {
		b.WriteString(" | " + v.name)
		rule += " | ---:"
	}
	b.WriteString(" |\n" + rule + " |\n")
	for _, r := range results {
		if r.Group != "overhead" {
			continue
		}
		fmt.Fprintf(&b, "| %s | %s", r.Name, duration(r.own().CPU))
		for _, v := range variants {
			m := r.driver(v.name)
			fmt.Fprintf(&b, " | %.3f ±%.0f %%", m.Share, m.spread())
		}
		b.WriteString(" |\n")
	}
	return b.String()
}
