package changestream

import (
	"strings"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// An Event is one event of a stream, not yet in the form of a document.
type Event struct {
	Position
	Type     string // operationType
	Op       *storage.Op
	Entry    *storage.Entry
	NS       storage.Namespace // without a collection for dropDatabase
	Expanded bool              // given only if expanded events are asked for
	view     bool              // about a view
}

// Events are what an Op is to a stream: nothing, an event, or one and the
// invalidation that ends the stream.
func (s *Spec) Events(e *storage.Entry, op int) []Event {
	o := e.Ops[op]
	if view, ok := s.viewEvent(e, op); ok {
		return []Event{view}
	}
	kind := types[o.Kind]
	if kind == "" || !s.concerns(o) {
		return nil
	}
	event := Event{
		Position: Position{TS: e.OpTime.TS, Event: true, Op: op, Fragment: -1},
		Type:     kind, Op: o, Entry: e, NS: o.NS, Expanded: o.Kind >= storage.Create && o.Kind != storage.Drop && o.Kind != storage.Rename && o.Kind != storage.DropDatabase,
	}
	if event.Expanded && !s.ShowExpanded {
		return nil
	}
	events := []Event{event}
	if s.invalidates(o) {
		end := event
		end.Type, end.Invalidate = "invalidate", true
		events = append(events, end)
	}
	return events
}

// viewEvent is what a change of system.views is to a stream with expanded
// events.
func (s *Spec) viewEvent(e *storage.Entry, op int) (Event, bool) {
	o := e.Ops[op]
	if !s.ShowExpanded || !s.Version.AtLeast(8, 1) || o.NS.Collection != "system.views" || !o.IsCRUD() {
		return Event{}, false
	}
	id, _ := o.ID().Str()
	event := Event{
		Position: Position{TS: e.OpTime.TS, Event: true, Op: op, Fragment: -1},
		Op:       o, Entry: e, NS: storage.ParseNamespace(id), Expanded: true, view: true,
	}
	switch o.Kind {
	case storage.Insert:
		event.Type = "create"
	case storage.Delete:
		event.Type = "drop"
	default:
		event.Type = "modify"
	}
	return event, s.watches(event.NS)
}

var types = map[storage.OpKind]string{
	storage.Insert: "insert", storage.Update: "update", storage.Replace: "replace", storage.Delete: "delete",
	storage.Drop: "drop", storage.Rename: "rename", storage.DropDatabase: "dropDatabase",
	storage.Create: "create", storage.Modify: "modify", storage.CreateIndexes: "createIndexes", storage.DropIndexes: "dropIndexes",
	storage.Shard: "shardCollection",
}

// concerns reports whether an Op is about what the stream watches.
func (s *Spec) concerns(o *storage.Op) bool {
	if o.Kind == storage.DropDatabase {
		return s.NS.Collection == "" && (s.Cluster || o.NS.DB == s.NS.DB)
	}
	return s.watches(o.NS) || o.Kind == storage.Rename && s.watches(o.To)
}

func (s *Spec) watches(ns storage.Namespace) bool {
	switch {
	case s.Cluster:
		return ns.DB != "admin" && ns.DB != "config" && ns.DB != "local" && !hidden(ns)
	case s.NS.Collection == "":
		return ns.DB == s.NS.DB && !hidden(ns)
	}
	return ns == s.NS
}

// hidden are the collections that only their own streams show.
func hidden(ns storage.Namespace) bool {
	return strings.HasPrefix(ns.Collection, "system.") || strings.HasPrefix(ns.Collection, "tmp.agg_out.")
}

// invalidates reports whether an Op ends the stream.
func (s *Spec) invalidates(o *storage.Op) bool {
	switch {
	case s.Cluster:
		return false
	case s.NS.Collection == "":
		return o.Kind == storage.DropDatabase
	}
	return o.Kind == storage.Drop || o.Kind == storage.Rename
}

// Key is the documentKey.
func (e *Event) key() bson.Raw {
	if !e.Op.IsCRUD() || e.view {
		return nil
	}
	dst, at := bson.BeginDocument(nil)
	dst = bson.AppendValue(dst, "_id", e.Op.ID())
	return bson.EndDocument(dst, at)
}

// Token is the event's resume token.
func (e *Event) Token() bson.Raw { return e.Position.Token(e.Op.UUID[:], e.key()) }

// Lookup finds the newest version of the document with the key.
type Lookup func(uuid storage.UUID, id bson.RawValue) (bson.Raw, bool)

// Document is the event as the client gets it.
func (e *Event) Document(s *Spec, lookup Lookup) (bson.Raw, error) {
	dst, at := bson.BeginDocument(nil)
	modern := s.Version.AtLeast(5, 0)
	if e.Entry.Transaction && !modern {
		dst = e.appendTransaction(dst)
	}
	if e.Type == "rename" && !modern {
		dst = appendNS(dst, "to", e.Op.To)
	}
	dst = bson.AppendDocument(dst, "_id", e.Token())
	dst = bson.AppendString(dst, "operationType", e.Type)
	dst = bson.AppendTimestamp(dst, "clusterTime", e.TS)
	if s.ShowExpanded && e.Type != "invalidate" && !e.view {
		dst = bson.AppendBinary(dst, "collectionUUID", e.Op.UUID.Binary())
	}
	if s.Version.AtLeast(6, 0) {
		dst = bson.AppendDateTime(dst, "wallTime", bson.NewDateTime(e.Entry.Wall.Truncate(time.Millisecond)))
	}
	if e.Entry.Transaction && modern {
		dst = e.appendTransaction(dst)
	}
	if e.Type == "invalidate" {
		return bson.EndDocument(dst, at), nil
	}
	dst, err := e.appendDocument(dst, s, lookup)
	if err != nil {
		return nil, err
	}
	dst = appendNS(dst, "ns", e.NS)
	if s.ShowExpanded && e.Type == "create" && s.Version.AtLeast(8, 1) {
		dst = bson.AppendString(dst, "nsType", e.nsType())
	}
	if e.Type == "rename" && modern {
		dst = appendNS(dst, "to", e.Op.To)
	}
	if key := e.key(); key != nil {
		dst = bson.AppendDocument(dst, "documentKey", key)
	} else if s.ShowExpanded {
		dst = e.appendOperation(dst)
	}
	if e.Type == "update" {
		dst = e.appendDescription(dst, s)
	}
	if dst, err = e.appendBefore(dst, s); err != nil {
		return nil, err
	}
	return bson.EndDocument(dst, at), nil
}

func (e *Event) nsType() string {
	switch {
	case e.view:
		return "view"
	case e.Op.Options.Type == "timeseries":
		return "timeseries"
	}
	return "collection"
}

func appendNS(dst []byte, key string, ns storage.Namespace) []byte {
	dst, at := bson.BeginEmbedded(dst, key)
	dst = bson.AppendString(dst, "db", ns.DB)
	if ns.Collection != "" {
		dst = bson.AppendString(dst, "coll", ns.Collection)
	}
	return bson.EndDocument(dst, at)
}

func (e *Event) appendTransaction(dst []byte) []byte {
	dst = bson.AppendInt64(dst, "txnNumber", e.Entry.Session.TxnNumber)
	return bson.AppendDocument(dst, "lsid", e.Entry.Session.LSID)
}

// appendDocument adds fullDocument.
func (e *Event) appendDocument(dst []byte, s *Spec, lookup Lookup) ([]byte, error) {
	switch {
	case e.Type == "insert" || e.Type == "replace":
		return bson.AppendDocument(dst, "fullDocument", e.Op.After), nil
	case e.Type != "update":
		return dst, nil
	}
	var full bson.Raw
	switch s.FullDocument {
	case "updateLookup":
		full, _ = lookup(e.Op.UUID, e.Op.ID())
	case "whenAvailable", "required":
		if e.Op.Images {
			full = e.Op.After
		} else if s.FullDocument == "required" {
			return nil, e.noImage("post", "post-image")
		}
	default:
		return dst, nil
	}
	if full == nil {
		return bson.AppendNull(dst, "fullDocument"), nil
	}
	return bson.AppendDocument(dst, "fullDocument", full), nil
}

// appendBefore adds fullDocumentBeforeChange.
func (e *Event) appendBefore(dst []byte, s *Spec) ([]byte, error) {
	if e.Type != "update" && e.Type != "replace" && e.Type != "delete" {
		return dst, nil
	}
	switch {
	case s.FullDocumentBefore != "whenAvailable" && s.FullDocumentBefore != "required":
		return dst, nil
	case e.Op.Images:
		return bson.AppendDocument(dst, "fullDocumentBeforeChange", e.Op.Before), nil
	case s.FullDocumentBefore == "required":
		return nil, e.noImage("pre", "pre-image")
	}
	return bson.AppendNull(dst, "fullDocumentBeforeChange"), nil
}

func (e *Event) noImage(kind, name string) error {
	return errorf(47, "Change stream was configured to require a %s-image for all update, delete and replace events, "+
		"but the %s was not found for event with the documentKey %s", kind, name, query.FormatDocument(e.key()))
}

func (e *Event) appendDescription(dst []byte, s *Spec) []byte {
	d := e.Op.Description
	dst, at := bson.BeginEmbedded(dst, "updateDescription")
	updated := d.UpdatedFields
	if updated == nil {
		b, at := bson.BeginDocument(nil)
		updated = bson.EndDocument(b, at)
	}
	dst = bson.AppendDocument(dst, "updatedFields", updated)
	dst, list := bson.BeginArray(dst, "removedFields")
	for i, path := range d.RemovedFields {
		dst = bson.AppendStringValue(bson.AppendIndexHeader(dst, bson.TypeString, i), path)
	}
	dst = bson.EndDocument(dst, list)
	if s.Version.AtLeast(5, 0) {
		dst, list = bson.BeginArray(dst, "truncatedArrays")
		for i, cut := range d.TruncatedArrays {
			var inner int
			dst, inner = bson.BeginDocument(bson.AppendIndexHeader(dst, bson.TypeEmbeddedDocument, i))
			dst = bson.AppendString(dst, "field", cut.Field)
			dst = bson.AppendInt32(dst, "newSize", int32(cut.NewSize))
			dst = bson.EndDocument(dst, inner)
		}
		dst = bson.EndDocument(dst, list)
	}
	if s.ShowExpanded {
		paths := d.DisambiguatedPaths
		if paths == nil {
			b, at := bson.BeginDocument(nil)
			paths = bson.EndDocument(b, at)
		}
		dst = bson.AppendDocument(dst, "disambiguatedPaths", paths)
	}
	return bson.EndDocument(dst, at)
}

// appendOperation adds operationDescription to expanded events.
func (e *Event) appendOperation(dst []byte) []byte {
	if e.view {
		dst, at := bson.BeginEmbedded(dst, "operationDescription")
		for name, v := range e.Op.After.All() {
			if name != "_id" {
				dst = bson.AppendValue(dst, name, v)
			}
		}
		return bson.EndDocument(dst, at)
	}
	switch e.Type {
	case "create", "modify":
		return bson.AppendDocument(dst, "operationDescription", e.Op.Options.Spec)
	case "shardCollection":
		return bson.AppendDocument(dst, "operationDescription", e.Op.Object)
	case "createIndexes", "dropIndexes":
		dst, at := bson.BeginEmbedded(dst, "operationDescription")
		dst, list := bson.BeginArray(dst, "indexes")
		for i, ix := range e.Op.Indexes {
			dst = append(bson.AppendIndexHeader(dst, bson.TypeEmbeddedDocument, i), ix.Spec...)
		}
		return bson.EndDocument(bson.EndDocument(dst, list), at)
	case "rename":
		dst, at := bson.BeginEmbedded(dst, "operationDescription")
		dst = appendNS(dst, "to", e.Op.To)
		if e.Op.Dropped != (storage.UUID{}) {
			dst = bson.AppendBinary(dst, "dropTarget", e.Op.Dropped.Binary())
		}
		return bson.EndDocument(dst, at)
	}
	return dst
}
