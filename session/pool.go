package session

import (
	"crypto/rand"
	"sync"
	"time"

	"github.com/motor-go/motor/bson"
)

// Server is one server session.
type Server struct {
	// ID is the document {id: UUID} that goes into the field lsid.
	ID bson.Raw
	// TxnNumber is the last transaction number that was used. It only grows.
	TxnNumber int64
	// Dirty says that a network error happened while the session was in use;
	// it does not go back to the pool.
	Dirty bool

	lastUse time.Time
}

func newServer() *Server {
	var uuid [16]byte
	rand.Read(uuid[:])
	uuid[6] = uuid[6]&0x0f | 0x40
	uuid[8] = uuid[8]&0x3f | 0x80
	doc, at := bson.BeginDocument(make([]byte, 0, 32))
	doc = bson.AppendBinary(doc, "id", bson.Binary{Subtype: bson.BinaryUUID, Data: uuid[:]})
	return &Server{ID: bson.EndDocument(doc, at)}
}

// expired reports whether s has less than a minute to live. A timeout of 0
// means that the servers do not expire sessions as far as is known.
func (s *Server) expired(now time.Time, timeout time.Duration) bool {
	return timeout > 0 && now.Sub(s.lastUse) >= timeout-time.Minute
}

// Pool lends server sessions, the last one returned first. The zero Pool is
// ready to use, also concurrently.
type Pool struct {
	mu   sync.Mutex
	free []*Server
}

// Get takes a session from the pool, or makes one. timeout is the deployment's
// logicalSessionTimeoutMinutes.
func (p *Pool) Get(now time.Time, timeout time.Duration) *Server {
	p.mu.Lock()
	for n := len(p.free); n > 0; n = len(p.free) {
		s := p.free[n-1]
		p.free[n-1], p.free = nil, p.free[:n-1]
		if !s.expired(now, timeout) {
			p.mu.Unlock()
			s.lastUse = now
			return s
		}
	}
	p.mu.Unlock()
	s := newServer()
	s.lastUse = now
	return s
}

// Put gives a session back. Dirty and expired sessions are dropped, and with
// them those at the bottom of the pool that have expired meanwhile.
func (p *Pool) Put(s *Server, now time.Time, timeout time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	stale := 0
	for stale < len(p.free) && p.free[stale].expired(now, timeout) {
		stale++
	}
	if stale > 0 {
		n := copy(p.free, p.free[stale:])
		clear(p.free[n:])
		p.free = p.free[:n]
	}
	if !s.Dirty && !s.expired(now, timeout) {
		p.free = append(p.free, s)
	}
}

// Drain empties the pool and gives the identifiers for endSessions.
func (p *Pool) Drain() (ids []bson.Raw) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.free {
		ids = append(ids, s.ID)
	}
	p.free = nil
	return ids
}

// Len counts the idle sessions.
func (p *Pool) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.free)
}
