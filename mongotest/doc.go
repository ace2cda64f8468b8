// Package mongotest is a MongoDB deployment inside the test process: a
// standalone server, a replica set, or a sharded cluster with or without a load
// balancer before it, that speaks the real protocol over real TCP, to any driver
// in any language.
//
//	rs := mongotest.New(t, mongotest.Options{})
//	client, err := motor.Connect(ctx, rs.URI())
//
// What a driver has to live through can be made to happen: a Node can be killed
// and restarted, lag behind, be cut off from the others or from clients, in one
// direction or both; its replies can be delayed or cut short; a primary can be
// stepped down; fail points make commands fail as on a server with test commands
// enabled (configureFailPoint).
//
// The server is as strict as the real one of the Version that it claims: error
// codes, labels and the shapes of replies are part of its contract. A command,
// stage or operator that it lacks it refuses with the server's own error for
// unknown ones. The data is in memory and gone with the deployment.
//
// Snapshot reads go back as far as minSnapshotHistoryWindowInSeconds says: five
// minutes, or what setParameter makes of it; five seconds before MongoDB 5.0.
// Memory has a bound nevertheless: an oplog keeps 256 MB, from which old
// snapshots are made, and where that is less than the window it is what counts.
//
// A Sharded cluster has routers before one shard, which is a ReplicaSet that can
// be stepped down and partitioned like any other. A LoadBalanced cluster is one
// behind load balancers.
//
// A deployment is made of Nodes. A Node has the data that it has written or
// that has been replicated to it; killing a Node ends its process, not its data.
package mongotest
