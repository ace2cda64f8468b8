package main

import (
	"reflect"
	"testing"
)

func TestScheduleFollowsFromSeed(t *testing.T) {
	const n = 500
	steps := func(seed uint64) (list []step) {
		for s := newSchedule(seed); len(list) < n; {
			list = append(list, s.next())
		}
		return list
	}
	first := steps(7)
	if !reflect.DeepEqual(first, steps(7)) {
		t.Error("one seed made two schedules")
	}
	if reflect.DeepEqual(first, steps(8)) {
		t.Error("two seeds made one schedule")
	}
	met := map[kind]int{}
	for _, s := range first {
		met[s.kind]++
		if s.kind == restart && s.node == 0 {
			t.Errorf("%v would be a failover", s)
		}
	}
	for k := range kinds {
		if k != failovers && met[k] == 0 {
			t.Errorf("%d steps without %v", n, k)
		}
	}
}
