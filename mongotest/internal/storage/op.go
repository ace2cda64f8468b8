package storage

import (
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
)

// OpKind says what an Op does.
type OpKind int

// The kinds of Ops.
const (
	Noop OpKind = iota
	Insert
	Update  // changes a document: After and Description
	Replace // the whole document: After
	Delete
	Create
	Drop
	Rename
	Modify // collMod
	CreateIndexes
	DropIndexes
	DropDatabase // after the Drop of every collection
	Truncate     // emptycapped
	Shard        // shardCollection: Object describes it
)

// An Op is one change of a State.
type Op struct {
	Kind OpKind
	NS   Namespace
	UUID UUID

	// Of documents.
	Record        RecordID
	Before, After bson.Raw
	Description   *query.UpdateDescription
	Stmt          int32 // number in a retryable write; NoStmt outside
	Upsert        bool  // an Insert that an update made
	Image         Image // what findAndModify returned
	Images        bool  // the collection keeps pre- and post-images

	// Of the catalog.
	Options *Options // Create, Modify: all options after it
	Indexes []*Index // Create: that on _id; CreateIndexes, DropIndexes, Modify: those concerned, without entries
	To      Namespace
	Dropped UUID     // Rename: the collection that was in the way
	Object  bson.Raw // the command as the oplog shows it; for Noop the message
}

// NoStmt is the statement number of an Op outside of a retryable write.
const NoStmt int32 = -1

// Image is the version of the document that a findAndModify returned, which a
// retry has to return again.
type Image int

// The versions of a document.
const (
	NoImage Image = iota
	PreImage
	PostImage
)

// IsCRUD reports whether o changes a document rather than the catalog.
func (o *Op) IsCRUD() bool { return o.Kind >= Insert && o.Kind <= Delete }

// ID is the _id of the document that o is about.
func (o *Op) ID() bson.RawValue {
	if o.After != nil {
		return o.After.Lookup("_id")
	}
	return o.Before.Lookup("_id")
}

// An Entry is Ops that take effect together.
type Entry struct {
	OpTime  OpTime
	Wall    time.Time
	Ops     []*Op
	Session *SessionWrite
	// Transaction says that the Ops are those of a transaction, which the oplog
	// shows as one applyOps.
	Transaction bool
}

// SessionWrite is the session that a retryable write or transaction belongs to.
type SessionWrite struct {
	LSID      bson.Raw // {id, uid}
	TxnNumber int64
	// Term is the term in which it was found out what the session had written
	// before. In no other term may the write be made.
	Term int64
}
