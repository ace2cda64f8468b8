package mongod

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/repl"
)

// command is one entry of the table of commands.
type command struct {
	name    string
	aliases []string
	run     func(r *request) (*doc, error)
	schema  *schema // nil for one that takes any fields or checks them itself

	admin     bool // runs on the database admin only
	reads     bool // on a secondary only with a read preference that allows it
	writes    bool // on a primary only
	retryable bool // takes a txnNumber outside of transactions
	inTxn     bool // may be run in a transaction
	sequences bool // takes document sequences
	noAuth    bool // needs no authentication
	stable    bool // is in API version 1
	needs     power
	concerns  concerns
	since     query.Version // the first version that has it
	until     query.Version // the first version that has it no more
}

// concerns are the read and write concerns that a command supports.
type concerns int

const (
	readConcerns  concerns = 1 << iota // beyond "local"
	writeConcerns                      // any
)

// serve runs a request and makes the whole reply. An error ends the connection.
func (r *request) serve() (bson.Raw, error) {
	r.ctx = r.server.ctx
	defer r.stopClock()
	reply, fail, err := r.execute()
	if errors.Is(err, errHangUp) || r.hangUp || r.server.ctx.Err() != nil {
		return nil, errHangUp
	}
	if err != nil {
		e := asError(err)
		r.confirmLoss(e)
		reply = r.failed(e)
	} else {
		r.finishWrite(reply, &fail)
		if r.conn.internal && r.txn.inTxn {
			reply.bool("readOnly", r.session.state == txnOpen && !r.session.tx.Wrote())
		}
		if r.intOK {
			reply.int32("ok", 1)
		} else {
			reply.double("ok", 1)
		}
	}
	r.gossip(reply)
	return reply.raw(), nil
}

// execute does all that stands between a message and a command, and the command.
func (r *request) execute() (reply *doc, fail failure, err error) {
	if r.malformed != nil {
		return nil, fail, r.malformed
	}
	if err := r.identify(); err != nil {
		return nil, fail, err
	}
	if err := r.parseSession(); err != nil {
		return nil, fail, err
	}
	if err := r.hearClusterTime(); err != nil {
		return nil, fail, err
	}
	if fail, err = r.failCommand(); err != nil {
		return nil, fail, err
	}
	if err := r.authorize(); err != nil {
		return nil, fail, err
	}
	if err := r.checkAPI(); err != nil {
		return nil, fail, err
	}
	if err := r.checkDuplicates(); err != nil {
		return nil, fail, err
	}
	if err := r.startClock(); err != nil {
		return nil, fail, err
	}
	if err := r.checkRole(); err != nil {
		return nil, fail, err
	}
	if err := r.parseConcerns(); err != nil {
		return nil, fail, err
	}
	if len(r.sequences) > 0 && !r.command.sequences {
		return nil, fail, errorf(40472, "The %s command does not support document sequences.", r.command.name)
	}
	if r.command.schema != nil {
		if err := r.command.schema.command(r); err != nil {
			return nil, fail, err
		}
	}
	if r.routes() {
		reply, err = r.route()
		return reply, fail, err
	}
	defer r.checkIn()
	if err := r.checkOut(); err != nil {
		return nil, fail, err
	}
	if err := r.waitForReadConcern(); err != nil {
		return nil, fail, r.endTxn(err)
	}
	reply, err = r.command.run(r)
	if err != nil {
		return nil, fail, r.endTxn(r.interrupted(err))
	}
	return reply, fail, nil
}

// identify finds the database and the command.
func (r *request) identify() error {
	for name := range r.body.Keys() {
		r.name = name
		break
	}
	db := r.field("$db")
	switch {
	case db.IsZero():
		return errorf(40571, "OP_MSG requests require a $db argument")
	case db.Type != bson.TypeString:
		return errorf(13111, "wrong type for field ($db) %s != string", query.TypeName(db.Type))
	}
	r.db, _ = db.Str()
	r.command = r.server.commands()[r.name]
	if c := r.command; c == nil || !r.server.Version.AtLeast(c.since.Major, c.since.Minor) ||
		c.until.Major != 0 && r.server.Version.AtLeast(c.until.Major, c.until.Minor) {
		r.command = nil
		if r.routes() && !r.atLeast(5, 0) {
			return errorf(codeCommandNotFound, "no such cmd: %s", r.name)
		}
		return errorf(codeCommandNotFound, "no such command: '%s'", r.name)
	}
	if err := checkDatabase(r.db); err != nil {
		return err
	}
	if n := len(r.body); n > maxInternalSize {
		return errorf(codeObjectTooLarge, "BSONObj size: %d (0x%X) is invalid. Size must be between 0 and %d(16MB) First element: %s",
			n, n, maxInternalSize, r.name+": "+formatElement(r.first()))
	}
	return nil
}

// The largest document that a user may store, and the largest command around
// one.
const (
	maxDocumentSize = 16 << 20
	maxInternalSize = maxDocumentSize + 16<<10
)

// authorize refuses who has not logged in, and commands on the wrong database.
func (r *request) authorize() error {
	if r.server.Auth && !r.command.noAuth && !r.conn.internal {
		r.conn.dropGoneUsers()
		switch {
		case len(r.conn.users) == 0:
			return errorf(codeUnauthorized, "command %s requires authentication", r.name)
		case !r.allowed():
			return r.notAuthorized()
		}
	}
	if r.command.admin && r.db != "admin" {
		return errorf(codeUnauthorized, "%s may only be run against the admin database.", r.command.name)
	}
	return nil
}

// startClock reads maxTimeMS, and makes the request's context end with it.
func (r *request) startClock() error {
	v := r.field("maxTimeMS")
	if v.IsZero() {
		return nil
	}
	ms, err := parseMaxTime(v)
	if err != nil || ms == 0 || r.command.name == "getMore" {
		return err
	}
	if _, hit := r.server.failPoints.hit("maxTimeAlwaysTimeOut", nil); hit {
		return errorf(codeMaxTimeMSExpired, "operation exceeded time limit")
	}
	r.deadline = time.Now().Add(time.Duration(ms) * time.Millisecond)
	r.ctx, r.stopTimer = context.WithDeadlineCause(r.ctx, r.deadline, errMaxTime)
	return nil
}

func (r *request) stopClock() {
	if r.stopTimer != nil {
		r.stopTimer()
	}
}

func parseMaxTime(v bson.RawValue) (int64, error) {
	if !v.IsNumber() {
		return 0, errorf(codeBadValue, "maxTimeMS must be a number")
	}
	ms, ok := v.AsInt64()
	switch {
	case !ok:
		return 0, errorf(codeBadValue, "maxTimeMS has non-integral value")
	case ms < 0 || ms > 1<<31-1:
		return 0, errorf(codeBadValue, "maxTimeMS is out of range")
	}
	return ms, nil
}

// checkRole refuses what the member cannot do in its role.
func (r *request) checkRole() error {
	if !r.replicated() {
		return nil
	}
	if s := r.server.Member.Status(); s.Role == repl.Primary {
		r.term = s.Term
		return nil
	}
	switch {
	case r.command.writes, r.txn.inTxn:
		return errorf(codeNotWritablePrimary, "%s", r.notPrimary())
	case r.command.reads && !r.secondaryOK():
		if r.atLeast(5, 0) {
			return errorf(codeNoSecondaryOk, "not primary and secondaryOk=false")
		}
		return errorf(codeNoSecondaryOk, "not master and slaveOk=false")
	}
	return nil
}

func (r *request) notPrimary() string {
	if r.atLeast(5, 0) {
		return "not primary"
	}
	return "not master"
}

func (r *request) secondaryOK() bool {
	mode, _ := r.body.Lookup("$readPreference", "mode").Str()
	return mode != "" && mode != "primary"
}

// failed is the reply that tells of an error.
func (r *request) failed(e *Error) *doc {
	reply := newDoc()
	if labels := r.labels(e); len(labels) > 0 {
		reply.strings("errorLabels", labels)
	}
	if isStateChange(e.Code) && r.replicated() && r.atLeast(4, 4) {
		r.topologyVersion(reply)
	}
	reply.double("ok", 0).str("errmsg", e.Message)
	if e.Code != 0 {
		reply.int32("code", e.Code).str("codeName", query.CodeName(e.Code, r.server.Version.Version))
	}
	if e.More != nil {
		reply.fields(e.More.raw())
	}
	return reply
}

// labels are the errorLabels that go with an error.
func (r *request) labels(e *Error) (labels []string) {
	if e.Labels != nil {
		return e.Labels
	}
	ending := r.command != nil && (r.command.name == "commitTransaction" || r.command.name == "abortTransaction")
	switch {
	case r.txn.inTxn && isTransient(e.Code, ending):
		labels = append(labels, "TransientTransactionError")
	case (r.txn.retryable || ending && r.txn.inTxn) && r.labelsRetryable() && isRetryable(e.Code):
		labels = append(labels, "RetryableWriteError")
	}
	if r.changeStream {
		switch {
		case e.Code == codeChangeStreamFatal:
			labels = append(labels, "NonResumableChangeStreamError")
		case isResumable(e.Code) && r.atLeast(4, 4):
			labels = append(labels, "ResumableChangeStreamError")
		}
	}
	return labels
}

// labelsRetryable reports whether the server adds RetryableWriteError by itself.
// A mongos never does, and no mongod does for a mongos.
func (r *request) labelsRetryable() bool {
	return r.atLeast(4, 4) && !r.routes() && !r.conn.internal
}

// gossip adds what every reply of a replica set's member ends with. The cluster
// time is read last, as nothing may have happened after it.
func (r *request) gossip(reply *doc) {
	if !r.replicated() && !r.routes() || r.untimed {
		return
	}
	at := r.server.Engine.State().At.TS
	if r.touched.TS.After(at) {
		at = r.touched.TS
	}
	r.clusterTime(reply)
	if !at.IsZero() {
		reply.timestamp("operationTime", at)
	}
}

// hearClusterTime takes over the cluster time that the client brings from
// another member, unless it is more than a year ahead.
func (r *request) hearClusterTime() error {
	ts, ok := r.body.Lookup("$clusterTime", "clusterTime").Timestamp()
	if !ok || !r.replicated() && !r.routes() {
		return nil
	}
	const drift = 365 * 24 * 60 * 60
	if now := time.Now().Unix(); int64(ts.T) > now+drift {
		return errorf(codeClusterTimeFailsRateLimiter, "New cluster time, %d, is too far from this node's wall clock time, %d.", ts.T, now)
	}
	r.server.Engine.Advance(ts)
	return nil
}

// clusterTime adds $clusterTime. It is not signed, as without authentication.
func (r *request) clusterTime(reply *doc) {
	reply.embed("$clusterTime", func(d *doc) {
		d.timestamp("clusterTime", r.server.Engine.ClusterTime())
		d.embed("signature", func(d *doc) {
			d.binary("hash", bson.Binary{Data: make([]byte, 20)})
			d.int64("keyId", 0)
		})
	})
}

func cutNamespace(s string) (db, collection string, ok bool) { return strings.Cut(s, ".") }
