// Package auth authenticates connections, as the authentication specification
// says. It knows mechanisms, not sockets.
//
// A Conversation is one run of a mechanism over one connection: pure steps that
// turn the server's payload into the client's next one. An Authenticator holds
// what the connections of one client share: the Credential, computed SCRAM
// keys, AWS credentials and OIDC tokens. A Login is the authentication of one
// connection: it picks the mechanism, runs conversations over a Send func that
// the connection supplies, and does so again when the server asks for
// reauthentication (error 391).
//
// A payload is what saslStart and saslContinue carry. The package reads and
// writes payloads only; the commands around them are the caller's.
//
// ServerConversation is the other side of SCRAM, for servers that verify
// clients in tests.
//
// Secrets have the type Secret, which prints as a placeholder, and no error of
// this package contains one.
package auth
