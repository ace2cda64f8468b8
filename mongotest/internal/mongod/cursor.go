package mongod

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// cursorTimeout is cursorTimeoutMillis.
const cursorTimeout = 10 * time.Minute

// cursors are the open cursors of a server.
type cursors struct {
	mu   sync.Mutex
	open map[int64]*cursor
}

// results is where the documents of a cursor come from.
type results struct {
	// next is the next document, or nil if there is none now.
	next query.Iterator
	// resume gets ready for another batch. It fails if that cannot be had.
	resume func() error
	// atEnd reports whether it is known that nothing follows; nil for never.
	atEnd func() bool
	// tail says that a nil document is not the end, changed what to wait for
	// then.
	tail    bool
	changed func() <-chan struct{}
	// token is the postBatchResumeToken of a change stream. wake says what it
	// waits for.
	token func() bson.Raw
}

// fixed are documents that are all known.
func fixed(rest []bson.Raw) results {
	return results{
		next: func() (bson.Raw, error) {
			if len(rest) == 0 {
				return nil, nil
			}
			d := rest[0]
			rest = rest[1:]
			return d, nil
		},
		atEnd: func() bool { return len(rest) == 0 },
	}
}

// cursor is an open cursor.
type cursor struct {
	results
	id       int64
	ns       string
	session  string // of the session that it belongs to, "" for none
	who      string // that session in messages
	txn      int64  // the transaction that it belongs to, -1 for none
	await    bool   // awaitData
	noExpiry bool
	stream   bool   // a change stream
	remote   remote // on a mongos

	// Guarded by cursors.mu.
	busy      bool
	killed    bool
	interrupt context.CancelCauseFunc // of the getMore that waits, nil if none does
	lastUsed  time.Time
}

func (c *cursors) init() { c.open = map[int64]*cursor{} }

// add opens a cursor.
func (r *request) openCursor(ns string, res results) *cursor {
	c := &cursor{results: res, id: r.server.randomID(), ns: ns, txn: -1, lastUsed: time.Now(), stream: r.changeStream}
	if r.session != nil {
		c.session, c.who = r.session.key, r.session.String()
	}
	if r.txn.inTxn {
		c.txn = r.txn.number
	}
	all := &r.server.cursors
	all.mu.Lock()
	defer all.mu.Unlock()
	all.open[c.id] = c
	return c
}

// checkOut takes a cursor for a getMore, which checkIn gives back.
func (c *cursors) checkOut(id int64) (*cursor, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cur := c.open[id]
	switch {
	case cur == nil:
		return nil, errorf(codeCursorNotFound, "cursor id %d not found", id)
	case cur.busy:
		return nil, errorf(143, "cursor id %d is already in use", id)
	}
	cur.busy = true
	return cur, nil
}

// checkIn gives a cursor back, or closes it.
func (c *cursors) checkIn(cur *cursor, keep bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cur.busy, cur.lastUsed = false, time.Now()
	if !keep || cur.killed {
		delete(c.open, cur.id)
	}
}

// kill closes a cursor, and reports whether it was open.
func (c *cursors) kill(id int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	cur := c.open[id]
	if cur == nil {
		return false
	}
	c.end(cur)
	return true
}

// killOf closes a cursor of a namespace, if it is open.
func (c *cursors) killOf(id int64, ns string) (*cursor, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cur := c.open[id]
	if cur == nil || cur.ns != ns {
		return nil, false
	}
	c.end(cur)
	return cur, true
}

func (c *cursors) end(cur *cursor) {
	cur.killed = true
	if !cur.busy {
		delete(c.open, cur.id)
	}
	if cur.interrupt != nil {
		cur.interrupt(errorf(codeCursorKilled, "operation was interrupted"))
	}
}

// waits notes what interrupts the getMore that waits with the cursor, or nil
// that it does not wait any more.
func (c *cursors) waits(cur *cursor, interrupt context.CancelCauseFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cur.interrupt = interrupt; interrupt != nil && cur.killed {
		c.end(cur)
	}
}

func (c *cursors) endWhere(match func(*cursor) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cur := range c.open {
		if match(cur) {
			c.end(cur)
		}
	}
}

func (c *cursors) killSession(key string) {
	c.endWhere(func(cur *cursor) bool { return cur.session == key })
}

func (c *cursors) expire(now time.Time) {
	c.endWhere(func(cur *cursor) bool { return !cur.busy && !cur.noExpiry && now.Sub(cur.lastUsed) > cursorTimeout })
}

// maxBatchBytes is how much a batch may hold.
const maxBatchBytes = 16 << 20

// batch reads documents until the batch is full. end says that there are no
// more.
func (res *results) batch(size int64, limitless bool) (docs []bson.Raw, end bool, err error) {
	bytes := 0
	for limitless || int64(len(docs)) < size {
		d, err := res.next()
		if err != nil {
			return docs, true, err
		}
		if d == nil {
			return docs, !res.tail || res.ended(), nil
		}
		docs = append(docs, d)
		// A batch may exceed the limit by one document only if that is alone.
		if bytes += len(d); bytes+len(d) > maxBatchBytes {
			break
		}
	}
	return docs, res.ended(), nil
}

func (res *results) ended() bool { return res.atEnd != nil && res.atEnd() }

// firstBatch answers a command that opens a cursor.
func (r *request) firstBatch(ns string, res results, size int64, single bool) (*doc, *cursor, error) {
	docs, end, err := res.batch(size, false)
	if err != nil {
		return nil, nil, err
	}
	var cur *cursor
	id := int64(0)
	if !end && !single {
		cur = r.openCursor(ns, res)
		id = cur.id
	}
	reply := newDoc().embed("cursor", func(d *doc) {
		d.docs("firstBatch", docs)
		if res.token != nil {
			d.doc("postBatchResumeToken", res.token())
		}
		d.int64("id", id).str("ns", ns)
		if r.snapshotAt != nil {
			d.timestamp("atClusterTime", *r.snapshotAt)
		}
	})
	return reply, cur, nil
}

// listCursor answers a command whose result is known at once.
func (r *request) listCursor(ns string, docs []bson.Raw) (*doc, error) {
	size := int64(1) << 40
	if v := r.field("cursor"); !v.IsZero() {
		spec, ok := v.Document()
		if !ok {
			return nil, errorf(codeTypeMismatch, "cursor field must be missing or an object")
		}
		if b := spec.Lookup("batchSize"); b.IsNumber() {
			if size = whole(b); size < 0 {
				return nil, r.tooSmall("batchSize", size, 0, errorf(codeBadValue, "cursor.batchSize must not be negative"))
			}
		}
	}
	res := fixed(docs)
	first, _, err := res.batch(size, false)
	if err != nil {
		return nil, err
	}
	id := int64(0)
	if !res.atEnd() {
		id = r.openCursor(ns, res).id
	}
	return newDoc().embed("cursor", func(d *doc) { d.int64("id", id).str("ns", ns).docs("firstBatch", first) }), nil
}

// getMore reads another batch of a cursor.
func getMore(r *request) (*doc, error) {
	id, ns, err := r.parseGetMore()
	if err != nil {
		return nil, err
	}
	all := &r.server.cursors
	cur, err := all.checkOut(id)
	if err != nil {
		return nil, err
	}
	keep := true
	defer func() { all.checkIn(cur, keep) }()
	if err := r.checkCursor(cur, ns); err != nil {
		return nil, err
	}
	r.changeStream = cur.stream
	if err := r.failGetMore(cur); err != nil {
		keep = false
		return nil, err
	}
	limitless, size := true, int64(0)
	if v := r.field("batchSize"); !v.IsZero() {
		limitless, size = false, whole(v)
	}
	wait := time.Second
	if v := r.field("maxTimeMS"); !v.IsZero() && cur.await {
		if ms := whole(v); ms > 0 {
			wait = time.Duration(ms) * time.Millisecond
		}
	}
	docs, end, err := r.nextBatch(cur, size, limitless, wait)
	if err != nil {
		keep = false
		return nil, err
	}
	keep = !end
	all.mu.Lock()
	killed := cur.killed
	all.mu.Unlock()
	reply := int64(0)
	if keep && !killed {
		reply = cur.id
		r.more = r.exhaust
	}
	return newDoc().embed("cursor", func(d *doc) {
		d.docs("nextBatch", docs)
		if cur.token != nil {
			d.doc("postBatchResumeToken", cur.token())
		}
		d.int64("id", reply).str("ns", cur.ns)
	}), nil
}

// nextBatch reads a batch, and waits for one if the cursor awaits data.
func (r *request) nextBatch(cur *cursor, size int64, limitless bool, wait time.Duration) (docs []bson.Raw, end bool, err error) {
	read := func() error {
		if cur.resume != nil {
			if err := cur.resume(); err != nil {
				return err
			}
		}
		docs, end, err = cur.batch(size, limitless)
		return err
	}
	if !cur.await {
		err = read()
		return docs, end, err
	}
	changed := cur.changed()
	if err = read(); err != nil || end || len(docs) > 0 {
		return docs, end, err
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	err = r.patiently(func(ctx context.Context) error {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		r.server.cursors.waits(cur, cancel)
		defer r.server.cursors.waits(cur, nil)
		for {
			select {
			case <-changed:
			case <-timer.C:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			changed = cur.changed()
			if err := read(); err != nil || end || len(docs) > 0 {
				return err
			}
		}
	})
	return docs, end, err
}

func (r *request) parseGetMore() (id int64, ns string, err error) {
	for name := range r.body.Keys() {
		switch name {
		case "getMore", "collection", "batchSize", "term", "lastKnownCommittedOpTime", "exhaust", "includeQueryStatsMetrics":
		default:
			switch {
			case r.server.Version.generic(name):
			case r.atLeast(5, 0):
				return 0, "", errorf(codeUnknownField, "BSON field 'getMore.%s' is an unknown field.", name)
			default:
				return 0, "", errorf(codeFailedToParse, "Failed to parse: %s. Unrecognized field '%s'.", query.FormatDocument(r.body), name)
			}
		}
	}
	body := query.FormatDocument(r.body)
	id, ok := r.first().Int64()
	if !ok {
		return 0, "", errorf(codeTypeMismatch, "Field 'getMore' must be of type long in: %s", body)
	}
	coll := r.field("collection")
	name, ok := coll.Str()
	switch {
	case coll.IsZero():
		return 0, "", errorf(codeFailedToParse, "Field 'collection' missing in: %s", body)
	case !ok:
		return 0, "", errorf(codeTypeMismatch, "Field 'collection' must be of type string in: %s", body)
	}
	if v := r.field("batchSize"); !v.IsZero() {
		if !v.IsNumber() {
			return 0, "", errorf(codeTypeMismatch, "Field 'batchSize' must be a number in: %s", body)
		}
		if n := whole(v); n < 0 && r.atLeast(5, 0) {
			return 0, "", r.tooSmall("batchSize", n, 0, nil)
		} else if n <= 0 {
			return 0, "", errorf(codeBadValue, "Batch size for getMore must be positive, but received: %d", n)
		}
	}
	if v := r.field("lastKnownCommittedOpTime"); !v.IsZero() && v.Type != bson.TypeEmbeddedDocument {
		return 0, "", errorf(codeTypeMismatch, "\"lastKnownCommittedOpTime\" had the wrong type. Expected object, found %s", query.TypeName(v.Type))
	}
	switch {
	case name == "":
		return 0, "", errorf(codeInvalidNamespace, "Invalid namespace for getMore: %s.", r.db)
	case strings.HasPrefix(name, ".") && r.atLeast(5, 0):
		return 0, "", errorf(codeInvalidNamespace, "Collection names cannot start with '.': %s", name)
	case id == 0:
		return 0, "", errorf(codeBadValue, "Cursor id for getMore must be non-zero")
	}
	return id, storage.Namespace{DB: r.db, Collection: name}.String(), nil
}

// The codes of errors about who may use a cursor, on a server and on a mongos.
const (
	firstOfMongod = 50736
	firstOfMongos = 50799
)

// checkOwner refuses a getMore that is not from the session or transaction that
// the cursor was opened in. Its errors have codes of their own, from first on.
func (r *request) checkOwner(cur *cursor, first int32) error {
	const cannot = "Cannot run getMore on cursor %d, which was "
	switch {
	case cur.session == "" && r.session != nil:
		return errorf(first, cannot+"not created in a session, in session %s", cur.id, r.session)
	case cur.session != "" && r.session == nil:
		return errorf(first+1, cannot+"created in session %s, without an lsid", cur.id, cur.who)
	case cur.session != "" && cur.session != r.session.key:
		return errorf(first+2, cannot+"created in session %s, in session %s", cur.id, cur.who, r.session)
	case cur.txn < 0 && r.txn.given:
		return errorf(first+3, cannot+"not created in a transaction, in transaction %d", cur.id, r.txn.number)
	case cur.txn >= 0 && !r.txn.given:
		return errorf(first+4, cannot+"created in transaction %d, without a txnNumber", cur.id, cur.txn)
	case cur.txn >= 0 && cur.txn != r.txn.number:
		return errorf(first+5, cannot+"created in transaction %d, in transaction %d", cur.id, cur.txn, r.txn.number)
	}
	return nil
}

// checkCursor refuses a getMore that is not from where the cursor was opened.
func (r *request) checkCursor(cur *cursor, ns string) error {
	if ns != cur.ns {
		return errorf(codeUnauthorized, "Requested getMore on namespace '%s', but cursor belongs to a different namespace %s", ns, cur.ns)
	}
	if err := r.checkOwner(cur, firstOfMongod); err != nil {
		return err
	}
	if !r.field("maxTimeMS").IsZero() && !cur.await && whole(r.field("maxTimeMS")) > 0 {
		return errorf(codeBadValue, "cannot set maxTimeMS on getMore command for a non-awaitData cursor")
	}
	return nil
}

// failGetMore lets the fail point failGetMoreAfterCursorCheckout strike.
func (r *request) failGetMore(cur *cursor) error {
	data, hit := r.server.failPoints.hit("failGetMoreAfterCursorCheckout", nil)
	if !hit {
		return nil
	}
	code := data.Lookup("errorCode")
	if !code.IsNumber() {
		return nil
	}
	return r.failWith(int32(whole(code)), "Hit the 'failGetMoreAfterCursorCheckout' failpoint", nil, data)
}

// killCursors closes cursors.
func killCursors(r *request) (*doc, error) {
	_, ids, err := r.parseKillCursors()
	if err != nil {
		return nil, err
	}
	var killed, missing []bson.RawValue
	for _, v := range ids {
		if id, _ := v.Int64(); r.server.cursors.kill(id) {
			killed = append(killed, v)
		} else {
			missing = append(missing, v)
		}
	}
	return cursorsKilled(killed, missing), nil
}

func cursorsKilled(killed, missing []bson.RawValue) *doc {
	reply := newDoc().values("cursorsKilled", killed).values("cursorsNotFound", missing)
	return reply.values("cursorsAlive", nil).values("cursorsUnknown", nil)
}

func (r *request) parseKillCursors() (name string, list []bson.RawValue, err error) {
	body := query.FormatDocument(r.body)
	name, ok := r.first().Str()
	switch {
	case !ok:
		return "", nil, errorf(codeFailedToParse, "First parameter must be a string in: %s", body)
	case name == "":
		return "", nil, errorf(codeInvalidNamespace, "Invalid collection name: %s.", r.db)
	}
	ids, ok := r.field("cursors").Array()
	switch {
	case !ok:
		return "", nil, errorf(codeFailedToParse, "Field 'cursors' must be of type array in: %s", body)
	case ids.Len() == 0:
		return "", nil, errorf(codeBadValue, "Must specify at least one cursor id in: %s", body)
	}
	i := 0
	for v := range ids.Values() {
		if _, ok := v.Int64(); !ok {
			return "", nil, errorf(codeFailedToParse, "Field 'cursors' contains an element that is not of type long: %d: %s", i, formatElement(v))
		}
		list = append(list, v)
		i++
	}
	return name, list, nil
}
