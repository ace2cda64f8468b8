package mongotest_test

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest"
)

// otherwise are the recordings that are answered otherwise here, and why.
var otherwise = map[string]string{
	"changestreams/dropDatabase_collection_stream": "the events of the dropped database had not come when the recorded getMore ended",
}

// TestGoldenSharded plays what a real mongos of MongoDB 4.4.6 was asked, and
// wants its answers.
func TestGoldenSharded(t *testing.T) {
	playAll(t, "MOTOR_GOLDEN_SHARDED", func(t *testing.T, scenario bson.Raw) {
		area, _ := scenario.Lookup("area").Str()
		name, _ := scenario.Lookup("name").Str()
		cluster := mongotest.NewSharded(t, mongotest.Options{Version: "4.4"})
		p := newPlayer(t, scenario)
		if why := otherwise[area+"/"+name]; why != "" {
			differs := false
			p.differ = func(format string, args ...any) {
				differs = true
				t.Logf("otherwise, because %s: %s", why, fmt.Sprintf(format, args...))
			}
			defer func() {
				if !differs {
					t.Errorf("all is as recorded; it is not true any more that %s", why)
				}
			}()
		}
		p.rewrite = hideShards
		p.find = func(role string) string {
			if role == "mongos2" {
				return cluster.Routers[1].Address()
			}
			return cluster.Routers[0].Address()
		}
		p.play()
	})
}

// byConnectionString is the key of a shard in raw.
var byConnectionString = regexp.MustCompile(`^[^/]+/[^/:,]+:\d+(,[^/:,]+:\d+)*$`)

// hideShards calls the shards <shard0>, <shard1> where a reply has results of
// each of them.
func hideShards(reply bson.Raw) bson.Raw {
	b, at := bson.BeginDocument(nil)
	for name, v := range reply.All() {
		d, ok := v.Document()
		if ok && (name == "shards" || name == "raw" && allByConnectionString(d)) {
			v.Value = numberShards(d)
		}
		if name == "databases" {
			var list []bson.RawValue
			for e := range bson.RawArray(v.Value).Values() {
				e.Value = hideShards(bson.Raw(e.Value))
				list = append(list, e)
			}
			v = array(list)
		}
		b = bson.AppendValue(b, name, v)
	}
	return bson.EndDocument(b, at)
}

func allByConnectionString(d bson.Raw) bool {
	for name := range d.Keys() {
		if !byConnectionString.MatchString(name) {
			return false
		}
	}
	return true
}

func numberShards(d bson.Raw) bson.Raw {
	b, at := bson.BeginDocument(nil)
	i := 0
	for _, v := range d.All() {
		b = bson.AppendValue(b, fmt.Sprintf("<shard%d>", i), v)
		i++
	}
	return bson.EndDocument(b, at)
}
