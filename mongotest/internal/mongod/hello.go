package mongod

import (
	"context"
	"strings"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/repl"
	"github.com/motor-go/motor/wire"
)

// wireVersions are the maxWireVersions of the releases.
var wireVersions = []struct {
	query.Version
	wire int32
}{
	{query.Version{Major: 3, Minor: 6}, 6},
	{query.Version{Major: 4, Minor: 0}, 7},
	{query.Version{Major: 4, Minor: 2}, 8},
	{query.Version{Major: 4, Minor: 4}, 9},
	{query.Version{Major: 5, Minor: 0}, 13},
	{query.Version{Major: 5, Minor: 1}, 14},
	{query.Version{Major: 5, Minor: 2}, 15},
	{query.Version{Major: 5, Minor: 3}, 16},
	{query.Version{Major: 6, Minor: 0}, 17},
	{query.Version{Major: 6, Minor: 1}, 18},
	{query.Version{Major: 6, Minor: 2}, 19},
	{query.Version{Major: 6, Minor: 3}, 20},
	{query.Version{Major: 7, Minor: 0}, 21},
	{query.Version{Major: 7, Minor: 1}, 22},
	{query.Version{Major: 7, Minor: 2}, 23},
	{query.Version{Major: 7, Minor: 3}, 24},
	{query.Version{Major: 8, Minor: 0}, 25},
	{query.Version{Major: 8, Minor: 1}, 26},
	{query.Version{Major: 8, Minor: 2}, 27},
	{query.Version{Major: 9, Minor: 0}, 28},
}

// WireVersion is the maxWireVersion that goes with a version.
func WireVersion(v query.Version) (wire int32) {
	for _, w := range wireVersions {
		if v.AtLeast(w.Major, w.Minor) {
			wire = w.wire
		}
	}
	return wire
}

func (r *request) isPrimary() bool {
	return !r.replicated() || r.server.Member.Status().Role == repl.Primary
}

// topologyVersion adds the field of that name.
func (r *request) topologyVersion(d *doc) {
	r.topologyVersionOf(d, r.server.Member.Status())
}

func (r *request) topologyVersionOf(d *doc, s repl.Status) {
	d.embed("topologyVersion", func(d *doc) {
		d.objectID("processId", r.server.processID).int64("counter", s.Topology)
	})
}

// hello answers hello and isMaster, which is the same with an old field.
func hello(r *request) (*doc, error) {
	c := r.conn
	if err := c.setMetadata(r.field("client")); err != nil {
		return nil, err
	}
	if c.balanced && !c.greeted && !r.field("loadBalanced").Truthy() {
		return nil, errorf(codeLoadBalancerMismatch, "The server is being accessed through a load balancer, but this driver does not have load balancing enabled")
	}
	status, err := r.awaitTopology()
	if err != nil {
		return nil, err
	}
	reply := newDoc()
	if r.routes() {
		reply.str("msg", "isdbgrid")
	}
	if !r.field("helloOk").IsZero() {
		reply.bool("helloOk", true)
	}
	r.setFields(reply, status)
	reply.int32("maxBsonObjectSize", maxDocumentSize)
	reply.int32("maxMessageSizeBytes", maxMessageSize)
	reply.int32("maxWriteBatchSize", maxWriteBatch)
	reply.date("localTime", time.Now())
	reply.int32("logicalSessionTimeoutMinutes", int32(sessionTimeout/time.Minute))
	if r.atLeast(4, 2) {
		reply.int32("connectionId", c.id)
	}
	reply.int32("minWireVersion", 0).int32("maxWireVersion", WireVersion(r.server.Version.Version))
	if !r.routes() {
		reply.bool("readOnly", false)
	}
	r.negotiateCompression(reply)
	if err := r.saslFields(reply); err != nil {
		return nil, err
	}
	if c.balanced && !c.greeted {
		reply.objectID("serviceId", r.server.serviceID)
	}
	c.greeted = true
	return reply, nil
}

// setFields are those that tell of the server's place in a replica set.
func (r *request) setFields(reply *doc, status repl.Status) {
	writable := "isWritablePrimary"
	if r.command.name == "isMaster" {
		writable = "ismaster"
	}
	if !r.replicated() {
		if r.atLeast(4, 4) {
			reply.embed("topologyVersion", func(d *doc) {
				d.objectID("processId", r.server.processID).int64("counter", 0)
			})
		}
		reply.bool(writable, true)
		return
	}
	m := r.server.Member
	if r.atLeast(4, 4) {
		r.topologyVersionOf(reply, status)
	}
	var hosts []string
	for _, o := range m.Set().Members {
		hosts = append(hosts, o.Host)
	}
	reply.strings("hosts", hosts)
	reply.str("setName", m.Set().Name).int32("setVersion", 1)
	reply.bool(writable, status.Role == repl.Primary)
	reply.bool("secondary", status.Role == repl.Secondary)
	if status.Primary != nil {
		reply.str("primary", status.Primary.Host)
	}
	if len(m.Tags) > 0 {
		reply.doc("tags", m.Tags)
	}
	reply.str("me", m.Host)
	if status.Role == repl.Primary {
		reply.objectID("electionId", status.ElectionID())
	}
	reply.embed("lastWrite", func(d *doc) {
		last, committed := m.Engine.State(), status.Committed
		d.opTime("opTime", last.At).date("lastWriteDate", time.Unix(int64(last.At.TS.T), 0))
		d.opTime("majorityOpTime", committed).date("majorityWriteDate", time.Unix(int64(committed.TS.T), 0))
	})
}

// awaitTopology waits until the topologyVersion is another than the client has,
// if it asks for that.
func (r *request) awaitTopology() (status repl.Status, err error) {
	if r.replicated() {
		status = r.server.Member.Status()
	}
	version, wait := r.field("topologyVersion"), r.field("maxAwaitTimeMS")
	if !r.atLeast(4, 4) {
		return status, nil
	}
	if r.exhaust && wait.IsZero() {
		return status, r.awaitError(51756, "An isMaster or hello request with exhaust must specify 'maxAwaitTimeMS'")
	}
	switch {
	case version.IsZero() && wait.IsZero():
		return status, nil
	case version.IsZero():
		return status, r.awaitError(31368, "A request with a 'maxAwaitTimeMS' must include a 'topologyVersion'")
	case wait.IsZero():
		return status, r.awaitError(31368, "A request with a 'topologyVersion' must include 'maxAwaitTimeMS'")
	}
	process, counter, err := r.parseTopologyVersion(version)
	if err != nil {
		return status, err
	}
	ms, ok := wait.AsInt64()
	switch {
	case !ok:
		return status, errorf(codeTypeMismatch, "Expected field \"maxAwaitTimeMS\" to have numeric type, but found %s", query.TypeName(wait.Type))
	case ms < 0:
		return status, r.awaitError(31373, "maxAwaitTimeMS must be a non-negative integer")
	}
	if process != r.server.processID {
		return status, nil
	}
	if counter > status.Topology {
		return status, r.awaitError(31382, "Received a topology version with counter: %d which is greater than the server topology version counter: %d",
			counter, status.Topology)
	}
	r.more = r.exhaust
	deadline := time.NewTimer(time.Duration(ms) * time.Millisecond)
	defer deadline.Stop()
	err = r.patiently(func(ctx context.Context) error {
		for {
			var changed <-chan struct{}
			if r.replicated() {
				changed = r.server.Member.Changed.Wait()
				status = r.server.Member.Status()
			}
			r.seenTopology = status.Topology
			if status.Topology != counter {
				return nil
			}
			select {
			case <-changed:
			case <-deadline.C:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	})
	return status, err
}

// awaitError is an error of the awaitable form. A mongos has codes of its own.
func (r *request) awaitError(code int32, format string, args ...any) error {
	if r.routes() {
		code = map[int32]int32{31372: 51758, 31373: 51759, 31368: 51760, 31382: 51761, 51756: 51763}[code]
	}
	return errorf(code, format, args...)
}

func (r *request) parseTopologyVersion(v bson.RawValue) (process bson.ObjectID, counter int64, err error) {
	d, ok := v.Document()
	if !ok {
		return process, 0, errorf(codeTypeMismatch, "BSON field 'topologyVersion' is the wrong type '%s', expected type 'object'", query.TypeName(v.Type))
	}
	s := newSchema("TopologyVersion", field{name: "processId", fieldType: required}, field{name: "counter", fieldType: required})
	if err := s.document(d, query.Version{}); err != nil {
		return process, 0, err
	}
	if process, ok = d.Lookup("processId").ObjectID(); !ok {
		return process, 0, s.wrongType("processId", d.Lookup("processId"), "objectId")
	}
	if counter, ok = d.Lookup("counter").Int64(); !ok {
		return process, 0, s.wrongType("counter", d.Lookup("counter"), "long")
	}
	if counter < 0 {
		return process, 0, r.awaitError(31372, "counter must be a non-negative integer")
	}
	return process, counter, nil
}

// again is the request for the next reply of a stream.
func (r *request) again() *request {
	next := &request{server: r.server, conn: r.conn, body: r.body, exhaust: true, arrived: time.Now()}
	if r.command.name == "getMore" {
		return next
	}
	d := newDoc()
	for name, v := range r.body.All() {
		if name == "topologyVersion" {
			d.embed(name, func(d *doc) {
				d.objectID("processId", r.server.processID).int64("counter", r.seenTopology)
			})
		} else if name != "client" {
			d.value(name, v)
		}
	}
	next.body = d.raw()
	return next
}

// setMetadata takes what the client says of itself, once.
func (c *conn) setMetadata(v bson.RawValue) error {
	if v.IsZero() {
		return nil
	}
	if c.greeted {
		return errorf(codeClientMetadataMutated, "The client metadata document may only be sent in the first isMaster")
	}
	d, ok := v.Document()
	if !ok {
		return errorf(codeTypeMismatch, "The client metadata document must be a document")
	}
	limit := 1024
	if c.server.Mongos {
		limit = 512
	}
	if len(d) > limit {
		return errorf(codeClientMetadataTooLarge, "The client metadata document must be less then or equal to %d bytes", limit)
	}
	for _, part := range []string{"driver", "os"} {
		if d.Lookup(part).Type != bson.TypeEmbeddedDocument {
			return errorf(codeClientMetadataMissing, "Missing required sub-document '%s' in the client metadata document", part)
		}
	}
	app := d.Lookup("application")
	if !app.IsZero() && app.Type != bson.TypeEmbeddedDocument {
		return errorf(codeTypeMismatch, "The 'application' field is required to be a BSON document in the client metadata document")
	}
	name, _ := d.Lookup("application", "name").Str()
	if len(name) > 128 {
		return errorf(codeAppNameTooLarge, "The 'application.name' field must be less then or equal to 128 bytes in the client metadata document")
	}
	c.metadata, c.appName = d, name
	return nil
}

// negotiateCompression agrees on the compressors that both sides know. The
// first of them is used for replies.
func (r *request) negotiateCompression(reply *doc) {
	offered, ok := r.field("compression").Array()
	if !ok {
		return
	}
	var agreed []string
	for v := range offered.Values() {
		name, _ := v.Str()
		c, known := wire.ParseCompressor(strings.ToLower(name))
		for _, mine := range r.server.Compressors {
			if known && mine == c {
				agreed = append(agreed, name)
				if len(agreed) == 1 {
					r.conn.compressor = c
				}
			}
		}
	}
	if len(agreed) > 0 {
		reply.strings("compression", agreed)
	}
}
