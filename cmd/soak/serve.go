package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest"
)

// order is what the soak wants of its servers.
type order struct {
	Failover *kind // nil only counts
	Lasts    time.Duration
}

// answer is what became of an order.
type answer struct {
	Error  string
	Counts counts
}

// counts are what all servers together have open.
type counts struct {
	Cursors, Sessions, Connections int
	Heap                           uint64 // of the process that they run in
}

// serve runs a replica set, prints its connection string and carries out orders
// until the input ends.
func serve(ctx context.Context, in io.Reader, out io.Writer) error {
	rs, err := mongotest.StartReplicaSet(mongotest.Options{})
	if err != nil {
		return err
	}
	defer rs.Close()
	encoder, decoder := json.NewEncoder(out), json.NewDecoder(in)
	if err := encoder.Encode(rs.URI()); err != nil {
		return err
	}
	for {
		var o order
		switch err := decoder.Decode(&o); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		var a answer
		if err := carryOut(ctx, rs, o, &a.Counts); err != nil {
			a.Error = err.Error()
		}
		if err := encoder.Encode(a); err != nil {
			return err
		}
	}
}

func carryOut(ctx context.Context, rs *mongotest.ReplicaSet, o order, c *counts) error {
	if o.Failover == nil {
		return count(ctx, rs, c)
	}
	ctx, cancel := context.WithTimeout(ctx, settling)
	defer cancel()
	if err := strike(ctx, rs, *o.Failover, o.Lasts); err != nil {
		return fmt.Errorf("%v: %w", *o.Failover, err)
	}
	if err := settle(ctx, rs); err != nil {
		return fmt.Errorf("after %v: %w", *o.Failover, err)
	}
	return nil
}

// count asks all nodes what they have open.
func count(ctx context.Context, rs *mongotest.ReplicaSet, c *counts) error {
	for _, n := range rs.Nodes {
		c.Connections += n.Connections()
		reply, err := admin(ctx, n, bson.D{{Key: "serverStatus", Value: 1}})
		if err != nil {
			return err
		}
		var status struct {
			Sessions struct {
				Active int `bson:"activeSessionsCount"`
			} `bson:"logicalSessionRecordCache"`
			Metrics struct {
				Cursor struct{ Open struct{ Total int } }
			}
		}
		if err := bson.Unmarshal(reply, &status); err != nil {
			return err
		}
		c.Sessions += status.Sessions.Active
		c.Cursors += status.Metrics.Cursor.Open.Total
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	c.Heap = m.HeapAlloc
	return nil
}

// admin runs a command on one node.
func admin(ctx context.Context, n *mongotest.Node, command bson.D) (bson.Raw, error) {
	client, err := motor.Connect(ctx, n.URI())
	if err != nil {
		return nil, err
	}
	defer client.Close(ctx)
	return client.Database("admin").RunCommand(ctx, command, motor.RunCommandOptions{ReadPreference: &motor.ReadPreference{Mode: motor.Nearest}})
}
