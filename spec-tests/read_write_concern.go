package spectests

import (
	"time"

	"github.com/motor-go/motor/concern"
	"github.com/motor-go/motor/uri"
)

// concerns are the read concern and the write concern of a test. What is null
// or missing is not asserted.
type concerns struct {
	Description     string
	URI             string
	Valid           bool
	Warning         *bool
	ReadConcern     *readConcernFixture
	WriteConcern    *writeConcernFixture
	ReadDocument    map[string]any `json:"readConcernDocument"`
	WriteDocument   map[string]any `json:"writeConcernDocument"`
	IsServerDefault *bool
	IsAcknowledged  *bool
	SkipReason      string // of the official driver, in its own copy of the files
}

type readConcernFixture struct{ Level string }

type writeConcernFixture struct {
	W          any
	Journal    *bool
	WTimeoutMS float64
}

func (f readConcernFixture) readConcern() concern.ReadConcern {
	return concern.ReadConcern{Level: f.Level}
}

func (f writeConcernFixture) writeConcern() concern.WriteConcern {
	w := concern.WriteConcern{W: f.W, Journal: f.Journal, WTimeout: time.Duration(f.WTimeoutMS) * time.Millisecond}
	if n, ok := f.W.(float64); ok {
		w.W = int(n)
	}
	return w
}

func runConcerns(t T, f File, run func(concerns, T)) {
	var file struct{ Tests []concerns }
	f.Decode(t, &file)
	for _, test := range file.Tests {
		t.Run(test.Description, func(t T) { run(test, t) })
	}
}

func runConcernURIs(t T, f File)      { runConcerns(t, f, concerns.runURI) }
func runConcernDocuments(t T, f File) { runConcerns(t, f, concerns.runDocument) }

func (test concerns) runURI(t T) {
	c, warnings, err := uri.Parse(test.URI)
	if !test.Valid {
		// Where the file leaves the warning open, a value may be refused by
		// one: uri-options has it so for a negative wTimeoutMS.
		if err == nil && (test.Warning != nil || len(warnings) == 0) {
			t.Errorf("%s is accepted as %v", test.URI, c)
		}
		return
	}
	if err != nil {
		t.Fatalf("%s: %v", test.URI, err)
	}
	if test.Warning != nil && *test.Warning != (len(warnings) > 0) {
		t.Errorf("%s: warnings are %v, wanted any: %v", test.URI, warnings, *test.Warning)
	}
	if test.ReadConcern != nil && c.ReadConcern != test.ReadConcern.readConcern() {
		t.Errorf("%s: read concern is %+v, wanted %+v", test.URI, c.ReadConcern, *test.ReadConcern)
	}
	if test.WriteConcern != nil {
		want := test.WriteConcern.writeConcern()
		if c.WriteConcern.W != want.W || pointed(c.WriteConcern.Journal) != pointed(want.Journal) || c.WriteConcern.WTimeout != want.WTimeout {
			t.Errorf("%s: write concern is %+v, wanted %+v", test.URI, c.WriteConcern, want)
		}
	}
}

func (test concerns) runDocument(t T) {
	var isDefault, isAcknowledged bool
	var err error
	switch {
	case test.ReadConcern != nil:
		isDefault = test.ReadConcern.readConcern().IsDefault()
	case test.WriteConcern != nil:
		w := test.WriteConcern.writeConcern()
		isDefault, isAcknowledged, err = w.IsDefault(), w.Acknowledged(), w.Validate()
	default:
		t.Fatalf("neither a read concern nor a write concern")
	}
	if test.Valid != (err == nil) {
		t.Errorf("validity: %v, wanted valid: %v", err, test.Valid)
	}
	if test.IsServerDefault != nil && isDefault != *test.IsServerDefault {
		t.Errorf("is the server's default: %v", isDefault)
	}
	if test.IsAcknowledged != nil && isAcknowledged != *test.IsAcknowledged {
		t.Errorf("is acknowledged: %v", isAcknowledged)
	}
}
