// Package description is what is known of a deployment, and every decision
// that follows from it alone: the state machine of the specification
// server-discovery-and-monitoring, the choice of servers of server-selection
// and max-staleness, and what an application's error says about a server.
//
// All of it is pure. Server and Topology are plain values that nobody changes
// once others can see them; time and chance come in as arguments; there are no
// locks, sockets or goroutines here. Package topology holds the current
// Topology, feeds it with the replies of its monitors and carries the verdicts
// out.
//
// Names are the specifications' own. An address is a host and a port,
// "example.com:27017", or the path of a Unix domain socket. A server is
// available if it is of another type than Unknown, suitable if an operation
// may go to it, and in the window if it is also near enough.
package description

// Unknown is the type of a server that has not answered, or not yet, and of a
// topology of which nothing else is known.
const Unknown = 0
