package concern

import (
	"fmt"
	"strings"
	"time"
)

// Mode is the mode of a ReadPreference.
type Mode uint8

// The modes of the server-selection specification. The zero value is Primary.
const (
	Primary Mode = iota
	PrimaryPreferred
	Secondary
	SecondaryPreferred
	Nearest
)

var modeNames = [...]string{"primary", "primaryPreferred", "secondary", "secondaryPreferred", "nearest"}

// String is the mode as it goes over the wire.
func (m Mode) String() string {
	if int(m) < len(modeNames) {
		return modeNames[m]
	}
	return fmt.Sprintf("Mode(%d)", uint8(m))
}

// ParseMode turns the wire name of a mode, in any case, into a Mode.
func ParseMode(s string) (Mode, error) {
	for i, name := range modeNames {
		if strings.EqualFold(s, name) {
			return Mode(i), nil
		}
	}
	return 0, fmt.Errorf("read preference mode %q is not one of primary, primaryPreferred, secondary, secondaryPreferred, nearest", s)
}

// Tag is one name and value of a TagSet.
type Tag struct{ Name, Value string }

// TagSet is a list of tags that a server must all have. The empty set fits
// every server.
type TagSet []Tag

// ReadPreference says which members may serve a read. The zero value is
// primary.
type ReadPreference struct {
	Mode Mode
	// TagSets are tried in order; the first that fits any server decides.
	TagSets []TagSet
	// MaxStaleness is how far a secondary may lag, at least 90 s; 0 sets no
	// limit.
	MaxStaleness time.Duration
	// Hedge asks a mongos of 4.4 to 7.x for hedged reads if set.
	Hedge *bool
}

// Validate refuses a mode that there is not, and combinations that the
// specification forbids.
func (r ReadPreference) Validate() error {
	if r.Mode > Nearest {
		return fmt.Errorf("read preference %v: there is no such mode", r.Mode)
	}
	if r.Mode == Primary {
		switch {
		case len(r.TagSets) > 0 && !(len(r.TagSets) == 1 && len(r.TagSets[0]) == 0):
			return fmt.Errorf("read preference primary takes no tag sets; use primaryPreferred or another mode")
		case r.MaxStaleness > 0:
			return fmt.Errorf("read preference primary takes no maxStalenessSeconds; use another mode")
		case r.Hedge != nil:
			return fmt.Errorf("read preference primary takes no hedge; use another mode")
		}
	}
	if r.MaxStaleness < 0 {
		return fmt.Errorf("maxStaleness %v is negative", r.MaxStaleness)
	}
	return nil
}
