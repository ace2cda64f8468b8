package main

import (
	"context"
	"fmt"
	"net"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/motor-go/motor/bson"
)

// database is the one that the benchmark uses.
const database = "perftest"

// A peer is a driver with a client that is connected to a server.
type peer struct {
	name string
	// task makes what the driver does for a job, or nil if it cannot do that.
	// A task serves one goroutine.
	task  func(job) task
	close func()
}

// A task does a job once. If see is not nil it is told of the results.
type task func(ctx context.Context, see func(any)) error

// A job is what is to be done, on a collection of the database.
type job struct {
	kind kind
	coll string
	// doc is the document to be inserted, and count how often; or how many the
	// collection, or a file, holds.
	doc   bson.Raw
	count int
	// files are what is imported, or written by an export.
	files []string
	// size is that of a file in GridFS, in bytes.
	size int
}

type kind int

const (
	runHello kind = iota
	findOneD
	findOneStruct
	insertOne
	insertMany
	bulkInsert
	bulkMixed
	findD
	findStruct
	findRaw
	clientInsert
	clientMixed
	importLines
	exportLines
	upload
	download
	uploadFiles
	downloadFiles
)

// writes reports whether the job changes the collection.
func (k kind) writes() bool {
	switch k {
	case insertOne, insertMany, bulkInsert, bulkMixed, clientInsert, clientMixed, importLines, upload, uploadFiles:
		return true
	}
	return false
}

// gridfs reports whether the job is about files in GridFS.
func (k kind) gridfs() bool { return k >= upload }

// mixed reports whether the job is a bulk write of several kinds.
func (k kind) mixed() bool { return k == bulkMixed || k == clientMixed }

// mixedCollection is the name of the collection to which the i-th document of
// a mixed bulk write of the client goes.
func mixedCollection(i int) string { return fmt.Sprint("corpus_", i%10+1) }

// connection says how a peer connects.
type connection struct {
	uri string
	// monitor makes the client listen to commands.
	monitor bool
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
}

// dialer is what the official driver wants for a dial function.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

func (d dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	return d(ctx, network, address)
}

// listened counts what the command monitors are told, so that they do
// something.
type listened struct{ started, ended int64 }

// drivers connect, in the order of the tables.
var drivers = []struct {
	name    string
	connect func(connection) (*peer, error)
}{
	{Own, connectMotor},
	{Official, connectV2},
	{Legacy, connectV1},
}

// eachFile does something for each file, as many at a time as there are
// processors, and as many again to wait meanwhile.
func eachFile(names []string, do func(i int, name string) error) error {
	var g errgroup.Group
	g.SetLimit(2 * runtime.GOMAXPROCS(0))
	for i, name := range names {
		g.Go(func() error { return do(i, name) })
	}
	return g.Wait()
}

// repeat is a list of n times v.
func repeat[T any](v T, n int) []T {
	list := make([]T, n)
	for i := range list {
		list[i] = v
	}
	return list
}
