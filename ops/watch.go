package ops

import (
	"strings"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/pool"
)

// watcher publishes the events of one round trip. Its zero value publishes
// nothing.
type watcher struct {
	observer *event.Observer
	start    time.Time
	redacted bool
	event    event.CommandStarted
}

// watch publishes CommandStarted if somebody listens to commands.
func (c *call) watch(conn *pool.Conn, m *message) watcher {
	o := c.Observer
	if o == nil || o.CommandStarted == nil && o.CommandSucceeded == nil && o.CommandFailed == nil {
		return watcher{}
	}
	w := watcher{observer: o, start: time.Now(), event: event.CommandStarted{
		DatabaseName:       c.env.DB,
		CommandName:        c.traits.name,
		RequestID:          m.requestID,
		OperationID:        c.operationID(),
		Address:            conn.Address,
		DriverConnectionID: conn.ID,
		ServerConnectionID: conn.ServerConnectionID,
		ServiceID:          conn.ServiceID,
	}}
	message := *m // m itself need not outlive the round trip
	w.redacted = sensitive(c.traits.name, message.document)
	if o.CommandStarted != nil {
		started := w.event
		started.Command = message.document
		if w.redacted {
			started.Command = func() bson.Raw { return emptyDocument }
		}
		o.CommandStarted(&started)
	}
	return w
}

var emptyDocument = bson.Raw{5, 0, 0, 0, 0}

// succeeded publishes CommandSucceeded. An unacknowledged write has no reply;
// the specification has drivers make one up.
func (w *watcher) succeeded(reply bson.Raw) {
	if w.observer == nil || w.observer.CommandSucceeded == nil {
		return
	}
	switch {
	case w.redacted:
		reply = emptyDocument
	case reply == nil:
		doc, at := bson.BeginDocument(nil)
		reply = bson.EndDocument(bson.AppendInt32(doc, "ok", 1), at)
	}
	e := &w.event
	w.observer.CommandSucceeded(&event.CommandSucceeded{
		Duration: time.Since(w.start), Reply: reply,
		DatabaseName: e.DatabaseName, CommandName: e.CommandName, RequestID: e.RequestID, OperationID: e.OperationID,
		Address: e.Address, DriverConnectionID: e.DriverConnectionID, ServerConnectionID: e.ServerConnectionID, ServiceID: e.ServiceID,
	})
}

// failed publishes CommandFailed.
func (w *watcher) failed(err error) {
	if w.observer == nil || w.observer.CommandFailed == nil {
		return
	}
	if w.redacted {
		err = redact(err)
	}
	e := &w.event
	w.observer.CommandFailed(&event.CommandFailed{
		Duration: time.Since(w.start), Failure: err,
		DatabaseName: e.DatabaseName, CommandName: e.CommandName, RequestID: e.RequestID, OperationID: e.OperationID,
		Address: e.Address, DriverConnectionID: e.DriverConnectionID, ServerConnectionID: e.ServerConnectionID, ServiceID: e.ServiceID,
	})
}

// sensitive reports whether the command-logging-and-monitoring specification
// wants the command's contents hidden.
func sensitive(name string, command event.Document) bool {
	switch strings.ToLower(name) {
	case "authenticate", "saslstart", "saslcontinue", "getnonce", "createuser", "updateuser",
		"copydbgetnonce", "copydbsaslstart", "copydb":
		return true
	case "hello", "ismaster":
		return !command.Lookup("speculativeAuthenticate").IsZero()
	}
	return false
}
