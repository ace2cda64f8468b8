package main

import (
	"sync"
	"time"

	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/topology/description"
)

// plan is which failovers there were.
type plan struct {
	mu    sync.Mutex
	spans []span
}

// span is a failover, from the blow until all nodes run as before. The end of
// the one under way is zero.
type span struct {
	kind       kind
	began, end time.Time
}

func (p *plan) begin(k kind) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spans = append(p.spans, span{kind: k, began: time.Now()})
}

// end ends the failover that was planned last.
func (p *plan) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.spans {
		if s := &p.spans[i]; s.end.IsZero() {
			s.end = time.Now()
		}
	}
}

// observe notes an unplanned failover: the driver loses a server, or a server
// its office, and nobody has struck.
func (p *plan) observe(e *event.ServerDescriptionChanged) {
	before, after := e.Previous.Type, e.New.Type
	lost := before != description.Unknown && after == description.Unknown
	if !lost && (before != description.RSPrimary || after == description.RSPrimary) {
		return
	}
	p.disturbed(time.Now())
}

func (p *plan) disturbed(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.spans {
		s := &p.spans[i]
		if !s.covers(now, now) {
			continue
		}
		if s.kind == unplanned {
			s.end = now
		}
		return
	}
	p.spans = append(p.spans, span{unplanned, now, now})
}

// aftermath is how long the driver may still meet what a failover has left: a
// connection that broke, a server that it has not heard of yet.
const aftermath = time.Second

// covers reports whether what lasted from began to end may have met s.
func (s *span) covers(began, end time.Time) bool {
	return (s.end.IsZero() || began.Before(s.end.Add(aftermath))) && !end.Before(s.began)
}

// during is how many failovers there were between two moments.
func (p *plan) during(began, end time.Time) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.spans {
		if p.spans[i].covers(began, end) {
			n++
		}
	}
	return n
}

// count is how many failovers there were of each kind.
func (p *plan) count() (of [kinds]int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.spans {
		of[s.kind]++
	}
	return of
}
