package ops

import (
	"context"
	"errors"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/pool"
	"github.com/motor-go/motor/session"
	"github.com/motor-go/motor/wire"
)

// exchange is one round trip with its events. The error is a *ConnectionError,
// a *wire.CommandError or a *WriteConcernError; with the last there is a reply.
func (c *call) exchange(ctx context.Context, conn *pool.Conn, m *message) (bson.Raw, error) {
	m.requestID = wire.NextRequestID()
	request := m.request(conn.Buffer())
	request.Memory = c.env.Memory
	request.IgnoreSocketTimeout = c.env.Timeout.Set
	if err := m.allowance.expired(); err != nil {
		return nil, c.notSent(conn.Address, err)
	}
	watch := c.watch(conn, m)
	c.sent()

	var reply bson.Raw
	var err error
	if m.writeConcern.Acknowledged() {
		reply, err = conn.RoundTrip(ctx, request)
	} else {
		err = conn.Send(ctx, request)
	}
	if err != nil {
		err = c.connectionError(conn, err)
		watch.failed(err)
		return nil, err
	}
	if reply != nil {
		c.observe(reply)
		err = replyError(reply, conn.Address)
	}
	if e, ok := err.(*wire.CommandError); ok {
		e.Command, e.Namespace = c.traits.name, namespace(c.command)
		explainTransactionNumbers(e, c.inTransaction())
		c.refused(err)
		watch.failed(err)
		return nil, err
	}
	watch.succeeded(reply)
	if malformed := checkReply(c.command, reply, conn.Address); malformed != nil {
		return nil, malformed
	}
	return reply, err
}

// sent moves a starting transaction on.
func (c *call) sent() {
	if s := c.env.Session; s != nil && !endsTransaction(c.traits.name) {
		c.startedTxn = s.Transaction.Sent()
	}
}

// refused takes a transaction back to its start if the server was too busy to
// look at its first command.
func (c *call) refused(err error) {
	if c.startedTxn && HasLabel(err, SystemOverloadedError) && HasLabel(err, RetryableError) {
		c.env.Session.Transaction.Refused()
	}
}

func (c *call) connectionError(conn *pool.Conn, err error) error {
	e := &ConnectionError{Command: c.traits.name, Server: conn.Address, Err: err}
	var network *pool.NetworkError
	if errors.As(err, &network) {
		e.Network, e.Sent = !network.Canceled(), network.Sent
	}
	return e
}

// observe takes over what a reply says about time.
func (c *call) observe(reply bson.Raw) {
	if s := c.env.Session; s != nil {
		s.Observe(reply)
	}
	if doc, ok := reply.Lookup("$clusterTime").Document(); ok {
		c.Clock.Advance(session.ParseClusterTime(doc))
	}
}
