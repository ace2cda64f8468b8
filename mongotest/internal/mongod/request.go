package mongod

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
	"github.com/motor-go/motor/wire"
)

func itoa(i int) string { return strconv.Itoa(i) }

// A request is one command that a connection has sent.
type request struct {
	ctx       context.Context
	server    *Server
	conn      *conn
	command   *command
	name      string // of the command as it was sent
	db        string
	body      bson.Raw
	sequences []wire.Sequence
	exhaust   bool // the client takes several replies
	unread    bool // the client takes none
	// malformed is why the message cannot be read, nil if it can.
	malformed error

	term      int64    // of the primary that serves it, 0 if the node is none
	session   *session // nil without lsid
	txn       txnFields
	read      readConcern
	write     writeConcern
	deadline  time.Time // of maxTimeMS; zero for none
	stopTimer context.CancelFunc
	arrived   time.Time

	// changeStream says that an error is that of a change stream.
	changeStream bool
	// touched is what the reply's operationTime is at least.
	touched storage.OpTime
	// intOK says that the reply has an ok that is an int.
	intOK bool
	// untimed says that the reply tells no cluster time.
	untimed bool
	// wrote says that the command wants its write concern to be waited for.
	wrote bool
	// more says that another reply follows without a request, seenTopology what
	// this one tells of the topologyVersion.
	more         bool
	seenTopology int64
	// checkedOut says that the session is this request's.
	checkedOut bool
	// hangUp ends the connection instead of the reply.
	hangUp bool
	// snapshotAt is the time of a snapshot read, for the reply.
	snapshotAt *bson.Timestamp
}

// field is a field of the command, the zero value if it is not there.
func (r *request) field(name string) bson.RawValue { return r.body.Lookup(name) }

// first is the value of the command's own field.
func (r *request) first() bson.RawValue {
	for _, v := range r.body.All() {
		return v
	}
	return bson.RawValue{}
}

// items are the documents of an array field, or of the sequence in its place.
func (r *request) items(name string) []bson.Raw {
	for _, seq := range r.sequences {
		if seq.ID == name {
			return seq.Documents()
		}
	}
	return documents(r.field(name))
}

// object is a field that holds a document, nil if it is not there.
func (r *request) object(name string) bson.Raw {
	d, _ := r.field(name).Document()
	return d
}

// collection reads the namespace that the command's own field names.
func (r *request) collection() (storage.Namespace, error) {
	v := r.first()
	name, ok := v.Str()
	if !ok || v.Type != bson.TypeString {
		return storage.Namespace{}, errorf(codeBadValue, "collection name has invalid type %s", query.TypeName(v.Type))
	}
	return r.namespace(name)
}

func (r *request) namespace(name string) (storage.Namespace, error) {
	ns := storage.Namespace{DB: r.db, Collection: name}
	if strings.Contains(ns.DB, "$") && ns.DB != "$external" && !r.routes() {
		return ns, errNotACollection(ns)
	}
	return ns, r.checkCollection(ns)
}

// atLeast reports whether the server claims to be of a version or newer.
func (r *request) atLeast(major, minor int) bool { return r.server.Version.AtLeast(major, minor) }

// env is what the query language depends on in this request.
func (r *request) env(ns storage.Namespace, collation *query.Collation) *query.Env {
	env := &query.Env{
		Version:     r.server.Version.Version,
		DB:          ns.DB,
		Collection:  ns.Collection,
		Now:         bson.NewDateTime(r.arrived),
		ClusterTime: r.server.Engine.ClusterTime(),
		Collation:   collation,
		Let:         r.object("let"),
		Random:      r.server.random,
		NewObjectID: bson.NewObjectID,
	}
	if r.server.Scripting {
		env.Scripting = r.server.ctx // a cursor goes on after the request
	}
	return env
}

// replicated reports whether the server is in a replica set.
func (r *request) replicated() bool { return r.server.Member != nil }

// interrupted is what to answer after a wait that ended with err, the cause of a
// context's end.
func (r *request) interrupted(err error) error {
	switch {
	case errors.Is(err, errMaxTime):
		return errorf(codeMaxTimeMSExpired, "operation exceeded time limit")
	case errors.Is(err, errShutdown):
		return errorf(codeInterruptedAtShutdown, "interrupted at shutdown")
	case errors.Is(err, errKilled):
		return errorf(codeInterrupted, "operation was interrupted")
	case errors.Is(err, errGone):
		return errHangUp
	}
	return err
}
