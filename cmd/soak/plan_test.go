package main

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestPlan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p plan
		start := time.Now()
		at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
		time.Sleep(10 * time.Second)
		p.begin(kill)
		p.disturbed(time.Now()) // by the failover that was planned
		time.Sleep(2 * time.Second)
		p.end()
		time.Sleep(8 * time.Second)
		p.disturbed(at(20))
		p.disturbed(at(20).Add(aftermath / 2)) // the same
		time.Sleep(10 * time.Second)
		p.begin(stepDown)
		if of := p.count(); of[kill] != 1 || of[stepDown] != 1 || of[unplanned] != 1 {
			t.Errorf("failovers %v", of)
		}
		for _, tt := range []struct{ began, end, want int }{
			{0, 9, 0}, {0, 11, 1}, {11, 11, 1}, {14, 19, 0}, {11, 20, 2}, {22, 29, 0}, {29, 31, 1}, {0, 40, 3},
		} {
			if got := p.during(at(tt.began), at(tt.end)); got != tt.want {
				t.Errorf("between %d s and %d s: %d failovers, want %d", tt.began, tt.end, got, tt.want)
			}
		}
	})
}
