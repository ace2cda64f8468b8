package main

import (
	"context"
	"fmt"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest"
)

// deployment is the replica set that suffers.
type deployment struct {
	*mongotest.ReplicaSet
	// connect makes a client of the nodes of a connection string.
	connect func(uri string) (*motor.Client, error)
	// forgetful makes the nodes forget the retryable writes that they made.
	forgetful bool
}

// settling bounds what the deployment may take to get over a fault.
const settling = time.Minute

// suffer carries out a step, up to its rest.
func (d *deployment) suffer(ctx context.Context, s step) error {
	ctx, cancel := context.WithTimeout(ctx, settling)
	defer cancel()
	primary, err := d.AwaitPrimary(ctx)
	if err != nil {
		return err
	}
	nodes := append([]*mongotest.Node{primary}, d.Secondaries()...)
	if s.delay > 0 {
		nodes[s.slow].SetDelay(s.delay)
		defer nodes[s.slow].SetDelay(0)
	}
	if s.lag > 0 {
		nodes[s.late].SetLag(s.lag)
		defer nodes[s.late].SetLag(0)
	}
	if len(s.cuts) > 0 {
		primary.CutReplies(s.cuts...)
		defer primary.CutReplies()
		time.Sleep(s.lead)
	}
	if err := d.strike(ctx, s, nodes); err != nil {
		return fmt.Errorf("%v: %w", s, err)
	}
	if err := d.settle(ctx); err != nil {
		return fmt.Errorf("after %v: %w", s, err)
	}
	return nil
}

// strike does what the kind of a step says, and undoes it when that has had its
// effect and lasted as long as it should. nodes begin with the primary.
func (d *deployment) strike(ctx context.Context, s step, nodes []*mongotest.Node) error {
	primary, others := nodes[0], nodes[1:]
	switch s.kind {
	case kill:
		primary.Kill()
		if err := d.awaitOther(ctx, primary); err != nil {
			return err
		}
		time.Sleep(s.lasts)
		return d.restart(ctx, primary)
	case bounce:
		primary.Kill()
		return d.restart(ctx, primary)
	case stepDown:
		return d.stepDown(ctx, primary)
	case outage:
		for _, n := range others {
			n.Kill()
		}
		if err := d.await(ctx, "the primary to give up", func() bool { return !primary.IsPrimary() }); err != nil {
			return err
		}
		time.Sleep(s.lasts)
		return d.restart(ctx, others...)
	case restart:
		nodes[s.node].Kill()
		time.Sleep(s.lasts)
		return d.restart(ctx, nodes[s.node])
	case deaf:
		nodes[s.node].SetDeaf(true)
		defer nodes[s.node].SetDeaf(false)
	case mute:
		nodes[s.node].SetMute(true)
		defer nodes[s.node].SetMute(false)
	case isolate:
		primary.SetDeaf(true)
		primary.SetMute(true)
		defer primary.SetDeaf(false)
		defer primary.SetMute(false)
		d.Partition(others)
	case partition:
		d.Partition(others)
	case unheard, unhearing:
		for _, n := range others {
			if s.kind == unheard {
				d.Cut(primary, n)
			} else {
				d.Cut(n, primary)
			}
		}
	}
	if s.kind.failsOver() {
		if err := d.awaitOther(ctx, primary); err != nil {
			return err
		}
	}
	time.Sleep(s.lasts)
	d.Heal()
	return nil
}

// stepDown asks the primary to step down until it has.
func (d *deployment) stepDown(ctx context.Context, primary *mongotest.Node) error {
	client, err := d.connect(primary.URI())
	if err != nil {
		return err
	}
	defer client.Close(ctx)
	for primary.IsPrimary() {
		_, err = client.Database("admin").RunCommand(ctx, bson.D{
			{Key: "replSetStepDown", Value: 1}, {Key: "secondaryCatchUpPeriodSecs", Value: 1},
		})
		if ctx.Err() != nil {
			return err
		}
	}
	return d.awaitOther(ctx, primary)
}

// restart brings nodes up again that were killed. What was to happen to their
// replies has had its chance.
func (d *deployment) restart(ctx context.Context, nodes ...*mongotest.Node) error {
	for _, n := range nodes {
		n.CutReplies()
		if err := n.Restart(); err != nil {
			return err
		}
		if err := d.prepare(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// prepare makes a node that has just started as forgetful as it is to be.
func (d *deployment) prepare(ctx context.Context, n *mongotest.Node) error {
	if !d.forgetful {
		return nil
	}
	client, err := d.connect(n.URI())
	if err != nil {
		return err
	}
	defer client.Close(ctx)
	_, err = client.Database("admin").RunCommand(ctx, bson.D{
		{Key: "configureFailPoint", Value: "forgetTransactionTable"}, {Key: "mode", Value: "alwaysOn"},
	})
	return err
}

// awaitOther waits for another primary than the old one.
func (d *deployment) awaitOther(ctx context.Context, old *mongotest.Node) error {
	return d.await(ctx, "another primary", func() bool { p := d.Primary(); return p != nil && p != old })
}

// settle waits until a majority follows a primary, and all nodes run.
func (d *deployment) settle(ctx context.Context) error {
	if _, err := d.AwaitPrimary(ctx); err != nil {
		return err
	}
	return d.await(ctx, "two secondaries", func() bool { return len(d.Secondaries()) == len(d.Nodes)-1 })
}

func (d *deployment) await(ctx context.Context, what string, ok func() bool) error {
	for !ok() {
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("still waiting for %s", what)
		}
	}
	return nil
}
