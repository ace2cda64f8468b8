// Command mongotest serves the deployment of package mongotest to clients in any
// language. It prints a connection string and runs until it is told to stop.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/motor-go/motor/mongotest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "mongotest:", err)
		os.Exit(1)
	}
}

// deployment is what all topologies have in common.
type deployment interface {
	URI() string
	Close()
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("mongotest", flag.ExitOnError)
	var o mongotest.Options
	flags.StringVar(&o.Address, "listen", "127.0.0.1:27017", "`address` of the first node; the others take the ports after it")
	flags.IntVar(&o.Nodes, "nodes", 0, "`number` of members of the replica set (default 3), or of the shard of a cluster (default 1)")
	flags.StringVar(&o.Version, "version", mongotest.DefaultVersion, "`version` of MongoDB to claim")
	flags.StringVar(&o.Name, "name", "", "`name` of the replica set (default rs0)")
	flags.StringVar(&o.Username, "user", "", "`name` of a user with the role root; makes clients authenticate")
	flags.StringVar(&o.Password, "password", "", "that user's `password`")
	flags.BoolVar(&o.Scripting, "scripting", false, "run functions in JavaScript: $where, mapReduce")
	topology := flags.String("topology", "replicaset", "replicaset, standalone, sharded (two routers, on the address and the port after it) or load-balanced")
	standalone := flags.String("standalone", "", "also serve a standalone server at this `address`")
	auth := flags.String("auth", "", "also serve a standalone server at this `address` whose clients authenticate as root, password secret")
	flags.Parse(args)

	starts := []func() (deployment, error){}
	switch *topology {
	case "replicaset":
		starts = append(starts, func() (deployment, error) { return mongotest.StartReplicaSet(o) })
	case "standalone":
		starts = append(starts, func() (deployment, error) { return mongotest.StartStandalone(o) })
	case "sharded":
		starts = append(starts, func() (deployment, error) { return mongotest.StartSharded(o) })
	case "load-balanced":
		starts = append(starts, func() (deployment, error) { return mongotest.StartLoadBalanced(o) })
	default:
		return fmt.Errorf("-topology is %q: it is one of replicaset, standalone, sharded and load-balanced", *topology)
	}
	if *standalone != "" {
		starts = append(starts, func() (deployment, error) {
			return mongotest.StartStandalone(mongotest.Options{Address: *standalone, Version: o.Version})
		})
	}
	if *auth != "" {
		starts = append(starts, func() (deployment, error) {
			return mongotest.StartStandalone(mongotest.Options{Address: *auth, Version: o.Version, Username: "root", Password: "secret"})
		})
	}
	for _, start := range starts {
		d, err := start()
		if err != nil {
			return err
		}
		defer d.Close()
		fmt.Println(d.URI())
	}
	<-ctx.Done()
	return nil
}
