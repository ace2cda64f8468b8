// Spectest runs the official tests of the MongoDB specifications and shows what
// they came to.
//
//	go run ./cmd/spectest [-specs DIR] [-suite NAME]... [-run REGEXP] [-v]
//		[-json FILE] [-md FILE [-revision NAME]]
//		[-topology NAME]... [-version VERSION]... [-uri URI [-single URI]]
//
// The fixtures are read from a checkout of github.com/mongodb/specifications,
// named by -specs or the environment variable MOTOR_SPECS, or else from the
// module of the official driver, which the go command fetches.
//
// Tests that need a deployment run on every topology that they allow, on the
// newest version of the server that meets their requirements, all of them
// embedded in this process; or on the one deployment that is named by -uri or
// the environment variable MONGODB_URI. Behind a load balancer, -single or
// SINGLE_MONGOS_LB_URI names another load balancer before a single mongos. What
// could run nowhere is listed with the requirement that nothing meets.
//
// The exit status is 0 if all tests passed that were not skipped, 1 if one
// failed, and 2 if the tests could not be run.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"sync"

	spectests "github.com/motor-go/motor/spec-tests"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// options are the command line.
type options struct {
	specs   string
	suites  []string
	pattern *regexp.Regexp
	json    string
	verbose bool

	markdown, revision string

	topologies  []string
	versions    []spectests.Version
	uri, single string
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if err != nil {
		return 2
	}
	report, err := runSuites(ctx, o, stdout, stderr)
	if err != nil {
		fmt.Fprintln(stderr, "spectest:", err)
		return 2
	}
	fmt.Fprintln(stdout, report.summary())
	if report.Failed > 0 {
		return 1
	}
	return 0
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("spectest", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.specs, "specs", "", "checkout of the specifications, a `directory` with the folder source")
	flags.Func("suite", "`name` or glob of a suite or a folder of suites, left out with ! before it; repeats, default all", func(s string) error {
		o.suites = append(o.suites, s)
		return nil
	})
	flags.Func("run", "run only the tests whose names match this `regexp`", func(s string) (err error) {
		o.pattern, err = regexp.Compile(s)
		return err
	})
	flags.StringVar(&o.json, "json", "", "also write the results to this `file`")
	flags.StringVar(&o.markdown, "md", "", "also write what passes where to this `file`, as docs/conformance.md has it")
	flags.StringVar(&o.revision, "revision", "", "`name` of the fixtures' revision, for -md")
	flags.BoolVar(&o.verbose, "v", false, "say why each test was skipped")
	flags.Func("topology", "run on this `topology` alone: single, replicaset, sharded or load-balanced; repeats", func(s string) error {
		o.topologies = append(o.topologies, s)
		return nil
	})
	flags.Func("version", "run on servers of this `version` alone; repeats", func(s string) error {
		v, err := spectests.ParseVersion(s)
		o.versions = append(o.versions, v)
		return err
	})
	flags.StringVar(&o.uri, "uri", os.Getenv("MONGODB_URI"), "connection `string` of a deployment to run on, default $MONGODB_URI")
	flags.StringVar(&o.single, "single", os.Getenv("SINGLE_MONGOS_LB_URI"), "connection `string` of a load balancer before one mongos, default $SINGLE_MONGOS_LB_URI")
	if err = flags.Parse(args); err == nil && flags.NArg() > 0 {
		err = fmt.Errorf("unexpected argument %q", flags.Arg(0))
		fmt.Fprintln(stderr, "spectest:", err)
	}
	return o, err
}

func runSuites(ctx context.Context, o options, stdout, stderr io.Writer) (*report, error) {
	suites, err := spectests.Match(o.suites...)
	if err != nil {
		return nil, err
	}
	src, err := spectests.Locate(ctx, o.specs)
	if err != nil {
		return nil, err
	}
	deployments, err := o.deployments(ctx)
	if err != nil {
		return nil, err
	}
	defer deployments.Close()
	fmt.Fprintln(stdout, "fixtures:", src.Name)
	r := newReport(src.Name, suites)
	lanes := deployments.Lanes()
	progress := newProgress(r, len(lanes), newTable(stdout, suites), newBar(stderr, len(suites)))
	var running sync.WaitGroup
	for _, lane := range lanes {
		running.Go(func() {
			for i, s := range suites {
				spectests.Record(ctx, s, src, lane, o.pattern, func(result spectests.Result) { progress.add(i, result) })
				progress.end(i)
			}
		})
	}
	running.Wait()
	progress.table.details(r, o.verbose)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("interrupted: %s", r.summary())
	}
	if r.tests() == 0 {
		return nil, errors.New("no test matches -suite and -run")
	}
	if o.json != "" {
		err = r.write(o.json)
	}
	if o.markdown != "" && err == nil {
		err = os.WriteFile(o.markdown, r.conformance(cmp.Or(o.revision, src.Name)), 0o644)
	}
	return r, err
}

// deployments are those to run on.
func (o options) deployments(ctx context.Context) (*spectests.Deployments, error) {
	if o.uri == "" {
		return spectests.Embedded(o.topologies, o.versions), nil
	}
	d, err := spectests.OpenDeployment(ctx, o.uri, o.single)
	if err != nil {
		return nil, err
	}
	return spectests.External(d), nil
}
