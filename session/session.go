package session

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/concern"
)

// Errors of misuse.
var (
	ErrEnded               = errors.New("the session has ended")
	ErrConcurrent          = errors.New("the session is in use by another operation; a session serves one operation at a time")
	ErrSnapshotTx          = errors.New("transactions are not supported in snapshot sessions")
	ErrSnapshotUnsupported = errors.New("snapshot reads require MongoDB 5.0 or later")
	ErrUnsupported         = errors.New("the server does not support sessions")
	ErrUnacknowledged      = errors.New("an unacknowledged write (w: 0) cannot use a session")
)

// Options are the options of a session.
type Options struct {
	// CausalConsistency makes each read see what the session has read and
	// written before. Nil means true, or false for a snapshot session.
	CausalConsistency *bool
	// Snapshot makes all reads see the data of one point in time.
	Snapshot bool
	// SnapshotTime is the point in time of a snapshot session; the first read
	// chooses it if it is zero.
	SnapshotTime bson.Timestamp
	// DefaultTimeout is the timeoutMS of commitTransaction, abortTransaction,
	// withTransaction and endSession (defaultTimeoutMS); that of the client if
	// nil. 0 is no limit.
	DefaultTimeout *time.Duration
	// DefaultTransaction are the options of transactions that do not set their
	// own.
	DefaultTransaction TransactionOptions
}

// Validate refuses options that contradict one another.
func (o Options) Validate() error {
	if o.Snapshot && o.CausalConsistency != nil && *o.CausalConsistency {
		return errors.New("a snapshot session cannot be causally consistent; set one of the two")
	}
	if !o.Snapshot && !o.SnapshotTime.IsZero() {
		return errors.New("snapshotTime needs a snapshot session")
	}
	return nil
}

// Session is a client session. It serves one operation at a time.
type Session struct {
	// Implicit says that an operation took this session for itself.
	Implicit bool
	// Transaction is the session's transaction.
	Transaction Transaction

	options       Options
	pool          *Pool
	server        *Server
	busy          atomic.Bool
	ended         atomic.Bool
	clusterTime   ClusterTime
	operationTime bson.Timestamp
	snapshotTime  bson.Timestamp
}

// New starts a session whose server sessions come from pool.
func New(pool *Pool, o Options) (*Session, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	return &Session{pool: pool, options: o, snapshotTime: o.SnapshotTime}, nil
}

// NewImplicit starts a session for one operation and its cursor.
func NewImplicit(pool *Pool) *Session {
	return &Session{pool: pool, Implicit: true}
}

// Options are the options that s was started with.
func (s *Session) Options() Options { return s.options }

// Enter begins an operation; Leave must follow if there is no error.
func (s *Session) Enter() error {
	if !s.busy.CompareAndSwap(false, true) {
		return ErrConcurrent
	}
	if s.ended.Load() {
		s.busy.Store(false)
		return ErrEnded
	}
	return nil
}

// Leave ends an operation.
func (s *Session) Leave() { s.busy.Store(false) }

// Server is the server session, borrowed at the first call.
func (s *Session) Server(now time.Time, timeout time.Duration) *Server {
	if s.server == nil {
		s.server = s.pool.Get(now, timeout)
	}
	s.server.lastUse = now
	return s.server
}

// ID is the session's lsid. It borrows a server session if there is none yet.
func (s *Session) ID(now time.Time, timeout time.Duration) bson.Raw {
	return s.Server(now, timeout).ID
}

// StartTransaction begins a transaction with a number of its own. The server
// hears of it with the first command.
func (s *Session) StartTransaction(o TransactionOptions, now time.Time, timeout time.Duration) error {
	if s.options.Snapshot {
		return ErrSnapshotTx
	}
	if err := s.Enter(); err != nil {
		return err
	}
	defer s.Leave()
	if err := s.Transaction.Start(o); err != nil {
		return err
	}
	s.Server(now, timeout).TxnNumber++
	return nil
}

// MarkDirty notes that a network error happened during a command.
func (s *Session) MarkDirty() {
	if s.server != nil {
		s.server.Dirty = true
	}
}

// Dirty reports whether a network error happened during a command.
func (s *Session) Dirty() bool { return s.server != nil && s.server.Dirty }

// End gives the server session back, unless an operation still uses it. It may
// be called more than once. An open transaction must have been aborted before.
func (s *Session) End(now time.Time, timeout time.Duration) {
	if !s.ended.CompareAndSwap(false, true) || !s.busy.CompareAndSwap(false, true) {
		return
	}
	defer s.Leave()
	if s.server != nil {
		s.pool.Put(s.server, now, timeout)
		s.server = nil
	}
}

// Ended reports whether End was called.
func (s *Session) Ended() bool { return s.ended.Load() }

// CausallyConsistent reports whether reads wait for what the session has seen.
func (s *Session) CausallyConsistent() bool {
	if s.Implicit || s.options.Snapshot {
		return false
	}
	return s.options.CausalConsistency == nil || *s.options.CausalConsistency
}

// ClusterTime is the greatest cluster time that the session has seen.
func (s *Session) ClusterTime() ClusterTime { return s.clusterTime }

// OperationTime is the time of the session's latest operation.
func (s *Session) OperationTime() bson.Timestamp { return s.operationTime }

// SnapshotTime is the point in time that a snapshot session reads at, zero as
// long as none is chosen.
func (s *Session) SnapshotTime() bson.Timestamp { return s.snapshotTime }

// AdvanceClusterTime moves the session's cluster time forward. It never moves
// back.
func (s *Session) AdvanceClusterTime(doc bson.Raw) error {
	t := ParseClusterTime(doc)
	if t.T.IsZero() {
		return fmt.Errorf("cluster time %v has no timestamp clusterTime", doc)
	}
	if t.T.After(s.clusterTime.T) {
		s.clusterTime = ClusterTime{Doc: doc.Clone(), T: t.T}
	}
	return nil
}

// AdvanceOperationTime moves the session's operation time forward. It never
// moves back.
func (s *Session) AdvanceOperationTime(t bson.Timestamp) {
	if t.After(s.operationTime) {
		s.operationTime = t
	}
}

// Observe takes over what a reply says: $clusterTime, operationTime,
// atClusterTime, recoveryToken.
func (s *Session) Observe(reply bson.Raw) {
	for key, v := range reply.All() {
		switch key {
		case "$clusterTime":
			if doc, ok := v.Document(); ok {
				if t := ParseClusterTime(doc); t.T.After(s.clusterTime.T) {
					s.clusterTime = ClusterTime{Doc: doc.Clone(), T: t.T}
				}
			}
		case "operationTime":
			if t, ok := v.Timestamp(); ok {
				s.AdvanceOperationTime(t)
			}
		case "atClusterTime":
			s.observeSnapshot(v)
		case "cursor":
			if doc, ok := v.Document(); ok && s.options.Snapshot {
				s.observeSnapshot(doc.Lookup("atClusterTime"))
			}
		case "recoveryToken":
			if doc, ok := v.Document(); ok {
				s.Transaction.RecoveryToken = doc.Clone()
			}
		}
	}
}

func (s *Session) observeSnapshot(v bson.RawValue) {
	if t, ok := v.Timestamp(); ok && s.options.Snapshot && s.snapshotTime.IsZero() {
		s.snapshotTime = t
	}
}

// ReadConcern is the read concern document for a read of this session outside
// of a transaction's later statements: the wanted level with afterClusterTime
// or atClusterTime. It is nil if there is nothing to send.
func (s *Session) ReadConcern(want concern.ReadConcern) bson.Raw {
	var after, at bson.Timestamp
	level := want.Level
	switch {
	case s.options.Snapshot:
		level, at = concern.Snapshot, s.snapshotTime
	case s.CausallyConsistent():
		after = s.operationTime
	}
	if level == "" && after.IsZero() {
		return nil
	}
	doc, start := bson.BeginDocument(make([]byte, 0, 64))
	if level != "" {
		doc = bson.AppendString(doc, "level", level)
	}
	if !after.IsZero() {
		doc = bson.AppendTimestamp(doc, "afterClusterTime", after)
	}
	if !at.IsZero() {
		doc = bson.AppendTimestamp(doc, "atClusterTime", at)
	}
	return bson.EndDocument(doc, start)
}
