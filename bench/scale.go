package main

import (
	"context"
	"fmt"
)

// scaleCases show that the cost of an operation and of a document stays the
// same whatever their number.
func scaleCases(ctx context.Context, b *bench) ([]Case, error) {
	var cases []Case
	tweets := job{kind: findOneD, coll: "tweet_10000", count: 10_000}
	for _, g := range []int{1, 8, 64, 512, 4096} {
		cases = append(cases, trip{env: b.env, goroutines: g, job: tweets}.
			newCase("scale goroutines", fmt.Sprintf("findOne into D, %d goroutines", g)))
	}
	for _, size := range []int{8, 64, 512} {
		cases = append(cases, trip{env: b.env, goroutines: 512, job: tweets, variant: variant{options: fmt.Sprint("maxPoolSize=", size)}}.
			newCase("scale pool", fmt.Sprintf("findOne into D, 512 goroutines, maxPoolSize %d", size)))
	}
	for n := 1; n <= 100_000; n *= 10 {
		perDocument := func(name string, j job) {
			c := trip{env: b.env, job: j}.newCase("scale documents, each", fmt.Sprintf("%s %d small", name, n))
			c.Per = n
			cases = append(cases, c)
		}
		perDocument("insertMany", job{kind: insertMany, coll: "small", doc: b.env.corpus["small"], count: n})
		perDocument("find", job{kind: findD, coll: fmt.Sprint("small_", n)})
	}
	return cases, nil
}
