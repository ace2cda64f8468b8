package ops

import (
	"context"
	"errors"
	"slices"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/topology/description"
	"github.com/motor-go/motor/wire"
)

// Statements are the documents, updates or deletes of a bulk write, one kind
// of them, encoded one after the other.
type Statements struct {
	Docs []byte
	Ends []int // of each statement in Docs
	// Index is each statement's place in what the user asked for; nil if that
	// is its place here.
	Index []int
	// Multi tells the statements that may touch several documents; nil if none
	// does.
	Multi []bool
}

// Len counts the statements.
func (s *Statements) Len() int { return len(s.Ends) }

func (s *Statements) start(i int) int {
	if i == 0 {
		return 0
	}
	return s.Ends[i-1]
}

func (s *Statements) size(i int) int { return s.Ends[i] - s.start(i) }

func (s *Statements) index(i int) int {
	if s.Index == nil {
		return i
	}
	return s.Index[i]
}

// limits are what a server takes in one command. document is maxBsonObjectSize.
type limits struct{ statements, bytes, document int }

// messageRoom is what a message may hold beside its statements.
const messageRoom = 16 << 10

// split is the end of the longest run of statements from i that fits, each of
// largest bytes at most. It is i if that one is larger.
func (s *Statements) split(i int, l limits, largest int) int {
	n, start := i, s.start(i)
	for n < s.Len() && n-i < l.statements && s.size(n) <= largest && (n == i || s.Ends[n]-start <= l.bytes) {
		n++
	}
	return n
}

// Outcome is what became of a bulk write so far.
type Outcome struct {
	Inserted, Matched, Modified, Deleted, Upserted int64
	// UpsertedIDs are the _id of upserted documents by the index of their
	// statement.
	UpsertedIDs map[int]bson.RawValue
	WriteErrors []*WriteError
	// WriteConcernErrors are those of all commands.
	WriteConcernErrors []*WriteConcernError
	Labels             []string
	// Tried counts the statements, in the order of their index, that reached a
	// server with an answer.
	Tried []int
	// Begun says that a command was run, whatever became of it.
	Begun bool
	// Err is what ended the bulk write early, if it was no write error.
	Err error
	// Reply is the last reply.
	Reply bson.Raw
}

// Failed reports whether anything went wrong.
func (o *Outcome) Failed() bool {
	return len(o.WriteErrors) > 0 || len(o.WriteConcernErrors) > 0 || o.Err != nil
}

// BulkKind says what the statements of a group are.
type BulkKind uint8

// The kinds.
const (
	BulkInsert BulkKind = iota
	BulkUpdate
	BulkDelete
)

// Bulk writes statements of one kind in as many commands as it takes, and adds
// to out. It reports whether the next group may be tried.
func (x *Executor) Bulk(ctx context.Context, env Envelope, coll string, o WriteOptions, kind BulkKind, s *Statements, out *Outcome) bool {
	ctx, cancel := env.Timeout.Bound(ctx)
	defer cancel()
	l, err := x.limits(ctx, &env, kind.command())
	if err != nil {
		out.Err = err
		return false
	}
	largest := kind.statementLimit(l.document)
	for i := 0; i < s.Len(); {
		n := s.split(i, l, largest)
		if n == i {
			out.WriteErrors = append(out.WriteErrors, tooLarge(s.index(i), env.DB+"."+coll, s.size(i), largest))
			if !o.Unordered {
				return false
			}
			i++
			continue
		}
		docs := s.Docs[s.start(i):s.Ends[n-1]]
		multi := s.Multi != nil && slices.Contains(s.Multi[i:n], true)
		var cmd Command
		switch kind {
		case BulkInsert:
			cmd = &Insert{Envelope: env, WriteOptions: o, Collection: coll, Docs: docs}
		case BulkUpdate:
			cmd = &Update{Envelope: env, WriteOptions: o, Collection: coll, Updates: docs, Multi: multi}
		case BulkDelete:
			cmd = &Delete{Envelope: env, WriteOptions: o, Collection: coll, Deletes: docs, Multi: multi}
		}
		out.Begun = true
		res, err := x.Run(ctx, cmd)
		if !out.take(kind, s, i, n, res, err) {
			return false
		}
		if len(out.WriteErrors) > 0 && !o.Unordered {
			return false
		}
		i = n
	}
	return true
}

// command is the name of the command that writes statements of the kind.
func (k BulkKind) command() string { return [...]string{"insert", "update", "delete"}[k] }

// limits are those of the deployment's servers, once one is known. The command
// with that name comes next, and selects its server itself.
func (x *Executor) limits(ctx context.Context, env *Envelope, command string) (limits, error) {
	if !x.Topology.Description().HasWritableServer() {
		c := call{Executor: x, env: env, traits: traits{name: command}}
		if _, err := c.selectServer(ctx, description.Selector{Write: true}); err != nil {
			return limits{}, &ConnectionError{Command: command, Err: err}
		}
	}
	l := limits{statements: 100_000, bytes: 48_000_000, document: 16 << 20}
	for _, s := range x.Topology.Description().Servers {
		if s.Type.DataBearing() && s.MaxWriteBatchSize > 0 {
			l.statements = min(l.statements, int(s.MaxWriteBatchSize))
			l.bytes = min(l.bytes, int(s.MaxMessageSizeBytes))
			l.document = min(l.document, int(s.MaxBSONObjectSize))
		}
	}
	l.bytes -= messageRoom
	return l, nil
}

// take adds what became of statements i to n. It reports whether the bulk write
// can go on.
func (o *Outcome) take(kind BulkKind, s *Statements, i, n int, res Result, err error) bool {
	var wce *WriteConcernError
	if err != nil && !errors.As(err, &wce) {
		o.Err = err
		return false
	}
	o.Tried = slices.Grow(o.Tried, n-i)
	for j := i; j < n; j++ {
		o.Tried = append(o.Tried, s.index(j))
	}
	if wce != nil {
		o.WriteConcernErrors = append(o.WriteConcernErrors, wce)
	}
	reply := res.Reply
	if reply == nil {
		return true
	}
	o.Reply = reply
	o.Labels = append(o.Labels, wire.ErrorLabels(reply)...)
	for _, e := range res.WriteErrors() {
		if i+e.Index < n {
			e.Index = s.index(i + e.Index)
		}
		o.WriteErrors = append(o.WriteErrors, e)
	}
	o.count(kind, reply)
	o.upserts(reply, s, i)
	return true
}

func (o *Outcome) count(kind BulkKind, reply bson.Raw) {
	n, _ := reply.Lookup("n").AsInt64()
	switch kind {
	case BulkInsert:
		o.Inserted += n
	case BulkDelete:
		o.Deleted += n
	case BulkUpdate:
		modified, _ := reply.Lookup("nModified").AsInt64()
		o.Matched += n
		o.Modified += modified
	}
}

// upserts reads the list upserted, whose entries count as matched in n.
func (o *Outcome) upserts(reply bson.Raw, s *Statements, i int) {
	arr, _ := reply.Lookup("upserted").Array()
	for v := range arr.Values() {
		doc, _ := v.Document()
		at, ok := doc.Lookup("index").AsInt64()
		if !ok || i+int(at) >= s.Len() {
			continue
		}
		if o.UpsertedIDs == nil {
			o.UpsertedIDs = map[int]bson.RawValue{}
		}
		o.UpsertedIDs[s.index(i+int(at))] = doc.Lookup("_id")
		o.Upserted++
		o.Matched--
	}
}
