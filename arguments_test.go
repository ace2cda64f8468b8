package motor_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

// What cannot be sent is refused before it is.
func TestArgumentsRefused(t *testing.T) {
	client, err := motor.Connect(t.Context(), anyReplicaSet(t))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close(t.Context())
	ctx, db := t.Context(), client.Database(scratch)
	coll := db.Collection("c")
	junk := bson.Raw("junk")
	run := func(command any) error {
		_, err := db.RunCommand(ctx, command)
		return err
	}
	for name, c := range map[string]struct {
		do   func() error
		want string
	}{
		"nil command":           {func() error { return run(nil) }, "command: it is empty"},
		"empty command":         {func() error { return run(bson.D{}) }, "command: it is empty"},
		"empty raw command":     {func() error { return run(bson.Raw{}) }, "command"},
		"malformed command":     {func() error { return run(junk) }, "command"},
		"command without order": {func() error { return run(bson.M{"find": "c", "limit": 1}) }, "has no order"},
		"nil cursor command":    {func() error { _, err := motor.RunCursorCommand[bson.D](ctx, db, nil); return err }, "command: it is empty"},
		"malformed filter":      {func() error { _, err := coll.Find(ctx, junk).Slice(); return err }, "filter"},
		"nil raw filter":        {func() error { _, err := coll.DeleteMany(ctx, bson.Raw(nil)); return err }, "filter: it is nil"},
		"an element as filter":  {func() error { _, err := coll.FindOne(ctx, bson.E{Key: "a", Value: 1}); return err }, "filter: cannot encode a value of type bson.E: a bson.E is one element"},
		"an element as update": {func() error {
			_, err := coll.UpdateOne(ctx, bson.D{}, bson.E{Key: "$set", Value: bson.D{}})
			return err
		}, "update: a bson.E is one element"},
		"nil as _id": {func() error {
			_, err := coll.UpdateByID(ctx, nil, bson.D{{Key: "$set", Value: bson.D{{Key: "x", Value: 1}}}})
			return err
		}, "_id: it is nil"},
		"malformed resumeAfter":   {func() error { _, err := coll.Watch(ctx, nil, motor.WatchOptions{ResumeAfter: junk}); return err }, "resumeAfter: it is no document"},
		"malformed startAfter":    {func() error { _, err := coll.Watch(ctx, nil, motor.WatchOptions{StartAfter: bson.Raw{}}); return err }, "startAfter: it is no document"},
		"a write without a model": {func() error { _, err := coll.BulkWrite(ctx, []motor.WriteModel[bson.D]{nil}); return err }, "write 0 has no model"},
		"no read preference": {func() error {
			_, err := coll.With(motor.Settings{ReadPreference: &motor.ReadPreference{Mode: 77}}).FindOne(ctx, nil)
			return err
		}, "read preference Mode(77): there is no such mode"},
		"no ReturnDocument": {func() error {
			_, err := coll.FindOneAndUpdate(ctx, bson.D{}, bson.D{{Key: "$set", Value: bson.D{{Key: "x", Value: 1}}}}, motor.FindOneAndUpdateOptions{ReturnDocument: 9})
			return err
		}, "ReturnDocument: 9 is neither Before nor After"},
		"negative MaxCommitTime": {func() error {
			return client.WithTransaction(ctx, func(context.Context) error { return nil }, motor.TransactionOptions{MaxCommitTime: -1})
		}, "MaxCommitTime -1ns is negative"},
		"negative Timeout": {func() error {
			_, err := motor.Connect(ctx, "mongodb://localhost", motor.ClientOptions{Timeout: new(-time.Second)})
			return err
		}, "ClientOptions.Timeout is -1s"},
		"no CursorType":    {func() error { _, err := coll.Find(ctx, nil, motor.FindOptions{CursorType: 9}).Slice(); return err }, "CursorType is 9"},
		"no TimeoutMode":   {func() error { _, err := coll.Find(ctx, nil, motor.FindOptions{TimeoutMode: 9}).Slice(); return err }, "TimeoutMode is 9"},
		"negative MaxTime": {func() error { _, err := coll.FindOne(ctx, nil, motor.FindOneOptions{MaxTime: -1}); return err }, "find: the maximum time -1ns is negative"},
		"negative MaxTime of a count": {func() error {
			_, err := coll.EstimatedDocumentCount(ctx, motor.EstimatedCountOptions{MaxTime: -1})
			return err
		}, "count: the maximum time -1ns is negative"},
		"negative MaxAwaitTime": {func() error {
			_, err := coll.Find(ctx, nil, motor.FindOptions{CursorType: motor.TailableAwait, MaxAwaitTime: -1}).Slice()
			return err
		}, "MaxAwaitTime is -1ns"},
		"no read preference of a command": {func() error {
			_, err := db.RunCommand(ctx, bson.D{{Key: "ping", Value: 1}}, motor.RunCommandOptions{ReadPreference: &motor.ReadPreference{Mode: 77}})
			return err
		}, "read preference Mode(77): there is no such mode"},
		"a nil pointer to a model": {func() error {
			_, err := coll.BulkWrite(ctx, []motor.WriteModel[bson.D]{(*motor.DeleteManyModel[bson.D])(nil)})
			return err
		}, "write 0 has no model"},
	} {
		if err := c.do(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
