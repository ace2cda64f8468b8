// Bench measures motor against its peers: each case is done by all of them in
// turn, round after round in one process, and their results are compared for
// equality first. What counts is the share of the official driver's CPU time
// in the same round, as absolute times vary with the machine and its load.
//
//	go -C bench run .               # everything
//	go -C bench run . -quick        # in less than a minute
//	go -C bench run . -run bson
//
// The documents are those of the drivers' common benchmark, DriverBench, from
// a checkout of the specifications that -specs or MOTOR_SPECS names, or else
// from the module cache. The server is this program once more, in a process of
// its own, with replies that are prepared: what is measured are the drivers.
// It does so beside them on the same machine, but its time does not count.
// With -uri it is a real one.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"runtime/pprof"
	"strings"
	"time"
)

// suites are the makers of cases. Each names the first word of its groups.
var suites = []struct {
	name  string
	cases func(ctx context.Context, b *bench) ([]Case, error)
}{
	{"bson", func(ctx context.Context, b *bench) ([]Case, error) { return bsonCases(ctx, b.data) }},
	{"single", singleCases},
	{"multi", multiCases},
	{"parallel", parallelCases},
	{"overhead", overheadCases},
	{"scale", scaleCases},
}

// quickTime is how long -quick measures. It starts and checks results beside
// that.
const quickTime = 22 * time.Second

// bench is one run of the program.
type bench struct {
	flags
	pattern *regexp.Regexp // of -run
	data    *data
	plan    Plan
	env     *environment
}

// flags are those of the command line.
type flags struct {
	run, specs, uri, json, svg, html, md, profile string
	quick, driverBench                            bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := error(nil)
	if len(os.Args) == 3 && os.Args[1] == "serve" {
		err = serve(ctx, os.Args[2])
	} else {
		err = run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	var b bench
	flag.StringVar(&b.run, "run", "", "run the cases whose \"group name\" matches this `regexp`")
	flag.StringVar(&b.specs, "specs", os.Getenv("MOTOR_SPECS"), "`directory` of the specifications, which contains source")
	flag.StringVar(&b.uri, "uri", "", "a deployment to run against, whose database "+database+" will be overwritten")
	flag.BoolVar(&b.quick, "quick", false, "ten short rounds of the main cases, or fewer if they take too long")
	flag.BoolVar(&b.driverBench, "driverbench", false, "the tasks of DriverBench alone, as long as its specification asks for: hours")
	flag.StringVar(&b.json, "json", "", "write the results to this `file` as JSON")
	flag.StringVar(&b.svg, "svg", "", "write a chart to this `file`")
	flag.StringVar(&b.html, "html", "", "write chart and table to this `file`")
	flag.StringVar(&b.md, "md", "", "write the page of the documentation to this `file`, with the chart performance.svg beside it")
	flag.StringVar(&b.profile, "profile", "", "measure our driver alone, and write a CPU profile of it to this `file`")
	flag.IntVar(&b.plan.Rounds, "rounds", 15, "how often each case is measured")
	flag.IntVar(&b.plan.Passes, "passes", 3, "in how many parts the rounds are done, each over all cases")
	flag.DurationVar(&b.plan.Slot, "slot", 20*time.Millisecond, "how long each driver runs in a round")
	flag.Parse()
	if b.quick {
		b.plan = Plan{Rounds: 10, Slot: 4 * time.Millisecond}
	}
	if b.quick || b.driverBench || b.profile != "" {
		b.plan.Passes = 1
	}
	if b.plan.Rounds < 1 || b.plan.Passes < 1 || b.plan.Slot <= 0 {
		return errors.New("-rounds, -passes and -slot must be more than 0")
	}
	b.plan.ByLetter = b.driverBench
	b.data = &data{specs: b.specs}
	var err error
	if b.pattern, err = regexp.Compile(b.run); err != nil {
		return err
	}
	if b.env, err = newEnvironment(ctx, b.data, b.uri); err != nil {
		return err
	}
	defer b.env.close()

	results, err := b.profiled(func() ([]Result, error) { return b.measure(ctx) })
	if err != nil {
		return err
	}
	report := Report{Machine: machine(), Command: command(), Passes: b.plan.Passes, Results: results}
	if b.measuresMemory() {
		if report.Memory, err = b.footprints(ctx); err != nil {
			return err
		}
	}
	report.print(os.Stdout)
	if err := b.write(report); err != nil {
		return err
	}
	printRatios(os.Stdout, results)
	return nil
}

// measure runs the chosen cases.
func (b *bench) measure(ctx context.Context) (results []Result, err error) {
	var chosen []Case
	for _, suite := range suites {
		cases, err := suite.cases(ctx, b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", suite.name, err)
		}
		for _, c := range cases {
			if b.chosen(c) {
				chosen = append(chosen, c)
			}
		}
	}
	if b.profile != "" {
		for i := range chosen {
			chosen[i].Baseline = Own
		}
	}
	bar := newProgress(os.Stderr, len(chosen)*b.plan.Passes)
	defer bar.clear()
	var end time.Time
	if b.quick {
		end = time.Now().Add(quickTime)
	}
	all := make([]series, len(chosen))
	for done := range len(all) * b.plan.Passes {
		i := done % len(all)
		bar.show(done, chosen[i].Group+": "+chosen[i].Name)
		plan := b.plan.pass(done/len(all), chosen[i].Open != nil).split(end, len(chosen)-i)
		if plan.Rounds == 0 {
			continue
		}
		if err := plan.Measure(ctx, chosen[i], &all[i]); err != nil {
			return nil, fmt.Errorf("%s, %s: %w", chosen[i].Group, chosen[i].Name, err)
		}
	}
	for i, c := range chosen {
		r, err := all[i].result(c)
		if err != nil {
			return nil, fmt.Errorf("%s, %s: %w", c.Group, c.Name, err)
		}
		results = append(results, r)
	}
	return results, nil
}

// measuresMemory reports whether the flags choose what the drivers keep.
func (b *bench) measuresMemory() bool {
	return !b.quick && !b.driverBench && b.profile == "" && b.uri == "" && b.chosen(Case{Group: "memory"})
}

// profiled writes a profile of what f does, if that is asked for.
func (b *bench) profiled(f func() ([]Result, error)) ([]Result, error) {
	if b.profile == "" {
		return f()
	}
	b.plan.Only = Own
	file, err := os.Create(b.profile)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, err
	}
	defer pprof.StopCPUProfile()
	return f()
}

// chosen reports whether the flags choose the case.
func (b *bench) chosen(c Case) bool {
	if b.driverBench && c.Task.Size == 0 {
		return false
	}
	if b.quick && b.run == "" && (c.Long || strings.Contains(c.Group, ",") || strings.HasPrefix(c.Group, "scale") || c.Group == "overhead") {
		return false
	}
	return b.pattern.MatchString(c.Group + " " + c.Name)
}
