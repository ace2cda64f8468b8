package gridfs_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/motor-go/motor/mongotest"
)

// deployment is the connection string of the replica set that all tests share,
// each with a database of its own.
var deployment string

func TestMain(m *testing.M) {
	rs, err := mongotest.StartReplicaSet(mongotest.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	deployment = rs.URI()
	code := m.Run()
	rs.Close()
	os.Exit(code)
}
