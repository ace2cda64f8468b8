// Package topology follows the servers of a deployment and chooses one for
// each operation, by the specifications server-discovery-and-monitoring,
// server-monitoring, server-selection and load-balancers.
//
// What is known and every decision about it are values of the package
// description below this one. Here are the goroutines that carry them out: a
// monitor per server, which checks it, and beside a streaming one another that
// measures the round trip time. Readers see one immutable snapshot, which is
// replaced as a whole; updates are made one at a time, and what follows from
// them (events, monitors to start and to stop) is done after the lock is
// released, in the same order.
//
// A Topology is the deployment as one client sees it, and a Server one address
// of it with its pool and its monitor. A check, or heartbeat, is one hello that a
// monitor sends and the answer to it. A streaming monitor has the server answer
// whenever something changes; a polling one asks every heartbeatFrequencyMS. To
// select is to wait until a server is suitable, for serverSelectionTimeoutMS at
// most; the error is then a *SelectionError, which says why none was.
package topology
