package ops

import (
	"context"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/pool"
	"github.com/motor-go/motor/session"
	"github.com/motor-go/motor/topology"
	"github.com/motor-go/motor/topology/description"
)

// pin is a connection that a cursor or a transaction keeps, because a load
// balancer would send the next one elsewhere (load-balancers).
type pin struct {
	server *topology.Server
	conn   *pool.Conn
}

// Release gives the connection back. A nil pin has none.
func (p *pin) Release() {
	if p != nil {
		p.server.CheckIn(p.conn)
	}
}

// pinned is the connection that the command must use, or nil.
func (c *call) pinned() *pin {
	if c.env.pin != nil {
		return c.env.pin
	}
	if s := c.env.Session; s != nil {
		p, _ := s.Transaction.Pin.(*pin)
		return p
	}
	return nil
}

// acquire selects a server and checks out a connection, or takes those that are
// pinned. The server is set as soon as it is known.
func (c *call) acquire(ctx context.Context, avoid []string) (*topology.Server, *pool.Conn, error) {
	if p := c.pinned(); p != nil {
		c.minRTT = p.server.MinRTT()
		return p.server, p.conn, nil
	}
	server, before := c.env.Server, c.checkOutBefore()
	if server == nil {
		var err error
		if server, err = c.selectServer(ctx, c.selector(avoid)); err != nil {
			return nil, nil, &ConnectionError{Command: c.traits.name, Err: err}
		}
	}
	c.minRTT = server.MinRTT()
	conn, err := server.CheckOut(ctx, before)
	if err != nil {
		return server, nil, c.connectError(server, err)
	}
	return server, conn, nil
}

// checkOutBefore is when the connection must be there, zero to wait as long as
// the pool's own timeout says: with timeoutMS, a check-out has what server
// selection has left of its time.
func (c *call) checkOutBefore() time.Time {
	if !c.env.Timeout.Set || c.Topology.SelectionTimeout() == 0 {
		return time.Time{}
	}
	return time.Now().Add(c.Topology.SelectionTimeout())
}

// settle gives the connection back, unless it is or becomes pinned. The pin is
// the cursor's if one was opened.
func (c *call) settle(server *topology.Server, conn *pool.Conn, reply bson.Raw) *pin {
	if c.pinned() != nil {
		return nil
	}
	if c.Topology.Description().Type != description.LoadBalanced {
		server.CheckIn(conn)
		return nil
	}
	p := &pin{server: server, conn: conn}
	switch {
	case c.inTransaction():
		conn.Pin(pool.UseTransaction)
		c.env.Session.Transaction.Pin = p
		return nil
	case c.opens && openCursor(reply):
		conn.Pin(pool.UseCursor)
		return p
	}
	server.CheckIn(conn)
	return nil
}

// openCursor reports whether the server keeps the cursor of the reply open.
func openCursor(reply bson.Raw) bool {
	id, _ := reply.Lookup("cursor", "id").AsInt64()
	return id != 0
}

// Unpin frees a session from the server or connection that its transaction ran
// on.
func (x *Executor) Unpin(s *session.Session) {
	s.Transaction.Pinned = ""
	if p := s.Transaction.Pin; p != nil {
		s.Transaction.Pin = nil
		p.Release()
	}
}
