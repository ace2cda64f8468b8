package motor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/option"
	"github.com/motor-go/motor/ops"
	"github.com/motor-go/motor/session"
)

type (
	// SessionOptions are the options of a session. CausalConsistency is true if
	// nil, or false with Snapshot, whose point in time the first read chooses
	// unless SnapshotTime does. DefaultTimeout is the timeoutMS of what ends
	// transactions and the session, that of the client if nil, and
	// DefaultTransaction what transactions leave open.
	SessionOptions = session.Options
	// TransactionOptions are the options of a transaction: ReadConcern,
	// WriteConcern and ReadPreference, those of the session and then the client
	// if nil, and MaxCommitTime, which timeoutMS supersedes.
	TransactionOptions = session.TransactionOptions
)

// Session is a client session: it ties operations together in causal order, in
// a snapshot or in a transaction. It serves one operation at a time and must be
// ended.
type Session struct {
	client *Client
	inner  *session.Session
	// within is the timeout of the WithTransaction under way.
	within ops.Timeout
}

// StartSession starts a session. Nothing is sent. The error is ErrClientClosed,
// or says which options exclude each other.
func (c *Client) StartSession(opts ...SessionOptions) (*Session, error) {
	if err := c.ready(context.Background()); err != nil {
		return nil, err
	}
	inner, err := session.New(c.exec.Sessions, option.Of(opts))
	if err != nil {
		return nil, err
	}
	return &Session{client: c, inner: inner}, nil
}

// Bind is ctx with the session: operations called with it take part. For a nil
// Session it is ctx without one.
func (s *Session) Bind(ctx context.Context) context.Context {
	b := bindingOf(ctx)
	b.session, b.attempt = s, nil
	return b.bind(ctx)
}

// SessionFromContext is the session that ctx carries, or nil.
func SessionFromContext(ctx context.Context) *Session {
	return bindingOf(ctx).session
}

var errNoFunc = errors.New("fn is nil: there is nothing to do in the session")

// WithSession calls fn with a context that carries a new session, and ends the
// session afterwards. Reads in it see what was read and written in it before.
func (c *Client) WithSession(ctx context.Context, fn func(ctx context.Context) error, opts ...SessionOptions) error {
	if fn == nil {
		return errNoFunc
	}
	if err := c.ready(ctx); err != nil {
		return err
	}
	s, err := c.StartSession(opts...)
	if err != nil {
		return err
	}
	defer s.End(context.WithoutCancel(ctx))
	return fn(s.Bind(ctx))
}

// End ends the session. An open transaction is aborted; the error says that
// there was no time for that.
func (s *Session) End(ctx context.Context) error {
	if !s.made() {
		return errNotConnected
	}
	ctx = present(ctx)
	var failure error
	if s.inner.Transaction.InProgress() {
		t, err := s.begin(ctx)
		if err != nil {
			return err
		}
		failure, _ = s.client.exec.AbortTransaction(ctx, s.inner, t)
	}
	if s.inner.Enter() == nil {
		s.client.exec.Unpin(s.inner)
		s.inner.Leave()
	}
	s.inner.End(time.Now(), s.client.sessionTimeout())
	if errors.Is(failure, ErrTimeout) {
		return failure
	}
	return nil
}

// made reports whether s comes from StartSession.
func (s *Session) made() bool { return s != nil && s.inner != nil }

// begin is the timeout of a commit, an abort or a WithTransaction that begins
// now.
func (s *Session) begin(ctx context.Context) (ops.Timeout, error) {
	switch {
	case !s.made():
		return ops.Timeout{}, errNotConnected
	case ctx == nil:
		return ops.Timeout{}, errNoContext
	}
	b := bindingOf(ctx)
	b.session = s
	return b.begin(cmp.Or(s.inner.Options().DefaultTimeout, s.client.settings.timeout))
}

// Client is the client that the session belongs to.
func (s *Session) Client() *Client { return s.client }

// ID is the session's identifier, the document lsid.
func (s *Session) ID() bson.Raw {
	if !s.made() {
		return nil
	}
	return s.inner.ID(time.Now(), s.client.sessionTimeout())
}

// InTransaction reports whether operations of the session are part of a
// transaction.
func (s *Session) InTransaction() bool { return s.made() && s.inner.Transaction.InProgress() }

// ClusterTime is the greatest $clusterTime that the session has seen, or nil.
func (s *Session) ClusterTime() bson.Raw {
	if !s.made() {
		return nil
	}
	return s.inner.ClusterTime().Doc
}

// OperationTime is the time of the session's latest operation.
func (s *Session) OperationTime() (t bson.Timestamp) {
	if s.made() {
		t = s.inner.OperationTime()
	}
	return t
}

// SnapshotTime is the point in time that a snapshot session reads at; zero as
// long as none is chosen.
func (s *Session) SnapshotTime() (t bson.Timestamp) {
	if s.made() {
		t = s.inner.SnapshotTime()
	}
	return t
}

// AdvanceClusterTime moves the cluster time forward to one of another session.
func (s *Session) AdvanceClusterTime(t bson.Raw) error {
	if !s.made() {
		return errNotConnected
	}
	return s.inner.AdvanceClusterTime(t)
}

// AdvanceOperationTime moves the operation time forward to one of another
// session: reads then see what that session saw.
func (s *Session) AdvanceOperationTime(t bson.Timestamp) {
	if s.made() {
		s.inner.AdvanceOperationTime(t)
	}
}

// StartTransaction begins a transaction. The server hears of it with the first
// operation.
func (s *Session) StartTransaction(opts ...TransactionOptions) error {
	if !s.made() {
		return errNotConnected
	}
	o := option.Of(opts).Or(s.inner.Options().DefaultTransaction).Or(s.client.transactionDefaults())
	if !s.inner.Transaction.InProgress() {
		s.client.exec.Unpin(s.inner)
	}
	return s.inner.StartTransaction(o, time.Now(), s.client.sessionTimeout())
}

// CommitTransaction commits the transaction. After an error with the label
// UnknownTransactionCommitResult it may be called again.
func (s *Session) CommitTransaction(ctx context.Context) error {
	t, err := s.begin(ctx)
	if err != nil {
		return err
	}
	return s.client.exec.CommitTransaction(ctx, s.inner, t)
}

// AbortTransaction aborts the transaction. It is no error if the server cannot
// be told: the server aborts by itself in the end.
func (s *Session) AbortTransaction(ctx context.Context) error {
	t, err := s.begin(ctx)
	if err != nil {
		return err
	}
	_, err = s.client.exec.AbortTransaction(ctx, s.inner, t)
	return err
}

// owned is the session s, which must be the client's own, or nil.
func (c *Client) owned(s *Session) (*session.Session, error) {
	if s == nil {
		return nil, nil
	}
	if s.client != c {
		return nil, fmt.Errorf("%w; a context of WithSession works with the client that made it", ErrWrongClient)
	}
	return s.inner, nil
}
