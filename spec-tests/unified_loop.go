package spectests

import (
	"context"
	"time"

	"github.com/motor-go/motor/bson"
)

// loop performs operations over and over until the runner is told to stop, for
// tests that drive a deployment through changes. It came with schema 1.2 and
// is deprecated since 1.24.
func loop(ctx context.Context, r *testRun, _ *testRun, a struct {
	Operations              []operation
	StoreErrorsAsEntity     string `spec:"optional"`
	StoreFailuresAsEntity   string `spec:"optional"`
	StoreSuccessesAsEntity  string `spec:"optional"`
	StoreIterationsAsEntity string `spec:"optional"`
},
) (outcome, error) {
	errs, failures := bson.A{}, bson.A{}
	var successes, iterations int64
	store := func() {
		for name, v := range map[string]any{
			a.StoreErrorsAsEntity: errs, a.StoreFailuresAsEntity: failures,
			a.StoreSuccessesAsEntity: successes, a.StoreIterationsAsEntity: iterations,
		} {
			if encoded, err := bson.MarshalValue(v); name != "" && err == nil {
				r.entities.replace(name, encoded)
			}
		}
	}
	for ; !stopped(ctx, r.stop); iterations++ {
		for _, op := range a.Operations {
			failed, operationErr := r.perform(ctx, op)
			if failed == nil {
				successes++
				continue
			}
			report := bson.D{{Key: "error", Value: failed.Error()}, {Key: "time", Value: float64(time.Now().UnixMicro()) / 1e6}}
			// An error of the operation is an error, an assertion that does not
			// hold is a failure. Where only one of the lists is asked for, it
			// takes both.
			switch toErrors := operationErr != nil; {
			case a.StoreErrorsAsEntity == "" && a.StoreFailuresAsEntity == "":
				return outcome{}, failed
			case a.StoreFailuresAsEntity == "" || toErrors && a.StoreErrorsAsEntity != "":
				errs = append(errs, report)
			default:
				failures = append(failures, report)
			}
			break
		}
	}
	store()
	return outcome{}, nil
}

func stopped(ctx context.Context, stop <-chan struct{}) bool {
	select {
	case <-stop:
		return true
	case <-ctx.Done():
		return true
	default:
		return false
	}
}
