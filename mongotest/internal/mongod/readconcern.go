package mongod

import (
	"context"
	"errors"
	"fmt"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// readConcern is what a command asks of the data that it reads.
type readConcern struct {
	given bool
	level string // "local" by default
	after *bson.Timestamp
	at    *bson.Timestamp
}

// parseConcerns reads readConcern and writeConcern.
func (r *request) parseConcerns() (err error) {
	if r.read, err = parseReadConcern(r.field("readConcern")); err != nil {
		r.untimed = r.routes()
		return err
	}
	if err := r.checkReadConcern(); err != nil {
		r.untimed = r.routes()
		return err
	}
	if r.write, err = parseWriteConcern(r.field("writeConcern")); err != nil {
		if statementFields[r.command.name] != "" && r.routes() && r.field("writeConcern").Type != bson.TypeEmbeddedDocument {
			return errorf(10065, "invalid parameter: expected an object (writeConcern)")
		}
		return err
	}
	if r.write.given && r.command.concerns&writeConcerns == 0 {
		r.untimed = r.routes()
		return errorf(codeInvalidOptions, "Command does not support writeConcern")
	}
	if !r.write.given {
		r.write.defaulted(r)
	}
	return r.checkWriteConcern()
}

func parseReadConcern(v bson.RawValue) (c readConcern, err error) {
	c.level = "local"
	if v.IsZero() {
		return c, nil
	}
	spec, ok := v.Document()
	if !ok {
		return c, errorf(codeFailedToParse, "readConcern field should be an object")
	}
	for name, v := range spec.All() {
		c.given = true
		switch name {
		case "level":
			c.level, ok = v.Str()
			if !ok {
				return c, errorf(codeTypeMismatch, "\"level\" had the wrong type. Expected string, found %s", query.TypeName(v.Type))
			}
		case "afterClusterTime":
			c.after, err = readTimestamp(name, v)
		case "atClusterTime":
			c.at, err = readTimestamp(name, v)
		case "provenance", "afterOpTime", "$opTime":
		default:
			return c, errorf(codeInvalidOptions, "Unrecognized option in readConcern: %s", name)
		}
		if err != nil {
			return c, err
		}
	}
	switch c.level {
	case "local", "majority", "available", "linearizable", "snapshot":
	default:
		return c, errorf(codeFailedToParse, "readConcern.level must be either 'local', 'majority', 'linearizable', 'available', or 'snapshot'")
	}
	switch {
	case c.after != nil && c.at != nil:
		return c, errorf(codeInvalidOptions, "Can not specify both afterClusterTime and atClusterTime")
	case c.at != nil && c.level != "snapshot":
		return c, errorf(codeInvalidOptions, "atClusterTime field can be set only if level is equal to snapshot")
	case c.after != nil && (c.level == "available" || c.level == "linearizable"):
		return c, errorf(codeInvalidOptions, "afterClusterTime field can be set only if level is equal to majority, local, or snapshot")
	}
	return c, nil
}

func readTimestamp(name string, v bson.RawValue) (*bson.Timestamp, error) {
	ts, ok := v.Timestamp()
	switch {
	case !ok:
		return nil, errorf(codeTypeMismatch, "%q had the wrong type. Expected timestamp, found %s", name, query.TypeName(v.Type))
	case ts.IsZero():
		return nil, errorf(codeInvalidOptions, "%s cannot be a null timestamp", name)
	}
	return &ts, nil
}

func (c readConcern) String() string {
	return fmt.Sprintf("{ readConcern: { level: %q, provenance: \"clientSupplied\" } }", c.level)
}

// checkReadConcern refuses a read concern that the command or the node does not
// know.
func (r *request) checkReadConcern() error {
	c := r.read
	ending := r.command.name == "commitTransaction" || r.command.name == "abortTransaction"
	switch {
	case r.routes() && (r.txn.inTxn || c.level == "local" || r.command.concerns&readConcerns != 0 || statementFields[r.command.name] != ""):
		return nil
	case r.txn.inTxn:
		if c.level == "available" || c.level == "linearizable" {
			return errorf(codeInvalidOptions, "The readConcern level must be either 'local' (default), 'majority' or 'snapshot' in order to run in a transaction")
		}
		if ending && c.given {
			return errorf(codeInvalidOptions, "%s command does not support read concern", r.command.name)
		}
		return nil
	case c.level == "snapshot" && r.command.concerns&readConcerns != 0 && !r.readsSnapshots():
		return errorf(codeInvalidOptions, "read concern level snapshot is only valid in a transaction")
	case c.level != "local" && r.command.concerns&readConcerns == 0:
		return errorf(codeInvalidOptions, "Command %s does not support %s :: caused by :: read concern not supported", r.command.name, c)
	case !r.replicated() && (c.level == "linearizable" || c.level == "snapshot"):
		return errorf(codeNotAReplicaSet, "node needs to be a replica set member to use read concern")
	case !r.replicated() && c.after != nil:
		return errorf(codeIllegalOperation, "Cannot specify afterClusterTime readConcern without replication enabled")
	case c.level == "linearizable" && r.replicated() && !r.isPrimary():
		return errorf(codeNotWritablePrimary, "cannot satisfy linearizable read concern on non-primary node")
	}
	return nil
}

// readsSnapshots reports whether the command takes level snapshot outside of a
// transaction.
func (r *request) readsSnapshots() bool {
	return r.atLeast(5, 0) && (r.command.name == "find" || r.command.name == "aggregate" || r.command.name == "distinct")
}

// waitForReadConcern waits until the node has what the command wants to see.
func (r *request) waitForReadConcern() error {
	if !r.replicated() {
		return nil
	}
	e, m := r.server.Engine, r.server.Member
	after := r.read.after
	if after == nil {
		after = r.read.at
	}
	if after != nil {
		if now := e.ClusterTime(); after.After(now) {
			return errorf(codeInvalidOptions, "readConcern afterClusterTime value must not be greater than the current clusterTime. "+
				"Requested clusterTime: %s; current clusterTime: %s", formatTimestamp(*after), formatTimestamp(now))
		}
		if e.State().At.TS.Before(*after) {
			m.Nudge(*after)
		}
		if err := r.waitApplied(*after); err != nil {
			return err
		}
	}
	var commit storage.OpTime
	switch {
	case r.read.level == "linearizable":
		at, err := r.server.note(r.ctx, "linearizable read")
		if err != nil {
			return err
		}
		commit = at
	case (r.read.level == "majority" || r.read.level == "snapshot") && after != nil && !r.txn.inTxn:
		commit = storage.OpTime{TS: *after}
	default:
		return r.openTxn()
	}
	if m.Status().Committed.TS.Before(commit.TS) {
		err := r.patiently(func(ctx context.Context) error { return m.WaitCommitted(ctx, commit) })
		if err != nil {
			return r.interrupted(err)
		}
	}
	return r.openTxn()
}

// waitApplied waits until the node has all until ts.
func (r *request) waitApplied(ts bson.Timestamp) error {
	e := r.server.Engine
	if !e.State().At.TS.Before(ts) {
		return nil
	}
	err := r.patiently(func(ctx context.Context) error {
		for {
			changed := e.Changed.Wait()
			if !e.State().At.TS.Before(ts) {
				return nil
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	})
	if err != nil {
		return r.interrupted(err)
	}
	return nil
}

// view gives the State that a command reads. A cursor asks again for each batch.
func (r *request) view() (func() (*storage.State, error), error) {
	e := r.server.Engine
	switch {
	case r.txn.inTxn:
		tx := r.session.tx
		return func() (*storage.State, error) { return tx.Snapshot(), nil }, nil
	case r.read.level == "snapshot":
		s := e.Committed()
		r.snapshotAt = &s.At.TS
		if r.read.at != nil {
			r.snapshotAt = r.read.at
			var err error
			if s, err = r.stateAt(*r.read.at); err != nil {
				return nil, err
			}
		}
		at := *r.snapshotAt
		return func() (*storage.State, error) {
			if at.Before(e.Oldest()) {
				return nil, snapshotTooOld(at)
			}
			return s, nil
		}, nil
	case r.read.level == "majority" && r.replicated():
		return func() (*storage.State, error) { return e.Committed(), nil }, nil
	}
	return func() (*storage.State, error) { return e.State(), nil }, nil
}

// stateAt is the State that is read at an atClusterTime.
func (r *request) stateAt(at bson.Timestamp) (*storage.State, error) {
	s, err := r.server.Engine.StateAt(at)
	if errors.Is(err, storage.ErrTooOld) {
		return nil, snapshotTooOld(at)
	}
	return s, err
}

func snapshotTooOld(at bson.Timestamp) error {
	return errorf(codeSnapshotTooOld, "Read timestamp %s is older than the oldest available timestamp.", formatTimestamp(at))
}

func formatTimestamp(t bson.Timestamp) string { return fmt.Sprintf("Timestamp(%d, %d)", t.T, t.I) }
