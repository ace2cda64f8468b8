package changestream

import (
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// Spec is a parsed stage $changeStream.
type Spec struct {
	Version query.Version
	// NS is what the stream watches: a collection, or a database if it has no
	// collection.
	NS      storage.Namespace
	Cluster bool // all databases

	FullDocument       string // "default" or another
	FullDocumentBefore string // "off" or another
	ShowExpanded       bool

	// From is where the stream begins, nil for now.
	From *Position
	// Invalidated says that From is an invalidation that the stream may go on
	// behind.
	Invalidated bool
}

// ParseSpec reads the stage of a stream on a namespace.
func ParseSpec(v bson.RawValue, ns storage.Namespace, version query.Version) (*Spec, error) {
	d, ok := v.Document()
	if !ok {
		return nil, errorf(50808, "$changeStream stage expects a document as argument.")
	}
	s := &Spec{Version: version, NS: ns, FullDocument: "default", FullDocumentBefore: "off"}
	resumes := map[string]bson.RawValue{}
	for name, v := range d.All() {
		if v.Type == bson.TypeNull || v.Type == bson.TypeUndefined {
			continue
		}
		var err error
		switch name {
		case "fullDocument":
			s.FullDocument, err = s.choice(name, v, s.fullDocuments())
		case "fullDocumentBeforeChange":
			s.FullDocumentBefore, err = s.choice(name, v, []string{"off", "whenAvailable", "required"})
		case "allChangesForCluster":
			s.Cluster, err = parseBool(name, v)
		case "resumeAfter", "startAfter":
			resumes[name], err = v, expect(name, v, bson.TypeEmbeddedDocument)
		case "startAtOperationTime":
			resumes[name], err = v, expect(name, v, bson.TypeTimestamp)
		case "showExpandedEvents", "showSystemEvents":
			if !version.AtLeast(6, 0) {
				return nil, unknown(name)
			}
			b, e := parseBool(name, v)
			err = e
			s.ShowExpanded = s.ShowExpanded || b && name == "showExpandedEvents"
		case "allowToRunOnConfigDB", "showMigrationEvents", "showRawUpdateDescription":
		default:
			return nil, unknown(name)
		}
		if err != nil {
			return nil, err
		}
	}
	return s, s.parseFrom(resumes)
}

func unknown(name string) error {
	return errorf(40415, "BSON field '$changeStream.%s' is an unknown field.", name)
}

func expect(name string, v bson.RawValue, t bson.Type) error {
	if v.Type == t {
		return nil
	}
	return errorf(14, "BSON field '$changeStream.%s' is the wrong type '%s', expected type '%s'", name, query.TypeName(v.Type), query.TypeName(t))
}

func parseBool(name string, v bson.RawValue) (bool, error) {
	b, _ := v.Bool()
	return b, expect(name, v, bson.TypeBoolean)
}

func (s *Spec) fullDocuments() []string {
	if s.Version.AtLeast(6, 0) {
		return []string{"default", "updateLookup", "whenAvailable", "required"}
	}
	return []string{"default", "updateLookup"}
}

func (s *Spec) choice(name string, v bson.RawValue, choices []string) (string, error) {
	if err := expect(name, v, bson.TypeString); err != nil {
		return "", err
	}
	given, _ := v.Str()
	for _, c := range choices {
		if c == given {
			return given, nil
		}
	}
	if s.Version.AtLeast(6, 0) {
		return "", errorf(2, "Enumeration value '%s' for field '$changeStream.%s' is not a valid value.", given, name)
	}
	return "", errorf(40575, "unrecognized value for the '%s' option to the $changeStream stage. Expected '%s' or '%s', got '%s'",
		name, choices[0], choices[1], given)
}

// parseFrom finds where the stream begins.
func (s *Spec) parseFrom(resumes map[string]bson.RawValue) error {
	after, start, at := resumes["resumeAfter"], resumes["startAfter"], resumes["startAtOperationTime"]
	switch {
	case !after.IsZero() && !start.IsZero():
		return errorf(50865, "Do not specify both 'resumeAfter' and 'startAfter' in a $changeStream stage")
	case len(resumes) > 1:
		return errorf(40674, "Only one type of resume option is allowed, but multiple were found.")
	case len(resumes) == 0:
		return nil
	}
	if ts, ok := at.Timestamp(); ok {
		p := HighWater(ts)
		s.From = &p
		return nil
	}
	token := after
	if token.IsZero() {
		token = start
	}
	p, err := ParseToken(bson.Raw(token.Value))
	if err != nil {
		return err
	}
	if p.Invalidate && start.IsZero() {
		return errorf(260, "Attempting to resume a change stream using 'resumeAfter' is not allowed from an invalidate notification.")
	}
	s.From, s.Invalidated = &p, p.Invalidate
	return nil
}

// Behind reports whether an event comes after the position.
func (p Position) Behind(e *Event) bool {
	switch {
	case e.TS != p.TS:
		return e.TS.After(p.TS)
	case !p.Event:
		return true
	case e.Position.Op != p.Op:
		return e.Position.Op > p.Op
	}
	return e.Invalidate && !p.Invalidate
}
