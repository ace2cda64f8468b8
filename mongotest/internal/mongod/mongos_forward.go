package mongod

import (
	"context"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/repl"
	"github.com/motor-go/motor/wire"
)

// relay sends a command on and gives the reply as it is.
func relay(r *request) (*doc, error) { return r.relayTo(r.destination()) }

// relayShard is relay to the shard, whatever the database.
func relayShard(r *request) (*doc, error) { return r.relayTo(r.server.Cluster.Shard) }

// relayConfig is relay to the config servers, whatever the database.
func relayConfig(r *request) (*doc, error) { return r.relayTo(r.server.Cluster.Config) }

func (r *request) relayTo(s *Shard) (*doc, error) {
	a, err := r.forward(s, r.body)
	if err != nil {
		return nil, err
	}
	return r.relayed(a.reply)
}

// maxTargetAttempts is how often a mongos sends a command that it may repeat.
const maxTargetAttempts = 4

// forward runs a command on a member of a shard. The error is one of finding
// such a member; what the member says is in the reply.
func (r *request) forward(s *Shard, body bson.Raw, sequences ...wire.Sequence) (a answer, err error) {
	again := r.txn.retryable || r.ends() || !r.txn.inTxn && !r.command.writes
	for attempt := 1; ; attempt++ {
		if a.from, err = r.member(s); err != nil {
			return a, err
		}
		a.reply = r.statement(a.from, body, sequences...)
		code := int32(whole(a.reply.Lookup("code")))
		if isOK(a.reply) || !again || !isRetryable(code) || attempt == maxTargetAttempts {
			return a, nil
		}
	}
}

// ask is forward with the error that the shard answered, if it did, as an error.
func (r *request) ask(s *Shard, body bson.Raw, sequences ...wire.Sequence) (a answer, err error) {
	if a, err = r.forward(s, body, sequences...); err == nil && !isOK(a.reply) {
		err = thrown(a.reply)
	}
	return a, err
}

// answer is what a server of the cluster has answered.
type answer struct {
	from  *Server
	reply bson.Raw
}

// findHostTimeout is how long a mongos looks for a member that suits.
const findHostTimeout = 20 * time.Second

// member finds the member of a shard that the request is for.
func (r *request) member(s *Shard) (*Server, error) {
	mode, err := parseReadPreference(r.field("$readPreference"))
	if err != nil {
		return nil, err
	}
	if r.command.writes || r.txn.inTxn || mode == "" {
		mode = "primary"
	}
	if to := s.choose(mode); to != nil {
		return to, nil
	}
	var to *Server
	err = r.patiently(func(ctx context.Context) error {
		ctx, cancel := context.WithTimeoutCause(ctx, findHostTimeout, errNoHost)
		defer cancel()
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			if to = s.choose(mode); to != nil {
				return nil
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	})
	if err == errNoHost {
		return nil, errorf(133, "Could not find host matching read preference { mode: \"%s\" } for set %s", mode, s.Set.Name)
	}
	if err != nil {
		return nil, r.interrupted(err)
	}
	return to, nil
}

var errNoHost = errorf(133, "no host")

// choose is a member that suits a read preference mode, nil if there is none.
func (s *Shard) choose(mode string) *Server {
	var primary, secondary *Server
	for _, m := range s.Servers() {
		switch m.Member.Status().Role {
		case repl.Primary:
			primary = m
		case repl.Secondary:
			secondary = m
		}
	}
	switch {
	case mode == "primary", mode == "primaryPreferred" && primary != nil, mode == "nearest" && primary != nil:
		return primary
	case mode == "secondaryPreferred" && secondary == nil:
		return primary
	}
	return secondary
}

// send runs a command on a server of the cluster, in the name of the client,
// and gives the whole reply.
func (r *request) send(to *Server, body bson.Raw, sequences ...wire.Sequence) bson.Raw {
	to.Engine.Advance(r.server.Engine.ClusterTime())
	inner := &request{
		server: to, conn: r.conn.behind(to), body: body, sequences: sequences, arrived: time.Now(),
	}
	reply, err := inner.serve()
	if err != nil {
		reply = newDoc().double("ok", 0).str("errmsg", "Connection closed by peer").int32("code", 6).str("codeName", "HostUnreachable").raw()
	}
	if ts, ok := reply.Lookup("$clusterTime", "clusterTime").Timestamp(); ok {
		r.server.Engine.Advance(ts)
	}
	if ts, ok := reply.Lookup("operationTime").Timestamp(); ok && ts.After(r.touched.TS) {
		r.touched.TS = ts
	}
	return reply
}

// behind is the connection of a mongos to a server of the cluster that it uses
// in the name of a client.
func (c *conn) behind(to *Server) *conn {
	if inner := c.inner[to]; inner != nil {
		inner.users = c.users
		return inner
	}
	for old := range c.inner {
		if old.ctx.Err() != nil {
			delete(c.inner, old)
		}
	}
	if c.inner == nil {
		c.inner = map[*Server]*conn{}
	}
	inner := &conn{server: to, id: c.id, net: c.net, in: c.in, internal: true, users: c.users, appName: c.appName}
	c.inner[to] = inner
	return inner
}

func isOK(reply bson.Raw) bool { return reply.Lookup("ok").Truthy() }

// ownFields are the fields of replies that are not for the clients of a mongos.
var ownFields = map[string]bool{
	"ok": true, "$clusterTime": true, "operationTime": true, "opTime": true, "electionId": true, "topologyVersion": true,
	"readOnly": true, "errmsg": true, "code": true, "codeName": true, "errorLabels": true,
}

// rest is what a reply says beyond the fields of its own.
func rest(reply bson.Raw) *doc {
	d := newDoc()
	for name, v := range reply.All() {
		if !ownFields[name] {
			d.value(name, v)
		}
	}
	return d
}

// thrown is the error of a reply as a mongos raises it itself: labelled by it.
func thrown(reply bson.Raw) *Error {
	e := &Error{Code: int32(whole(reply.Lookup("code"))), More: rest(reply)}
	e.Message, _ = reply.Lookup("errmsg").Str()
	return e
}

// relayed is the reply of a shard as a mongos passes it on.
func (r *request) relayed(reply bson.Raw) (*doc, error) {
	if isOK(reply) {
		return rest(reply), nil
	}
	e := thrown(reply)
	e.Labels = []string{}
	if labels, ok := reply.Lookup("errorLabels").Array(); ok {
		for v := range labels.Values() {
			s, _ := v.Str()
			e.Labels = append(e.Labels, s)
		}
	}
	if r.txn.inTxn {
		r.recoveryToken(e.More)
	}
	return nil, e
}
