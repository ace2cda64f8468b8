package mongod

import "github.com/motor-go/motor/bson"

func routeCompact(r *request) (*doc, error) {
	return nil, errorf(codeCommandNotSupported, "compact not allowed through mongos")
}

func replSetGetStatusOnMongos(*request) (*doc, error) {
	return nil, &Error{Message: "replSetGetStatus is not supported through mongos", More: newDoc().str("info", "mongos")}
}

func getLastErrorOnMongos(*request) (*doc, error) {
	return newDoc().int32("n", 0).strings("shards", nil).embed("shardRawGLE", func(*doc) {}).null("err"), nil
}

// checkMetadataConsistency finds what is wrong with the catalog: nothing.
func checkMetadataConsistency(r *request) (*doc, error) {
	return r.listCursor(r.db+".$cmd.aggregate", nil)
}

// killOpOnMongos ends an operation, of this server if it is a number.
func killOpOnMongos(r *request) (*doc, error) {
	if r.field("op").IsZero() {
		return nil, errorf(50759, "Did not provide \"op\" field")
	}
	_, err := killOp(r)
	return newDoc(), err
}

func flushRouterConfig(*request) (*doc, error) { return newDoc().bool("flushed", true), nil }

func isdbgrid(r *request) (*doc, error) {
	return newDoc().int32("isdbgrid", 1).str("hostname", r.server.Host), nil
}

func listShards(r *request) (*doc, error) {
	s := r.server.Cluster.Shard
	shard := newDoc().str("_id", s.Name).str("host", s.String()).int32("state", 1).raw()
	return newDoc().docs("shards", []bson.Raw{shard}), nil
}

func getShardMap(r *request) (*doc, error) {
	c := r.server.Cluster
	return newDoc().embed("map", func(d *doc) {
		for _, s := range []*Shard{c.Shard, c.Config} {
			d.str(s.Name, s.String())
		}
	}), nil
}

func balancerStatus(*request) (*doc, error) {
	return newDoc().str("mode", "full").bool("inBalancerRound", false).int64("numBalancerRounds", 0), nil
}
