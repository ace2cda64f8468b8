package mongod

import (
	"context"
	"errors"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/repl"
)

// writeConcern is what a command asks of its writes before the reply.
type writeConcern struct {
	given      bool
	w          int    // members; 0 with a mode
	mode       string // "majority" or another
	none       bool   // w: 0: nobody waits
	timeout    int64  // ms, 0 for none
	spec       bson.RawValue
	journal    bson.RawValue
	provenance string
}

func parseWriteConcern(v bson.RawValue) (c writeConcern, err error) {
	c.w, c.provenance = 1, "clientSupplied"
	if v.IsZero() {
		return c, nil
	}
	spec, ok := v.Document()
	if !ok {
		return c, errorf(codeTypeMismatch, "\"writeConcern\" had the wrong type. Expected object, found %s", query.TypeName(v.Type))
	}
	var sync bool
	for name, v := range spec.All() {
		c.given = true
		switch name {
		case "w":
			err = c.parseW(v)
		case "j", "journal":
			if v.Type != bson.TypeBoolean && !v.IsNumber() && v.Type != bson.TypeNull {
				err = errorf(codeFailedToParse, "j must be numeric or a boolean value")
			}
			c.journal = v
		case "fsync":
			sync = v.Truthy()
		case "wtimeout":
			c.timeout = max(whole(v), 0)
		case "provenance", "getLastError", "wElectionId", "wOpTime":
		default:
			err = errorf(codeFailedToParse, "unrecognized write concern field: %s", name)
		}
		if err != nil {
			return c, err
		}
	}
	if sync && c.journal.Truthy() {
		return c, errorf(codeFailedToParse, "fsync and j options cannot be used together")
	}
	c.none = c.none && !c.journal.Truthy()
	return c, nil
}

func (c *writeConcern) parseW(v bson.RawValue) error {
	c.spec = v
	switch {
	case v.IsNumber():
		n := whole(v)
		if n < 0 || n > 50 {
			return errorf(codeFailedToParse, "w has to be a non-negative number and not greater than 50")
		}
		c.w, c.none = int(n), n == 0
	case v.Type == bson.TypeString:
		c.mode, _ = v.Str()
		c.w, c.none = 0, c.mode == ""
	case v.Type == bson.TypeNull, v.Type == bson.TypeUndefined:
	default:
		return errorf(codeFailedToParse, "w has to be a number or a string")
	}
	return nil
}

// defaulted is the write concern of commands that give none.
func (c *writeConcern) defaulted(r *request) {
	if w, ok := r.server.defaults().defaultWriteConcern(); ok {
		*c = w
	} else if r.atLeast(5, 0) && r.replicated() {
		*c = writeConcern{mode: "majority", spec: stringValue("majority"), provenance: "implicitDefault"}
	}
	c.given = false
}

// checkWriteConcern refuses what the node does not know.
func (r *request) checkWriteConcern() error {
	if !r.replicated() && !r.routes() && r.write.given && r.write.w > 1 {
		return errorf(codeBadValue, "cannot use 'w' > 1 when a host is not replicated")
	}
	return nil
}

// errInfo is the write concern as a writeConcernError shows it.
func (c *writeConcern) errInfo(d *doc, timedOut bool) {
	d.embed("errInfo", func(d *doc) {
		if timedOut {
			d.bool("wtimeout", true)
		}
		d.embed("writeConcern", func(d *doc) {
			if c.spec.IsZero() {
				d.int32("w", int32(c.w))
			} else {
				d.value("w", c.spec)
			}
			if !c.journal.IsZero() {
				d.value("j", c.journal)
			}
			d.number("wtimeout", c.timeout).str("provenance", c.provenance)
		})
	})
}

// finishWrite waits for the write concern of a command that has written, and
// adds what a fail point says instead.
func (r *request) finishWrite(reply *doc, fail *failure) {
	code := int32(0)
	ending := r.txn.inTxn && (r.command.name == "commitTransaction" || r.command.name == "abortTransaction")
	add := func(c int32, message string, info func(*doc)) {
		code = c
		r.appendWriteConcernError(reply, c, message, info)
	}
	if fail.writeConcernError != nil {
		reply.doc("writeConcernError", fail.writeConcernError)
		code = int32(whole(fail.writeConcernError.Lookup("code")))
	} else if r.wrote && r.replicated() && !r.write.none && (ending || !r.txn.inTxn) {
		r.waitForWriteConcern(add)
	}
	if code != 0 && isStateChange(code) && r.replicated() && r.atLeast(4, 4) {
		r.topologyVersion(reply)
	}
	labels := fail.labels
	if code != 0 && labels == nil {
		if (r.txn.retryable || ending) && isRetryable(code) && r.labelsRetryable() {
			labels = []string{"RetryableWriteError"}
		}
	}
	if code != 0 && len(labels) > 0 {
		reply.strings("errorLabels", labels)
	}
}

func (r *request) appendWriteConcernError(reply *doc, code int32, message string, info func(*doc)) {
	reply.embed("writeConcernError", func(d *doc) {
		d.int32("code", code).str("codeName", query.CodeName(code, r.server.Version.Version)).str("errmsg", message)
		if info != nil {
			info(d)
		}
	})
}

// waitForWriteConcern calls add if the write concern cannot be met.
func (r *request) waitForWriteConcern(add func(code int32, message string, info func(*doc))) {
	c, m := &r.write, r.server.Member
	info := func(timedOut bool) func(*doc) { return func(d *doc) { c.errInfo(d, timedOut) } }
	switch {
	case c.mode != "" && c.mode != "majority":
		add(codeUnknownWriteConcern, "No write concern mode named '"+c.mode+"' found in replica set configuration", info(false))
		return
	case c.w > len(m.Set().Members):
		add(codeUnsatisfiableWC, "Not enough data-bearing nodes", info(false))
		return
	case c.w == 1:
		m.CommitAlone()
		return
	}
	err := r.patiently(func(ctx context.Context) error {
		if c.timeout > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeoutCause(ctx, time.Duration(c.timeout)*time.Millisecond, errWTimeout)
			defer cancel()
		}
		return m.WaitReplicated(ctx, r.term, r.touched, c.w)
	})
	switch {
	case err == nil:
	case errors.Is(err, errWTimeout):
		add(codeWriteConcernFailed, "waiting for replication timed out", info(true))
	case errors.Is(err, repl.ErrSteppedDown):
		add(codePrimarySteppedDown, err.Error(), nil)
	case errors.Is(err, errMaxTime):
		add(codeMaxTimeMSExpired, "operation exceeded time limit", nil)
	default:
		add(codeInterruptedAtShutdown, "interrupted at shutdown", nil)
	}
}

var errWTimeout = errors.New("waiting for replication timed out")

func stringValue(s string) bson.RawValue {
	return bson.RawValue{Type: bson.TypeString, Value: bson.AppendStringValue(nil, s)}
}
