package mongod

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/mongotest/internal/query"
	"github.com/motor-go/motor/mongotest/internal/repl"
	"github.com/motor-go/motor/mongotest/internal/storage"
	"github.com/motor-go/motor/wire"
)

// Config is what a Server is made of.
type Config struct {
	Version Version
	// Host is the address that the server is known by.
	Host   string
	Engine *storage.Engine
	Member *repl.Member // nil on a standalone server
	// Link is the network to the clients.
	Link *Link
	// Cluster is the sharded cluster that the server is part of, nil for none:
	// as one of its shards, or as a Mongos, which has the Engine of the config
	// servers, and no Member.
	Cluster *Cluster
	Mongos  bool
	// TLS is for all connections; nil for none.
	TLS *tls.Config
	// Compressors are those that the server agrees to, by preference.
	Compressors []wire.Compressor
	// Auth makes clients authenticate.
	Auth bool
	// Scripting runs functions in JavaScript.
	Scripting bool
	// OIDCTokens are the users of MONGODB-OIDC by the access tokens that are
	// trusted; without any the mechanism is not known.
	OIDCTokens map[string]string
}

// Version is the version that a server claims, with its patch level.
type Version struct {
	query.Version
	Patch int
}

// A Server is one running mongod.
type Server struct {
	Config

	ctx       context.Context
	stop      context.CancelCauseFunc
	processID bson.ObjectID
	serviceID bson.ObjectID // that clients see behind a load balancer
	started   time.Time
	listener  net.Listener
	work      sync.WaitGroup

	failPoints failPoints
	cursors    cursors
	sessions   sessions
	parameters parameters
	operations operations

	mu       sync.Mutex
	conns    map[*conn]struct{}
	lastConn int32
	rand     *rand.Rand
}

// The causes of a wait's end.
var (
	errShutdown = errors.New("the server shuts down")
	errMaxTime  = errors.New("the time of the operation is over")
	errKilled   = errors.New("the operation was killed")
	errGone     = errors.New("the client has gone")
)

// Start serves the connections that come in.
func Start(c Config, listener net.Listener) *Server {
	ctx, stop := context.WithCancelCause(context.Background())
	s := &Server{
		Config: c, ctx: ctx, stop: stop, processID: bson.NewObjectID(), serviceID: bson.NewObjectID(), started: time.Now(),
		listener: listener, conns: map[*conn]struct{}{},
		rand: rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())),
	}
	s.failPoints.init(s)
	s.cursors.init()
	s.sessions.init(s)
	s.parameters.init(s)
	s.work.Go(s.accept)
	s.work.Go(s.expire)
	return s
}

// Close ends all connections and waits for what goes on to end.
func (s *Server) Close() {
	s.stop(errShutdown)
	s.listener.Close()
	s.HangUp()
	s.work.Wait()
}

// HangUp closes all connections.
func (s *Server) HangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.net.Close()
	}
}

// Connections is the number of open connections.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

func (s *Server) accept() {
	for {
		n, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.take(n, false)
	}
}

// ServeBalanced serves a connection that comes through a load balancer.
func (s *Server) ServeBalanced(n net.Conn) { s.take(n, true) }

func (s *Server) take(n net.Conn, balanced bool) {
	if s.TLS != nil {
		n = tls.Server(n, s.TLS)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastConn++
	c := newConn(s, n, s.lastConn)
	c.balanced = balanced
	if s.ctx.Err() == nil {
		s.conns[c] = struct{}{}
		s.work.Go(c.serve)
	} else {
		n.Close()
	}
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

func (s *Server) random() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rand.Float64()
}

func (s *Server) randomID() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		if id := s.rand.Int64(); id != 0 {
			return id
		}
	}
}

// expire ends what has not been used for too long, and what a TTL index says,
// once a minute.
func (s *Server) expire() {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case now := <-tick.C:
			s.cursors.expire(now)
			s.sessions.expire(now)
			if !s.Mongos {
				s.expireDocuments(now)
			}
		}
	}
}
