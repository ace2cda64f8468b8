package spectests

import (
	"context"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

// modelKinds read the models of bulk writes.
var modelKinds = map[string]func(bson.Raw) (motor.WriteModel[bson.Raw], error){
	"insertOne":  model[motor.InsertOneModel[bson.Raw]],
	"updateOne":  model[motor.UpdateOneModel[bson.Raw]],
	"updateMany": model[motor.UpdateManyModel[bson.Raw]],
	"replaceOne": model[motor.ReplaceOneModel[bson.Raw]],
	"deleteOne":  model[motor.DeleteOneModel[bson.Raw]],
	"deleteMany": model[motor.DeleteManyModel[bson.Raw]],
}

func model[M motor.WriteModel[bson.Raw]](doc bson.Raw) (motor.WriteModel[bson.Raw], error) {
	var m M
	err := decodeOptional(&m, doc)
	return m, err
}

// readModel reads a document whose only key is the kind of a write.
func readModel(request bson.Raw) (kind string, doc bson.Raw, err error) {
	kind, doc, err = eventOf(request)
	if _, ok := modelKinds[kind]; err != nil || !ok {
		return "", nil, malformedf("%v is not a write", request)
	}
	return kind, doc, nil
}

func bulkWrite(ctx context.Context, _ *testRun, c *collection, a struct {
	Requests []bson.Raw
	Ordered  *bool `spec:"optional"`
	motor.BulkWriteOptions
},
) (outcome, error) {
	var models []motor.WriteModel[bson.Raw]
	for _, request := range a.Requests {
		kind, doc, err := readModel(request)
		if err != nil {
			return outcome{}, err
		}
		m, err := modelKinds[kind](doc)
		if err != nil {
			return outcome{}, err
		}
		models = append(models, m)
	}
	a.Unordered = unordered(a.Ordered)
	res, err := c.BulkWrite(ctx, models, a.BulkWriteOptions)
	if res == nil {
		return outcome{}, err
	}
	return result(err, res.Acknowledged, bson.D{
		{Key: "insertedCount", Value: res.InsertedCount},
		{Key: "matchedCount", Value: res.MatchedCount},
		{Key: "modifiedCount", Value: res.ModifiedCount},
		{Key: "deletedCount", Value: res.DeletedCount},
		{Key: "upsertedCount", Value: res.UpsertedCount},
		{Key: "insertedIds", Value: byIndex(res.InsertedIDs)},
		{Key: "upsertedIds", Value: byIndex(res.UpsertedIDs)},
	})
}

// clientBulkWrite is that of a client: its writes may go to any collection.
func clientBulkWrite(ctx context.Context, _ *testRun, c *client, a struct {
	Models         []bson.Raw
	Ordered        *bool `spec:"optional"`
	VerboseResults bool  `spec:"optional"`
	motor.ClientBulkWriteOptions
},
) (outcome, error) {
	var writes []motor.ClientWrite
	for _, request := range a.Models {
		kind, doc, err := readModel(request)
		if err != nil {
			return outcome{}, err
		}
		namespace, rest := takeString(doc, "namespace")
		m, err := modelKinds[kind](rest)
		if err != nil {
			return outcome{}, err
		}
		writes = append(writes, motor.ClientWrite{Namespace: namespace, Model: m})
	}
	a.Unordered, a.Verbose = unordered(a.Ordered), a.VerboseResults
	res, err := c.BulkWrite(ctx, writes, a.ClientBulkWriteOptions)
	if res == nil {
		return outcome{}, err
	}
	doc := bson.D{
		{Key: "insertedCount", Value: res.InsertedCount},
		{Key: "upsertedCount", Value: res.UpsertedCount},
		{Key: "matchedCount", Value: res.MatchedCount},
		{Key: "modifiedCount", Value: res.ModifiedCount},
		{Key: "deletedCount", Value: res.DeletedCount},
	}
	if a.VerboseResults {
		doc = append(doc, verbose(res)...)
	}
	return result(err, res.Acknowledged, doc)
}

// verbose are the results of the single writes.
func verbose(res *motor.ClientBulkWriteResult) bson.D {
	inserts, updates, deletes := map[int]bson.D{}, map[int]bson.D{}, map[int]bson.D{}
	for i, r := range res.InsertResults {
		inserts[i] = bson.D{{Key: "insertedId", Value: r.InsertedID}}
	}
	for i, r := range res.UpdateResults {
		updates[i] = bson.D{{Key: "matchedCount", Value: r.MatchedCount}, {Key: "modifiedCount", Value: r.ModifiedCount}}
		if r.UpsertedCount > 0 {
			updates[i] = append(updates[i], bson.E{Key: "upsertedId", Value: r.UpsertedID})
		}
	}
	for i, r := range res.DeleteResults {
		deletes[i] = bson.D{{Key: "deletedCount", Value: r.DeletedCount}}
	}
	return bson.D{
		{Key: "insertResults", Value: byIndex(inserts)},
		{Key: "updateResults", Value: byIndex(updates)},
		{Key: "deleteResults", Value: byIndex(deletes)},
	}
}

// takeString takes a string out of a document.
func takeString(doc bson.Raw, key string) (s string, rest bson.Raw) {
	rest, at := bson.BeginDocument(nil)
	for k, v := range doc.All() {
		if k == key {
			s, _ = v.Str()
		} else {
			rest = bson.AppendValue(rest, k, v)
		}
	}
	return s, bson.EndDocument(rest, at)
}
