package spectests

import (
	"context"

	"github.com/motor-go/motor"
)

// sessionOperations is filled in by init, as withTransaction performs
// operations.
var sessionOperations map[string]runnable

func init() {
	sessionOperations = map[string]runnable{
		"endSession": on(func(ctx context.Context, _ *testRun, s *session, _ none) (outcome, error) {
			s.End(ctx)
			return outcome{}, nil
		}),
		"startTransaction": on(func(_ context.Context, r *testRun, s *session, a struct{ motor.TransactionOptions }) (outcome, error) {
			r.transactions = true
			return outcome{}, s.StartTransaction(a.TransactionOptions)
		}),
		"commitTransaction": on(func(ctx context.Context, _ *testRun, s *session, _ none) (outcome, error) {
			return outcome{}, s.CommitTransaction(ctx)
		}),
		"abortTransaction": on(func(ctx context.Context, _ *testRun, s *session, _ none) (outcome, error) {
			return outcome{}, s.AbortTransaction(ctx)
		}),
		"withTransaction": on(withTransaction),
		"getSnapshotTime": on(func(_ context.Context, _ *testRun, s *session, _ none) (outcome, error) {
			return value(s.SnapshotTime())
		}),
	}
}

// withTransaction performs operations in the callback. An assertion in it that
// does not hold fails the test; an error of an operation goes on to the caller
// of the callback whether or not the test expects it.
func withTransaction(ctx context.Context, r *testRun, s *session, a struct {
	Callback []operation
	motor.TransactionOptions
},
) (outcome, error) {
	r.transactions = true
	var broken error
	err := s.WithTransaction(ctx, func(ctx context.Context) error {
		for _, op := range a.Callback {
			failed, err := r.perform(ctx, op)
			if failed != nil && err == nil {
				err = failed
			}
			if failed != nil && failed != err {
				broken = failed
			}
			if err != nil {
				return err
			}
		}
		return nil
	}, a.TransactionOptions)
	if broken != nil {
		return outcome{}, malformedf("callback: %w", broken)
	}
	return outcome{}, err
}
