package main

import (
	"errors"
	"testing"
	"time"
)

func TestTally(t *testing.T) {
	all := journal{acknowledged, unknown, withdrawn}
	for name, c := range map[string]struct {
		journal journal
		found   map[int]int
		want    tally
	}{
		"as it should be":       {all, map[int]int{0: 1}, tally{acknowledged: 1, unknown: 1, withdrawn: 1}},
		"the unknown one made":  {all, map[int]int{0: 1, 1: 1}, tally{acknowledged: 1, unknown: 1, withdrawn: 1, made: 1}},
		"lost":                  {all, map[int]int{}, tally{acknowledged: 1, unknown: 1, withdrawn: 1, lost: 1}},
		"made twice":            {all, map[int]int{0: 2}, tally{acknowledged: 1, unknown: 1, withdrawn: 1, doubled: 1}},
		"the unknown one twice": {all, map[int]int{0: 1, 1: 2}, tally{acknowledged: 1, unknown: 1, withdrawn: 1, made: 1, doubled: 1}},
		"taken back but made":   {all, map[int]int{0: 1, 2: 1}, tally{acknowledged: 1, unknown: 1, withdrawn: 1, unwanted: 1}},
		"nobody asked for it":   {all, map[int]int{0: 1, 3: 1}, tally{acknowledged: 1, unknown: 1, withdrawn: 1, unwanted: 1}},
		"refused":               {journal{refused}, map[int]int{0: 1}, tally{refused: 1}},
	} {
		t.Run(name, func(t *testing.T) {
			var got tally
			got.count(c.journal, c.found)
			if got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if bad := c.want.lost + c.want.doubled + c.want.unwanted + c.want.refused; got.ok() != (bad == 0) {
				t.Errorf("ok is %v", got.ok())
			}
		})
	}
}

func TestGivenUp(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	spans := []span{{ms(0), ms(10), 1}, {ms(10), ms(20), 2}, {ms(20), ms(30), 1}}
	for _, c := range []struct {
		began, ended int
		needless     bool
	}{
		{2, 8, true},    // one fault
		{8, 12, false},  // a fault, and two more
		{12, 18, false}, // two at once
		{22, 28, true},
		{31, 40, true}, // none
	} {
		list := []failure{{"write", ms(c.began), ms(c.ended), errors.New("it failed")}}
		if got := len(givenUp(list, spans)) == 1; got != c.needless {
			t.Errorf("a failure from %d to %d ms: needless %v, want %v", c.began, c.ended, got, c.needless)
		}
	}
}

func TestBalance(t *testing.T) {
	moved := []transfer{{From: 0, To: 1, Amount: 5}, {From: 1, To: 2, Amount: 2}}
	for name, c := range map[string]struct {
		accounts   map[int]int
		sum, wrong int
	}{
		"as it should be":   {map[int]int{0: 5, 1: 13, 2: 12}, 30, 0},
		"half a transfer":   {map[int]int{0: 5, 1: 15, 2: 12}, 32, 1},
		"one without trace": {map[int]int{0: 4, 1: 14, 2: 12}, 30, 2},
	} {
		t.Run(name, func(t *testing.T) {
			if sum, wrong := balance(c.accounts, 10, moved); sum != c.sum || wrong != c.wrong {
				t.Errorf("sum %d, %d wrong; want %d and %d", sum, wrong, c.sum, c.wrong)
			}
		})
	}
}
