// Package event holds what the driver tells those who watch it: operations
// (open-telemetry) and their commands (command-logging-and-monitoring),
// connection pools (connection-monitoring-and-pooling), servers
// (server-discovery-and-monitoring) and the choice among them
// (server-selection). Names and fields are the specifications' own.
//
// An Observer is a struct of optional functions. They are called in the
// goroutine in which the thing happens: they must return quickly and must not
// call back into the client. An event costs nothing when nobody listens. Join
// makes one Observer of two.
//
// An operation is one call of the API; it sends commands, of which a retry is
// another. All of them carry its OperationID, and each a RequestID of its own. A
// command is started, and then either succeeds or fails. A sensitive command is
// one of authentication, which is shown without its contents. Events about a
// server name it by its Address. What an event points to is valid
// during the call only where its comment says so.
package event
