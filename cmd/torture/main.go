// Torture proves that failovers lose nothing and do nothing twice.
//
//	go run ./cmd/torture [-failovers N] [-seed S] [-v]
//
// It starts a replica set in this process and a workload: goroutines that
// increment counters and insert numbered documents with retryable writes, others
// that move amounts between accounts in transactions, and readers that read from
// secondaries what they have written in the same causally consistent session.
// Meanwhile a schedule, which follows from the seed, kills, restarts, partitions
// and steps down nodes, slows them down and breaks off their replies, until there
// were as many failovers as wanted.
//
// In the end every acknowledged write must be there once, no other one twice, the
// accounts must hold what the transfers left them, no read may have been stale,
// no operation may have failed that had met one fault only, and all nodes must
// hold the same. The exit status is 0 if so, 1 if not, and 2 if the proof could
// not be carried out.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var c config
	flags := flag.NewFlagSet("torture", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&c.failovers, "failovers", 200, "`number` of failovers")
	flags.Uint64Var(&c.seed, "seed", rand.Uint64(), "`number` that the schedule follows from; random if it is not given")
	verbose := flags.Bool("v", false, "say what happens, and what fails")
	if flags.Parse(args) != nil {
		return 2
	}
	if *verbose {
		c.say = func(at time.Duration, s step) { fmt.Fprintf(stdout, "%8.3f s  %v\n", at.Seconds(), s) }
	}
	fmt.Fprintf(stdout, "seed %d\n", c.seed)
	r, err := torture(ctx, c)
	if err != nil {
		fmt.Fprintln(stderr, "torture:", err)
		return 2
	}
	if *verbose {
		for _, f := range r.failures {
			fmt.Fprintln(stdout, f)
		}
	}
	r.print(stdout)
	if !r.ok() {
		return 1
	}
	return 0
}
