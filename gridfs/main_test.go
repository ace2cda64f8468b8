package gridfs_test

import (
	"cmp"
	"fmt"
	"os"
	"testing"

	"github.com/motor-go/motor/mongotest"
)

// deployment is the connection string of the replica set that all tests share,
// each with a database of its own: that of MONGODB_URI, or embedded. The Examples
// leave their databases behind, and therefore always take the embedded one.
var deployment, embedded string

func TestMain(m *testing.M) {
	rs, err := mongotest.StartReplicaSet(mongotest.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	embedded = rs.URI()
	deployment = cmp.Or(os.Getenv("MONGODB_URI"), embedded)
	code := m.Run()
	rs.Close()
	os.Exit(code)
}
