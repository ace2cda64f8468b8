package query

import (
	"context"

	"github.com/motor-go/motor/bson"
)

// Version is the server version that is claimed.
type Version struct{ Major, Minor int }

// AtLeast reports whether v is major.minor or newer.
func (v Version) AtLeast(major, minor int) bool {
	return v.Major > major || v.Major == major && v.Minor >= minor
}

// Env is all that the meaning of a spec depends on beside its text. It is not
// changed by this package, and may serve any number of specs at once.
type Env struct {
	// Version gates operators, stages and messages.
	Version Version
	// DB and Collection name the namespace that a pipeline runs on; Collection
	// is empty for {aggregate: 1}.
	DB, Collection string
	// Now is $$NOW and what $currentDate sets.
	Now bson.DateTime
	// ClusterTime is $$CLUSTER_TIME, and the value that $currentDate sets for
	// {$type: "timestamp"} and that replaces an empty timestamp. $$CLUSTER_TIME
	// is undefined where it is zero.
	ClusterTime bson.Timestamp
	// Collation compares strings; nil compares bytes.
	Collation *Collation
	// Let holds the command's variables: "let", or "c" of an update statement.
	// Their values are expressions that read no document; see CheckLet.
	Let bson.Raw
	// outer are the variables of the pipeline around: "let" of $lookup. They
	// have no values yet while a pipeline is checked.
	outer map[string]bson.RawValue
	// Random is uniform in [0, 1): $sample, $rand and $sampleRate.
	Random func() float64
	// NewObjectID makes the _id of an upserted or merged document.
	NewObjectID func() bson.ObjectID
	// Scripting runs functions in JavaScript until it ends; nil runs none.
	Scripting context.Context
	// Collections gives pipelines access to collections. It may be zero for
	// everything else.
	Collections Collections
}

// Iterator yields documents one by one. A nil document says that there is none
// now; for a finite source that is the end, and calling again must give nil
// again. A document is valid until the next call only if its source says so;
// those of this package are never overwritten.
type Iterator func() (bson.Raw, error)

// Collections is what the stages of a pipeline need of the server. A function
// that is nil makes the stages that need it fail with CommandNotSupported.
type Collections struct {
	// Scan reads the documents of a collection or view; a missing one is empty.
	Scan func(db, collection string) (Iterator, error)
	// Generate makes the documents of a first stage that only the server knows:
	// $collStats, $indexStats, $currentOp, $listSessions, $listLocalSessions,
	// $planCacheStats, $changeStream and their like. The spec is checked here
	// as far as it does not depend on the server's state.
	Generate func(db, collection, stage string, spec bson.RawValue) (Iterator, error)
	// Replace puts the documents in place of the collection's: $out.
	Replace func(db, collection string, documents Iterator) error
	// HasUniqueIndex reports whether a unique index on just these fields lets
	// $merge match by them.
	HasUniqueIndex func(db, collection string, fields []string) bool
	// GeoIndex is the field of the geo index that $geoNear uses; key names it,
	// or is empty if there is to be one only.
	GeoIndex func(db, collection, key string) (path string, err error)
	// Insert adds a document, Update applies an update to the one document that
	// matches and says how many did: $merge.
	Insert func(db, collection string, document bson.Raw) error
	Update func(db, collection string, filter *Filter, update *Update, upsert bool) (matched int, err error)
}
