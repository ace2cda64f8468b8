package motor

import (
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/concern"
)

type (
	// ReadConcern is the isolation level of a read, its Level.
	ReadConcern = concern.ReadConcern
	// WriteConcern says which members must confirm a write: W, a number of them
	// or a mode such as "majority", whether on the Journal, and within WTimeout.
	WriteConcern = concern.WriteConcern
	// ReadPreference says which members may serve a read: a Mode, TagSets, a
	// MaxStaleness of 90 s or more, and Hedge.
	ReadPreference = concern.ReadPreference
)

// Settings are inherited: what a Collection does not set comes from its
// Database, and what that does not set from the Client.
type Settings struct {
	// ReadConcern, WriteConcern and ReadPreference are inherited if nil.
	ReadConcern    *ReadConcern
	WriteConcern   *WriteConcern
	ReadPreference *ReadPreference
	// Timeout is timeoutMS, the time that each operation has as a whole;
	// inherited if nil. 0 is no limit. See the section Timeouts of the package.
	Timeout *time.Duration
	// BSON says how values are encoded and decoded; inherited if nil.
	BSON *bson.Options
}

// settings are Settings with nothing left open.
type settings struct {
	readConcern    ReadConcern
	writeConcern   WriteConcern
	readPreference ReadPreference
	timeout        *time.Duration // nil: not set
	codec          bson.Options
}

// with are the settings with those that o sets replaced.
func (s settings) with(o Settings) settings {
	if o.ReadConcern != nil {
		s.readConcern = *o.ReadConcern
	}
	if o.WriteConcern != nil {
		s.writeConcern = *o.WriteConcern
	}
	if o.ReadPreference != nil {
		s.readPreference = *o.ReadPreference
	}
	if o.Timeout != nil {
		s.timeout = o.Timeout
	}
	if o.BSON != nil {
		s.codec = *o.BSON
	}
	return s
}

// plain are the settings of commands that take neither concerns nor a read
// preference from them.
func (s settings) plain() settings { return settings{timeout: s.timeout} }

// Collation is the language-specific comparison of strings.
type Collation struct {
	Locale          string `bson:"locale"`
	CaseLevel       *bool  `bson:"caseLevel,omitempty"`
	CaseFirst       string `bson:"caseFirst,omitempty"`
	Strength        int    `bson:"strength,omitempty"`
	NumericOrdering *bool  `bson:"numericOrdering,omitempty"`
	Alternate       string `bson:"alternate,omitempty"`
	MaxVariable     string `bson:"maxVariable,omitempty"`
	Normalization   *bool  `bson:"normalization,omitempty"`
	Backwards       *bool  `bson:"backwards,omitempty"`
}

// The modes of a ReadPreference.
const (
	Primary            = concern.Primary
	PrimaryPreferred   = concern.PrimaryPreferred
	Secondary          = concern.Secondary
	SecondaryPreferred = concern.SecondaryPreferred
	Nearest            = concern.Nearest
)
