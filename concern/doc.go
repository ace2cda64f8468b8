// Package concern holds the three values that say how safe and how fresh an
// operation must be, with the meanings of the read-write-concern,
// server-selection and max-staleness specifications. They are plain data;
// nothing here performs I/O.
//
// A ReadConcern is what a read may see: what one member has (local), what a
// majority has confirmed and so cannot be lost (majority), or one state of all
// data (snapshot). A WriteConcern is who must have a write before it counts as
// done: a number of members, a majority of them, or nobody (w: 0, an
// unacknowledged write, of which no error is ever heard).
//
// A ReadPreference is who may serve a read. Its mode says whether the primary or
// secondaries, its tag sets which members by the tags of their configuration,
// and its maximum staleness how far behind the primary a secondary may be. The
// mode primary excludes the other two.
//
// The zero value of each is the default: what the server or the deployment does
// if it is not told, and primary.
package concern
