// Tour runs the whole driver, step by step, against a replica set inside this
// process, or against any deployment with -uri. Each step prints what was sent,
// what came back and what that shows. It exits with status 1 if anything is not
// as it should be.
//
//	go run ./cmd/tour
//	go run ./cmd/tour -v
//	go run ./cmd/tour -uri mongodb://localhost:27017/?replicaSet=rs0
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	uri := flag.String("uri", "", "tour this deployment instead of an embedded one")
	verbose := flag.Bool("v", false, "show every command and reply in full")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *uri, *verbose)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "\nThe tour failed:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, uri string, verbose bool) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	start := time.Now()
	t := &tour{out: os.Stdout, verbose: verbose}
	defer t.close()
	if err := t.open(uri); err != nil {
		return err
	}
	for i, s := range steps {
		t.title(i+1, s.title)
		if why := t.cannot(s); why != "" {
			t.say("Left out: %s.", why)
			t.left = append(t.left, s.title)
			continue
		}
		if err := s.run(ctx, t); err != nil {
			return fmt.Errorf("%s: %w", s.title, err)
		}
	}
	t.summary(time.Since(start))
	return nil
}
