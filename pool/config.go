package pool

import (
	"cmp"
	"context"
	"net"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/internal/auth"
	"github.com/motor-go/motor/wire"
)

// Config says how to make connections to one server, and how many.
type Config struct {
	// Address is the server's address as the topology knows it.
	Address string

	// MaxPoolSize bounds all connections of the pool; 0 is no bound.
	MaxPoolSize int
	// MinPoolSize is how many connections a ready pool keeps, made in the
	// background.
	MinPoolSize int
	// MaxConnecting bounds the connections that are established at a time; 0
	// stands for 2.
	MaxConnecting int
	// MaxIdleTime is how long a connection may be available before it is
	// closed; 0 is for ever.
	MaxIdleTime time.Duration
	// WaitQueueTimeout bounds the wait for a connection to become available or
	// to be begun; 0 leaves that to the context.
	WaitQueueTimeout time.Duration

	// Dial makes the stream to the server: TCP or a Unix domain socket, a
	// proxy, TLS.
	Dial func(ctx context.Context) (net.Conn, error)
	// ConnectTimeout bounds dialling, handshake and authentication together; 0
	// is no bound.
	ConnectTimeout time.Duration
	// SocketTimeout bounds a round trip whose context has no deadline; 0 is no
	// bound.
	SocketTimeout time.Duration
	// Timeout is the client's timeoutMS, which each command that authenticates
	// has anew, within the ConnectTimeout; nil leaves it to the older timeouts, 0
	// is no bound.
	Timeout *time.Duration
	// MinRTT, if set, is the shortest round trip time to the server, which
	// Timeout is less by for the server.
	MinRTT func() time.Duration
	// PendingReadTimeout is how long the pool reads on for the reply to a
	// round trip that was cancelled; 0 stands for 3 s. When it is over the
	// connection is closed.
	PendingReadTimeout time.Duration
	// Handshake is what a new connection says first.
	Handshake Handshake

	// OnConnectError, if set, hears of each connection that could not be
	// established, before it is closed and before whoever waits for it gets
	// the error, so that the topology can react by clearing the pool. It is
	// called without locks. Errors of connections that are stale by then are
	// left out.
	OnConnectError func(*ConnectError)
	// OnLateReply, if set, is given each reply that came when its round trip had
	// been given up. The connection is back in the pool.
	OnLateReply func(reply bson.Raw)
	// Observer receives the pool's events; it may be nil.
	Observer *event.Observer
}

// Handshake is what a connection says before it is used.
type Handshake struct {
	// AppName is client.application.name, at most 128 bytes.
	AppName string
	// Metadata is shared by the connections of a client; nil stands for that
	// of this driver alone.
	Metadata *Metadata
	// Compressors are those to offer, the preferred first.
	Compressors []wire.Compressor
	// ZlibLevel is the zlibCompressionLevel, -1 (default) to 9.
	ZlibLevel int
	// ServerAPI declares a stable API version; nil for none.
	ServerAPI *ServerAPI
	// LoadBalanced is for connections to a load balancer: the server must name
	// its serviceId.
	LoadBalanced bool
	// Auth authenticates connections; nil for monitors and where there is no
	// credential.
	Auth *auth.Authenticator
}

// ServerAPI is the stable API that a client asks for (versioned-api).
type ServerAPI struct {
	Version string
	// Strict and DeprecationErrors are left out of commands if nil.
	Strict, DeprecationErrors *bool
}

const (
	defaultMaxConnecting      = 2
	defaultPendingReadTimeout = 3 * time.Second
)

func (c Config) withDefaults() Config {
	c.MaxConnecting = cmp.Or(c.MaxConnecting, defaultMaxConnecting)
	c.PendingReadTimeout = cmp.Or(c.PendingReadTimeout, defaultPendingReadTimeout)
	return c
}
