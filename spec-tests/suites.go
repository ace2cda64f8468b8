package spectests

// Suites are all the suites there are, by name.
var Suites = []Suite{
	{Name: "auth/legacy", Run: runAuthURIs},
	{Name: "connection-monitoring-and-pooling/cmap-format", Run: runCMAP},
	{Name: "connection-string", Run: runConnectionStrings},
	{Name: "initial-dns-seedlist-discovery", Run: runSeedlist, Prose: proseSeedlist},
	{Name: "polling-srv-records-for-mongos-discovery", Prose: proseSRVPolling},
	{Name: "read-write-concern/connection-string", Run: runConcernURIs},
	{Name: "read-write-concern/document", Run: runConcernDocuments},
	{Name: "uri-options", Run: runConnectionStrings},
}
