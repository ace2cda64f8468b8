package mongod

import (
	"bytes"
	"math"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/changestream"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// inChangeStream are the stages that may follow $changeStream.
var inChangeStream = map[string]bool{
	"$match": true, "$project": true, "$addFields": true, "$set": true, "$unset": true, "$replaceRoot": true,
	"$replaceWith": true, "$redact": true, "$changeStreamSplitLargeEvent": true,
}

// stagesOf names the stages that a stage is short for.
func stageOf(stage bson.Raw) string {
	for name := range stage.Keys() {
		if name == "$count" || name == "$sortByCount" || name == "$bucket" {
			return "$group"
		}
		return name
	}
	return ""
}

// stream reads a change stream.
type stream struct {
	spec   *changestream.Spec
	server *Server
	after  changestream.Position // what has been read
	queue  []changestream.Event
	last   bson.Raw // the token of what has been read
	ended  bool
	read   bson.Raw // the token of the event that the stages got last
	split  bool
	parts  []bson.Raw
}

// openChangeStream answers an aggregate that begins with $changeStream.
func (r *request) openChangeStream(a aggregateCommand) (*doc, error) {
	r.changeStream = true
	switch {
	case !r.replicated():
		return nil, errorf(40573, "The $changeStream stage is only supported on replica sets")
	case r.txn.inTxn:
		return nil, errorf(codeNotSupportedInTxn, "Operation not permitted in transaction :: caused by :: Aggregation stage $changeStream cannot run within a multi-document transaction.")
	}
	spec, err := changestream.ParseSpec(a.stages[0].Lookup("$changeStream"), a.ns, r.server.Version.Version)
	if err != nil {
		return nil, err
	}
	if spec.Cluster && (a.ns.DB != "admin" || a.ns.Collection != "") {
		return nil, errorf(codeInvalidOptions, "A $changeStream with 'allChangesForCluster:true' may only be opened on the 'admin' database, and with no collection name; found %s", a.ns)
	}
	if !spec.Cluster && (a.ns.DB == "admin" || a.ns.DB == "config" || a.ns.DB == "local") {
		return nil, errorf(codeInvalidNamespace, "$changeStream may not be opened on the internal %s database", a.ns.DB)
	}
	s := &stream{spec: spec, server: r.server}
	next, err := r.streamStages(a, s)
	if err != nil {
		return nil, err
	}
	if err := s.start(); err != nil {
		return nil, err
	}
	res := results{
		next: func() (bson.Raw, error) {
			d, err := next()
			if d == nil || err != nil {
				return nil, err
			}
			return d, s.checkToken(d)
		},
		atEnd: func() bool { return s.ended && len(s.queue) == 0 && len(s.parts) == 0 },
		tail:  true, token: s.token, changed: s.changed,
	}
	reply, cur, err := r.firstBatch(a.name(), res, a.batchSize, false)
	if cur != nil {
		cur.await, cur.stream = true, true
	}
	return reply, err
}

// streamStages puts the user's stages behind the stream.
func (r *request) streamStages(a aggregateCommand, s *stream) (query.Iterator, error) {
	stages := a.stages[1:]
	if n := len(stages); n > 0 && !stages[n-1].Lookup("$changeStreamSplitLargeEvent").IsZero() && r.atLeast(6, 0) {
		s.split, stages = true, stages[:n-1]
	}
	collation, err := query.ParseCollation(a.collation)
	if err != nil {
		return nil, err
	}
	env := r.env(a.ns, collation)
	if env.Collection == "" {
		env.Collection = "$cmd.aggregate" // a stream is something to read from
	}
	pipeline, err := query.ParsePipeline(stages, env)
	if err != nil {
		return nil, err
	}
	for _, stage := range stages {
		switch name := stageOf(stage); {
		case name == "$changeStream":
			return nil, errorf(40602, "$changeStream is only valid as the first stage in a pipeline.")
		case !inChangeStream[name]:
			return nil, errorf(codeIllegalOperation, "%s is not permitted in a $changeStream pipeline", name)
		}
	}
	if !s.split {
		return pipeline.Run(s.event), nil
	}
	piped := pipeline.RunUnlimited(s.event)
	return func() (bson.Raw, error) { return s.fragment(piped) }, nil
}

// start finds the place in the oplog where the stream begins.
func (s *stream) start() error {
	e := s.server.Engine
	if s.spec.From == nil {
		s.after = changestream.HighWater(bson.Timestamp{T: e.State().At.TS.T, I: e.State().At.TS.I + 1})
		s.last = s.after.Token(nil, nil)
		return nil
	}
	s.after = *s.spec.From
	if _, ok := e.Oplog.From(s.after.TS); !ok {
		return errorf(codeChangeStreamHistoryLost, "Resume of change stream was not possible, as the resume point may no longer be in the oplog.")
	}
	if s.after.Event && e.Oplog.At(s.after.TS) == nil && !s.after.TS.After(e.State().At.TS) {
		return errorf(codeChangeStreamFatal, "cannot resume stream; the resume token was not found.")
	}
	s.last = s.after.Token(nil, nil)
	if s.after.Event {
		s.last = s.given()
	}
	return nil
}

// given is the token of the event that the stream resumes behind.
func (s *stream) given() bson.Raw {
	if e := s.server.Engine.Oplog.At(s.after.TS); e != nil && s.after.Op < len(e.Ops) {
		event := changestream.Event{Position: s.after, Op: e.Ops[s.after.Op], Entry: e}
		return event.Token()
	}
	return s.after.Token(nil, nil)
}

func (s *stream) token() bson.Raw { return s.last }

// changed is closed when there may be more to read.
func (s *stream) changed() <-chan struct{} { return s.server.Member.Changed.Wait() }

// event is the next event of the oplog that is committed, as a document.
func (s *stream) event() (bson.Raw, error) {
	if len(s.queue) == 0 {
		if err := s.fill(); err != nil || len(s.queue) == 0 {
			return nil, err
		}
	}
	event := s.queue[0]
	s.queue = s.queue[1:]
	if event.Type == "invalidate" {
		s.ended = true
	}
	s.last = event.Token()
	s.read = s.last
	return event.Document(s.spec, s.lookup)
}

// fill reads the oplog until it has events.
func (s *stream) fill() error {
	if s.ended {
		return nil
	}
	committed := s.server.Member.Status().Committed.TS
	entries, ok := s.server.Engine.Oplog.From(s.after.TS)
	if !ok {
		return errorf(codeChangeStreamHistoryLost, "Resume of change stream was not possible, as the resume point may no longer be in the oplog.")
	}
	for _, e := range entries {
		if e.OpTime.TS.After(committed) {
			return nil
		}
		for i := range e.Ops {
			for _, event := range s.spec.Events(e, i) {
				if s.after.Behind(&event) {
					s.queue = append(s.queue, event)
				}
			}
		}
		if len(s.queue) > 0 {
			s.after = s.queue[len(s.queue)-1].Position
			s.after.Op = math.MaxInt
			return nil
		}
		if e.OpTime.TS.After(s.after.TS) && e.Ops[0].Kind != storage.Noop {
			s.after = changestream.HighWater(e.OpTime.TS)
			s.last = s.after.Token(nil, nil)
		}
	}
	return nil
}

// lookup is the newest committed version of a document.
func (s *stream) lookup(uuid storage.UUID, id bson.RawValue) (bson.Raw, bool) {
	c := s.server.Engine.Committed().ByUUID(uuid)
	if c == nil {
		return nil, false
	}
	record, ok := c.ByID(id)
	if !ok {
		return nil, false
	}
	return c.Get(record)
}

// checkToken makes sure that the user's stages left the token alone.
func (s *stream) checkToken(d bson.Raw) error {
	id, _ := d.Lookup("_id").Document()
	if s.split || bytes.Equal(id, s.read) {
		return nil
	}
	return errorf(codeChangeStreamFatal, "Encountered an event whose _id field, which contains the resume token, was modified by the pipeline. "+
		"Modifying the _id field of an event makes it impossible to resume the stream from that point. Only transformations that retain the "+
		"unmodified _id field are allowed. Expected: { _id: %s } but found: { _id: %s }", query.FormatDocument(s.read), query.FormatDocument(orEmpty(id)))
}

// fragment is the next event, or a part of one that is too large.
func (s *stream) fragment(next query.Iterator) (bson.Raw, error) {
	if len(s.parts) == 0 {
		d, err := next()
		if d == nil || err != nil {
			return nil, err
		}
		s.parts = changestream.Split(d, maxDocumentSize, s.spec.From)
	}
	part := s.parts[0]
	s.parts = s.parts[1:]
	s.last, _ = part.Lookup("_id").Document()
	return part, nil
}
