package mongod

import (
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// routing is what a mongos knows of the newest transaction of a session.
type routing struct {
	number    int64 // -1 for none
	statement int   // the number of the latest one, from 0
	read      bson.RawValue
	// recovering says that the transaction was begun through another mongos.
	recovering bool
	ending     bool // has been, from the mongos's side; the shard is not listened to any more

	joined   bool // the shard has been sent a statement
	answered bool // and has executed one
	wrote    bool // in which something was written
}

// routeTxn runs a statement of a transaction, or its end, on a mongos.
func (r *request) routeTxn() (*doc, error) {
	if err := r.beginRouting(); err != nil {
		return nil, err
	}
	reply, err := r.command.run(r)
	if err != nil && !r.ends() {
		r.abortRouted()
		err = r.snapshotError(err)
	}
	if err != nil {
		return nil, err
	}
	r.recoveryToken(reply)
	return reply, nil
}

// recoveryToken adds the field of that name: where another mongos may ask for
// the outcome of the transaction.
func (r *request) recoveryToken(reply *doc) {
	reply.embed("recoveryToken", func(d *doc) {
		if r.session.routing.wrote {
			d.str("recoveryShardId", r.server.Cluster.Shard.Name)
		}
	})
}

// beginRouting finds out what the statement's transaction number means here.
func (r *request) beginRouting() error {
	t, rt, level := r.txn, &r.session.routing, r.read.level
	commit := r.command.name == "commitTransaction"
	switch {
	case t.number < rt.number:
		return errorf(codeTransactionTooOld, "txnNumber %d is less than last txnNumber %d seen in session %s", t.number, rt.number, r.session)
	case t.start && t.number == rt.number:
		return errorf(codeConflictingOperation, "txnNumber %d for session %s already started", t.number, r.session)
	case t.start && level != "local" && level != "majority" && level != "snapshot":
		return errorf(codeInvalidOptions, "The first command in a transaction cannot specify a readConcern level other than local, majority, or snapshot")
	case t.start && r.read.at != nil:
		return errorf(codeInvalidOptions, "read concern snapshot is not supported with atClusterTime on mongos")
	case t.start:
		*rt = routing{number: t.number, read: r.field("readConcern")}
	case t.number == rt.number && r.read.given && !commit:
		return errorf(codeInvalidOptions, "Only the first command in a transaction may specify a readConcern")
	case t.number == rt.number:
		rt.statement++
	case commit:
		*rt = routing{number: t.number, recovering: true}
	default:
		return errorf(codeNoSuchTransaction, "cannot continue txnId %d for session %s with txnId %d", rt.number, r.session, t.number)
	}
	return nil
}

// inTransaction is a statement of a transaction as the shard gets it: the first one
// there begins the transaction.
func (r *request) inTransaction(body bson.Raw) bson.Raw {
	rt := &r.session.routing
	d := newDoc()
	for name, v := range body.All() {
		switch name {
		case "startTransaction", "readConcern", "recoveryToken":
		default:
			d.value(name, v)
		}
	}
	if rt.joined {
		return d.raw()
	}
	rt.joined = true
	if !rt.read.IsZero() {
		d.value("readConcern", rt.read)
	}
	return d.bool("startTransaction", true).bool("coordinator", true).raw()
}

// took notes what the shard says of its part in the transaction.
func (rt *routing) took(reply bson.Raw) {
	if !isOK(reply) || rt.ending {
		return
	}
	readOnly, ok := reply.Lookup("readOnly").Bool()
	rt.answered = true
	rt.wrote = rt.wrote || ok && !readOnly
}

// abortRouted ends the transaction on the shard after a statement has failed.
func (r *request) abortRouted() {
	rt := &r.session.routing
	rt.ending = true
	if !rt.joined {
		return
	}
	if to := r.server.Cluster.Shard.choose("primary"); to != nil {
		r.send(to, r.abortCommand())
	}
}

// ends reports whether the command ends a transaction.
func (r *request) ends() bool {
	return r.command.name == "commitTransaction" || r.command.name == "abortTransaction"
}

// abortCommand is the command that aborts the transaction.
func (r *request) abortCommand() bson.Raw {
	d := newDoc().int32("abortTransaction", 1).value("lsid", r.field("lsid")).int64("txnNumber", r.txn.number).bool("autocommit", false)
	return d.str("$db", "admin").raw()
}

// snapshotError is the error of a statement behind the first that the shard has
// no snapshot for any more: the transaction cannot be saved.
func (r *request) snapshotError(err error) error {
	e := asError(err)
	rt := &r.session.routing
	if rt.statement == 0 || e.Labels != nil || e.Code != codeSnapshotUnavailable && e.Code != codeSnapshotTooOld {
		return err
	}
	return errorf(e.Code, "Transaction %s:%d was aborted on statement %d due to: a non-retryable snapshot error :: caused by :: %s",
		r.session.id(), rt.number, rt.statement, e.Message)
}

// routeCommit commits a transaction on the shard. A mongos that has not begun it
// asks there for its outcome.
func routeCommit(r *request) (*doc, error) {
	if !r.txn.inTxn {
		return nil, errorf(codeInvalidOptions, "commitTransaction can only be run within a session")
	}
	rt := &r.session.routing
	rt.ending = true
	switch {
	case rt.recovering:
		return r.recoverDecision()
	case !rt.joined:
		r.intOK = true
		return newDoc(), nil
	case !rt.answered:
		return nil, errorf(codeNoSuchTransaction, "%s:%d Failed to commit transaction because a previous statement on the transaction participant %s was unsuccessful.",
			r.session.id(), rt.number, r.server.Cluster.Shard.Name)
	}
	return r.endRouted(r.body)
}

// routeAbort aborts a transaction on the shard.
func routeAbort(r *request) (*doc, error) {
	if !r.txn.inTxn {
		return nil, errorf(codeInvalidOptions, "abortTransaction can only be run within a session")
	}
	if !r.session.routing.joined {
		return nil, errorf(codeNoSuchTransaction, "no known command has been sent by this router for this transaction")
	}
	r.session.routing.ending = true
	return r.endRouted(r.body)
}

var endingSchema = map[string]*schema{
	"commitTransaction": newSchema("commit cmd"), "abortTransaction": newSchema("abort cmd"),
}

func (r *request) endRouted(body bson.Raw) (*doc, error) {
	d := newDoc()
	for name, v := range body.All() {
		if name != "recoveryToken" {
			d.value(name, v)
		}
	}
	a, err := r.forward(r.server.Cluster.Shard, d.raw())
	if err != nil {
		return nil, err
	}
	return r.relayed(a.reply)
}

// recoverDecision asks the shard that the recovery token names for the outcome
// of a transaction. One that is still open is aborted by that.
func (r *request) recoverDecision() (*doc, error) {
	token, ok := r.field("recoveryToken").Document()
	if !ok {
		return nil, errorf(50940, "Cannot recover the transaction decision without a recoveryToken")
	}
	shard := r.server.Cluster.Shard
	switch name, _ := token.Lookup("recoveryShardId").Str(); {
	case name == "":
		return nil, errorf(codeNoSuchTransaction, "Recovery token is empty, meaning the transaction only performed reads and can be safely retried")
	case name != shard.Name:
		return nil, errorf(70, "Could not find shard %s", name)
	}
	d := newDoc().int32("coordinateCommitTransaction", 1).docs("participants", nil)
	for name, v := range r.body.All() {
		if name != "commitTransaction" && name != "recoveryToken" {
			d.value(name, v)
		}
	}
	return r.endRouted(d.raw())
}

// coordinateCommitTransaction tells a mongos what has become of a transaction
// that this shard coordinates.
func coordinateCommitTransaction(r *request) (*doc, error) {
	switch {
	case r.server.Cluster == nil:
		return nil, errorf(203, "Cannot accept sharding commands if not started with --shardsvr")
	case !r.txn.inTxn:
		return nil, errorf(codeInvalidOptions, "coordinateCommitTransaction can only be run within a transaction")
	}
	s := r.session
	if s.state == txnCommitted {
		r.touched, r.wrote = s.commit, true
		return newDoc(), nil
	}
	r.server.abortTxn(s)
	return nil, errorf(codeNoSuchTransaction, "Recovering the transaction's outcome found the transaction aborted")
}

// routeKillSessions ends sessions here and on the shard.
func routeKillSessions(r *request) (*doc, error) {
	own := map[string]func(*request) (*doc, error){
		"killSessions": killSessions, "killAllSessions": killAllSessions, "killAllSessionsByPattern": killAllSessionsByPattern,
	}
	if _, err := own[r.command.name](r); err != nil {
		return nil, err
	}
	return relayShard(r)
}

// id is the session's UUID as text.
func (s *session) id() string {
	var id storage.UUID
	if b, ok := s.lsid.Lookup("id").Binary(); ok {
		copy(id[:], b.Data)
	}
	return id.String()
}
