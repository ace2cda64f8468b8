package auth

import (
	"errors"
	"fmt"
	"strings"
)

// Error says that a connection could not be authenticated, and for whom. Err
// is the reason: a *Refused if the server refused, a network error never.
type Error struct {
	// Mechanism is the mechanism that was tried.
	Mechanism string
	// Source is the database that holds the credentials.
	Source string
	// User is the user name, empty where the mechanism has none.
	User string
	// Err is the reason.
	Err error
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("authentication")
	if e.User != "" {
		fmt.Fprintf(&b, " of user %q", e.User)
	}
	fmt.Fprintf(&b, " on database %q with %s failed: %v", e.Source, e.Mechanism, e.Err)
	if IsAuthenticationFailed(e.Err) {
		b.WriteString("; check the user name, the password or token, authSource, and that the user may use this mechanism")
	}
	return b.String()
}

// Unwrap is the reason.
func (e *Error) Unwrap() error { return e.Err }

// Refused is the server's answer ok: 0 to a command of a conversation. A Send
// func returns it so that a Login can tell refusals from broken connections.
type Refused struct {
	// Code is the server's error code.
	Code int32
	// Err is the server's error in full.
	Err error
}

func (r *Refused) Error() string { return fmt.Sprint(r.Err) }

// Unwrap is the server's error.
func (r *Refused) Unwrap() error { return r.Err }

// codeAuthenticationFailed is the server's error for unknown users, wrong
// passwords and expired tokens alike.
const codeAuthenticationFailed = 18

// IsAuthenticationFailed reports whether the server refused with error 18,
// AuthenticationFailed.
func IsAuthenticationFailed(err error) bool {
	var r *Refused
	return errors.As(err, &r) && r.Code == codeAuthenticationFailed
}
