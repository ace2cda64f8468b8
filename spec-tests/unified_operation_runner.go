package spectests

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/topology/description"
)

// runnerOperations are the special test operations. It is filled in by init, as
// some of them perform operations.
var runnerOperations map[string]runnable

func init() {
	runnerOperations = map[string]runnable{
		"failPoint":                            on(setFailPoint),
		"targetedFailPoint":                    on(setTargetedFailPoint),
		"createEntities":                       on(createMoreEntities),
		"assertSessionTransactionState":        on(assertTransactionState),
		"assertSessionPinned":                  onSession(assertPinned),
		"assertSessionUnpinned":                onSession(assertUnpinned),
		"assertSessionDirty":                   onSession(assertDirty),
		"assertSessionNotDirty":                onSession(assertNotDirty),
		"assertSameLsidOnLastTwoCommands":      onClient(assertSameLsid),
		"assertDifferentLsidOnLastTwoCommands": onClient(assertDifferentLsid),
		"assertNumberConnectionsCheckedOut":    on(assertCheckedOut),
		"assertCollectionExists":               on(assertCollectionExists),
		"assertCollectionNotExists":            on(assertCollectionNotExists),
		"assertIndexExists":                    on(assertIndexExists),
		"assertIndexNotExists":                 on(assertIndexNotExists),
		"assertEventCount":                     on(assertEventCount),
		"waitForEvent":                         on(waitForEvent),
		"recordTopologyDescription":            on(recordTopologyDescription),
		"assertTopologyType":                   on(assertTopologyType),
		"waitForPrimaryChange":                 on(waitForPrimaryChange),
		"wait":                                 on(wait),
		"runOnThread":                          on(runOnThread),
		"waitForThread":                        on(waitForThread),
		"loop":                                 on(loop),
	}
}

func onSession(assert func(*session) error) runnable {
	return on(func(_ context.Context, r *testRun, _ *testRun, a struct{ Session string }) (outcome, error) {
		s, err := lookup[*session](&r.entities, a.Session)
		if err != nil {
			return outcome{}, err
		}
		return outcome{}, assert(s)
	})
}

func onClient(assert func(*client) error) runnable {
	return on(func(_ context.Context, r *testRun, _ *testRun, a struct{ Client string }) (outcome, error) {
		c, err := lookup[*client](&r.entities, a.Client)
		if err != nil {
			return outcome{}, err
		}
		return outcome{}, assert(c)
	})
}

// configure turns a fail point on and remembers to turn it off.
func (r *testRun) configure(ctx context.Context, c *motor.Client, command bson.Raw) (outcome, error) {
	name, _ := command.Lookup("configureFailPoint").Str()
	r.failPoints = append(r.failPoints, name)
	_, err := c.Database("admin").RunCommand(ctx, command)
	return outcome{}, err
}

func setFailPoint(ctx context.Context, r *testRun, _ *testRun, a struct {
	FailPoint bson.Raw
	Client    string
	Session   string `spec:"optional"` // stands in some files without meaning
},
) (outcome, error) {
	c, err := lookup[*client](&r.entities, a.Client)
	if err != nil {
		return outcome{}, err
	}
	return r.configure(ctx, c.Client, a.FailPoint)
}

func setTargetedFailPoint(ctx context.Context, r *testRun, _ *testRun, a struct {
	FailPoint bson.Raw
	Session   string
},
) (outcome, error) {
	s, err := lookup[*session](&r.entities, a.Session)
	if err != nil {
		return outcome{}, err
	}
	pinned := s.State().Pinned
	if pinned == "" {
		return outcome{}, fmt.Errorf("the session %s is not pinned to a mongos", a.Session)
	}
	c, err := r.deployment.node(pinned)
	if err != nil {
		return outcome{}, err
	}
	return r.configure(ctx, c, a.FailPoint)
}

func createMoreEntities(ctx context.Context, r *testRun, _ *testRun, a struct{ Entities []bson.Raw }) (outcome, error) {
	return outcome{}, r.createEntities(ctx, a.Entities)
}

func assertTransactionState(_ context.Context, r *testRun, _ *testRun, a struct{ Session, State string }) (outcome, error) {
	s, err := lookup[*session](&r.entities, a.Session)
	if err != nil {
		return outcome{}, err
	}
	if got := s.State().Transaction.String(); got != a.State {
		return outcome{}, fmt.Errorf("the transaction is %s, want %s", got, a.State)
	}
	return outcome{}, nil
}

func assertPinned(s *session) error {
	if st := s.State(); st.Pinned == "" && !st.PinnedConnection {
		return errors.New("the session is not pinned")
	}
	return nil
}

func assertUnpinned(s *session) error {
	if st := s.State(); st.Pinned != "" || st.PinnedConnection {
		return fmt.Errorf("the session is pinned: %+v", st)
	}
	return nil
}

func assertDirty(s *session) error {
	if !s.State().Dirty {
		return errors.New("the session is not dirty")
	}
	return nil
}

func assertNotDirty(s *session) error {
	if s.State().Dirty {
		return errors.New("the session is dirty")
	}
	return nil
}

func assertSameLsid(c *client) error {
	same, err := c.sameLsid()
	if err == nil && !same {
		err = errors.New("the last two commands have different lsids")
	}
	return err
}

func assertDifferentLsid(c *client) error {
	same, err := c.sameLsid()
	if err == nil && same {
		err = errors.New("the last two commands have the same lsid")
	}
	return err
}

// sameLsid reports whether the last two commands belong to one session.
func (c *client) sameLsid() (bool, error) {
	started, _ := c.events.events([]string{"commandStartedEvent"})
	if len(started) < 2 {
		return false, fmt.Errorf("%d commands were seen, want two at least", len(started))
	}
	var ids []bson.Raw
	for _, o := range started[len(started)-2:] {
		id, ok := o.event.(*event.CommandStarted).Command.Lookup("lsid").Document()
		if !ok {
			return false, fmt.Errorf("a command has no lsid: %v", o)
		}
		ids = append(ids, id)
	}
	return bytes.Equal(ids[0], ids[1]), nil
}

func assertCheckedOut(_ context.Context, r *testRun, _ *testRun, a struct {
	Client      string
	Connections int64
},
) (outcome, error) {
	c, err := lookup[*client](&r.entities, a.Client)
	if err != nil {
		return outcome{}, err
	}
	if n := c.checkedOut.Load(); n != a.Connections {
		return outcome{}, fmt.Errorf("%d connections are checked out, want %d", n, a.Connections)
	}
	return outcome{}, nil
}

type collectionName struct{ DatabaseName, CollectionName string }

func (r *testRun) collectionExists(ctx context.Context, n collectionName) (bool, error) {
	names, err := r.deployment.setUp().Database(n.DatabaseName).ListCollectionNames(ctx, nil)
	return slices.Contains(names, n.CollectionName), err
}

func assertCollectionExists(ctx context.Context, r *testRun, _ *testRun, n collectionName) (outcome, error) {
	exists, err := r.collectionExists(ctx, n)
	if err == nil && !exists {
		err = fmt.Errorf("the collection %s does not exist", n.CollectionName)
	}
	return outcome{}, err
}

func assertCollectionNotExists(ctx context.Context, r *testRun, _ *testRun, n collectionName) (outcome, error) {
	exists, err := r.collectionExists(ctx, n)
	if err == nil && exists {
		err = fmt.Errorf("the collection %s exists", n.CollectionName)
	}
	return outcome{}, err
}

type indexName struct{ DatabaseName, CollectionName, IndexName string }

func (r *testRun) indexExists(ctx context.Context, n indexName) (bool, error) {
	coll := r.deployment.setUp().Database(n.DatabaseName).Collection(n.CollectionName)
	for index, err := range coll.ListIndexes(ctx) {
		if err != nil || index.Name == n.IndexName {
			return err == nil, err
		}
	}
	return false, nil
}

func assertIndexExists(ctx context.Context, r *testRun, _ *testRun, n indexName) (outcome, error) {
	exists, err := r.indexExists(ctx, n)
	if err == nil && !exists {
		err = fmt.Errorf("the index %s does not exist", n.IndexName)
	}
	return outcome{}, err
}

func assertIndexNotExists(ctx context.Context, r *testRun, _ *testRun, n indexName) (outcome, error) {
	exists, err := r.indexExists(ctx, n)
	if err == nil && exists {
		err = fmt.Errorf("the index %s exists", n.IndexName)
	}
	return outcome{}, err
}

type countedEvent struct {
	Client string
	Event  bson.Raw
	Count  int
}

// count counts the matching events so far. The channel is closed when there are
// more.
func (a countedEvent) count(r *testRun) (n int, list []observed, news <-chan struct{}, err error) {
	c, err := lookup[*client](&r.entities, a.Client)
	if err != nil {
		return 0, nil, nil, err
	}
	name, fields, err := eventOf(a.Event)
	if err != nil {
		return 0, nil, nil, err
	}
	list, news = c.events.events([]string{name})
	for _, o := range list {
		err := o.match(matcher{&r.entities}, name, fields)
		if isMalformed(err) {
			return 0, nil, nil, err
		}
		if err == nil {
			n++
		}
	}
	return n, list, news, nil
}

func assertEventCount(_ context.Context, r *testRun, _ *testRun, a countedEvent) (outcome, error) {
	n, list, _, err := a.count(r)
	if err == nil && n != a.Count {
		err = fmt.Errorf("%s has published %v %d times, want %d%s", a.Client, a.Event, n, a.Count, transcript(list))
	}
	return outcome{}, err
}

func waitForEvent(ctx context.Context, r *testRun, _ *testRun, a countedEvent) (outcome, error) {
	timeout := time.After(eventPatience)
	for {
		n, list, news, err := a.count(r)
		if err != nil || n >= a.Count {
			return outcome{}, err
		}
		select {
		case <-news:
		case <-timeout:
			return outcome{}, fmt.Errorf("%s has published %v %d times within %v, want %d%s", a.Client, a.Event, n, eventPatience, a.Count, transcript(list))
		case <-ctx.Done():
			return outcome{}, context.Cause(ctx)
		}
	}
}

func recordTopologyDescription(_ context.Context, r *testRun, _ *testRun, a struct{ Client, ID string }) (outcome, error) {
	c, err := lookup[*client](&r.entities, a.Client)
	if err != nil {
		return outcome{}, err
	}
	return outcome{}, r.entities.add(a.ID, c.Topology())
}

func assertTopologyType(_ context.Context, r *testRun, _ *testRun, a struct{ TopologyDescription, TopologyType string }) (outcome, error) {
	t, err := lookup[description.Topology](&r.entities, a.TopologyDescription)
	if err != nil {
		return outcome{}, err
	}
	if got := t.Type.String(); got != a.TopologyType {
		return outcome{}, fmt.Errorf("the topology is %s, want %s", got, a.TopologyType)
	}
	return outcome{}, nil
}

// primary is the address of a topology's primary, or empty.
func primary(t description.Topology) string {
	for _, s := range t.Servers {
		if s.Type == description.RSPrimary {
			return s.Addr
		}
	}
	return ""
}

func waitForPrimaryChange(ctx context.Context, r *testRun, _ *testRun, a struct {
	Client                   string
	PriorTopologyDescription string
	Timeout                  *time.Duration `spec:"optional"`
},
) (outcome, error) {
	c, err := lookup[*client](&r.entities, a.Client)
	if err != nil {
		return outcome{}, err
	}
	before, err := lookup[description.Topology](&r.entities, a.PriorTopologyDescription)
	if err != nil {
		return outcome{}, err
	}
	limit := eventPatience
	if a.Timeout != nil {
		limit = *a.Timeout
	}
	for deadline := time.Now().Add(limit); ; {
		now := c.Topology()
		if p := primary(now); p != "" && p != primary(before) {
			return outcome{}, nil
		}
		if time.Now().After(deadline) {
			return outcome{}, fmt.Errorf("the primary did not change within %v: %v", limit, now)
		}
		if err := sleep(ctx, 5*time.Millisecond); err != nil {
			return outcome{}, err
		}
	}
}

func wait(ctx context.Context, _ *testRun, _ *testRun, a struct{ MS int64 }) (outcome, error) {
	return outcome{}, sleep(ctx, time.Duration(a.MS)*time.Millisecond)
}
