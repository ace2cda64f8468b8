package auth

import "fmt"

// Secret is a string that must not be seen: a password, a key, a token. It
// formats and marshals as a placeholder, so that a struct with secrets may be
// printed or logged; convert it to string to use it.
type Secret string

const redacted = "[secret]"

// Format prints a placeholder, whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, redacted) }

// MarshalText is the placeholder, for encoders such as those of log handlers.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
