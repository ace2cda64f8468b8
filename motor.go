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
// # Vocabulary
//
// A deployment is what a client connects to: a standalone server, a replica set
// or a sharded cluster, which may be behind a load balancer. Its topology is
// what the client knows of its servers. A Client holds the connections, in a
// pool for each server; it is made once per process and shared. A Database and a
// Collection are names with settings: they hold no connection, and cost nothing to
// make. An operation is one call of a method that takes a context; it sends one
// command or several. A statement is one insert, update or delete of them.
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
// An error in the loop is mostly the last thing that it gets. Only a *DecodeError
// is about one document, which it names: a loop that wants the others continues,
// and gets the next. It is the same with the events of a change stream. Text
// that is not UTF-8 is such an error unless bson.Options say otherwise.
//
// # Options
//
// Options are plain structs, given by value as an optional last argument; the
// zero value is the default. A field whose zero value means something is a
// pointer: new(false). Of several values, a field is that of the last in which
// it is set.
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
// *WriteConcernError. No answer at all is a *ConnectionError. A document of a
// result that is not as the Go type would have it is a *DecodeError. errors.Is
// finds ErrNoDocuments, ErrDuplicateKey and ErrTimeout; HasErrorLabel finds the
// labels of the specifications.
//
// # Retries
//
// A read, and a write of single statements, is tried again after an error that
// may pass: a broken connection, a primary that stepped down. The server knows a
// write that it has applied already, so that it is applied once. UpdateMany,
// DeleteMany and writes with w: 0 are not retried, nor are the operations of a
// transaction, which Client.WithTransaction begins anew as a whole. retryReads
// and retryWrites in the connection string switch retries off. See
// docs/failover.md.
//
// # Change streams
//
// Watch, of a Collection, a Database or the Client, opens a ChangeStream, which
// goes on by itself when servers fail. Its resume token lets another process go
// on where one stopped.
//
// # Monitoring
//
// ClientOptions.Logger takes a *slog.Logger, and ClientOptions.Observer the
// functions of package event. The module otel makes traces and metrics of them.
// Client.Topology and Client.Stats are the servers and the pools at one instant.
//
// # Testing
//
// Package mongotest starts deployments inside the test process, and makes them
// fail on demand. The examples here run against them.
package motor
