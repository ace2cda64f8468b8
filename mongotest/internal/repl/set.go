package repl

import (
	"slices"
	"sync"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/storage"
)

// A Set is a replica set.
type Set struct {
	Name string
	ID   bson.ObjectID
	// ElectionTimeout is how long a member waits for a lost primary to come
	// back, and a primary for its lost majority.
	ElectionTimeout time.Duration
	Members         []*Member

	mu  sync.Mutex
	cut map[[2]*Member]bool // from, to
	wg  sync.WaitGroup
}

// NewSet makes a set of as many members as there are hosts. Its members are
// down.
func NewSet(name string, electionTimeout time.Duration, hosts []string) *Set {
	s := &Set{Name: name, ID: bson.NewObjectID(), ElectionTimeout: electionTimeout, cut: map[[2]*Member]bool{}}
	for i, host := range hosts {
		s.Members = append(s.Members, &Member{
			ID: i, Host: host, Engine: storage.NewEngine(true), set: s, role: Down,
		})
	}
	return s
}

// Start brings all members up, the first of them as primary.
func (s *Set) Start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.Members {
		m.up()
	}
	s.elect(s.Members[0])
}

// Close takes all members down and waits for their work to end.
func (s *Set) Close() {
	s.mu.Lock()
	for _, m := range s.Members {
		m.down()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

// Cut stops what from sends to, or lets it through again.
func (s *Set) Cut(from, to *Member, cut bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut[[2]*Member{from, to}] = cut
	s.reconsider()
}

// Heal lets everything through again.
func (s *Set) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.cut)
	s.reconsider()
}

// Primary is the primary of the newest term, nil if there is none.
func (s *Set) Primary() (primary *Member) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.Members {
		if m.role == Primary && (primary == nil || m.term > primary.term) {
			primary = m
		}
	}
	return primary
}

// sends reports whether what a sends reaches b.
func (s *Set) sends(a, b *Member) bool {
	return a == b || a.role != Down && b.role != Down && !s.cut[[2]*Member{a, b}]
}

// talks reports whether a and b can answer each other.
func (s *Set) talks(a, b *Member) bool { return s.sends(a, b) && s.sends(b, a) }

func (s *Set) majority() int { return len(s.Members)/2 + 1 }

// reconsider lets every member see what has changed, and sets the timers of
// what they will do about it.
func (s *Set) reconsider() {
	for _, a := range s.Members {
		for _, b := range s.Members {
			if s.talks(a, b) && a.term > b.term {
				b.learn(a.term)
			}
		}
	}
	for _, m := range s.Members {
		switch m.role {
		case Primary:
			reached := 0
			for _, o := range s.Members {
				if s.talks(m, o) {
					reached++
				}
			}
			m.loss.set(reached < s.majority(), &s.mu, s.ElectionTimeout, func() { s.lost(m) })
		case Secondary:
			m.follow(s.newestPrimary(m))
			m.election.set(m.primary == nil, &s.mu, s.patience(m), func() { s.elect(m) })
		}
	}
	s.advance()
}

// newestPrimary is the primary that m hears of.
func (s *Set) newestPrimary(m *Member) (primary *Member) {
	for _, o := range s.Members {
		if o.role == Primary && s.talks(m, o) && o.term >= m.term && (primary == nil || o.term > primary.term) {
			primary = o
		}
	}
	return primary
}

// patience is how long m waits before it runs for primary: longer if others
// have more, so that they come first.
func (s *Set) patience(m *Member) time.Duration {
	behind := 0
	for _, o := range s.Members {
		ahead := o.applied().Compare(m.applied())
		if o.role == Secondary && (ahead > 0 || ahead == 0 && o.ID < m.ID) {
			behind++
		}
	}
	wait := s.ElectionTimeout + s.ElectionTimeout*time.Duration(behind)/10
	return max(wait, time.Until(m.frozenUntil)+wait-s.ElectionTimeout)
}

// lost ends the time of a primary that has had no majority for too long.
func (s *Set) lost(m *Member) {
	m.stepDown()
	s.reconsider()
}

// elect lets m run for primary.
func (s *Set) elect(m *Member) {
	term := m.term + 1
	if m.canRun() && s.votes(m, term, true) >= s.majority() && s.votes(m, term, false) >= s.majority() {
		m.win(term)
	}
	s.reconsider()
}

// votes counts who votes for m in the term. A dry run asks without consequences.
func (s *Set) votes(m *Member, term int64, dry bool) (votes int) {
	for _, o := range s.Members {
		if !s.sends(m, o) {
			continue
		}
		grants := o.voted < term && (o == m || o.term < term && o.applied().Compare(m.applied()) <= 0)
		if !dry {
			o.learn(term)
			if grants {
				o.voted = term
			}
		}
		if grants && s.sends(o, m) {
			votes++
		}
	}
	return votes
}

// advance finds out what is committed.
func (s *Set) advance() {
	for _, p := range s.Members {
		if p.role != Primary {
			continue
		}
		var applied []storage.OpTime
		for _, m := range s.Members {
			if s.confirms(m, p) {
				applied = append(applied, m.applied())
			}
		}
		slices.SortFunc(applied, func(a, b storage.OpTime) int { return b.Compare(a) })
		if n := s.majority(); len(applied) >= n && applied[n-1].Term == p.term {
			p.commit(applied[n-1])
		}
		for _, m := range s.Members {
			if m.primary == p && m.joined && s.sends(p, m) {
				m.commit(p.committed)
			}
		}
	}
}

// confirms reports whether what m has applied counts for the primary p: all of
// it is p's, and p hears of it.
func (s *Set) confirms(m, p *Member) bool {
	return m == p || m.primary == p && m.joined && m.term == p.term && s.sends(m, p)
}

// Followed reports whether a majority follows the primary p.
func (s *Set) Followed(p *Member) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	followers := 0
	for _, m := range s.Members {
		if m.primary == p && s.talks(m, p) {
			followers++
		}
	}
	return p.role == Primary && followers >= s.majority()
}
