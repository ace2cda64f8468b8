package main

import (
	"context"
	"slices"
)

// overheadCases show what a replica set, a cancellable context and a command
// monitor cost our driver.
func overheadCases(ctx context.Context, b *bench) ([]Case, error) {
	var cases []Case
	for _, suite := range []func(context.Context, *bench) ([]Case, error){singleCases, multiCases} {
		all, err := suite(ctx, b)
		if err != nil {
			return nil, err
		}
		for _, c := range all {
			if c.trip.variant != variants[0] {
				continue // each name once
			}
			t := c.trip
			cases = append(cases, Case{Group: "overhead", Name: c.Name, Baseline: Own, Open: func(ctx context.Context, c *Case) error {
				for _, v := range slices.Insert(slices.Clone(variants), 0, plain) {
					t.variant = v
					name := v.name
					if v == plain {
						name = Own
					}
					if err := t.join(ctx, c, name, connectMotor); err != nil {
						return err
					}
				}
				return nil
			}})
		}
	}
	return cases, nil
}
