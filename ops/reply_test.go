package ops

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/motor-go/motor/bson"
)

// A reply that does not say what was written is no success.
func TestMalformedReplyToAWrite(t *testing.T) {
	list := func(v any) bson.D {
		return bson.D{{Key: "ok", Value: 1}, {Key: "n", Value: 1}, {Key: "writeErrors", Value: v}}
	}
	for _, c := range []struct {
		reply bson.D
		want  string
	}{
		{bson.D{{Key: "ok", Value: 1}}, `insert on a:1: the reply has no number n: {"ok":1}`},
		{bson.D{{Key: "ok", Value: 1}, {Key: "n", Value: "five"}}, "has no number n"},
		{list(5), "writeErrors that are no array"},
		{list(bson.A{5}), "writeErrors that name no statement"},
		{list(bson.A{bson.D{{Key: "code", Value: 1}}}), "writeErrors that name no statement"},
		{list(bson.A{bson.D{{Key: "index", Value: 0}}}), ""},
		{bson.D{{Key: "ok", Value: 1}, {Key: "n", Value: 1.0}}, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &stage{t: t, script: []line{answer(c.reply)}}
			s.perform(func(ctx context.Context, x *Executor) {
				_, err := x.Run(ctx, insert(t))
				if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v gave %v, want %q", c.reply, err, c.want)
				}
			})
		})
	}
}

func TestMalformedReplyToBulkWrite(t *testing.T) {
	reply := func(cursor any, n any) bson.D {
		d := bson.D{{Key: "ok", Value: 1}, {Key: "cursor", Value: cursor}, {Key: "nInserted", Value: n}}
		for _, key := range []string{"nMatched", "nModified", "nDeleted", "nUpserted"} {
			d = append(d, bson.E{Key: key, Value: 0})
		}
		return d
	}
	cursor := func(results ...any) bson.D {
		return bson.D{{Key: "id", Value: int64(0)}, {Key: "ns", Value: "admin.$cmd.bulkWrite"}, {Key: "firstBatch", Value: append(bson.A{}, results...)}}
	}
	for _, c := range []struct {
		reply bson.D
		want  string
	}{
		{bson.D{{Key: "ok", Value: 1}}, "bulkWrite on a:1: the reply has no number nInserted"},
		{reply(cursor(), "one"), "has no number nInserted"},
		{reply(5, 1), "no cursor document"},
		{reply(cursor(bson.D{{Key: "ok", Value: 0}}), 0), "bulkWrite on a:1: the reply has a result of no write"},
		{reply(cursor(bson.D{{Key: "ok", Value: 0}, {Key: "idx", Value: 7}}), 0), "a result of no write"},
		{reply(cursor(), 1), ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &stage{t: t, script: []line{answer(c.reply)}, wireVersion: 25}
			s.perform(func(ctx context.Context, x *Executor) {
				docs := AppendClientInsert(nil, bson.Raw{5, 0, 0, 0, 0})
				out := x.ClientBulk(ctx, Envelope{DB: "admin"}, WriteOptions{}, false, &ClientStatements{
					Docs: docs, Ends: []int{len(docs)}, Namespaces: []string{"db.c"}, Namespace: []int{0}, Multi: []bool{false},
				})
				if (out.Err == nil) != (c.want == "") || out.Err != nil && !strings.Contains(out.Err.Error(), c.want) {
					t.Errorf("%v gave %v, want %q", c.reply, out.Err, c.want)
				}
			})
		})
	}
}
