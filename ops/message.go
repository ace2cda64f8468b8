package ops

import (
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/concern"
	"github.com/motor-go/motor/pool"
	"github.com/motor-go/motor/session"
	"github.com/motor-go/motor/topology/description"
	"github.com/motor-go/motor/wire"
)

// lsid is what a message says about its session and transaction.
type lsid struct {
	id          bson.Raw // nil: no session
	txnNumber   int64    // 0: none
	inTxn       bool     // autocommit: false
	startTxn    bool
	readConcern bson.Raw // already with afterClusterTime; nil: none
	recovery    bson.Raw
}

// message is one command with all that goes around it.
type message struct {
	command        Command
	to             *description.Server
	topology       description.TopologyType
	requestID      int32
	session        lsid
	clusterTime    session.ClusterTime
	readPreference concern.ReadPreference
	writeConcern   concern.WriteConcern
	allowance      allowance
	serverAPI      []byte // encoded elements
}

// copied is how many bytes of documents are worth their copy into the message,
// to be sent by the same write.
const copied = 16 << 10

// request is the whole OP_MSG, begun in dst.
func (m *message) request(dst []byte) pool.Request {
	var flags wire.Flags
	if !m.writeConcern.Acknowledged() {
		flags = wire.MoreToCome
	}
	dst, at := wire.BeginMsg(dst, m.requestID, 0, flags)
	dst, doc := bson.BeginDocument(dst)
	dst = m.appendFields(dst)
	dst = bson.EndDocument(dst, doc)
	s, ok := m.command.(sequenced)
	if !ok {
		return pool.Request{Message: wire.EndMessage(dst, at)}
	}
	q := s.sequences()
	if q[0].ID != "" {
		dst, doc = wire.BeginSequence(dst, q[0].ID)
		dst = wire.EndSequence(append(dst, q[0].Docs...), doc)
	}
	head, behind := wire.EndMsg(dst, at, q[1], copied)
	return pool.Request{Message: head, Documents: behind}
}

func (m *message) appendFields(dst []byte) []byte {
	dst = m.command.appendFields(dst, m.to)
	dst = bson.AppendString(dst, "$db", m.command.envelope().DB)
	if s := &m.session; s.id != nil {
		dst = bson.AppendDocument(dst, "lsid", s.id)
		if s.txnNumber != 0 {
			dst = bson.AppendInt64(dst, "txnNumber", s.txnNumber)
		}
		if s.startTxn {
			dst = bson.AppendBool(dst, "startTransaction", true)
		}
		if s.inTxn {
			dst = bson.AppendBool(dst, "autocommit", false)
		}
		dst = appendDoc(dst, "recoveryToken", s.recovery)
	}
	dst = appendDoc(dst, "readConcern", m.session.readConcern)
	dst = appendWriteConcern(dst, m.writeConcern)
	dst = appendMaxTime(dst, m.allowance.maxTime)
	dst = m.appendReadPreference(dst)
	dst = appendDoc(dst, "$clusterTime", m.clusterTime.Doc)
	return append(dst, m.serverAPI...)
}

// appendReadPreference appends $readPreference by the rules of the
// server-selection specification for OP_MSG.
func (m *message) appendReadPreference(dst []byte) []byte {
	rp := m.readPreference
	if m.to.Type == description.Standalone {
		return dst
	}
	if m.topology == description.Single && m.to.Type != description.Mongos && rp.Mode == concern.Primary {
		if m.command.traits().write {
			return dst
		}
		rp = concern.ReadPreference{Mode: concern.PrimaryPreferred}
	}
	if rp.Mode == concern.Primary {
		return dst
	}
	dst, at := bson.BeginEmbedded(dst, "$readPreference")
	dst = bson.AppendString(dst, "mode", rp.Mode.String())
	if len(rp.TagSets) > 0 {
		var arr int
		dst, arr = bson.BeginArray(dst, "tags")
		for i, set := range rp.TagSets {
			var doc int
			dst, doc = bson.BeginDocument(bson.AppendIndexHeader(dst, bson.TypeEmbeddedDocument, i))
			for _, tag := range set {
				dst = bson.AppendString(dst, tag.Name, tag.Value)
			}
			dst = bson.EndDocument(dst, doc)
		}
		dst = bson.EndDocument(dst, arr)
	}
	if rp.MaxStaleness > 0 {
		dst = appendInt(dst, "maxStalenessSeconds", int64(rp.MaxStaleness/time.Second))
	}
	if rp.Hedge != nil {
		var doc int
		dst, doc = bson.BeginEmbedded(dst, "hedge")
		dst = bson.AppendBool(dst, "enabled", *rp.Hedge)
		dst = bson.EndDocument(dst, doc)
	}
	return bson.EndDocument(dst, at)
}

func appendWriteConcern(dst []byte, w concern.WriteConcern) []byte {
	if w.IsDefault() {
		return dst
	}
	dst, at := bson.BeginEmbedded(dst, "writeConcern")
	switch v := w.W.(type) {
	case int:
		dst = appendInt(dst, "w", int64(v))
	case string:
		dst = bson.AppendString(dst, "w", v)
	}
	dst = appendBool(dst, "j", w.Journal)
	if w.WTimeout > 0 {
		dst = appendInt(dst, "wtimeout", int64(w.WTimeout/time.Millisecond))
	}
	return bson.EndDocument(dst, at)
}

// document is the command as one document, sequences as arrays in it, for
// those who listen to events.
func (m *message) document() bson.Raw {
	doc, at := bson.BeginDocument(make([]byte, 0, 512))
	doc = m.appendFields(doc)
	if s, ok := m.command.(sequenced); ok {
		for _, q := range s.sequences() {
			doc = appendSequence(doc, q)
		}
	}
	return bson.EndDocument(doc, at)
}

// appendSequence appends the documents as an array, if there are any.
func appendSequence(dst []byte, q wire.Sequence) []byte {
	if q.ID == "" {
		return dst
	}
	dst, arr := bson.BeginArray(dst, q.ID)
	for i, docs := 0, q.Docs; len(docs) > 0; i++ {
		one, rest, err := bson.ReadDocument(docs)
		if err != nil {
			break
		}
		dst = append(bson.AppendIndexHeader(dst, bson.TypeEmbeddedDocument, i), one...)
		docs = rest
	}
	return bson.EndDocument(dst, arr)
}
