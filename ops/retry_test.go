package ops

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/pool"
	"github.com/motor-go/motor/wire"
)

var (
	unselected = &ConnectionError{Err: errors.New("no primary")}
	handshake  = &ConnectionError{Server: "a", Network: true, Err: errors.New("refused"), Labels: []string{RetryableWriteError}}
	broken     = &ConnectionError{Server: "a", Network: true, Sent: true, Err: errors.New("reset"), Labels: []string{RetryableWriteError}}
	timedOut   = &ConnectionError{Server: "a", Err: errors.New("wait queue timeout")}
	notPrimary = &wire.CommandError{Code: 10107, Labels: []string{RetryableWriteError}}
	noWrites   = &wire.CommandError{Code: 91, Labels: []string{RetryableWriteError, NoWritesPerformed}}
	notFound   = &wire.CommandError{Code: 26}
	overloaded = &wire.CommandError{Code: 462, Labels: []string{SystemOverloadedError, RetryableError}}
	overNoTry  = &wire.CommandError{Code: 462, Labels: []string{SystemOverloadedError}}
)

// A connection that was interrupted since the server's monitor could not connect
// any more. The labels are those of the monitor's error.
var interrupted = &ConnectionError{Server: "a", Network: true, Sent: true, Err: &pool.NetworkError{Sent: true, Err: &pool.ClearedError{
	Interrupted: true,
	Err: &pool.ConnectError{
		Labels: []string{SystemOverloadedError, RetryableError},
		Err:    &pool.NetworkError{Err: context.DeadlineExceeded},
	},
}}}

func TestInterruptedCommandHasNotTimedOut(t *testing.T) {
	if errors.Is(interrupted, wire.ErrTimeout) {
		t.Error("the monitor's timeout passes for one of the command")
	}
}

// Each case is the errors that attempts meet; the last is the one after which
// no attempt follows. returned is the error that the user gets.
func TestRetryHistories(t *testing.T) {
	write := retryPolicy{class: retryWrite, overload: true, max: 2}
	read := retryPolicy{class: retryRead, overload: true, max: 2}
	other := retryPolicy{overload: true, max: 2}
	for name, c := range map[string]struct {
		policy   retryPolicy
		errs     []error
		returned error
	}{
		"write once":                       {write, []error{notPrimary, broken}, broken},
		"write fails for good":             {write, []error{notFound}, notFound},
		"write, then unselected":           {write, []error{notPrimary, unselected}, notPrimary},
		"write, then handshake":            {write, []error{notPrimary, handshake}, notPrimary},
		"write, then no writes":            {write, []error{broken, noWrites}, broken},
		"no writes, then a write":          {write, []error{noWrites, broken}, broken},
		"no writes twice":                  {write, []error{noWrites, &wire.CommandError{Code: 1, Labels: noWrites.Labels}}, noWrites},
		"unselected at first":              {write, []error{unselected}, unselected},
		"wait queue":                       {write, []error{timedOut}, timedOut},
		"read once":                        {read, []error{broken, notPrimary}, notPrimary},
		"read, then unselected":            {read, []error{broken, unselected}, broken},
		"read fails for good":              {read, []error{notFound}, notFound},
		"not retryable":                    {other, []error{broken}, broken},
		"interrupted":                      {other, []error{interrupted}, interrupted},
		"overloaded, any command":          {other, []error{overloaded, overloaded, overloaded}, overloaded},
		"overloaded, not to be retried":    {other, []error{overNoTry}, overNoTry},
		"overload raises the bound":        {write, []error{overloaded, notPrimary, broken}, broken},
		"overload lowers that of deadline": {retryPolicy{class: retryWrite, overload: true, max: 1, deadline: true}, []error{notPrimary, overloaded}, overloaded},
		"no adaptive retries":              {retryPolicy{overload: true}, []error{overloaded}, overloaded},
	} {
		t.Run(name, func(t *testing.T) {
			s := retryState{policy: c.policy}
			for i, err := range c.errs {
				v := s.failed(err, false, 0)
				if last := i == len(c.errs)-1; v.retry == last {
					t.Fatalf("after error %d (%v): retry is %v", i, err, v.retry)
				}
			}
			if s.err != c.returned {
				t.Errorf("returned %v, want %v", s.err, c.returned)
			}
		})
	}
}

func TestRetryUntilTheDeadline(t *testing.T) {
	s := retryState{policy: retryPolicy{class: retryRead, deadline: true, max: 2}}
	for i := range 20 {
		if !s.failed(broken, false, 0).retry {
			t.Fatalf("gave up after %d retries before the deadline", i)
		}
	}
}

func TestDeprioritize(t *testing.T) {
	for name, c := range map[string]struct {
		err      error
		sharded  bool
		retarget bool
		want     bool
	}{
		"replica set":                       {err: notPrimary},
		"sharded":                           {err: notPrimary, sharded: true, want: true},
		"overloaded":                        {err: overloaded},
		"overloaded, retargeting":           {err: overloaded, retarget: true, want: true},
		"not overloaded, retargeting on":    {err: notPrimary, retarget: true},
		"overloaded, sharded, no retarget.": {err: overloaded, sharded: true, want: true},
	} {
		s := retryState{policy: retryPolicy{class: retryWrite, overload: true, max: 2, retarget: c.retarget}}
		if v := s.failed(c.err, c.sharded, 0); v.deprioritize != c.want {
			t.Errorf("%s: deprioritize is %v", name, v.deprioritize)
		}
	}
}

func TestBackoff(t *testing.T) {
	doc, at := bson.BeginDocument(nil)
	told := &wire.CommandError{Reply: bson.EndDocument(bson.AppendInt32(doc, "baseBackoffMS", 7), at)}
	for _, c := range []struct {
		err    error
		n      int
		jitter float64
		want   time.Duration
	}{
		{overloaded, 1, 1, 200 * time.Millisecond},
		{overloaded, 2, 1, 400 * time.Millisecond},
		{overloaded, 2, 0.5, 200 * time.Millisecond},
		{overloaded, 2, 0, 0},
		{overloaded, 9, 1, maxBackoff},
		{overloaded, 1000, 1, maxBackoff},
		{told, 1, 1, 14 * time.Millisecond},
	} {
		if got := backoff(c.err, c.n, c.jitter); got != c.want {
			t.Errorf("backoff(%d, %v) = %v, want %v", c.n, c.jitter, got, c.want)
		}
	}
}

func TestLabelWrite(t *testing.T) {
	const old, labelling = 8, 9
	for name, c := range map[string]struct {
		err    error
		wire   int32
		mongos bool
		want   bool
	}{
		"network":                     {err: &ConnectionError{Server: "a", Network: true}, wire: labelling, want: true},
		"selection":                   {err: &ConnectionError{}, wire: labelling},
		"old server's code":           {err: &wire.CommandError{Code: 189}, wire: old, want: true},
		"old server's other code":     {err: &wire.CommandError{Code: 64}, wire: old},
		"new server labels by itself": {err: &wire.CommandError{Code: 189}, wire: labelling},
		"old server's write concern":  {err: &WriteConcernError{Code: 91}, wire: old, want: true},
		"old mongos' write concern":   {err: &WriteConcernError{Code: 91}, wire: old, mongos: true},
		"new server's write concern":  {err: &WriteConcernError{Code: 91}, wire: labelling},
	} {
		if got := HasLabel(labelWrite(c.err, c.wire, c.mongos), RetryableWriteError); got != c.want {
			t.Errorf("%s: labelled %v", name, got)
		}
		if HasLabel(c.err, RetryableWriteError) {
			t.Errorf("%s: the error that others may hold was changed", name)
		}
	}
}

// Retryable writes, prose test 1.
func TestExplainsTransactionNumbers(t *testing.T) {
	const old = "Transaction numbers are only allowed on a replica set member or mongos"
	for _, c := range []struct {
		message       string
		inTransaction bool
		want          string
	}{
		{old, false, "This MongoDB deployment does not support retryable writes. Please add retryWrites=false to your connection string."},
		{old, true, old + "; transactions need a replica set or a sharded cluster"},
		{"something else", false, "something else"},
		{"something else", true, "something else"},
	} {
		err := &wire.CommandError{Code: 20, Message: c.message}
		explainTransactionNumbers(err, c.inTransaction)
		if err.Message != c.want || err.Code != 20 {
			t.Errorf("%+v became %v", c, err)
		}
	}
}
