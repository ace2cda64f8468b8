package motor_test

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/mongotest"
	"github.com/motor-go/motor/topology/description"
)

// streamTest is a deployment for a prose test of change streams, and what was
// sent to it.
type streamTest struct {
	*testing.T
	sharded bool
	client  *motor.Client
	coll    *motor.Collection[bson.D]

	mu      sync.Mutex
	started []sent
	replies []bson.Raw // to aggregate and getMore
}

type sent struct {
	name, address string
	command       bson.Raw
}

// onDeployments runs a prose test on a replica set and on a sharded cluster, or
// on what MONGODB_URI says.
func onDeployments(t *testing.T, test func(t *streamTest)) {
	for name, uri := range map[string]func(*testing.T) string{
		"replica set": anyReplicaSet,
		"sharded": func(t *testing.T) string {
			if os.Getenv("MONGODB_URI") != "" {
				t.Skip("MONGODB_URI is the only deployment")
			}
			return mongotest.NewSharded(t, mongotest.Options{Routers: 1}).URI()
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &streamTest{T: t}
			s.client = connectTo(t, withOptions(uri(t), "retryReads=false"), motor.ClientOptions{Observer: &event.Observer{
				CommandStarted: func(e *event.CommandStarted) {
					s.mu.Lock()
					defer s.mu.Unlock()
					s.started = append(s.started, sent{e.CommandName, e.Address, bytes.Clone(e.Command())})
				},
				CommandSucceeded: func(e *event.CommandSucceeded) {
					s.mu.Lock()
					defer s.mu.Unlock()
					if e.CommandName == "aggregate" || e.CommandName == "getMore" {
						s.replies = append(s.replies, bytes.Clone(e.Reply))
					}
				},
			}})
			s.coll = s.client.Database(scratch).Collection("c")
			s.insert(0) // a collection to watch
			s.sharded = s.client.Topology().Type == description.Sharded
			test(s)
		})
	}
}

// insert inserts documents with the _ids.
func (t *streamTest) insert(ids ...int) {
	t.Helper()
	for _, id := range ids {
		if _, err := t.coll.InsertOne(t.Context(), d("_id", id)); err != nil {
			t.Fatal(err)
		}
	}
}

func (t *streamTest) watch(pipeline any, o motor.WatchOptions) *motor.ChangeStream[bson.D] {
	t.Helper()
	stream, err := t.coll.Watch(t.Context(), pipeline, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stream.Close(t.Context()) })
	return stream
}

// next is the _id of the document that the next event is about.
func (t *streamTest) next(stream *motor.ChangeStream[bson.D]) int64 {
	t.Helper()
	if !stream.Next(bounded(t.T)) {
		t.Fatalf("no event: %v", stream.Err())
	}
	id, _ := stream.Current().Lookup("documentKey", "_id").AsInt64()
	return id
}

// fail lets commands fail.
func (t *streamTest) fail(times int, data ...any) {
	t.Helper()
	if _, err := t.client.Database("admin").RunCommand(t.Context(),
		d("configureFailPoint", "failCommand", "mode", d("times", times), "data", d(data...))); err != nil {
		t.Fatal(err)
	}
}

// sent are the commands of a name that were sent.
func (t *streamTest) sent(name string) (list []sent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.started {
		if s.name == name {
			list = append(list, s)
		}
	}
	return list
}

// last is the cursor of the last reply.
func (t *streamTest) last() (batch []bson.Raw, token bson.Raw) {
	t.Helper()
	t.mu.Lock()
	defer t.mu.Unlock()
	cursor, _ := t.replies[len(t.replies)-1].Lookup("cursor").Document()
	for _, name := range []string{"firstBatch", "nextBatch"} {
		list, _ := cursor.Lookup(name).Array()
		for v := range list.Values() {
			doc, _ := v.Document()
			batch = append(batch, doc)
		}
	}
	token, _ = cursor.Lookup("postBatchResumeToken").Document()
	return batch, token
}

// stage is the $changeStream stage of an aggregate.
func (s sent) stage() bson.Raw {
	stage, _ := s.command.Lookup("pipeline", "0", "$changeStream").Document()
	return stage
}

// without is a document without a key, at any depth.
func without(doc bson.Raw, keys ...string) string {
	var b strings.Builder
	for key, v := range doc.All() {
		if slices.Contains(keys, key) {
			continue
		}
		b.WriteString(key + ": ")
		if inner, ok := v.Document(); ok {
			b.WriteString("{" + without(inner, keys...) + "}")
		} else if list, ok := v.Array(); ok {
			b.WriteString("[" + without(bson.Raw(list), keys...) + "]")
		} else {
			b.WriteString(v.String())
		}
		b.WriteString(", ")
	}
	return b.String()
}

// 1: the stream tracks the last resume token that it has seen.
// 11: at the end of a batch that is the batch's. 13: before it, the event's.
func TestChangeStreamProse1And11And13ResumeToken(t *testing.T) {
	onDeployments(t, func(t *streamTest) {
		first := t.watch(nil, motor.WatchOptions{})
		t.insert(1)
		t.next(first)
		t.insert(2, 3, 4)
		stream := t.watch(nil, motor.WatchOptions{StartAfter: first.ResumeToken(), BatchSize: new(int32(2))})
		inside, ends := 0, 0
		for id := range int64(3) {
			if got := t.next(stream); got != id+2 {
				t.Fatalf("document %d, want %d", got, id+2)
			}
			batch, token := t.last()
			want := token
			if at := slices.IndexFunc(batch, func(doc bson.Raw) bool { return bytes.Equal(doc, stream.Current()) }); at < len(batch)-1 {
				want, _ = stream.Current().Lookup("_id").Document()
				inside++
			} else {
				ends++
			}
			if !bytes.Equal(stream.ResumeToken(), want) {
				t.Errorf("after document %d the token is %v, want %v", id+2, stream.ResumeToken(), want)
			}
		}
		if inside == 0 || ends == 0 {
			t.Errorf("%d events stood before the end of their batch and %d at it", inside, ends)
		}
		for range 2 {
			if stream.TryNext(t.Context()) {
				t.Fatalf("another event: %v", stream.Current())
			}
			if batch, token := t.last(); len(batch) > 0 || !bytes.Equal(stream.ResumeToken(), token) {
				t.Errorf("after an empty batch the token is %v, want %v", stream.ResumeToken(), token)
			}
		}
	})
}

// 2: an event without a resume token is an error, which ends the stream.
func TestChangeStreamProse2MissingToken(t *testing.T) {
	onDeployments(t, func(t *streamTest) {
		stream := t.watch([]bson.D{d("$project", d("_id", 0))}, motor.WatchOptions{})
		t.insert(1)
		if stream.Next(bounded(t.T)) || stream.Err() == nil {
			t.Fatalf("an event without a token: %v, %v", stream.Current(), stream.Err())
		}
		if stream.Next(t.Context()) || len(t.sent("aggregate")) != 1 {
			t.Error("the stream goes on")
		}
	})
}

// 3: the stream resumes with the same command but for the token.
func TestChangeStreamProse3ResumesWithTheSameCommand(t *testing.T) {
	onDeployments(t, func(t *streamTest) {
		stream := t.watch([]bson.D{d("$match", d("operationType", "insert"))}, motor.WatchOptions{
			FullDocument: motor.UpdateLookup, BatchSize: new(int32(5)), Comment: "prose 3",
		})
		t.insert(1)
		t.next(stream)
		t.fail(1, "failCommands", bson.A{"getMore"}, "errorCode", 6, "errorLabels", bson.A{"ResumableChangeStreamError"})
		t.insert(2)
		if id := t.next(stream); id != 2 {
			t.Errorf("document %d", id)
		}
		sent := t.sent("aggregate")
		if len(sent) != 2 {
			t.Fatalf("%d aggregates, want 2", len(sent))
		}
		if sent[1].stage().Lookup("resumeAfter").IsZero() {
			t.Errorf("no resumeAfter in %v", sent[1].command)
		}
		changes := []string{"resumeAfter", "$clusterTime", "afterClusterTime"}
		if first, second := without(sent[0].command, changes...), without(sent[1].command, changes...); first != second {
			t.Errorf("the stream was opened by\n%s and resumed by\n%s", first, second)
		}
	})
}

// 4: an error of aggregate is not resumed from.
func TestChangeStreamProse4ErrorOfAggregate(t *testing.T) {
	onDeployments(t, func(t *streamTest) {
		t.fail(1, "failCommands", bson.A{"aggregate"}, "errorCode", 6, "errorLabels", bson.A{"ResumableChangeStreamError"})
		var refused *motor.CommandError
		if _, err := t.coll.Watch(t.Context(), nil); !errors.As(err, &refused) || refused.Code != 6 {
			t.Errorf("Watch gave %v", err)
		}
		if n := len(t.sent("aggregate")); n != 1 {
			t.Errorf("%d aggregates, want 1", n)
		}
	})
}

// 6: the stream selects a server anew, by the read preference that it had.
func TestChangeStreamProse6SelectsAServer(t *testing.T) {
	onDeployments(t, func(t *streamTest) {
		t.coll = t.coll.With(motor.Settings{ReadPreference: &motor.ReadPreference{Mode: motor.Secondary}})
		if t.sharded {
			t.coll = t.coll.With(motor.Settings{ReadPreference: &motor.ReadPreference{Mode: motor.SecondaryPreferred}})
		}
		stream := t.watch(nil, motor.WatchOptions{})
		t.insert(1)
		t.next(stream)
		if err := stream.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.watch(nil, motor.WatchOptions{ResumeAfter: stream.ResumeToken()})
		primary := t.sent("insert")[0].address
		for _, s := range t.sent("aggregate") {
			if !t.sharded && s.address == primary {
				t.Errorf("an aggregate went to the primary %s", s.address)
			}
			if mode, _ := s.command.Lookup("$readPreference", "mode").Str(); !strings.HasPrefix(mode, "secondary") {
				t.Errorf("an aggregate said %v", s.command)
			}
		}
	})
}

// 7: an empty first batch does not close the cursor.
func TestChangeStreamProse7EmptyFirstBatch(t *testing.T) {
	onDeployments(t, func(t *streamTest) {
		stream := t.watch(nil, motor.WatchOptions{})
		if batch, _ := t.last(); len(batch) > 0 || stream.ID() == 0 {
			t.Fatalf("cursor %d with a first batch %v", stream.ID(), batch)
		}
		t.insert(1)
		if id := t.next(stream); id != 1 || len(t.sent("killCursors")) > 0 {
			t.Errorf("document %d, commands %v", id, t.started)
		}
	})
}

// 8: what becomes of killCursors while the stream resumes is of no interest.
func TestChangeStreamProse8ErrorOfKillCursors(t *testing.T) {
	onDeployments(t, func(t *streamTest) {
		for i, data := range [][]any{
			{"failCommands", bson.A{"getMore", "killCursors"}, "errorCode", 43},
			{"failCommands", bson.A{"getMore", "killCursors"}, "closeConnection", true},
		} {
			stream := t.watch(nil, motor.WatchOptions{})
			t.fail(2, data...)
			t.insert(10 + i)
			if id := t.next(stream); id != int64(10+i) {
				t.Errorf("document %d", id)
			}
			t.fail(0, "failCommands", bson.A{"getMore"})
		}
	})
}

// 14: before the first event the token is what the stream was asked to begin
// after.
func TestChangeStreamProse14TokenBeforeTheFirstEvent(t *testing.T) {
	onDeployments(t, func(t *streamTest) {
		if t.sharded {
			return // a mongos never answers an aggregate with events
		}
		first := t.watch(nil, motor.WatchOptions{})
		t.insert(1)
		t.next(first)
		token := first.ResumeToken()
		at, _ := first.Current().Lookup("clusterTime").Timestamp()
		t.insert(2)
		for name, c := range map[string]struct {
			options motor.WatchOptions
			want    bson.Raw
		}{
			"startAfter":           {motor.WatchOptions{StartAfter: token}, token},
			"resumeAfter":          {motor.WatchOptions{ResumeAfter: token}, token},
			"startAtOperationTime": {motor.WatchOptions{StartAtOperationTime: at}, nil},
		} {
			stream := t.watch(nil, c.options)
			if batch, _ := t.last(); len(batch) == 0 {
				t.Fatalf("%s: the first batch is empty", name)
			}
			if !bytes.Equal(stream.ResumeToken(), c.want) {
				t.Errorf("%s: the token is %v, want %v", name, stream.ResumeToken(), c.want)
			}
		}
	})
}

// 17: before the first event a stream with startAfter resumes with startAfter.
// 18: after it, with resumeAfter.
func TestChangeStreamProse17And18StartAfter(t *testing.T) {
	onDeployments(t, func(t *streamTest) {
		for i, seen := range []bool{false, true} {
			first := t.watch(nil, motor.WatchOptions{})
			t.insert(100 * (i + 1))
			t.next(first)
			stream := t.watch(nil, motor.WatchOptions{StartAfter: first.ResumeToken()})
			if seen {
				t.insert(100*(i+1) + 1)
				t.next(stream)
			}
			t.fail(1, "failCommands", bson.A{"getMore"}, "errorCode", 43)
			t.insert(100*(i+1) + 2)
			t.next(stream)
			all := t.sent("aggregate")
			stage := all[len(all)-1].stage()
			if stage.Lookup("startAfter").IsZero() != seen || stage.Lookup("resumeAfter").IsZero() == seen {
				t.Errorf("seen an event: %v; resumes with %v", seen, stage)
			}
		}
	})
}

// 19: large events come in fragments, of which the stream makes one.
func TestChangeStreamProse19SplitEvents(t *testing.T) {
	onDeployments(t, func(t *streamTest) {
		const size = 10 << 20
		if err := t.coll.Drop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := t.coll.Database().CreateCollection(t.Context(), "c",
			motor.CreateCollectionOptions{ChangeStreamPreAndPostImages: d("enabled", true)}); err != nil {
			t.Fatal(err)
		}
		if _, err := t.coll.InsertOne(t.Context(), d("value", strings.Repeat("q", size))); err != nil {
			t.Fatal(err)
		}
		stream := t.watch([]bson.D{d("$changeStreamSplitLargeEvent", bson.D{})}, motor.WatchOptions{FullDocumentBeforeChange: motor.Required})
		if _, err := t.coll.UpdateOne(t.Context(), bson.D{}, d("$set", d("value", strings.Repeat("z", size)))); err != nil {
			t.Fatal(err)
		}
		t.next(stream)
		var fragments []string
		for _, reply := range t.replies {
			list, _ := reply.Lookup("cursor", "nextBatch").Array()
			for v := range list.Values() {
				doc, _ := v.Document()
				fragments = append(fragments, doc.Lookup("splitEvent").String())
			}
		}
		if want := []string{`{"fragment":1,"of":2}`, `{"fragment":2,"of":2}`}; !slices.Equal(fragments, want) {
			t.Errorf("fragments %q, want %q", fragments, want)
		}
		change, err := stream.Decode()
		if err != nil {
			t.Fatal(err)
		}
		before, _ := (*change.FullDocumentBeforeChange)[1].Value.(string)
		after, _ := change.UpdateDescription.UpdatedFields.Lookup("value").Str()
		if len(before) != size || before[0] != 'q' || len(after) != size || after[0] != 'z' || len(change.Other) > 0 {
			t.Errorf("the event has %d bytes before and %d after, and other fields %v", len(before), len(after), change.Other)
		}
	})
}
