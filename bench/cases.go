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
	var cases []Case
	for _, v := range append([]variant{plain}, variants...) {
		add := func(name string, task Task, j job) {
			c := trip{env: e, variant: v, job: j}.newCase("multi", name)
			c.Scale = 1
			if v == plain {
				c.Task = task
			}
			cases = append(cases, c)
		}
		add("find 10,000 tweets into D", Task{"Find many and empty cursor", 10_000 * tweetSize, multi | read},
			job{kind: findD, coll: "tweet_10000"})
		add("find 10,000 tweets into structs", Task{}, job{kind: findStruct, coll: "tweet_10000"})
		add("find 10,000 tweets as Raw", Task{}, job{kind: findRaw, coll: "tweet_10000"})
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
		const mixed = 1000
		add("bulkWrite 1,000 of each", Task{"Small doc Collection BulkWrite Mixed Operations", 2 * mixed * smallSize, multi | write},
			job{kind: bulkMixed, coll: "small", doc: small, count: mixed})
	}
	return cases, nil
}

// parallelCases are the tasks of many goroutines.
func parallelCases(ctx context.Context, b *bench) ([]Case, error) {
	e := b.env
	files, lines := 8, 1000 // of the LDJSON tasks
	switch {
	case b.driverBench:
		files, lines = 100, 5000
	case b.quick:
		files, lines = 4, 100
	}
	var cases []Case
	for _, v := range append([]variant{plain}, variants...) {
		for _, g := range []int{8, 64, 512} {
			cases = append(cases, trip{env: e, variant: v, goroutines: g,
				job: job{kind: findOneD, coll: "tweet_10000", count: 10_000}}.newCase("parallel", fmt.Sprintf("findOne into D, %d goroutines", g)))
		}
	}
	line, err := b.data.line(ctx)
	if err != nil {
		return nil, err
	}
	add := func(name, task string, j job, direction composite) {
		j.count, j.coll = lines, fmt.Sprintf("line_%d", files*lines)
		for i := range files {
			j.files = append(j.files, fmt.Sprintf("ldjson%03d.txt", i))
		}
		t := trip{env: e, job: j}
		c := t.newCase("parallel", fmt.Sprintf("%s of %d files of %d lines", name, files, lines))
		c.Task, c.Scale = Task{task, files * lines * (len(line) + 1), direction | parallel}, 1
		c.Open = func(ctx context.Context, c *Case) error {
			dir, err := os.MkdirTemp("", "ldjson")
			if err != nil {
				return err
			}
			c.onClose(func() { os.RemoveAll(dir) })
			t := t
			t.job.files = nil
			for _, name := range j.files {
				name = filepath.Join(dir, name)
				t.job.files = append(t.job.files, name)
				if err := os.WriteFile(name, repeatLine(line, lines), 0o644); err != nil {
					return err
				}
			}
			return t.open(ctx, c)
		}
		cases = append(cases, c)
	}
	add("LDJSON import", "LDJSON multi-file import", job{kind: importLines}, write)
	add("LDJSON export", "LDJSON multi-file export", job{kind: exportLines}, read)
	return cases, nil
}

func repeatLine(line []byte, n int) []byte {
	text := make([]byte, 0, n*(len(line)+1))
	for range n {
		text = append(append(text, line...), '\n')
	}
	return text
}
