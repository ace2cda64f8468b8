package mongod

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
)

// operations are the commands that wait for something, by their opid.
type operations struct {
	mu      sync.Mutex
	last    int32
	waiting map[int32]*operation
}

type operation struct {
	request *request
	kill    context.CancelCauseFunc
}

// add notes that a request waits, until remove is called.
func (o *operations) add(r *request, kill context.CancelCauseFunc) (remove func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.waiting == nil {
		o.waiting = map[int32]*operation{}
	}
	o.last++
	id := o.last
	o.waiting[id] = &operation{r, kill}
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.waiting, id)
	}
}

// documents describe the operations, beginning with r, which asks.
func (o *operations) documents(r *request) []bson.Raw {
	o.mu.Lock()
	defer o.mu.Unlock()
	list := []bson.Raw{r.describe(o.last + 1)}
	for _, id := range slices.Sorted(maps.Keys(o.waiting)) {
		list = append(list, o.waiting[id].request.describe(id))
	}
	return list
}

func (r *request) describe(id int32) bson.Raw {
	d := newDoc().str("type", "op").str("host", r.server.Host).str("desc", "conn"+itoa(int(r.conn.id)))
	d.int32("connectionId", r.conn.id).str("client", r.conn.net.RemoteAddr().String()).str("appName", r.conn.appName)
	if r.conn.metadata != nil {
		d.doc("clientMetadata", r.conn.metadata)
	}
	running := time.Since(r.arrived)
	d.bool("active", true).str("currentOpTime", time.Now().UTC().Format("2006-01-02T15:04:05.000-0700"))
	if r.session != nil {
		d.doc("lsid", r.session.lsid)
	}
	d.int32("opid", id).int64("secs_running", int64(running.Seconds())).int64("microsecs_running", running.Microseconds())
	name, _ := r.first().Str()
	op := "command"
	switch r.command.name {
	case "getMore":
		op = "getmore"
	case "insert", "update":
		op = r.command.name
	case "delete":
		op = "remove"
	case "find":
		op = "query"
	}
	if name == "" {
		name = "$cmd"
	}
	return d.str("op", op).str("ns", r.db+"."+name).doc("command", r.body).raw()
}

var currentOpFields = []string{"allUsers", "idleConnections", "idleCursors", "idleSessions", "localOps", "backtrace", "targetAllNodes", "truncateOps"}

// currentOpStage checks the options of $currentOp.
func currentOpStage(spec bson.RawValue) error {
	d, ok := spec.Document()
	if !ok {
		return errorf(codeTypeMismatch, "$currentOp options must be specified in an object, but found: %s", query.TypeName(spec.Type))
	}
	for name := range d.Keys() {
		if !slices.Contains(currentOpFields, name) {
			return errorf(codeFailedToParse, "Unrecognized option '%s' in $currentOp stage.", name)
		}
	}
	return nil
}

// currentOp lists the operations that are in progress.
func currentOp(r *request) (*doc, error) {
	d := newDoc()
	first := true
	for name, v := range r.body.All() {
		if !first && !r.server.Version.generic(name) && name != "$all" && name != "$ownOps" {
			d.value(name, v)
		}
		first = false
	}
	filter, err := query.ParseFilter(d.raw(), r.env(systemUsers, nil))
	if err != nil {
		return nil, err
	}
	var inprog []bson.Raw
	for _, op := range r.server.operations.documents(r) {
		ok, err := filter.Match(op)
		if err != nil {
			return nil, err
		}
		if ok {
			inprog = append(inprog, op)
		}
	}
	return newDoc().docs("inprog", inprog), nil
}

// killOp ends an operation.
func killOp(r *request) (*doc, error) {
	v := r.field("op")
	if v.IsZero() {
		return nil, errorf(4, "Missing expected field \"op\"")
	}
	o := &r.server.operations
	o.mu.Lock()
	defer o.mu.Unlock()
	if op := o.waiting[int32(whole(v))]; op != nil {
		op.kill(errKilled)
	}
	return newDoc().str("info", "attempting to kill op"), nil
}
