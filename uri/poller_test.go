package uri

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestNext(t *testing.T) {
	failure := errors.New("no answer")
	last := func(n int, swap func(i, j int)) { swap(0, n-1) }
	for _, test := range []struct {
		name    string
		known   string
		found   Seedlist
		failure error
		limit   int
		hosts   string
		wait    time.Duration
		warning string
	}{
		{"nothing new", "a b", Seedlist{Hosts: []string{"b", "a"}, TTL: time.Hour}, nil, 0, "a b", time.Hour, ""},
		{"a low TTL", "a", Seedlist{Hosts: []string{"a"}, TTL: time.Second}, nil, 0, "a", time.Minute, ""},
		{"added and removed", "a b", Seedlist{Hosts: []string{"c", "b", "d"}}, nil, 0, "b c d", time.Minute, ""},
		{"all replaced", "a b", Seedlist{Hosts: []string{"c"}}, nil, 0, "c", time.Minute, ""},
		{"a failure", "a b", Seedlist{}, failure, 0, "a b", time.Second, "no answer"},
		{"only refused", "a", Seedlist{Refused: []string{"x"}, TTL: time.Hour}, nil, 0, "a", time.Second, "no host within the domain"},
		{"one refused", "a", Seedlist{Hosts: []string{"b"}, Refused: []string{"x", "y"}}, nil, 0, "b", time.Minute, "name x, y, which is outside"},
		{"limited", "a b", Seedlist{Hosts: []string{"a", "c", "d", "e"}}, nil, 2, "a e", time.Minute, ""},
		{"limited and full", "a b", Seedlist{Hosts: []string{"a", "b", "c"}}, nil, 2, "a b", time.Minute, ""},
		{"limited to more", "a", Seedlist{Hosts: []string{"a", "b", "c"}}, nil, 3, "a b c", time.Minute, ""},
		{"over the limit", "a b c", Seedlist{Hosts: []string{"a", "b", "c", "d"}}, nil, 2, "a b c", time.Minute, ""},
	} {
		known := strings.Fields(test.known)
		p := Poller{MaxHosts: test.limit, HeartbeatFrequency: time.Second, Shuffle: last}
		hosts, wait, warning := p.Next(known, test.found, test.failure)
		if !slices.Equal(hosts, strings.Fields(test.hosts)) || wait != test.wait {
			t.Errorf("%s: hosts are %q, wait is %v", test.name, hosts, wait)
		}
		if test.warning == "" && warning != nil || test.warning != "" && !strings.Contains(fmt.Sprint(warning), test.warning) {
			t.Errorf("%s: the warning is %v", test.name, warning)
		}
		if !slices.Equal(known, strings.Fields(test.known)) {
			t.Errorf("%s: the known hosts became %q", test.name, known)
		}
	}
}

func TestPollsSRV(t *testing.T) {
	for s, want := range map[string]bool{
		"mongodb://a":                        false,
		"mongodb+srv://a":                    true,
		"mongodb+srv://a/?loadBalanced=true": false,
	} {
		if got := parse(t, s).PollsSRV(); got != want {
			t.Errorf("%s: %v", s, got)
		}
	}
}

// TestRun follows a Poller through found, missing and changed records until the
// topology turns out to be a replica set.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var log []string
		say := func(format string, args ...any) {
			log = append(log, fmt.Sprintf("%v "+format, append([]any{time.Since(start)}, args...)...))
		}
		hosts, polled := []string{"a", "b"}, true
		answers := []Seedlist{
			{Hosts: []string{"b", "a"}, TTL: 2 * time.Minute},
			{},
			{Hosts: []string{"b", "c"}, TTL: time.Second},
			{Hosts: []string{"c"}, TTL: time.Second},
		}
		Poller{
			HeartbeatFrequency: 10 * time.Second,
			Hosts:              func() ([]string, bool) { return hosts, polled },
			Scan: func(context.Context) (Seedlist, error) {
				say("scan")
				found := answers[0]
				answers = answers[1:]
				if len(found.Hosts) == 0 {
					return Seedlist{}, errors.New("no answer")
				}
				return found, nil
			},
			Update: func(next []string) {
				say("update %q", next)
				hosts, polled = next, len(answers) > 0
			},
			Warn: func(err error) { say("warn %v", err) },
		}.Run(t.Context(), 90*time.Second)
		say("end")
		want := []string{
			"1m30s scan",
			"3m30s scan",
			"3m30s warn no answer",
			"3m40s scan",
			`3m40s update ["b" "c"]`,
			"4m40s scan",
			`4m40s update ["c"]`,
			"5m40s end",
		}
		if !reflect.DeepEqual(log, want) {
			t.Errorf("it went:\n%s", strings.Join(log, "\n"))
		}
	})
}

func TestRunEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		p := Poller{
			Hosts: func() ([]string, bool) { return nil, true },
			Scan: func(ctx context.Context) (Seedlist, error) {
				<-ctx.Done()
				return Seedlist{}, ctx.Err()
			},
			Update: func([]string) { t.Error("updates") },
			Warn:   func(err error) { t.Errorf("warns: %v", err) },
		}
		go p.Run(ctx, 0)         // ends while it scans
		go p.Run(ctx, time.Hour) // ends while it waits
		time.Sleep(2 * time.Minute)
		cancel()
		synctest.Wait()
	})
}
