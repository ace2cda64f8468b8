package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/wire"
)

// environment is what round trips run against.
type environment struct {
	corpus corpus
	*servers
	// admin is connected to a server that was there before, nil with servers
	// of our own.
	admin *motor.Client
	uri   string
}

// newEnvironment begins to serve, or connects to uri unless that is empty.
func newEnvironment(ctx context.Context, d *data, uri string) (*environment, error) {
	docs, err := loadCorpus(ctx, d)
	if err != nil {
		return nil, err
	}
	e := &environment{corpus: docs, uri: uri}
	if uri == "" {
		e.servers, err = startServers(d.specs)
		return e, err
	}
	e.admin, err = motor.Connect(ctx, uri)
	return e, err
}

func (e *environment) close() {
	if e.admin != nil {
		e.admin.Close(context.Background())
		return
	}
	e.stop()
}

// variant is a way to connect and to call.
type variant struct {
	name string
	// set says that the server is a replica set.
	set bool
	// cancel gives every operation a context that can be cancelled.
	cancel bool
	// monitor listens to commands.
	monitor bool
	// options of the connection string.
	options string
}

var (
	plain    = variant{}
	variants = []variant{
		{name: "replica set", set: true},
		{name: "cancellable context", cancel: true},
		{name: "command monitor", monitor: true},
	}
)

// addr is the address of our own server for v.
func (e *environment) addr(v variant) string {
	if v.set {
		return e.set
	}
	return e.standalone
}

// connection is how peers connect for v.
func (e *environment) connection(v variant) connection {
	c := connection{uri: e.uri, monitor: v.monitor}
	if e.uri == "" {
		c.uri = "mongodb://" + e.addr(v) + "/?" + v.options
		if v.set {
			c.uri += "&replicaSet=bench"
		}
	}
	return c
}

// trip is a case of round trips, without drivers until it is opened.
type trip struct {
	env     *environment
	job     job
	variant variant
	// goroutines do the job at the same time; 0 is the one that measures.
	goroutines int
}

// newCase is the case of a trip.
func (t trip) newCase(group, name string) Case {
	if t.variant.name != "" {
		group += ", " + t.variant.name
	}
	c := Case{Group: group, Name: name, Baseline: Official, Least: 4 * t.goroutines, trip: t}
	c.Open = func(ctx context.Context, c *Case) error { return t.open(ctx, c) }
	return c
}

// open connects the drivers.
func (t trip) open(ctx context.Context, c *Case) error {
	if err := t.fill(ctx); err != nil {
		return err
	}
	for _, d := range drivers {
		if err := t.join(ctx, c, d.name, d.connect); err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
	}
	if t.env.servers != nil && t.job.files == nil {
		messages, err := record(ctx, connectMotor, t.env.connection(t.variant), t.job, nil)
		if err != nil {
			return err
		}
		f := newFloor(t.env.addr(t.variant))
		c.onClose(f.close)
		c.Drivers = append(c.Drivers, Driver{Floor, t.do(context.WithoutCancel(ctx), func() task { return f.task(messages) })})
	}
	c.Check = func() error { return t.check(ctx) }
	if t.env.admin != nil && t.job.kind.writes() {
		c.Before = func() error { return t.empty(ctx) }
	}
	return nil
}

// join lets a driver take part in the case, if it can do the job.
func (t trip) join(ctx context.Context, c *Case, name string, connect func(connection) (*peer, error)) error {
	ctx, cancel := context.WithCancel(ctx)
	c.onClose(cancel)
	if !t.variant.cancel {
		ctx = context.WithoutCancel(ctx)
	}
	p, err := connect(t.env.connection(t.variant))
	if err != nil {
		return err
	}
	c.onClose(p.close)
	if p.task(t.job) != nil {
		c.Drivers = append(c.Drivers, Driver{name, t.do(ctx, func() task { return p.task(t.job) })})
	}
	return nil
}

// do does the job n times, in goroutines with a task each.
func (t trip) do(ctx context.Context, newTask func() task) func(n int) error {
	tasks := make([]task, max(1, t.goroutines))
	for i := range tasks {
		tasks[i] = newTask()
	}
	return func(n int) error {
		if len(tasks) == 1 {
			return times(ctx, n, tasks[0])
		}
		var wg sync.WaitGroup
		errs := make(chan error, len(tasks))
		for i, do := range tasks {
			wg.Go(func() {
				if err := times(ctx, (n+i)/len(tasks), do); err != nil {
					errs <- err
				}
			})
		}
		wg.Wait()
		close(errs)
		return <-errs
	}
}

func times(ctx context.Context, n int, do task) error {
	for range n {
		if err := do(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

// fill puts the documents into the collection of a real server, if there are
// not as many.
func (t trip) fill(ctx context.Context) error {
	if t.env.admin != nil && t.job.kind.gridfs() && !t.job.kind.writes() {
		return store(ctx, t.env.admin.Database(database), t.job)
	}
	doc, n := t.env.corpus.collection(t.job.coll)
	if t.env.admin == nil || t.job.kind.writes() || n == 0 {
		return nil
	}
	coll := motor.CollectionOf[bson.Raw](t.env.admin.Database(database), t.job.coll)
	if have, err := coll.CountDocuments(ctx, bson.D{}); err != nil || int(have) == n {
		return err
	}
	if err := coll.Drop(ctx); err != nil {
		return err
	}
	docs := make([]bson.Raw, n)
	for i := range docs {
		docs[i] = withID(i+1, doc)
	}
	_, err := coll.InsertMany(ctx, docs)
	return err
}

// empty makes an empty collection on a real server.
func (t trip) empty(ctx context.Context) error {
	db := t.env.admin.Database(database)
	if t.job.kind.gridfs() {
		return emptyBucket(ctx, db)
	}
	if err := db.Collection(t.job.coll).Drop(ctx); err != nil {
		return err
	}
	return db.CreateCollection(ctx, t.job.coll)
}

// check looks whether all drivers find, or send, the same.
func (t trip) check(ctx context.Context) error {
	var want *outcome
	for _, d := range drivers {
		got := new(outcome)
		messages, err := record(ctx, d.connect, t.env.connection(t.variant), t.job, got.see)
		if errors.Is(err, errUnable) {
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		docs, err := written(messages)
		if err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
		if t.job.files != nil { // they come in any order
			slices.SortFunc(docs, bytes.Compare)
		}
		got.sent = slices.Concat(docs...)
		if want == nil {
			want = got
		} else if err := want.compare(got); err != nil {
			return fmt.Errorf("%s and %s: %w", drivers[0].name, d.name, err)
		}
	}
	return nil
}

// outcome is what came of a job.
type outcome struct {
	found int
	docs  []any // the first found, in their neutral form
	sent  []byte
}

func (o *outcome) see(doc any) {
	const enough = firstBatch + 50 // a part of the second batch
	o.found++
	if len(o.docs) < enough {
		o.docs = append(o.docs, neutral(doc, true))
	}
}

func (o *outcome) compare(other *outcome) error {
	switch {
	case o.found != other.found:
		return fmt.Errorf("%d documents are found by one and %d by the other", o.found, other.found)
	case !reflect.DeepEqual(o.docs, other.docs):
		a, b := difference(o.docs, other.docs)
		return fmt.Errorf("%s is found by one and %s by the other", a, b)
	case !bytes.Equal(o.sent, other.sent):
		return fmt.Errorf("documents of %d bytes are written by one and others of %d bytes by the other", len(o.sent), len(other.sent))
	}
	return nil
}

// written are the statements in the messages, without what drivers make
// themselves.
func written(messages [][]byte) (docs [][]byte, err error) {
	for _, m := range messages {
		msg, err := wire.ParseMsg(m)
		if err != nil {
			return nil, err
		}
		slices.SortFunc(msg.Sequences, func(a, b wire.Sequence) int { return strings.Compare(a.ID, b.ID) })
		for _, s := range msg.Sequences {
			for _, doc := range s.Documents() {
				docs = append(docs, appendWritten(nil, doc))
			}
		}
	}
	return docs, nil
}

func appendWritten(sent []byte, doc bson.Raw) []byte {
	for key, v := range doc.All() {
		inner, isDoc := v.Document()
		switch {
		case key == "_id", key == "files_id", key == "uploadDate":
		case isDoc:
			sent = appendWritten(sent, inner)
		default:
			sent = bson.AppendValue(sent, key, v)
		}
	}
	return sent
}
