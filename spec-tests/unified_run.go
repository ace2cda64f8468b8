package spectests

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

// patience is how long one test may take.
const patience = 60 * time.Second

// testRun is one test on one deployment.
type testRun struct {
	deployment *Deployment
	entities   entities
	// clusterTime is that of the last write of the initial data.
	clusterTime bson.Raw
	// failPoints are the names of those that must be turned off after the test.
	failPoints []string
	// transactions says that the test may have left one open.
	transactions bool
	// stop ends loops.
	stop <-chan struct{}
	// inspect, if set, sees the entities before they are cleared.
	inspect func(*entities)
}

// execute runs a test as the section "Executing a Test" says. It returns the
// first thing that went wrong.
func (r *testRun) execute(ctx context.Context, file *unifiedFile, test unifiedTest) error {
	// The time is not given as a deadline, which operations would act upon.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(patience, func() {
		cancel(fmt.Errorf("the test was not over after %v", patience))
	})
	defer watchdog.Stop()

	err := r.setUp(ctx, file)
	if err == nil {
		err = r.operations(ctx, test.Operations)
	}
	for _, c := range all[*client](&r.entities) {
		c.events.close()
	}
	offErr := r.deployment.disable(r.failPoints)
	if err == nil {
		err = r.assertions(ctx, test)
	}
	r.entities.settle()
	if r.inspect != nil {
		r.inspect(&r.entities)
	}
	r.tearDown(err != nil)
	if cause := context.Cause(ctx); cause != nil && err != nil {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	return errors.Join(err, offErr)
}

func (r *testRun) setUp(ctx context.Context, file *unifiedFile) error {
	if err := r.forgetOtherFiles(ctx, file); err != nil {
		return err
	}
	for _, data := range file.InitialData {
		if err := r.fill(ctx, data); err != nil {
			return fmt.Errorf("initial data of %v: %w", data, err)
		}
	}
	return r.createEntities(ctx, file.CreateEntities)
}

// forgetOtherFiles drops the databases that the tests of a file name before the
// first of them runs: other files may have left something there.
func (r *testRun) forgetOtherFiles(ctx context.Context, file *unifiedFile) error {
	if r.deployment.file == file {
		return nil
	}
	r.deployment.file = file
	for _, doc := range file.CreateEntities {
		switch name, _ := doc.Lookup("database", "databaseName").Str(); name {
		case "", "admin", "config", "local":
		default:
			if err := r.deployment.setUp().Database(name).Drop(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// fill makes a collection hold the data of a test.
func (r *testRun) fill(ctx context.Context, data collectionData) error {
	db := r.deployment.setUp().Database(data.DatabaseName)
	majority := bson.E{Key: "writeConcern", Value: bson.D{{Key: "w", Value: "majority"}}}
	drop := []string{data.CollectionName}
	if !data.CreateOptions.Lookup("encryptedFields").IsZero() {
		drop = append(drop, "enxcol_."+data.CollectionName+".esc", "enxcol_."+data.CollectionName+".ecoc")
	}
	for _, name := range drop {
		_, err := db.RunCommand(ctx, bson.D{{Key: "drop", Value: name}, majority})
		if err != nil && !strings.Contains(err.Error(), "ns not found") {
			return err
		}
	}
	if len(data.Documents) == 0 || data.CreateOptions != nil {
		create := bson.D{{Key: "create", Value: data.CollectionName}}
		for key, v := range data.CreateOptions.All() {
			create = append(create, bson.E{Key: key, Value: v})
		}
		if err := r.runSetup(ctx, db, append(create, majority)); err != nil {
			return err
		}
	}
	if len(data.Documents) == 0 {
		return nil
	}
	return r.runSetup(ctx, db, bson.D{{Key: "insert", Value: data.CollectionName}, {Key: "documents", Value: data.Documents}, majority})
}

func (r *testRun) runSetup(ctx context.Context, db *motor.Database, command bson.D) error {
	reply, err := db.RunCommand(ctx, command)
	if err != nil {
		return err
	}
	if errs := reply.Lookup("writeErrors"); !errs.IsZero() {
		return fmt.Errorf("%v", reply)
	}
	if t, ok := reply.Lookup("$clusterTime").Document(); ok {
		r.clusterTime = t
	}
	return nil
}

func (r *testRun) operations(ctx context.Context, list []operation) error {
	for i, op := range list {
		if err, _ := r.perform(ctx, op); err != nil {
			return fmt.Errorf("operation %d, %v: %w", i, op, err)
		}
	}
	return nil
}

// assertions checks what was seen, and what the collections hold now.
func (r *testRun) assertions(ctx context.Context, test unifiedTest) error {
	m := matcher{&r.entities}
	for _, x := range test.ExpectEvents {
		c, err := lookup[*client](&r.entities, x.Client)
		if err != nil {
			return err
		}
		if err := x.check(m, c); err != nil {
			return err
		}
	}
	for _, x := range test.ExpectLogMessages {
		c, err := lookup[*client](&r.entities, x.Client)
		if err != nil {
			return err
		}
		if err := x.check(m, &c.logs); err != nil {
			return err
		}
	}
	for _, x := range test.ExpectTracingMessages {
		c, err := lookup[*client](&r.entities, x.Client)
		if err != nil {
			return err
		}
		if err := m.matchSpans("spans", x.Spans, c.spans.ended(), x.IgnoreExtraSpans); err != nil {
			return err
		}
	}
	for _, data := range test.Outcome {
		if err := r.checkData(ctx, data); err != nil {
			return fmt.Errorf("outcome of %v: %w", data, err)
		}
	}
	return nil
}

// checkData compares a collection with what it should hold. Only the order of
// keys may differ.
func (r *testRun) checkData(ctx context.Context, data collectionData) error {
	db := r.deployment.setUp().Database(data.DatabaseName, motor.Settings{
		ReadConcern: &motor.ReadConcern{Level: "local"}, ReadPreference: &motor.ReadPreference{},
	})
	coll := motor.CollectionOf[bson.Raw](db, data.CollectionName)
	docs, err := coll.Find(ctx, nil, motor.FindOptions{Sort: bson.D{{Key: "_id", Value: 1}}}).Slice()
	if err != nil {
		return err
	}
	if len(docs) != len(data.Documents) {
		return fmt.Errorf("there are %d documents, want %d: %v", len(docs), len(data.Documents), docs)
	}
	for i, doc := range docs {
		if !sameDocument(data.Documents[i], doc) {
			return fmt.Errorf("document %d is %v, want %v", i, doc, data.Documents[i])
		}
	}
	return nil
}

// tearDown closes what the test has opened. Transactions that it left open
// would block later ones.
func (r *testRun) tearDown(failed bool) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for _, t := range all[*thread](&r.entities) {
		t.end()
	}
	for _, c := range append(all[*cursor](&r.entities), r.entities.kept()...) {
		c.Close(ctx)
	}
	for _, s := range all[*session](&r.entities) {
		s.End(ctx)
	}
	if r.transactions || failed {
		r.deployment.killAllSessions(ctx)
	}
	for _, c := range all[*client](&r.entities) {
		c.Client.Close(ctx)
	}
}
