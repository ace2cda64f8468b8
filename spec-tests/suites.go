package spectests

// Suites are all the suites there are, by name.
var Suites = []Suite{
	{Name: "auth/legacy", Run: runAuthURIs},
	{Name: "bson-binary-uuid", Prose: proseUUID},
	{Name: "bson-binary-vector", Run: runVectors, Prose: proseVectors},
	{Name: "bson-corpus", Run: runCorpus, Prose: proseCorpus},
	{Name: "bson-objectid", Prose: proseObjectID},
	{Name: "connection-monitoring-and-pooling/cmap-format", Run: runCMAP, Prose: proseCMAP},
	{Name: "connection-string", Run: runConnectionStrings},
	{Name: "dbref", Prose: proseDBRef},
	{Name: "initial-dns-seedlist-discovery", Run: runSeedlist, Prose: proseSeedlist},
	{Name: "max-staleness", Run: runServerSelection},
	{Name: "mongodb-handshake", Prose: proseHandshake},
	{Name: "polling-srv-records-for-mongos-discovery", Prose: proseSRVPolling},
	{Name: "read-write-concern/connection-string", Run: runConcernURIs},
	{Name: "read-write-concern/document", Run: runConcernDocuments},
	{Name: "server-discovery-and-monitoring/errors", Run: runSDAM},
	{Name: "server-discovery-and-monitoring/load-balanced", Run: runSDAM},
	{Name: "server-discovery-and-monitoring/monitoring", Run: runSDAM},
	{Name: "server-discovery-and-monitoring/rs", Run: runSDAM},
	{Name: "server-discovery-and-monitoring/sharded", Run: runSDAM},
	{Name: "server-discovery-and-monitoring/single", Run: runSDAM},
	{Name: "server-selection/in_window", Run: runInWindow},
	{Name: "server-selection/rtt", Run: runRTT},
	{Name: "server-selection/server_selection", Run: runServerSelection},
	{Name: "uri-options", Run: runConnectionStrings},
}
