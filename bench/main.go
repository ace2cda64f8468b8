// Bench measures motor against its peers: each case is done by all of them in
// turn, round after round in one process, and their results are compared for
// equality first. What counts is the share of the official driver's time in
// the same round, as absolute times vary with the machine and its load.
//
//	go -C bench run . -run bson
//
// The documents are those of the drivers' common benchmark, from a checkout of
// the specifications that -specs or MOTOR_SPECS names, or else from the module
// cache.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"
)

// suites are the makers of cases. Each names the first word of its groups.
var suites = []struct {
	name  string
	cases func(ctx context.Context, d *data) ([]Case, error)
}{
	{"bson", bsonCases},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	var plan Plan
	only := flag.String("run", "", "run the cases whose \"group name\" contains one of these `words`, separated by commas")
	specs := flag.String("specs", os.Getenv("MOTOR_SPECS"), "`directory` of the specifications, which contains source")
	quick := flag.Bool("quick", false, "three short rounds, to see that it works")
	asJSON := flag.String("json", "", "write the results to this `file` as JSON")
	asSVG := flag.String("svg", "", "write a chart to this `file`")
	flag.IntVar(&plan.Rounds, "rounds", 15, "how often each case is measured")
	flag.DurationVar(&plan.Slot, "slot", 20*time.Millisecond, "how long each driver runs in a round")
	flag.Parse()
	if *quick {
		plan = Plan{Rounds: 3, Slot: 2 * time.Millisecond}
	}

	docs := &data{specs: *specs}
	var results []Result
	for _, suite := range suites {
		cases, err := suite.cases(ctx, docs)
		if err != nil {
			return fmt.Errorf("%s: %w", suite.name, err)
		}
		for _, c := range cases {
			if !selected(c, *only) {
				continue
			}
			r, err := plan.Measure(ctx, c)
			if err != nil {
				return fmt.Errorf("%s %s: %w", c.Group, c.Name, err)
			}
			results = append(results, r)
		}
	}
	printTable(os.Stdout, results)
	if *asJSON != "" {
		text, err := json.MarshalIndent(results, "", "\t")
		if err != nil {
			return err
		}
		if err := os.WriteFile(*asJSON, append(text, '\n'), 0o644); err != nil {
			return err
		}
	}
	if *asSVG != "" {
		if err := os.WriteFile(*asSVG, chart(results), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// selected reports whether the words of -run choose the case.
func selected(c Case, words string) bool {
	for word := range strings.SplitSeq(words, ",") {
		if strings.Contains(c.Group+" "+c.Name, word) {
			return true
		}
	}
	return false
}
