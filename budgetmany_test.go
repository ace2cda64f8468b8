package motor_test

import (
	"context"
	"slices"
	"testing"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/bson"
)

// What an operation with many documents allocates for each of them is what it
// returns, and nothing else.
func TestAllocationsPerDocument(t *testing.T) {
	const few, many = 100, 1100
	type result struct {
		name   string
		budget float64 // values returned
		run    func(ctx context.Context, db *motor.Database, n int) error
	}
	doc := smallDocument()
	operations := []result{
		{"insertMany from D", 1, func(ctx context.Context, db *motor.Database, n int) error { // the _id, as an any
			_, err := db.Collection("c").InsertMany(ctx, slices.Repeat([]bson.D{doc}, n))
			return err
		}},
		{"insertMany from structs", 1, func(ctx context.Context, db *motor.Database, n int) error {
			_, err := motor.CollectionOf[stock](db, "c").InsertMany(ctx, make([]stock, n))
			return err
		}},
		{"find into D", 5, func(ctx context.Context, db *motor.Database, n int) error { // its elements and what they are made of
			return each(db.Collection("c").Find(ctx, nil), n)
		}},
		{"find into structs", 0, func(ctx context.Context, db *motor.Database, n int) error {
			return each(motor.CollectionOf[article](db, "c").Find(ctx, nil), n)
		}},
		{"find as Raw", 1, func(ctx context.Context, db *motor.Database, n int) error { // its copy
			return each(motor.CollectionOf[bson.Raw](db, "c").Find(ctx, nil), n)
		}},
		{"cursor over Raw", 0, func(ctx context.Context, db *motor.Database, n int) error {
			cursor, err := db.Collection("c").FindCursor(ctx, nil)
			if err != nil {
				return err
			}
			for cursor.Next(ctx) {
				_ = cursor.Current()
			}
			return cursor.Close(ctx)
		}},
	}
	deployment := func(n int) *motor.Database {
		batch := make([]any, n)
		for i := range batch {
			batch[i] = d("id", int64(i), "stock", int64(3))
		}
		return newDeployment(t, map[string]bson.Raw{
			"find":   found(t, "firstBatch", 0, batch...),
			"insert": encode(t, d("n", n, "ok", 1)),
		}).connect().Database("db")
	}
	dbs := map[int]*motor.Database{few: deployment(few), many: deployment(many)}
	ctx := context.WithoutCancel(t.Context())
	for _, op := range operations {
		allocs := func(n int) float64 {
			return testing.AllocsPerRun(20, func() {
				if err := op.run(ctx, dbs[n], n); err != nil {
					t.Fatal(err)
				}
			})
		}
		const slack = 0.1 // for what grows with many documents, step by step
		if each := (allocs(many) - allocs(few)) / (many - few); each > op.budget+slack {
			t.Errorf("%s: %.2f allocations per document, want %v at most", op.name, each, op.budget)
		}
	}
}

// stock is a document without an _id.
type stock struct{ Stock, Price int64 }

// each ranges over n documents.
func each[T any](docs motor.Docs[T], n int) error {
	for _, err := range docs {
		if err != nil {
			return err
		}
		n--
	}
	if n != 0 {
		return motor.ErrNoDocuments
	}
	return nil
}
