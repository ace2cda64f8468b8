// Package motor is a MongoDB driver: typed collections, results that are
// ranged over, change streams, sessions, and retries that apply a write once.
//
//	client, err := motor.Connect(ctx, "mongodb://localhost:27017/?replicaSet=rs0")
//	if err != nil { ... }
//	defer client.Close(ctx)
//
//	type Shape struct {
//		ID     int `bson:"_id"`
//		Points []struct{ X, Y int }
//	}
//	shapes := motor.CollectionOf[Shape](client.Database("geo"), "shapes")
//	for shape, err := range shapes.Find(ctx, bson.D{{"points.x", 3}}) { ... }
//
// # Documents
//
// Filters, updates and pipelines are anything that package bson can encode:
// bson.D, bson.M, structs, maps, bson.Raw. Results are decoded into the type
// parameter of the Collection; Database.Collection gives a Collection[bson.D].
// Documents nested in an interface always become bson.D.
//
// # Results
//
// Find, Aggregate and the listing methods return a Docs, a sequence to range
// over. The command is sent when the loop starts, and the cursor is closed when
// the loop is left. Where a program wants to hold a cursor, FindCursor and its
// likes give one.
//
// # Options
//
// Options are plain structs, given by value as an optional last argument; the
// zero value is the default. A field whose zero value means something is a
// pointer: new(false).
//
// # Sessions
//
// A session travels in the context: Client.WithSession and
// Client.WithTransaction give their function a context that carries one, and
// every operation called with it takes part.
//
// # Timeouts
//
// An operation has one deadline, from the selection of a server to the last
// byte of the last reply: the earlier of that of its context and the end of its
// timeoutMS. timeoutMS comes from WithTimeout, Settings.Timeout or the client; 0
// is no limit.
//
// If timeoutMS is not set at any level, the deadline ends the operation here and
// changes nothing else. If it is, if only to 0, the deadline, whichever of the
// two it is, is told servers as maxTimeMS, a retryable operation is tried again
// until then, and the older timeouts are ignored: socketTimeoutMS,
// waitQueueTimeoutMS, wTimeoutMS, MaxTime and MaxCommitTime. See
// docs/timeouts.md for cursors, transactions and files.
//
// # Errors
//
// A server's answer that a command failed is a *CommandError. A statement that
// it refused is a *WriteError; InsertMany and BulkWrite collect them in a
// *BulkWriteError. A write that was not confirmed as widely as asked for is a
// *WriteConcernError. No answer at all is a *ConnectionError. errors.Is finds ErrNoDocuments,
// ErrDuplicateKey and ErrTimeout; HasErrorLabel finds the labels of the
// specifications.
package motor
