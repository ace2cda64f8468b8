package motor_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/gridfs"
	"github.com/motor-go/motor/internal/auth"
	"github.com/motor-go/motor/internal/socks5"
	"github.com/motor-go/motor/mongotest"
	"github.com/motor-go/motor/pool"
	"github.com/motor-go/motor/uri"
	"github.com/motor-go/motor/wire"
)

func TestWrongReplicaSetNamesBoth(t *testing.T) {
	rs := mongotest.New(t, mongotest.Options{Nodes: 1, Name: "ours"})
	for _, option := range []string{"directConnection=true", "directConnection=false"} {
		client := connectTo(t, "mongodb://"+rs.Nodes[0].Address()+"/?replicaSet=theirs&serverSelectionTimeoutMS=300&"+option)
		err := client.Ping(bounded(t), nil)
		for _, want := range []string{`"ours"`, `"theirs"`, rs.Nodes[0].Address()} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v does not name %s", option, err, want)
			}
		}
	}
	standalone := mongotest.NewStandalone(t, mongotest.Options{})
	client := connectTo(t, standalone.URI()+"?replicaSet=theirs&serverSelectionTimeoutMS=300")
	if err := client.Ping(bounded(t), nil); err == nil || !strings.Contains(err.Error(), `is a Standalone, no member of replica set "theirs"`) {
		t.Errorf("a standalone server: %v", err)
	}
}

func TestErrorsSayTheAddressOnce(t *testing.T) {
	server := mongotest.NewStandalone(t, mongotest.Options{})
	client := connectTo(t, server.URI()+"?retryReads=false&serverSelectionTimeoutMS=300")
	find := func() error {
		_, err := client.Database("db").Collection("c").Find(bounded(t), nil).Slice()
		return err
	}
	if err := find(); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Database("admin").RunCommand(bounded(t), d("configureFailPoint", "failCommand", "mode", d("times", 1),
		"data", d("failCommands", bson.A{"find"}, "closeConnection", true))); err != nil {
		t.Fatal(err)
	}
	broken := find()
	server.Kill()
	await(t, "the server to be unknown", func() bool { return client.Topology().Servers[0].Error != nil })
	for _, err := range []error{broken, find()} {
		if err == nil || strings.Count(err.Error(), server.Address()) != 1 {
			t.Errorf("%v: the address is to be said once", err)
		}
	}
}

func TestEndedContextIsSaidOfTheOperation(t *testing.T) {
	client := connectTo(t, anyReplicaSet(t))
	if err := client.Ping(bounded(t), nil); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := client.Database(scratch).Collection("c").FindOne(ctx, nil)
	if !errors.Is(err, context.Canceled) || err.Error() != "find: context canceled" {
		t.Errorf("%v", err)
	}
}

func TestClosedClient(t *testing.T) {
	client, err := motor.Connect(t.Context(), anyReplicaSet(t))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := client.Close(bounded(t)); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if _, err := client.StartSession(); !errors.Is(err, motor.ErrClientClosed) {
		t.Errorf("a session: %v", err)
	}
	if err := client.Ping(bounded(t), nil); !errors.Is(err, motor.ErrClientClosed) {
		t.Errorf("an operation: %v", err)
	}
}

// A cursor, a change stream and a session that outlive their client say so.
func TestCursorsOfAClosedClient(t *testing.T) {
	client, err := motor.Connect(t.Context(), anyReplicaSet(t))
	if err != nil {
		t.Fatal(err)
	}
	c := client.Database(scratch).Collection("outlived")
	if _, err := c.InsertMany(bounded(t), []bson.D{{}, {}, {}, {}}); err != nil {
		t.Fatal(err)
	}
	cursor, err := c.FindCursor(bounded(t), nil, motor.FindOptions{BatchSize: new(int32(2))})
	if err != nil {
		t.Fatal(err)
	}
	stream, err := c.Watch(bounded(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	session, err := client.StartSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.StartTransaction(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.InsertOne(session.Bind(bounded(t)), bson.D{}); err != nil {
		t.Fatal(err)
	}
	if err := client.Close(bounded(t)); err != nil {
		t.Fatal(err)
	}
	for cursor.Next(bounded(t)) {
	}
	if err := cursor.Err(); !errors.Is(err, motor.ErrClientClosed) {
		t.Errorf("the cursor: %v", err)
	}
	for stream.Next(bounded(t)) {
	}
	if err := stream.Err(); !errors.Is(err, motor.ErrClientClosed) {
		t.Errorf("the change stream: %v", err)
	}
	if err := session.CommitTransaction(bounded(t)); !errors.Is(err, motor.ErrClientClosed) {
		t.Errorf("the transaction: %v", err)
	}
}

// What a program makes to compare with, or to test with, must not panic.
func TestZeroErrorsPrint(t *testing.T) {
	for _, err := range []error{
		new(motor.BulkWriteError), new(motor.CommandError), new(motor.ConnectionError),
		new(motor.SelectionError), new(motor.TimeoutError), new(motor.WriteConcernError), new(motor.WriteError),
		new(bson.DecodeError), new(bson.EncodeError), new(bson.ExtJSONError), new(gridfs.ChunkError),
		new(pool.ClearedError), new(pool.ClosedError), new(pool.ConnectError), new(pool.NetworkError), new(pool.WaitQueueTimeoutError),
		new(wire.Malformed),
		uri.Warning{},
		new(auth.Error), new(auth.Refused), new(socks5.Error), new(socks5.ReplyError),
	} {
		func() {
			defer func() {
				if r := recover(); r != nil {
					t.Errorf("%T: %v", err, r)
				}
			}()
			_ = err.Error()
			errors.Is(err, motor.ErrTimeout)
		}()
	}
}

// A filter that was forgotten must not delete everything.
func TestNilFilterOfAWrite(t *testing.T) {
	client := connectTo(t, anyReplicaSet(t))
	c := client.Database(scratch).Collection("c")
	if _, err := c.InsertOne(bounded(t), d("x", 1)); err != nil {
		t.Fatal(err)
	}
	set := d("$set", d("x", 2))
	var nothing *struct{ X int }
	var noMap bson.M
	bulk := func(m motor.WriteModel[bson.D]) error {
		_, err := c.BulkWrite(bounded(t), []motor.WriteModel[bson.D]{m})
		return err
	}
	for _, f := range []any{nil, bson.D(nil), noMap, &noMap, bson.Raw(nil), bson.A(nil), nothing, &nothing, map[string]any(nil)} {
		for name, write := range map[string]func() error{
			"DeleteOne":         func() error { _, err := c.DeleteOne(bounded(t), f); return err },
			"DeleteMany":        func() error { _, err := c.DeleteMany(bounded(t), f); return err },
			"UpdateOne":         func() error { _, err := c.UpdateOne(bounded(t), f, set); return err },
			"UpdateMany":        func() error { _, err := c.UpdateMany(bounded(t), f, set); return err },
			"ReplaceOne":        func() error { _, err := c.ReplaceOne(bounded(t), f, d("x", 3)); return err },
			"FindOneAndDelete":  func() error { _, err := c.FindOneAndDelete(bounded(t), f); return err },
			"FindOneAndUpdate":  func() error { _, err := c.FindOneAndUpdate(bounded(t), f, set); return err },
			"FindOneAndReplace": func() error { _, err := c.FindOneAndReplace(bounded(t), f, d("x", 3)); return err },
			"DeleteOneModel":    func() error { return bulk(motor.DeleteOneModel[bson.D]{Filter: f}) },
			"DeleteManyModel":   func() error { return bulk(motor.DeleteManyModel[bson.D]{Filter: f}) },
			"UpdateOneModel":    func() error { return bulk(motor.UpdateOneModel[bson.D]{Filter: f, Update: set}) },
			"UpdateManyModel":   func() error { return bulk(motor.UpdateManyModel[bson.D]{Filter: f, Update: set}) },
			"ReplaceOneModel":   func() error { return bulk(motor.ReplaceOneModel[bson.D]{Filter: f, Replacement: d("x", 3)}) },
			"Client.BulkWrite": func() error {
				_, err := client.BulkWrite(bounded(t), []motor.ClientWrite{{Namespace: "db.c", Model: motor.DeleteManyModel[bson.D]{Filter: f}}})
				return err
			},
		} {
			if err := write(); err == nil || !strings.Contains(err.Error(), "filter: it is nil; pass bson.D{} to match all documents") {
				t.Errorf("%s(%T): %v", name, f, err)
			}
		}
	}
	found, err := c.Find(bounded(t), nil).Slice()
	if err != nil || len(found) != 1 || found[0][1].Value != int32(1) && found[0][1].Value != int64(1) {
		t.Errorf("left are %v, %v", found, err)
	}
	if res, err := c.DeleteMany(bounded(t), bson.D{}); err != nil || res.DeletedCount != 1 {
		t.Errorf("%+v, %v", res, err)
	}
}

// Nor is nil a document to be stored; a map that has no memory is an empty one.
func TestNilDocumentOfAWrite(t *testing.T) {
	db := connectTo(t, mongotest.NewStandalone(t, mongotest.Options{}).URI()).Database("db")
	c, maps := db.Collection("c"), motor.CollectionOf[bson.M](db, "c")
	for name, f := range map[string]struct {
		write func() error
		want  string
	}{
		"InsertOne":    {func() error { _, err := c.InsertOne(bounded(t), nil); return err }, "document: it is nil"},
		"InsertMany":   {func() error { _, err := c.InsertMany(bounded(t), []bson.D{nil}); return err }, "list[0]: document: it is nil"},
		"of raw bytes": {func() error { _, err := motor.CollectionOf[bson.Raw](db, "c").InsertOne(bounded(t), nil); return err }, "document: it is nil"},
		"of a pointer": {func() error { _, err := motor.CollectionOf[*struct{}](db, "c").InsertOne(bounded(t), nil); return err }, "document: it is nil"},
		"of an interface": {func() error {
			_, err := motor.CollectionOf[any](db, "c").InsertOne(bounded(t), bson.D(nil))
			return err
		}, "document: it is nil"},
		"InsertOne, empty": {func() error { _, err := c.InsertOne(bounded(t), bson.D{}); return err }, ""},
		"of a struct": {func() error {
			_, err := motor.CollectionOf[struct{}](db, "c").InsertOne(bounded(t), struct{}{})
			return err
		}, ""},
		"of a map":          {func() error { _, err := maps.InsertOne(bounded(t), nil); return err }, ""},
		"ReplaceOne":        {func() error { _, err := c.ReplaceOne(bounded(t), bson.D{}, nil); return err }, "replacement: it is nil"},
		"ReplaceOne, a map": {func() error { _, err := maps.ReplaceOne(bounded(t), bson.D{}, nil); return err }, "replacement: it is nil"},
		"FindOneAndReplace": {func() error { _, err := c.FindOneAndReplace(bounded(t), bson.D{}, nil); return err }, "replacement: it is nil"},
		"UpdateOne":         {func() error { _, err := c.UpdateOne(bounded(t), bson.D{}, bson.D(nil)); return err }, "update: it is nil"},
		"UpdateOne, nil":    {func() error { _, err := c.UpdateOne(bounded(t), bson.D{}, nil); return err }, "update: it is nil"},
		"UpdateOne, a list": {func() error { _, err := c.UpdateOne(bounded(t), bson.D{}, bson.A(nil)); return err }, "update: it is nil"},
	} {
		if err := f.write(); (err == nil) != (f.want == "") || err != nil && !strings.Contains(err.Error(), f.want) {
			t.Errorf("%s: %v, want %q", name, err, f.want)
		}
	}
}

// The text of an error says what was refused, where and why.
func TestErrorsOfWritesSayWhere(t *testing.T) {
	server := mongotest.NewStandalone(t, mongotest.Options{})
	client := connectTo(t, server.URI())
	db := client.Database("db")
	if err := db.CreateCollection(bounded(t), "c", motor.CreateCollectionOptions{Validator: d("x", d("$type", "int"))}); err != nil {
		t.Fatal(err)
	}
	c := db.Collection("c")
	text := strings.Repeat("ä", 1000)
	_, one := c.InsertOne(bounded(t), d("x", text))
	_, many := c.InsertMany(bounded(t), []bson.D{d("x", text)})
	_, bulk := client.BulkWrite(bounded(t), []motor.ClientWrite{{Namespace: "db.c", Model: motor.InsertOneModel[bson.D]{Document: d("x", text)}}})
	for name, err := range map[string]error{"one": one, "many": many, "bulk": bulk} {
		var refused *motor.WriteError
		if !errors.As(err, &refused) || refused.Namespace != "db.c" || refused.Server != server.Address() || refused.Details == nil {
			t.Errorf("%s: %#v", name, err)
			continue
		}
		begin := "statement 0 on db.c was refused by " + server.Address() + ": Document failed validation (121): {"
		if got := refused.Error(); !strings.HasPrefix(got, begin) || len(got) > len(begin)+310 || !utf8.ValidString(got) {
			t.Errorf("%s: %s", name, got)
		}
	}
	_, found := c.Find(bounded(t), d("$no", 1)).Slice()
	_, ran := db.RunCommand(bounded(t), d("nothing", "c"))
	for err, want := range map[error]string{
		found: "find db.c on " + server.Address() + ": BadValue (2): ",
		ran:   "nothing on " + server.Address() + ": CommandNotFound (59): ",
	} {
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s…", err, want)
		}
	}
}

// Transactions need a replica set; without one, retryWrites has no part in it.
func TestTransactionOnAStandalone(t *testing.T) {
	client := connectTo(t, mongotest.NewStandalone(t, mongotest.Options{}).URI())
	err := client.WithTransaction(bounded(t), func(ctx context.Context) error {
		_, err := client.Database("db").Collection("c").InsertOne(ctx, d("x", 1))
		return err
	})
	if err == nil || strings.Contains(err.Error(), "retryWrites") || !strings.Contains(err.Error(), "transactions need a replica set or a sharded cluster") {
		t.Error(err)
	}
}

// A message that is too long for the server is not sent, and says so.
func TestMessageThatIsTooLong(t *testing.T) {
	client := connectTo(t, anyReplicaSet(t))
	_, err := client.Database(scratch).RunCommand(bounded(t), d("ping", 1, "a", make([]byte, 25<<20), "b", make([]byte, 25<<20)))
	var connection *motor.ConnectionError
	if !errors.As(err, &connection) || connection.Sent || connection.Network || !errors.Is(err, motor.ErrDocumentTooLarge) ||
		!strings.Contains(err.Error(), "bytes long; the limit is 48000000") || strings.Contains(err.Error(), "malformed") {
		t.Errorf("%#v", err)
	}
	if err := client.Ping(bounded(t), nil); err != nil {
		t.Error(err)
	}
}

func TestWarningsGoToTheDefaultLogger(t *testing.T) {
	old := slog.Default()
	defer slog.SetDefault(old)
	var log bytes.Buffer
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	client := connectTo(t, "mongodb://localhost/?retryWrite=false&serverSelectionTimeoutMS=1")
	client.Close(bounded(t))
	if got := log.String(); !strings.Contains(got, "level=WARN") || !strings.Contains(got, "option retryWrite: unknown, and ignored") {
		t.Errorf("the log is %q", got)
	}
}

// A write that failed has no result.
func TestResultsAfterErrors(t *testing.T) {
	inReplicaSet(t, func(l *lab) {
		client, _ := l.connect("retryWrites=false")
		c := client.Database("db").Collection("c")
		_, err := c.InsertOne(l.Context(), d("_id", 1))
		l.ok(err)
		write := map[string]func() (result any, made bool, err error){
			"insert": func() (any, bool, error) {
				res, err := c.InsertOne(l.Context(), d("_id", 2))
				return res, res != nil && res.InsertedID != nil && res.Acknowledged, err
			},
			"update": func() (any, bool, error) {
				res, err := c.UpdateOne(l.Context(), d("_id", 1), d("$set", d("x", 1)))
				return res, res != nil && res.MatchedCount == 1 && res.Acknowledged, err
			},
			"delete": func() (any, bool, error) {
				res, err := c.DeleteOne(l.Context(), d("_id", 1))
				return res, res != nil && res.DeletedCount == 1 && res.Acknowledged, err
			},
		}
		for _, command := range []string{"insert", "update", "delete"} {
			for _, trouble := range []bson.E{
				{Key: "closeConnection", Value: true},
				{Key: "errorCode", Value: 8},
				{Key: "writeConcernError", Value: d("code", 64, "errmsg", "late")},
			} {
				l.ok(failPoint(client, times(1), append(d("failCommands", bson.A{command}), trouble)))
				_, unconfirmed := trouble.Value.(bson.D)
				result, made, err := write[command]()
				if err == nil || made != unconfirmed || !made && !reflect.ValueOf(result).IsNil() {
					l.Errorf("%s, %s: %+v, %v", command, trouble.Key, result, err)
				}
			}
		}
		if res, err := c.InsertOne(l.Context(), d("_id", 2)); !errors.Is(err, motor.ErrDuplicateKey) || res != nil {
			l.Errorf("%+v, %v", res, err)
		}
	})
}
