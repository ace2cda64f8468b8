package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// The sizes that the specification gives the tasks of DriverBench, in bytes.
const (
	helloSize = 13
	tweetSize = 1622
	smallSize = 275
	largeSize = 2_731_089
)

// singleCases are the tasks with one document.
func singleCases(ctx context.Context, b *bench) ([]Case, error) {
	e := b.env
	var cases []Case
	for _, v := range append([]variant{plain}, variants...) {
		add := func(name string, scale int, task Task, j job) {
			c := trip{env: e, variant: v, job: j}.newCase("single", name)
			c.Scale = scale
			if v == plain {
				c.Task = task
			}
			cases = append(cases, c)
		}
		add("run command hello", 10_000, Task{"Run command", helloSize, 0}, job{kind: runHello})
		add("findOne tweet into D", 10_000, Task{"Find one by ID", tweetSize, single | read},
			job{kind: findOneD, coll: "tweet_10000", count: 10_000})
		add("findOne tweet into struct", 10_000, Task{}, job{kind: findOneStruct, coll: "tweet_10000", count: 10_000})
		add("insertOne small", 10_000, Task{"Small doc insertOne", smallSize, single | write},
			job{kind: insertOne, coll: "small", doc: e.corpus["small"]})
		add("insertOne large", 10, Task{"Large doc insertOne", largeSize, single | write},
			job{kind: insertOne, coll: "large", doc: e.corpus["large"]})
	}
	return cases, nil
}

// multiCases are the tasks with many documents.
func multiCases(ctx context.Context, b *bench) ([]Case, error) {
	e := b.env
	found, tweets := 10_000, "10,000 tweets"
	if b.quick {
		found, tweets = 1000, "1,000 tweets"
	}
	var cases []Case
	for _, v := range append([]variant{plain}, variants...) {
		add := func(name string, task Task, j job) {
			c := trip{env: e, variant: v, job: j}.newCase("multi", name)
			c.Scale = 1
			c.Long = j.kind.gridfs() || j.kind.mixed() || j.count*len(j.doc) > 10<<20
			if v == plain {
				c.Task = task
			}
			cases = append(cases, c)
		}
		coll := fmt.Sprint("tweet_", found)
		add("find "+tweets+" into D", Task{"Find many and empty cursor", found * tweetSize, multi | read}, job{kind: findD, coll: coll})
		add("find "+tweets+" into structs", Task{}, job{kind: findStruct, coll: coll})
		add("find "+tweets+" as Raw", Task{}, job{kind: findRaw, coll: coll})
		small, large := e.corpus["small"], e.corpus["large"]
		add("insertMany 10,000 small", Task{"Small doc bulk insert", 10_000 * smallSize, multi | write},
			job{kind: insertMany, coll: "small", doc: small, count: 10_000})
		add("insertMany 10 large", Task{"Large doc bulk insert", 10 * largeSize, multi | write},
			job{kind: insertMany, coll: "large", doc: large, count: 10})
		if v != plain {
			continue
		}
		add("bulkWrite 10,000 small", Task{"Small doc Collection BulkWrite insert", 10_000 * smallSize, multi | write},
			job{kind: bulkInsert, coll: "small", doc: small, count: 10_000})
		add("bulkWrite 10 large", Task{"Large doc Collection BulkWrite insert", 10 * largeSize, multi | write},
			job{kind: bulkInsert, coll: "large", doc: large, count: 10})
		add("client bulkWrite 10,000 small", Task{"Small doc Client BulkWrite insert", 10_000 * smallSize, multi | write},
			job{kind: clientInsert, coll: "small", doc: small, count: 10_000})
		add("client bulkWrite 10 large", Task{"Large doc Client BulkWrite insert", 10 * largeSize, multi | write},
			job{kind: clientInsert, coll: "large", doc: large, count: 10})
		mixed, name := 1000, "1,000"
		if b.driverBench {
			mixed, name = 10_000, "10,000"
		}
		add("bulkWrite "+name+" of each", Task{"Small doc Collection BulkWrite Mixed Operations", 2 * mixed * smallSize, multi | write},
			job{kind: bulkMixed, coll: "small", doc: small, count: mixed})
		add("client bulkWrite "+name+" of each", Task{"Small doc Client BulkWrite Mixed Operations", 2 * mixed * smallSize, multi | write},
			job{kind: clientMixed, coll: "small", doc: small, count: mixed})
		add("GridFS upload", Task{"GridFS upload", gridfsLarge, multi | write}, job{kind: upload, coll: "fs", size: gridfsLarge})
		add("GridFS download", Task{"GridFS download", gridfsLarge, multi | read}, job{kind: download, coll: "fs", size: gridfsLarge})
	}
	return cases, nil
}

// parallelCases are the tasks of many goroutines.
func parallelCases(ctx context.Context, b *bench) ([]Case, error) {
	var cases []Case
	for _, v := range append([]variant{plain}, variants...) {
		for _, g := range []int{8, 64, 512} {
			cases = append(cases, trip{
				env: b.env, variant: v, goroutines: g,
				job: job{kind: findOneD, coll: "tweet_10000", count: 10_000},
			}.newCase("parallel", fmt.Sprintf("findOne into D, %d goroutines", g)))
		}
	}
	files, lines, photos := 8, 1000, 8
	switch {
	case b.driverBench:
		files, lines, photos = 100, 5000, 50
	case b.quick:
		files, lines, photos = 4, 100, 4
	}
	line, err := b.data.line(ctx)
	if err != nil {
		return nil, err
	}
	text := repeatLine(line, lines)
	all := job{coll: fmt.Sprintf("line_%d", files*lines), count: lines}
	of := fmt.Sprintf(" of %d files of %d lines", files, lines)
	cases = append(cases,
		all.onFiles(b.env, importLines, files, text, "LDJSON import"+of, Task{"LDJSON multi-file import", 0, write}),
		all.onFiles(b.env, exportLines, files, text, "LDJSON export"+of, Task{"LDJSON multi-file export", 0, read}))
	photo := content(gridfsMulti)
	all = job{coll: "fs", size: len(photo)}
	of = fmt.Sprintf(" of %d files of 5 MB", photos)
	return append(cases,
		all.onFiles(b.env, uploadFiles, photos, photo, "GridFS upload"+of, Task{"GridFS multi-file upload", 0, write}),
		all.onFiles(b.env, downloadFiles, photos, photo, "GridFS download"+of, Task{"GridFS multi-file download", 0, read})), nil
}

// onFiles is the case of doing the job with n files, which hold text in the
// beginning.
func (j job) onFiles(e *environment, k kind, n int, text []byte, name string, task Task) Case {
	j.kind, j.files = k, make([]string, n)
	task.Size, task.composites = n*len(text), task.composites|parallel
	c := trip{env: e, job: j}.newCase("parallel", name)
	c.Task, c.Scale, c.Long = task, 1, k.gridfs()
	c.Open = func(ctx context.Context, c *Case) error {
		dir, err := os.MkdirTemp("", "bench")
		if err != nil {
			return err
		}
		c.onClose(func() { os.RemoveAll(dir) })
		t := trip{env: e, job: j}
		for i := range j.files {
			t.job.files[i] = filepath.Join(dir, fmt.Sprintf("file%03d", i))
			if err := os.WriteFile(t.job.files[i], text, 0o644); err != nil {
				return err
			}
		}
		return t.open(ctx, c)
	}
	return c
}

func repeatLine(line []byte, n int) []byte {
	text := make([]byte, 0, n*(len(line)+1))
	for range n {
		text = append(append(text, line...), '\n')
	}
	return text
}
