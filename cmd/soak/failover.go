package main

import (
	"context"
	"fmt"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest"
)

// kind is a kind of failover.
type kind int

const (
	stepDown  kind = iota // the primary hands over
	kill                  // the primary dies, another is elected, it comes back
	partition             // the primary and the other nodes do not hear one another
	isolate               // nobody hears the primary, nor it anybody, clients included
	unplanned             // nobody asked for it: the machine is busy, and servers are late
	kinds
)

var kindNames = [kinds]string{
	stepDown: "step down", kill: "kill and restart", partition: "partition", isolate: "isolated primary", unplanned: "unplanned",
}

func (k kind) String() string { return kindNames[k] }

// settling bounds what the deployment may take to get over a failover.
const settling = time.Minute

// strike makes another node primary, and undoes what led to it after a while.
func strike(ctx context.Context, rs *mongotest.ReplicaSet, k kind, lasts time.Duration) error {
	primary, err := rs.AwaitPrimary(ctx)
	if err != nil {
		return err
	}
	switch k {
	case stepDown:
		for primary.IsPrimary() && ctx.Err() == nil {
			// It fails if no secondary catches up in time, or if the answer gets lost.
			admin(ctx, primary, bson.D{{Key: "replSetStepDown", Value: 1}, {Key: "secondaryCatchUpPeriodSecs", Value: 1}})
		}
	case kill:
		primary.Kill()
	case isolate:
		primary.SetDeaf(true)
		primary.SetMute(true)
		defer primary.SetDeaf(false)
		defer primary.SetMute(false)
		fallthrough
	case partition:
		rs.Partition(rs.Secondaries())
		defer rs.Heal()
	}
	err = await(ctx, "another primary", func() bool { p := rs.Primary(); return p != nil && p != primary })
	if err != nil {
		return err
	}
	if k == stepDown {
		return nil
	}
	time.Sleep(lasts)
	if k == kill {
		return primary.Restart()
	}
	return nil
}

// settle waits until a majority follows a primary, and all nodes run.
func settle(ctx context.Context, rs *mongotest.ReplicaSet) error {
	if _, err := rs.AwaitPrimary(ctx); err != nil {
		return err
	}
	return await(ctx, "two secondaries", func() bool { return len(rs.Secondaries()) == len(rs.Nodes)-1 })
}

func await(ctx context.Context, what string, ok func() bool) error {
	for !ok() {
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("still waiting for %s", what)
		}
	}
	return nil
}
