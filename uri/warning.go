package uri

import "fmt"

// Warning is something in a connection string that the specifications want the
// user told about but that is no error. It implements error for callers that
// would rather be strict.
type Warning struct {
	// Option is the name of the option as the specification spells it, or as
	// the connection string does if it is unknown; several names are separated
	// by commas.
	Option string
	// Value is the value as written; empty for a secret, and for an unknown
	// option, whose value may be one.
	Value string
	// Reason says what is wrong and what was done about it.
	Reason string
}

// Error is the option, its value and the reason in one line.
func (w Warning) Error() string { return "connection string " + w.text() }

func (w Warning) text() string {
	if w.Value == "" {
		return fmt.Sprintf("option %s: %s", w.Option, w.Reason)
	}
	return fmt.Sprintf("option %s=%s: %s", w.Option, w.Value, w.Reason)
}
