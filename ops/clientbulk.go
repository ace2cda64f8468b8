package ops

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/topology/description"
	"github.com/motor-go/motor/wire"
)

// ClientStatements are the writes of a client's bulk write, encoded one after
// the other as the entries of ops; see AppendClientInsert and its likes.
type ClientStatements struct {
	Docs []byte
	Ends []int // of each statement in Docs
	// Namespaces are all different ones. Namespace is the index of each
	// statement's.
	Namespaces []string
	Namespace  []int
	// Multi tells the statements that may touch several documents.
	Multi []bool
}

// Len counts the statements.
func (s *ClientStatements) Len() int { return len(s.Ends) }

func (s *ClientStatements) start(i int) int {
	if i == 0 {
		return 0
	}
	return s.Ends[i-1]
}

// namespaceAt is where in a statement the index of its namespace stands: it is
// the first element, under a name of six letters.
const namespaceAt = 4 + 1 + len("insert\x00")

// AppendClientInsert appends the statement that inserts a document.
func AppendClientInsert(dst []byte, doc bson.Raw) []byte {
	dst, at := bson.BeginDocument(dst)
	dst = bson.AppendInt32(dst, "insert", 0)
	return bson.EndDocument(bson.AppendDocument(dst, "document", doc), at)
}

// documentAt is where in such a statement its document begins. Behind that is
// only the byte that ends the statement.
const documentAt = namespaceAt + 4 + 1 + len("document\x00")

// refused is the error of a statement that is too large, or nil.
func (s *ClientStatements) refused(i int, l limits) *WriteError {
	kind, size := BulkUpdate, s.Ends[i]-s.start(i)
	if bytes.HasPrefix(s.Docs[s.start(i)+5:], []byte("insert")) {
		kind, size = BulkInsert, size-documentAt-1
	}
	if limit := kind.statementLimit(l.document); size > limit {
		return tooLarge(i, s.Namespaces[s.Namespace[i]], size, limit)
	}
	return nil
}

// AppendClientUpdate appends the statement of an update.
func AppendClientUpdate(dst []byte, u *UpdateStatement) []byte {
	dst, at := bson.BeginDocument(dst)
	dst = bson.AppendInt32(dst, "update", 0)
	dst = bson.AppendDocument(dst, "filter", u.Filter)
	dst = bson.AppendValue(dst, "updateMods", u.Update)
	dst = bson.AppendBool(dst, "multi", u.Multi)
	dst = appendTrue(dst, "upsert", u.Upsert)
	dst = appendArray(dst, "arrayFilters", u.ArrayFilters)
	dst = appendValue(dst, "hint", u.Hint)
	dst = appendDoc(dst, "collation", u.Collation)
	dst = appendDoc(dst, "sort", u.Sort)
	return bson.EndDocument(dst, at)
}

// AppendClientDelete appends the statement of a delete.
func AppendClientDelete(dst []byte, d *DeleteStatement) []byte {
	dst, at := bson.BeginDocument(dst)
	dst = bson.AppendInt32(dst, "delete", 0)
	dst = bson.AppendDocument(dst, "filter", d.Filter)
	dst = bson.AppendBool(dst, "multi", d.Multi)
	dst = appendValue(dst, "hint", d.Hint)
	dst = appendDoc(dst, "collation", d.Collation)
	return bson.EndDocument(dst, at)
}

// ClientBulkWrite is the command bulkWrite.
type ClientBulkWrite struct {
	Envelope
	WriteOptions
	Verbose bool
	Ops     []byte // statements
	NSInfo  []byte // documents with the namespaces
	Multi   bool   // a statement may touch several documents: not to be retried
}

func (b *ClientBulkWrite) traits() traits {
	t := traits{name: "bulkWrite", write: true, writeConcern: true}
	if !b.Multi {
		t.retry = retryWrite
	}
	return t
}

func (b *ClientBulkWrite) appendFields(dst []byte, to *description.Server) []byte {
	dst = bson.AppendInt32(dst, "bulkWrite", 1)
	dst = bson.AppendBool(dst, "errorsOnly", !b.Verbose)
	return b.WriteOptions.appendFields(dst, to)
}

func (b *ClientBulkWrite) sequences() [2]wire.Sequence {
	return [2]wire.Sequence{{ID: "nsInfo", Docs: b.NSInfo}, {ID: "ops", Docs: b.Ops}}
}

// failure is the first write that the reply says has failed.
func (b *ClientBulkWrite) failure(r Result) error {
	arr, _ := r.Reply.Lookup("cursor", "firstBatch").Array()
	for v := range arr.Values() {
		if doc, ok := v.Document(); ok && !doc.Lookup("ok").Truthy() {
			e := newWriteError(doc)
			e.Server = r.Server.Address()
			return e
		}
	}
	return nil
}

// batch is the command of the longest run of statements from i that fits into
// one, and where that ends. One that is refused ends it. The statements stay
// where they are, and get the numbers that their namespaces have in the command.
func (s *ClientStatements) batch(i int, l limits) (b ClientBulkWrite, n int) {
	local := map[int]int32{}
	for n = i; n < s.Len() && n-i < l.statements && s.refused(n, l) == nil; n++ {
		id, known := local[s.Namespace[n]]
		info := 0
		if !known {
			info = len(s.Namespaces[s.Namespace[n]]) + namespaceRoom
		}
		if s.Ends[n]-s.start(i)+len(b.NSInfo)+info > l.bytes {
			break
		}
		if !known {
			id = int32(len(local))
			local[s.Namespace[n]] = id
			b.NSInfo = appendNamespace(b.NSInfo, s.Namespaces[s.Namespace[n]])
		}
		binary.LittleEndian.PutUint32(s.Docs[s.start(n)+namespaceAt:], uint32(id))
	}
	if n > i {
		b.Ops = s.Docs[s.start(i):s.Ends[n-1]]
	}
	b.Multi = slices.Contains(s.Multi[i:n], true)
	return b, n
}

// namespaceRoom is the size of an entry of nsInfo beside the name.
const namespaceRoom = 4 + 1 + len("ns\x00") + 4 + 1 + 1

func appendNamespace(dst []byte, ns string) []byte {
	dst, at := bson.BeginDocument(dst)
	return bson.EndDocument(bson.AppendString(dst, "ns", ns), at)
}

// ClientOutcome is what became of a client's bulk write so far.
type ClientOutcome struct {
	Inserted, Matched, Modified, Deleted, Upserted int64
	// Results are those of the statements that succeeded, if they were asked
	// for.
	Results            map[int]ClientResult
	WriteErrors        []*WriteError
	WriteConcernErrors []*WriteConcernError
	Labels             []string
	// Err is what ended the bulk write early, if it was no write error.
	Err error
	// Reply is the last reply to bulkWrite.
	Reply bson.Raw
	// Written says that a statement is known to have succeeded.
	Written bool
}

// ClientResult is what one statement did.
type ClientResult struct {
	N, Modified int64
	Upserted    bson.RawValue // the _id; zero if nothing was upserted
}

// Failed reports whether anything went wrong.
func (o *ClientOutcome) Failed() bool {
	return len(o.WriteErrors) > 0 || len(o.WriteConcernErrors) > 0 || o.Err != nil
}

// ClientBulk writes statements in as many commands as it takes.
func (x *Executor) ClientBulk(ctx context.Context, env Envelope, o WriteOptions, verbose bool, s *ClientStatements) (out ClientOutcome) {
	ctx, cancel := env.Timeout.Bound(ctx)
	defer cancel()
	var l limits
	if l, out.Err = x.limits(ctx, &env, "bulkWrite"); out.Err != nil {
		return out
	}
	for i := 0; i < s.Len() && out.Err == nil && (o.Unordered || len(out.WriteErrors) == 0); {
		b, n := s.batch(i, l)
		if n == i {
			if e := s.refused(i, l); e != nil {
				out.WriteErrors = append(out.WriteErrors, e)
				i++
				continue
			}
			out.Err = fmt.Errorf("write %d and its namespace are too large for a message; the limit is %d bytes", i, l.bytes)
			return out
		}
		b.Envelope, b.WriteOptions, b.Verbose = env, o, verbose
		if !env.WriteConcern.Acknowledged() {
			_, out.Err = x.Run(ctx, &b)
		} else {
			out.run(ctx, x, s, &b, i, n)
		}
		i = n
	}
	return out
}

// run runs one command for the statements i to n and reads all its results.
func (o *ClientOutcome) run(ctx context.Context, x *Executor, s *ClientStatements, b *ClientBulkWrite, i, n int) {
	cursor, err := x.open(ctx, b, CursorOptions{KillAfterError: true})
	var wce *WriteConcernError
	switch {
	case errors.As(err, &wce) && cursor != nil:
		o.WriteConcernErrors = append(o.WriteConcernErrors, wce)
	case err != nil:
		o.Err = err
		return
	}
	defer cursor.Close(ctx)
	o.count(cursor.Reply())
	failed, first := 0, n
	for {
		ok, err := cursor.Next(ctx)
		if err != nil {
			o.Err = err
		}
		if !ok {
			break
		}
		doc := cursor.Current()
		if at, ok := doc.Lookup("idx").AsInt64(); !ok || at < 0 || at >= int64(n-i) {
			o.Err = malformed(b, cursor.Server(), "has a result of no write", doc)
			break
		}
		if at, success := o.take(doc, i, b.Verbose); !success {
			e := o.WriteErrors[len(o.WriteErrors)-1]
			e.Namespace, e.Server = s.Namespaces[s.Namespace[at]], cursor.Server()
			failed++
			first = min(first, at)
		}
	}
	if b.Unordered {
		o.Written = o.Written || failed < n-i
	} else {
		o.Written = o.Written || failed == 0 || first > i
	}
}

// count adds the numbers of a reply.
func (o *ClientOutcome) count(reply bson.Raw) {
	o.Reply = reply
	o.Labels = append(o.Labels, wire.ErrorLabels(reply)...)
	for key, total := range map[string]*int64{
		"nInserted": &o.Inserted, "nMatched": &o.Matched, "nModified": &o.Modified, "nDeleted": &o.Deleted, "nUpserted": &o.Upserted,
	} {
		n, _ := reply.Lookup(key).AsInt64()
		*total += n
	}
}

// take reads the result of one statement, whose place it gives.
func (o *ClientOutcome) take(doc bson.Raw, base int, verbose bool) (index int, success bool) {
	at, _ := doc.Lookup("idx").AsInt64()
	index = base + int(at)
	if !doc.Lookup("ok").Truthy() {
		e := newWriteError(doc)
		e.Index = index
		o.WriteErrors = append(o.WriteErrors, e)
		return index, false
	}
	if verbose {
		r := ClientResult{Upserted: doc.Lookup("upserted", "_id")}
		r.N, _ = doc.Lookup("n").AsInt64()
		r.Modified, _ = doc.Lookup("nModified").AsInt64()
		if o.Results == nil {
			o.Results = map[int]ClientResult{}
		}
		o.Results[index] = r
	}
	return index, true
}
