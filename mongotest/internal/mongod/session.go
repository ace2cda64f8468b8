package mongod

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// sessionTimeout is localLogicalSessionTimeoutMinutes.
const sessionTimeout = 30 * time.Minute

// sessions are the logical sessions that a server has heard of.
type sessions struct {
	server *Server
	mu     sync.Mutex
	known  map[string]*session
}

// session is one logical session. What belongs to its transactions is only
// touched by who has checked it out.
type session struct {
	key      string
	lsid     bson.Raw // {id, uid}
	lastUsed time.Time
	busy     chan struct{} // holds a value while the session is checked out

	number int64 // the newest transaction number, -1 for none
	state  txnState
	term   int64 // of the primary that number and state are from
	tx     *storage.Tx
	begun  time.Time
	commit storage.OpTime // of a committed transaction

	routing routing // on a mongos
}

// txnState is what has become of the newest transaction number.
type txnState int

const (
	noTxn      txnState = iota // none yet, or a retryable write
	txnStarted                 // begun, its snapshot not yet taken
	txnOpen
	txnCommitted
	txnAborted
)

func (s txnState) String() string {
	switch s {
	case txnStarted, txnOpen:
		return "TxnState::InProgress"
	case txnCommitted:
		return "TxnState::Committed"
	case txnAborted:
		return "TxnState::AbortedWithoutPrepare"
	}
	return "TxnState::None"
}

func (s *sessions) init(server *Server) {
	s.server, s.known = server, map[string]*session{}
}

// use finds a session, or makes it known.
func (s *sessions) use(lsid bson.Raw) *session {
	key := storage.SessionKey(lsid)
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.known[key]
	if known == nil {
		known = &session{key: key, lsid: lsid, busy: make(chan struct{}, 1), number: -1, routing: routing{number: -1}}
		s.known[key] = known
	}
	known.lastUsed = time.Now()
	return known
}

// all are the sessions at this moment.
func (s *sessions) all() []*session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.known))
}

// expire ends the sessions that nobody has used for long, and the transactions
// that last too long.
func (s *sessions) expire(now time.Time) {
	limit := s.server.parameters.transactionLifetime()
	for _, known := range s.all() {
		select {
		case known.busy <- struct{}{}:
		default:
			continue // in use
		}
		if known.state == txnOpen && now.Sub(known.begun) > limit {
			s.server.abortTxn(known)
		}
		s.mu.Lock()
		if now.Sub(known.lastUsed) > sessionTimeout && known.state != txnOpen {
			delete(s.known, known.key)
		}
		s.mu.Unlock()
		<-known.busy
	}
}

// kill ends the cursors and the transactions of sessions: first of those that
// are not in use, as the others may wait for them.
func (s *Server) kill(list []*session) {
	var busy []*session
	for _, known := range list {
		s.cursors.killSession(known.key)
		select {
		case known.busy <- struct{}{}:
			s.abortHeld(known)
		default:
			busy = append(busy, known)
		}
	}
	for _, known := range busy {
		known.busy <- struct{}{}
		s.abortHeld(known)
	}
}

// abortHeld ends the transaction of a session that the caller has checked out,
// and gives it back.
func (s *Server) abortHeld(known *session) {
	if known.state == txnOpen {
		s.abortTxn(known)
	}
	<-known.busy
}

// abortTxn ends the transaction of a session that the caller has checked out.
func (s *Server) abortTxn(known *session) {
	if known.tx != nil {
		s.Engine.Abort(known.tx)
	}
	known.state, known.tx = txnAborted, nil
}

func (s *session) String() string {
	var id storage.UUID
	if b, ok := s.lsid.Lookup("id").Binary(); ok {
		copy(id[:], b.Data)
	}
	uid, _ := s.lsid.Lookup("uid").Binary()
	return id.String() + " - " + base64.StdEncoding.EncodeToString(uid.Data)
}

var lsidSchema = newSchema("OperationSessionInfo.lsid",
	field{name: "id", fieldType: required}, field{name: "uid", fieldType: anything})

// parseLSID reads an lsid, and adds the digest of the user if it has none.
func (r *request) parseLSID(lsid bson.Raw, s *schema) (bson.Raw, error) {
	if err := s.document(lsid, r.server.Version.Version); err != nil {
		return nil, err
	}
	id := lsid.Lookup("id")
	b, ok := id.Binary()
	switch {
	case !ok:
		return nil, s.wrongType("id", id, "binData")
	case b.Subtype != bson.BinaryUUID:
		return nil, errorf(codeTypeMismatch, "BSON field '%s.id' is the wrong bindData type '%s', expected type 'UUID'",
			s.name, binaryNames[b.Subtype])
	case len(b.Data) != 16:
		return nil, errorf(codeInvalidUUID, "uuid must be a 16-byte binary field with UUID (4) subtype")
	}
	uid, ok := lsid.Lookup("uid").Binary()
	if !ok {
		uid.Data = r.conn.userDigest()
	}
	return newDoc().binary("id", b).binary("uid", uid).raw(), nil
}

var binaryNames = map[byte]string{
	bson.BinaryGeneric: "general", bson.BinaryFunction: "function", bson.BinaryOld: "byte array (deprecated)",
	bson.BinaryUUIDOld: "UUID(deprecated)", bson.BinaryUUID: "UUID", bson.BinaryMD5: "MD5",
}

// userDigest says whose sessions a connection uses.
func (c *conn) userDigest() []byte {
	name := ""
	if len(c.users) > 0 {
		name = c.users[0].name + "@" + c.users[0].db
	}
	sum := sha256.Sum256([]byte(name))
	return sum[:]
}

// txnFields are the fields of a command that speak of transactions.
type txnFields struct {
	number    int64
	given     bool // there is a txnNumber
	retryable bool // of a retryable write
	inTxn     bool // of a transaction
	start     bool
}

// parseSession reads lsid, txnNumber, autocommit and startTransaction.
func (r *request) parseSession() error {
	if v := r.field("lsid"); !v.IsZero() && v.Type != bson.TypeNull && !r.command.noSession() {
		lsid, ok := v.Document()
		if !ok {
			return operationSessionInfo.wrongType("lsid", v, "object")
		}
		lsid, err := r.parseLSID(lsid, lsidSchema)
		if err != nil {
			return err
		}
		r.session = r.server.sessions.use(lsid)
	}
	number, autocommit, start := r.field("txnNumber"), r.field("autocommit"), r.field("startTransaction")
	if err := operationSessionInfo.check("autocommit", autocommit, optional(autocommit, boolean)); err != nil {
		return err
	}
	if err := operationSessionInfo.check("startTransaction", start, optional(start, boolean)); err != nil {
		return err
	}
	if number.Type == bson.TypeNull {
		number = bson.RawValue{}
	}
	auto, autoGiven := autocommit.Bool()
	starts, startGiven := start.Bool()
	t := &r.txn
	if number.IsZero() {
		if autoGiven {
			return errorf(codeInvalidOptions, "'autocommit' field requires a transaction number to also be specified")
		}
		return nil
	}
	n, ok := number.Int64()
	switch {
	case !ok:
		return operationSessionInfo.wrongType("txnNumber", number, "long")
	case r.session == nil:
		return errorf(codeInvalidOptions, "Transaction number requires a session ID to also be specified")
	case n < 0:
		return errorf(codeInvalidOptions, "Transaction number cannot be negative")
	case !r.replicated() && !r.routes():
		return errorf(codeIllegalOperation, "Transaction numbers are only allowed on a replica set member or mongos")
	case startGiven && !autoGiven:
		return errorf(codeInvalidOptions, "'startTransaction' field requires 'autocommit' field to also be specified")
	case autoGiven && auto:
		return errorf(codeInvalidOptions, "Specifying autocommit=true is not allowed.")
	case startGiven && !starts:
		return errorf(codeInvalidOptions, "Specifying startTransaction=false is not allowed.")
	}
	*t = txnFields{number: n, given: true, retryable: !autoGiven, inTxn: autoGiven, start: starts}
	return nil
}

var operationSessionInfo = newSchema("OperationSessionInfo")

// optional is t for a value that is there.
func optional(v bson.RawValue, t fieldType) fieldType {
	if v.IsZero() || v.Type == bson.TypeNull {
		return anything
	}
	return t
}

// noSession reports whether the command pays no attention to an lsid.
func (c *command) noSession() bool { return c.name == "hello" || c.name == "isMaster" }

// checkOut takes the session for a command with a txnNumber, and begins or goes
// on with its transaction.
func (r *request) checkOut() error {
	if !r.txn.given {
		return nil
	}
	if err := r.checkTxnCommand(); err != nil {
		return err
	}
	if err := r.holdSession(); err != nil {
		return err
	}
	return r.beginOrContinue(r.session)
}

// holdSession waits until the session is this request's alone.
func (r *request) holdSession() error {
	s := r.session
	select {
	case s.busy <- struct{}{}:
	default:
		err := r.patiently(func(ctx context.Context) error {
			select {
			case s.busy <- struct{}{}:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
		if err != nil {
			return r.interrupted(err)
		}
	}
	r.checkedOut = true
	return nil
}

// checkIn gives the session back.
func (r *request) checkIn() {
	if r.checkedOut {
		<-r.session.busy
	}
}

// checkTxnCommand refuses what may not be done with a txnNumber.
func (r *request) checkTxnCommand() error {
	c, t := r.command, r.txn
	ending := c.name == "commitTransaction" || c.name == "abortTransaction" || c.name == "coordinateCommitTransaction"
	switch {
	case t.retryable && !c.retryable:
		return errorf(50768, "txnNumber may only be provided for multi-document transactions and retryable write commands. "+
			"autocommit:false was not provided, and %s is not a retryable write command.", c.name)
	case !t.inTxn:
		return nil
	case !c.inTxn || (c.name == "create" || c.name == "createIndexes") && !r.atLeast(4, 4):
		return errorf(codeNotSupportedInTxn, "Cannot run '%s' in a multi-document transaction.", c.name)
	case ending && t.start:
		return errorf(codeNotSupportedInTxn, "Cannot start a transaction with a %s", c.name[:len(c.name)-len("Transaction")])
	case ending:
		return nil
	case r.db == "config":
		return errorf(codeNotSupportedInTxn, "Cannot run command against the config database in a transaction.")
	case (r.db == "admin" || r.db == "local") && c.name != "bulkWrite":
		return errorf(codeNotSupportedInTxn, "Cannot run command against the '%s' database in a transaction.", r.db)
	case r.write.given:
		return errorf(codeInvalidOptions, "writeConcern is not allowed within a multi-statement transaction")
	case !t.start && r.read.given:
		return errorf(codeInvalidOptions, "Only the first command in a transaction may specify a readConcern")
	}
	if r.routes() {
		return nil // the shard knows
	}
	return r.checkTxnNamespace()
}

func (r *request) checkTxnNamespace() error {
	name, _ := r.first().Str()
	switch {
	case name == "system.views":
		return errorf(51071, "Cannot query system.views within a transaction")
	case r.command.writes && len(name) > 7 && name[:7] == "system.":
		return errorf(50791, "Cannot write to system collection %s.%s within a transaction.", r.db, name)
	}
	return nil
}

// beginOrContinue finds out what the command's transaction number means.
func (r *request) beginOrContinue(s *session) error {
	r.server.refresh(s)
	t := r.txn
	if t.number < s.number {
		if t.inTxn {
			return errorf(codeTransactionTooOld, "Cannot start transaction %d on session %s because a newer transaction with txnNumber %d "+
				"has already started on this session.", t.number, s, s.number)
		}
		return errorf(codeTransactionTooOld, "Retryable write with txnNumber %d is prohibited on session %s because a newer retryable write "+
			"with txnNumber %d has already started on this session.", t.number, s, s.number)
	}
	switch {
	case t.retryable && t.number == s.number && s.state != noTxn:
		return errorf(codeInvalidOptions, "Must specify autocommit=false on all operations of a multi-statement transaction.")
	case t.start && t.number == s.number && r.server.Cluster != nil:
		if s.state == txnAborted {
			s.state = txnStarted // a mongos begins it anew
			return nil
		}
		return errorf(50911, "Cannot start a transaction at given transaction number %d a transaction with the same number is in state %s", t.number, s.state)
	case t.start && t.number == s.number && s.state != noTxn:
		return errorf(codeConflictingOperation, "Only servers in a sharded cluster can start a new transaction at the active transaction number")
	case t.start && t.number == s.number:
		return errorf(codeConflictingOperation, "Cannot start a transaction with the number of a retryable write")
	case t.retryable || t.start:
		if t.number > s.number {
			if s.state == txnOpen {
				r.server.abortTxn(s)
			}
			s.number, s.state, s.tx = t.number, noTxn, nil
		}
		if t.start {
			s.state = txnStarted
		}
		return nil
	}
	return r.continueTxn(s)
}

func (r *request) continueTxn(s *session) error {
	t := r.txn
	switch {
	case t.number != s.number || s.state == noTxn:
		return errorf(codeNoSuchTransaction, "Given transaction number %d does not match any in-progress transactions. "+
			"The active transaction number is %d", t.number, s.number)
	case s.state == txnAborted:
		return errorf(codeNoSuchTransaction, "Transaction %d has been aborted.", t.number)
	case s.state == txnCommitted && r.command.name != "commitTransaction" && r.command.name != "coordinateCommitTransaction":
		return errorf(codeTransactionCommitted, "Transaction %d has been committed.", t.number)
	}
	return nil
}

// refresh takes over what the table of retryable writes knows of a session,
// which may be from another primary.
func (s *Server) refresh(known *session) {
	if term := s.Member.Status().Term; term != known.term {
		if known.state == txnOpen {
			s.abortTxn(known)
		}
		known.term, known.number, known.state = term, -1, noTxn
	}
	if rec := s.transactionRecord(known.key); rec != nil && rec.TxnNumber > known.number {
		known.number, known.state = rec.TxnNumber, noTxn
		if rec.Committed {
			known.state, known.commit = txnCommitted, rec.Last
		}
	}
}

// transactionRecord is what the table of retryable writes and transactions
// knows of a session, or nil. A fail point makes it know nothing, for tests of
// what depends on it.
func (s *Server) transactionRecord(key string) *storage.SessionRecord {
	if _, hit := s.failPoints.hit("forgetTransactionTable", nil); hit {
		return nil
	}
	return s.Engine.State().Session(key)
}

// executed are the statements of a retryable write that were done before, by
// their numbers.
func (r *request) executed() map[int32]*storage.Op {
	if !r.txn.retryable {
		return nil
	}
	rec := r.server.transactionRecord(r.session.key)
	if rec == nil || rec.TxnNumber != r.txn.number {
		return nil
	}
	return rec.Statements()
}

// sessionWrite is what the oplog notes of a write with a txnNumber.
func (r *request) sessionWrite() *storage.SessionWrite {
	if !r.txn.given {
		return nil
	}
	return &storage.SessionWrite{LSID: r.session.lsid, TxnNumber: r.txn.number, Term: r.term}
}

var sessionsSchema = map[string]*schema{
	"endSessions":     newSchema("EndSessionsCmdFromClient.endSessions", field{name: "id", fieldType: required}, field{name: "uid", fieldType: anything}),
	"refreshSessions": newSchema("RefreshSessionsCmdFromClient.refreshSessions", field{name: "id", fieldType: required}, field{name: "uid", fieldType: anything}),
	"killSessions":    newSchema("KillSessionsCmd.killSessions", field{name: "id", fieldType: required}, field{name: "uid", fieldType: anything}),
}

// listed are the sessions that a command lists.
func (r *request) listed() (list []*session, err error) {
	s := sessionsSchema[r.command.name]
	outer := schema{name: s.name[:len(s.name)-len(r.command.name)-1]}
	if err := outer.checkObjects(r.command.name, r.first()); err != nil {
		return nil, err
	}
	for _, lsid := range documents(r.first()) {
		if lsid, err = r.parseLSID(lsid, s); err != nil {
			return nil, err
		}
		list = append(list, r.server.sessions.use(lsid))
	}
	return list, nil
}

func startSession(r *request) (*doc, error) {
	id := storage.NewUUID()
	lsid, err := r.parseLSID(newDoc().binary("id", id.Binary()).raw(), lsidSchema)
	if err != nil {
		return nil, err
	}
	r.server.sessions.use(lsid)
	reply := newDoc().embed("id", func(d *doc) { d.binary("id", id.Binary()) })
	return reply.int32("timeoutMinutes", int32(sessionTimeout/time.Minute)), nil
}

// endSessions takes leave of sessions. Their history stays, and so do their
// cursors until the sessions expire.
func endSessions(r *request) (*doc, error) {
	_, err := r.listed()
	return newDoc(), err
}

func refreshSessions(r *request) (*doc, error) {
	_, err := r.listed()
	return newDoc(), err
}

func killSessions(r *request) (*doc, error) {
	list, err := r.listed()
	if err != nil {
		return nil, err
	}
	if r.first().Value != nil && len(list) == 0 {
		list = r.server.sessions.all()
	}
	r.server.kill(list)
	return newDoc(), nil
}

func killAllSessions(r *request) (*doc, error) {
	r.server.kill(r.server.sessions.all())
	return newDoc(), nil
}

func killAllSessionsByPattern(r *request) (*doc, error) {
	patterns := documents(r.first())
	var list []*session
	for _, p := range patterns {
		lsid, ok := p.Lookup("lsid").Document()
		if ok && lsid.Lookup("uid").IsZero() {
			return nil, errorf(codeMissingField, "BSON field 'KillAllSessionsByPatternCmd.killAllSessionsByPattern.lsid.uid' is missing but a required field")
		}
		for _, s := range r.server.sessions.all() {
			if !ok || storage.SessionKey(lsid) == s.key {
				list = append(list, s)
			}
		}
	}
	r.server.kill(list)
	if len(patterns) == 0 {
		return killAllSessions(r)
	}
	return newDoc(), nil
}

// listLocalSessions are the documents of the stage $listLocalSessions.
func (s *sessions) documents() query.Iterator {
	all := s.all()
	return func() (bson.Raw, error) {
		if len(all) == 0 {
			return nil, nil
		}
		next := all[0]
		all = all[1:]
		return newDoc().doc("_id", next.lsid).date("lastUse", next.lastUsed).raw(), nil
	}
}
