package spectests

import (
	"context"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

// createEntities makes entities in the order in which they stand.
func (r *testRun) createEntities(ctx context.Context, list []bson.Raw) error {
	for _, doc := range list {
		kind, spec, err := eventOf(doc)
		if err != nil {
			return malformedf("%v is not one entity", doc)
		}
		create, ok := entityKinds[kind]
		if !ok {
			return malformedf("the entity %q is not offered by the driver", kind)
		}
		if err := create(ctx, r, spec); err != nil {
			return malformedf("entity %s: %w", kind, err)
		}
	}
	return nil
}

var entityKinds = map[string]func(context.Context, *testRun, bson.Raw) error{
	"client":     entity((*testRun).createClient),
	"database":   entity((*testRun).createDatabase),
	"collection": entity((*testRun).createCollection),
	"session":    entity((*testRun).createSession),
	"bucket":     entity((*testRun).createBucket),
	"thread":     entity((*testRun).createThread),
}

// entity makes a constructor of a function whose arguments are the fields of a
// struct.
func entity[S any](create func(*testRun, context.Context, S) error) func(context.Context, *testRun, bson.Raw) error {
	return func(ctx context.Context, r *testRun, doc bson.Raw) error {
		var s S
		if err := decode(&s, doc); err != nil {
			return err
		}
		return create(r, ctx, s)
	}
}

func (r *testRun) createClient(ctx context.Context, s clientSpec) error {
	c, err := newClient(ctx, r.deployment, &r.entities, s)
	if c != nil && c.Client != nil {
		if e := r.entities.add(s.ID, c); e != nil {
			c.Client.Close(ctx)
			return e
		}
	}
	return err
}

// settingsSpec is a collectionOrDatabaseOptions.
type settingsSpec struct{ motor.Settings }

type databaseSpec struct {
	ID              string
	Client          string
	DatabaseName    string
	DatabaseOptions settingsSpec `spec:"optional"`
}

func (r *testRun) createDatabase(_ context.Context, s databaseSpec) error {
	c, err := lookup[*client](&r.entities, s.Client)
	if err != nil {
		return err
	}
	return r.entities.add(s.ID, &database{c.Database(s.DatabaseName, s.DatabaseOptions.Settings), c})
}

type collectionSpec struct {
	ID                string
	Database          string
	CollectionName    string
	CollectionOptions settingsSpec `spec:"optional"`
}

func (r *testRun) createCollection(_ context.Context, s collectionSpec) error {
	db, err := lookup[*database](&r.entities, s.Database)
	if err != nil {
		return err
	}
	return r.entities.add(s.ID, &collection{motor.CollectionOf[bson.Raw](db.Database, s.CollectionName, s.CollectionOptions.Settings), db.client})
}

type sessionSpec struct {
	ID             string
	Client         string
	SessionOptions sessionOptionsSpec `spec:"optional"`
}

type sessionOptionsSpec struct {
	SnapshotTime              string                   `spec:"optional"` // an entity
	DefaultTransactionOptions motor.TransactionOptions `spec:"optional"`
	motor.SessionOptions
}

func (r *testRun) createSession(_ context.Context, s sessionSpec) error {
	c, err := lookup[*client](&r.entities, s.Client)
	if err != nil {
		return err
	}
	o := s.SessionOptions.SessionOptions
	o.DefaultTransaction = s.SessionOptions.DefaultTransactionOptions
	if name := s.SessionOptions.SnapshotTime; name != "" {
		v, err := lookup[bson.RawValue](&r.entities, name)
		if err != nil {
			return err
		}
		o.SnapshotTime, _ = v.Timestamp()
	}
	started, err := c.StartSession(o)
	if err != nil {
		return err
	}
	if r.clusterTime != nil {
		if err := started.AdvanceClusterTime(r.clusterTime); err != nil {
			return err
		}
	}
	return r.entities.add(s.ID, &session{Session: started, client: c, lsid: started.ID()})
}
