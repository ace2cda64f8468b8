package ops

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/concern"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/pool"
	"github.com/motor-go/motor/session"
	"github.com/motor-go/motor/topology"
	"github.com/motor-go/motor/topology/description"
	"github.com/motor-go/motor/wire"
)

// Executor runs commands against a deployment. Its fields are set once.
type Executor struct {
	Topology *topology.Topology
	Sessions *session.Pool
	Clock    *session.Clock
	Observer *event.Observer
	// RetryReads and RetryWrites are the client's options of that name.
	RetryReads, RetryWrites bool
	// MaxAdaptiveRetries bounds the retries against overloaded servers.
	MaxAdaptiveRetries int
	// OverloadRetargeting avoids overloaded servers in retries.
	OverloadRetargeting bool
	// Jitter gives the random number in [0, 1) that a pause is multiplied with;
	// nil stands for rand.Float64.
	Jitter func() float64
	// ServerAPI are the encoded elements of the stable API, which every
	// command carries.
	ServerAPI []byte
}

// Result is what a command was answered, and by whom.
type Result struct {
	// Reply is owned by the caller. It is nil after an unacknowledged write.
	Reply bson.Raw
	// Server is the server that answered.
	Server *topology.Server

	// MaxWireVersion is that of the connection.
	MaxWireVersion int32

	command Command
	pin     *pin // the connection that the cursor in the reply is bound to, or nil
}

// call is one command on its way, over all its attempts.
type call struct {
	*Executor
	command   Command
	traits    traits
	env       *Envelope
	session   *session.Server // of an implicit session
	txnNumber int64
	attempts  int
	minRTT    time.Duration // of the server that was selected
	operation int64
	// opens says that the command opens a cursor.
	opens bool
	// startedTxn says that the last attempt carried startTransaction.
	startedTxn bool
}

// Run runs a command. After a *WriteConcernError the result is set, too.
func (x *Executor) Run(ctx context.Context, cmd Command) (Result, error) {
	c := call{Executor: x, command: cmd, traits: cmd.traits(), env: cmd.envelope()}
	return c.start(ctx)
}

// start takes the session for the operation and runs it.
func (c *call) start(ctx context.Context) (Result, error) {
	if s := c.env.Session; s != nil {
		if err := s.Enter(); err != nil {
			return Result{}, err
		}
		defer s.Leave()
	}
	return c.entered(ctx)
}

// entered is start in a session that was entered.
func (c *call) entered(ctx context.Context) (Result, error) {
	if c.env.OperationID == 0 && c.traced() {
		return c.traceOperation(ctx)
	}
	if c.env.MaxTime < 0 {
		return Result{}, fmt.Errorf("%s: the maximum time %v is negative; 0 is no limit", c.traits.name, c.env.MaxTime)
	}
	ctx, cancel := c.env.Timeout.Bound(ctx)
	defer cancel()
	if s := c.env.Session; s != nil {
		if err := c.checkSession(s); err != nil {
			return Result{}, err
		}
	}
	defer c.release()
	res, err := c.run(ctx)
	if c.inTransaction() {
		c.remember(res.failure(err))
	}
	return res, err
}

// remember keeps an error in the transaction that it has made useless, for
// those who wonder why the commit fails.
func (c *call) remember(failure error) {
	if t := &c.env.Session.Transaction; failure != nil && t.Failure == nil && !HasLabel(failure, TransientTransactionError) {
		t.Failure = failure
	}
}

// run is the retry loop.
func (c *call) run(ctx context.Context) (Result, error) {
	retry := retryState{policy: c.policy()}
	var avoid []string
	for {
		res, err := c.attempt(ctx, avoid)
		if err == nil {
			return res, nil
		}
		c.attempts++
		c.env.Memory = nil // where err may have its reply
		sharded := c.Topology.Description().Type == description.Sharded
		v := retry.failed(err, sharded, c.Random())
		if !v.retry || !sleep(ctx, v.wait) {
			if retry.err != err {
				res = Result{}
			}
			if c.env.Timeout.Set && ctx.Err() != context.Canceled && (v.retry || errors.Is(err, wire.ErrTimeout)) {
				return res, TimedOut(retry.err)
			}
			return res, retry.err
		}
		if end, ok := c.command.(*endTransaction); ok {
			end.failed(err)
		}
		if v.deprioritize && res.Server != nil {
			avoid = append(avoid, res.Server.Address())
		}
	}
}

// Random is a number in [0, 1) from Jitter.
func (x *Executor) Random() float64 {
	if x.Jitter == nil {
		return rand.Float64()
	}
	return x.Jitter()
}

// sleep waits for d. It reports false at once if ctx would end before.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	if t, ok := ctx.Deadline(); ok && time.Until(t) < d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// policy is what the command and the client's options allow.
func (c *call) policy() retryPolicy {
	p := retryPolicy{deadline: c.env.Timeout.Set, max: c.MaxAdaptiveRetries, retarget: c.OverloadRetargeting}
	switch c.traits.retry {
	case retryRead:
		p.overload = c.RetryReads
	case retryWrite:
		p.overload = c.RetryWrites
	default:
		p.overload = c.RetryReads && c.RetryWrites
	}
	switch {
	case endsTransaction(c.traits.name):
		p.class = retryWrite
	case c.inTransaction():
	case c.traits.retry == retryRead && c.RetryReads:
		p.class = retryRead
	case c.traits.retry == retryWrite && c.RetryWrites && c.env.WriteConcern.Acknowledged():
		p.class = retryWrite
	}
	return p
}

func (c *call) inTransaction() bool {
	return c.env.Session != nil && c.env.Session.Transaction.InProgress()
}

// checkSession refuses what a session cannot do.
func (c *call) checkSession(s *session.Session) error {
	if c.inTransaction() {
		if s.Options().Snapshot {
			return session.ErrSnapshotTx
		}
		if rp := s.Transaction.Options.ReadPreference; rp != nil && rp.Mode != concern.Primary && !c.traits.write {
			return session.ErrTransactionReadPrimary
		}
		return nil
	}
	if c.traits.writeConcern && !c.env.WriteConcern.Acknowledged() && !s.Implicit {
		return session.ErrUnacknowledged
	}
	if !endsTransaction(c.traits.name) {
		c.Unpin(s)
		s.Transaction.Outside()
	}
	return nil
}

// release gives an implicit session back.
func (c *call) release() {
	if c.session != nil {
		c.Sessions.Put(c.session, time.Now(), c.sessionTimeout())
	}
}

func (c *call) sessionTimeout() time.Duration {
	return time.Duration(c.Topology.Description().LogicalSessionTimeoutMinutes) * time.Minute
}

// attempt selects a server, checks out a connection and sends the command
// once. Result.Server is set as soon as it is known.
func (c *call) attempt(ctx context.Context, avoid []string) (Result, error) {
	if ctx.Err() != nil {
		return Result{}, c.labelled(&ConnectionError{Command: c.traits.name, Err: pool.Ended(ctx)}, nil)
	}
	server, conn, err := c.acquire(ctx, avoid)
	res := Result{Server: server, command: c.command}
	if err != nil {
		return res, c.labelled(err, nil)
	}
	res.Reply, err = c.send(ctx, server, conn)
	res.MaxWireVersion = conn.Description.MaxWireVersion
	res.pin = c.settle(server, conn, res.Reply)
	if err != nil {
		err = c.labelled(err, &conn.Description)
	}
	return res, err
}

func (c *call) selector(avoid []string) description.Selector {
	want := description.Selector{Write: c.traits.write, ReadPreference: c.env.ReadPreference, Deprioritized: avoid}
	if a, ok := c.command.(*Aggregate); ok && a.Writes() {
		want.WriteStage = true
	}
	if s := c.env.Session; s != nil {
		if s.Transaction.Pinned != "" {
			want.Addr = s.Transaction.Pinned
		} else if c.inTransaction() {
			want.ReadPreference = concern.ReadPreference{}
		}
	}
	return want
}

// reauthenticationRequired is the server's code for a token that has expired.
// The command was not looked at: it is sent again once the connection has
// authenticated anew (auth).
const reauthenticationRequired = 391

// send puts the message together, sends it and reads the reply.
func (c *call) send(ctx context.Context, server *topology.Server, conn *pool.Conn) (bson.Raw, error) {
	now := time.Now()
	topo := c.Topology.Description()
	m := message{
		command:        c.command,
		to:             &conn.Description,
		topology:       topo.Type,
		clusterTime:    c.Clock.Now(),
		readPreference: topo.EffectiveReadPreference(c.selector(nil)),
		serverAPI:      c.ServerAPI,
	}
	if c.traits.writeConcern && !(c.inTransaction() && !endsTransaction(c.traits.name)) {
		m.writeConcern = c.env.WriteConcern
		if c.env.Timeout.Set {
			m.writeConcern.WTimeout = 0
		}
	}
	if err := c.allow(ctx, &m, now); err != nil {
		return nil, err
	}
	if err := checkHint(c.command, &m); err != nil {
		return nil, err
	}
	if err := checkSize(c.command, m.to); err != nil {
		return nil, err
	}
	if err := c.joinSession(&m, now); err != nil {
		return nil, err
	}
	if s := c.env.Session; s != nil {
		m.clusterTime = m.clusterTime.Later(s.ClusterTime())
	}

	reply, err := c.exchange(ctx, conn, &m)
	if code, _ := code(err); code == reauthenticationRequired {
		if failed := conn.Reauthenticate(ctx); failed != nil {
			err = c.connectionError(conn, fmt.Errorf("%w; authenticating anew: %w", err, failed))
		} else {
			reply, err = c.exchange(ctx, conn, &m)
		}
	}
	if err != nil {
		server.HandleError(conn, reply, err)
		c.markDirty(err)
	}
	return reply, err
}

// allow decides what the message says about time. A command that opens a cursor
// tells nothing of the deadline of its context, which need not be that of the
// cursor.
func (c *call) allow(ctx context.Context, m *message, now time.Time) (err error) {
	deadline := c.env.Timeout.Deadline
	if c.env.Timeout.Set && !c.opens {
		deadline, _ = ctx.Deadline()
	}
	m.allowance, err = c.env.Timeout.allow(c.traits.name, deadline, now, c.minRTT, c.env.MaxTime)
	if err != nil {
		return c.notSent(m.to.Addr, err)
	}
	if m.to.IsCryptd && c.env.Timeout.Set {
		m.allowance.maxTime = 0
	}
	return nil
}

func (c *call) notSent(server string, err error) error {
	return &ConnectionError{Command: c.traits.name, Server: server, Err: err}
}

// joinSession decides what the message says about session and transaction.
func (c *call) joinSession(m *message, now time.Time) error {
	supported := m.to.LogicalSessionTimeoutMinutes > 0 || m.to.Type == description.LoadBalancer
	s := c.env.Session
	if s != nil && !supported {
		if !s.Implicit {
			return session.ErrUnsupported
		}
		s = nil
	}
	if s == nil && supported && !c.traits.sessionless && m.writeConcern.Acknowledged() {
		if c.session == nil {
			c.session = c.Sessions.Get(now, c.sessionTimeout())
		}
		m.session.id = c.session.ID
		m.session.txnNumber = c.number(c.session, m.to)
	}
	if s == nil || !m.writeConcern.Acknowledged() {
		if c.traits.readConcern && !c.env.ReadConcern.IsDefault() {
			m.session.readConcern = readConcern(c.env.ReadConcern)
		}
		return nil
	}
	const snapshotReads = 13 // MongoDB 5.0
	if s.Options().Snapshot && m.to.MaxWireVersion < snapshotReads {
		return session.ErrSnapshotUnsupported
	}
	sv := s.Server(now, c.sessionTimeout())
	m.session.id = sv.ID
	if c.inTransaction() || endsTransaction(c.traits.name) {
		c.joinTransaction(m, s, sv)
		return nil
	}
	m.session.txnNumber = c.number(sv, m.to)
	m.session.readConcern = c.readConcernIn(s)
	return nil
}

// joinTransaction is joinSession for a command that belongs to a transaction.
func (c *call) joinTransaction(m *message, s *session.Session, sv *session.Server) {
	txn := &s.Transaction
	m.session.inTxn = true
	m.session.txnNumber = sv.TxnNumber
	if txn.State() == session.TransactionStarting {
		m.session.startTxn = true
		var want concern.ReadConcern
		if rc := txn.Options.ReadConcern; rc != nil {
			want = *rc
		}
		m.session.readConcern = s.ReadConcern(want)
		if m.to.Type == description.Mongos {
			txn.Pinned = m.to.Addr
		}
	}
	if endsTransaction(c.traits.name) {
		m.session.recovery = txn.RecoveryToken
	}
}

// causalWrites are the writes that the read-write-concern specification has
// carry afterClusterTime.
var causalWrites = []string{
	"insert", "update", "findAndModify", "delete", "bulkWrite", "create", "createIndexes", "drop", "dropDatabase", "dropIndexes",
}

// readConcernIn is the read concern of a command in a session outside of
// transactions. In a snapshot session all commands have one, for the server to
// refuse those that cannot read a snapshot.
func (c *call) readConcernIn(s *session.Session) bson.Raw {
	switch {
	case c.traits.readConcern:
		return s.ReadConcern(c.env.ReadConcern)
	case c.traits.writeConcern && slices.Contains(causalWrites, c.traits.name):
		return s.ReadConcern(concern.ReadConcern{})
	case s.Options().Snapshot && c.traits.name != "getMore" && c.traits.name != "killCursors":
		return s.ReadConcern(concern.ReadConcern{})
	}
	return nil
}

// number is the transaction number of a retryable write, 0 if it is none. All
// attempts have the same.
func (c *call) number(s *session.Server, to *description.Server) int64 {
	if c.policy().class != retryWrite || to.LogicalSessionTimeoutMinutes == 0 || to.Type == description.Standalone {
		return 0
	}
	if c.txnNumber == 0 {
		s.TxnNumber++
		c.txnNumber = s.TxnNumber
	}
	return c.txnNumber
}

func readConcern(r concern.ReadConcern) bson.Raw {
	doc, at := bson.BeginDocument(make([]byte, 0, 32))
	return bson.EndDocument(bson.AppendString(doc, "level", r.Level), at)
}

// markDirty notes a network error in the session that was used.
func (c *call) markDirty(err error) {
	if _, ok := err.(*ConnectionError); !ok {
		return
	}
	if c.session != nil {
		c.session.Dirty = true
	}
	if c.env.Session != nil {
		c.env.Session.MarkDirty()
	}
}

// labelled adds the labels that the driver owes to an error. to is nil if no
// command was sent.
func (c *call) labelled(err error, to *description.Server) error {
	var wire int32
	var mongos bool
	if to != nil {
		wire, mongos = to.MaxWireVersion, to.Type == description.Mongos
	}
	if c.policy().class == retryWrite {
		err = labelWrite(err, wire, mongos)
	}
	s := c.env.Session
	if s == nil {
		return err
	}
	if c.inTransaction() || endsTransaction(c.traits.name) {
		err = labelTransaction(err, c.traits.name)
		if HasLabel(err, TransientTransactionError) || HasLabel(err, UnknownTransactionCommitResult) || c.traits.name == "abortTransaction" {
			c.Unpin(s)
		}
	}
	return err
}

// connectError is the error of a check-out. An error that the server answered
// to the handshake stays what it is.
func (c *call) connectError(server *topology.Server, err error) error {
	e := &ConnectionError{Command: c.traits.name, Server: server.Address(), Err: err}
	var connect *pool.ConnectError
	var cleared *pool.ClearedError
	var closed *pool.ClosedError
	switch {
	case errors.As(err, &cleared), errors.As(err, &closed):
		e.Network = true
	case errors.As(err, &connect):
		e.Network, e.Labels = connect.Network(), slices.Clone(connect.Labels)
	}
	return e
}
