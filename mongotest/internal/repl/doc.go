// Package repl makes Engines a replica set: it elects primaries, carries Entries
// from the primary to the secondaries, and knows which of them are committed.
//
// The members of a Set stand in one process, so there are no heartbeats: a Set
// knows at once what a member would find out by them, but lets it act on that
// only after the election timeout. What the network does to members is a table
// of the directions that are cut. A member trusts another only if both
// directions work, as a heartbeat has to be answered.
//
// The rules are those of the server's protocol version 1: a member votes once
// in a term, and only for candidates whose oplog is not behind its own; an Entry
// is committed once a majority of the members that follow the primary have it
// and it is of the primary's own term; Entries that a new primary never got are
// thrown away by those who have them.
package repl
