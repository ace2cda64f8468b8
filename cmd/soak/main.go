// Soak shows that the driver keeps nothing, however long it works and however
// often servers fail.
//
//	go run ./cmd/soak [-for 30m] [-goroutines 256] [-every 5s] [-seed S] [-v]
//
// It starts a replica set in a process of its own, so that what it measures is
// the driver's, and lets goroutines do all that the public API offers: reads,
// retryable writes and others, cursors read to the end and left early, change
// streams opened, resumed and kept, sessions, transactions, calls that are
// cancelled. Meanwhile one failover follows the other: the primary steps down,
// is killed and restarted, cut off from the other nodes, or from everybody.
//
// After each failover it stops the workload for a moment and counts what is
// there when nobody asks for anything: the heap after a collection, goroutines,
// sockets, pooled connections, and the cursors and sessions that the servers
// know of. The exit status is 0 if all of them stay flat (see flat.go), if no
// call failed but in a way that announced.go gives a reason for, and if Close
// leaves neither goroutine nor socket; 1 if not, and 2 if the soak could not be
// carried out.
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
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 1 && args[0] == "serve" {
		if err := serve(ctx, stdin, stdout); err != nil {
			fmt.Fprintln(stderr, "soak serve:", err)
			return 2
		}
		return 0
	}
	c := config{kinds: []kind{stepDown, kill, partition, isolate}}
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.DurationVar(&c.lasts, "for", 30*time.Minute, "`duration` of the soak")
	flags.IntVar(&c.goroutines, "goroutines", 256, "`number` of goroutines that work")
	flags.DurationVar(&c.every, "every", 5*time.Second, "`time` from one failover to the next")
	flags.Uint64Var(&c.seed, "seed", rand.Uint64(), "`number` that failovers and workload follow from; random if it is not given")
	verbose := flags.Bool("v", false, "print each sample")
	if flags.Parse(args) != nil {
		return 2
	}
	if *verbose {
		c.say = func(s sample) { fmt.Fprintln(stdout, s) }
	}
	fmt.Fprintf(stdout, "seed %d\n", c.seed)
	r, err := soak(ctx, c)
	if err != nil {
		fmt.Fprintln(stderr, "soak:", err)
		return 2
	}
	r.print(stdout)
	if len(r.faults()) > 0 {
		return 1
	}
	return 0
}
