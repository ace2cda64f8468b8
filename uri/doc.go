// Package uri turns a connection string into one Config.
//
// Parse is pure: it splits the string, applies every option of the URI options
// specification from one table, and checks what the options say together. An
// option that is unknown, deprecated or unusable does not stop it; it is left
// out and told as a Warning. What would make the client less safe than was
// asked for is an error. A Parser adds what a program says in code, by the same
// table and the same checks.
//
// A mongodb+srv string names no hosts but a DNS name. Resolver asks for the SRV
// and TXT records behind it and completes the Config; a Poller keeps the seed
// list of a sharded cluster up to date afterwards.
//
// The vocabulary is that of the specifications: a host identifier is a host
// and an optional port, the seed list are the host identifiers to start from,
// userinfo is the user name and password before the @, the auth database is
// the path after the hosts. No error, warning or printed Config contains a
// password.
package uri
