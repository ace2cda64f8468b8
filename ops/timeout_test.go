package ops

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/wire"
)

func TestAllow(t *testing.T) {
	const ms = time.Millisecond
	now := time.Unix(1, 0)
	set := Timeout{Set: true, Limit: 100 * ms, Deadline: now.Add(100 * ms)}
	untold, unlimited := set, Timeout{Set: true}
	untold.Untold = true
	for name, c := range map[string]struct {
		timeout      Timeout
		command      string
		minRTT, want time.Duration
		maxTime      time.Duration // -1: too late
	}{
		"not set":                      {Timeout{}, "find", 5 * ms, 0, 0},
		"not set, with an older one":   {Timeout{}, "find", 5 * ms, 70 * ms, 70 * ms},
		"no limit":                     {unlimited, "find", 5 * ms, 0, 0},
		"no limit, with an older one":  {unlimited, "find", 5 * ms, 70 * ms, 0},
		"less the round trip":          {set, "find", 5 * ms, 0, 95 * ms},
		"instead of an older one":      {set, "find", 5 * ms, 70 * ms, 95 * ms},
		"whole milliseconds":           {set, "find", ms / 2, 0, 99 * ms},
		"never none":                   {set, "find", 100*ms - 1, 0, ms},
		"as long as the round trip":    {set, "find", 100 * ms, 0, -1},
		"shorter than the round trip":  {set, "getMore", 120 * ms, 0, -1},
		"untold":                       {untold, "find", 5 * ms, 0, 0},
		"untold, too late":             {untold, "find", 100 * ms, 0, -1},
		"getMore":                      {set, "getMore", 5 * ms, 0, 0},
		"getMore that waits":           {set, "getMore", 5 * ms, 70 * ms, 70 * ms},
		"getMore that waits too long":  {set, "getMore", 5 * ms, 99 * ms, 95 * ms},
		"getMore that waits, not set":  {Timeout{}, "getMore", 5 * ms, 70 * ms, 70 * ms},
		"getMore that waits, no limit": {unlimited, "getMore", 5 * ms, 70 * ms, 70 * ms},
	} {
		a, err := c.timeout.allow(c.command, c.timeout.Deadline, now, c.minRTT, c.want)
		if c.maxTime < 0 {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: error %v", name, err)
			}
			continue
		}
		if err != nil || a.maxTime != c.maxTime {
			t.Errorf("%s: maxTimeMS %v, error %v; want %v", name, a.maxTime, err, c.maxTime)
		}
		if want := c.timeout.Deadline.Add(-c.minRTT); !c.timeout.Deadline.IsZero() && !a.latest.Equal(want) {
			t.Errorf("%s: may be sent until %v, want %v", name, a.latest, want)
		}
	}
}

func TestBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := 50 * time.Millisecond
		for name, c := range map[string]struct {
			timeout, context, want time.Duration // 0: none
		}{
			"neither":          {0, 0, 0},
			"the timeout":      {limit, 0, limit},
			"the context":      {0, limit, limit},
			"earlier timeout":  {limit, 2 * limit, limit},
			"earlier context":  {2 * limit, limit, limit},
			"the same instant": {limit, limit, limit},
		} {
			ctx := t.Context()
			if c.context > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, c.context)
				defer cancel()
			}
			ctx, cancel := NewTimeout(&c.timeout).Bound(ctx)
			defer cancel()
			at, ok := ctx.Deadline()
			if ok != (c.want > 0) || ok && time.Until(at) != c.want {
				t.Errorf("%s: %v, %v", name, time.Until(at), ok)
			}
			time.Sleep(time.Nanosecond) // no two cases have the same instants
		}
	})
}

// A retryable command is sent as often as its time allows, each time with what
// is left.
func TestRetriesUntilTheDeadline(t *testing.T) {
	const exceededTimeLimit = 262
	busy := func(m wire.Msg) bson.D {
		time.Sleep(30 * time.Millisecond)
		return fail(exceededTimeLimit)(m)
	}
	for name, c := range map[string]struct {
		timeout Timeout
		script  []line
		took    time.Duration
		maxTime []int64 // 0: none
		err     error
	}{
		"not set":         {Timeout{}, []line{busy, busy}, 60, []int64{0, 0}, nil},
		"until the end":   {Timeout{Set: true, Limit: 100 * time.Millisecond}, []line{busy, busy, busy, busy}, 100, []int64{100, 70, 40, 10}, wire.ErrTimeout},
		"without a limit": {Timeout{Set: true}, []line{busy, busy, busy, fail(26)}, 90, []int64{0, 0, 0, 0}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &stage{t: t, script: c.script}
				s.perform(func(ctx context.Context, x *Executor) {
					cmd, start := find(), time.Now()
					cmd.Timeout = c.timeout.Begin()
					_, err := x.Run(ctx, cmd)
					if took := time.Since(start); err == nil || c.err != nil && !errors.Is(err, c.err) || took != c.took*time.Millisecond {
						t.Errorf("after %v: %v", took, err)
					}
					time.Sleep(time.Second) // for the server to end its last line
				})
				for i, want := range c.maxTime {
					if got, _ := s.said(i, "maxTimeMS").AsInt64(); got != want {
						t.Errorf("attempt %d has maxTimeMS %d, want %d", i, got, want)
					}
				}
			})
		})
	}
}

func TestTimedOutKeepsTheReason(t *testing.T) {
	reason := &wire.CommandError{Code: 262, Labels: []string{TransientTransactionError}}
	err := TimedOut(reason)
	if !errors.Is(err, wire.ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, error(reason)) || !HasLabel(err, TransientTransactionError) {
		t.Errorf("%v", err)
	}
	if TimedOut(err) != err {
		t.Error("a time-out is wrapped in another")
	}
}
