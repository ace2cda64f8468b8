package pool

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/internal/auth"
	"github.com/motor-go/motor/internal/socks5"
	"github.com/motor-go/motor/topology/description"
	"github.com/motor-go/motor/wire"
)

// Connect makes a connection that belongs to no pool. The caller closes it. The
// error is a *ConnectError.
func Connect(ctx context.Context, config Config) (*Conn, error) {
	config = config.withDefaults()
	c := newConn(&config, 0)
	if err := c.connect(ctx, func(id bson.ObjectID) { c.ServiceID = &id }); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// connect dials, shakes hands and authenticates. joined hears of the serviceId
// as soon as it is known.
func (c *Conn) connect(ctx context.Context, joined func(bson.ObjectID)) *ConnectError {
	if t := c.config.ConnectTimeout; t > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, t)
		defer cancel()
	}
	stream, err := c.config.Dial(ctx)
	if err != nil {
		e := c.connectError(StepDial, c.fail(ctx, "dial", false, err))
		if overload(err) {
			e.Labels = overloadLabels
		}
		return e
	}
	c.stream = stream
	c.reader = wire.Reader{R: stream, Limit: wire.DefaultMaxMessageSize}
	context.AfterFunc(c.ctx, func() { stream.Close() })

	if err := c.hello(ctx, joined); err != nil {
		c.suspectTLS(err)
		e := c.connectError(StepHello, err)
		if e.Network() {
			e.Labels = overloadLabels
		}
		return e
	}
	if c.login == nil || c.Description.Type == description.RSArbiter {
		return nil
	}
	speculated := speculatedReply(c.Hello)
	if err := c.login.Authenticate(ctx, c.Description.SaslSupportedMechs, speculated, c.authenticate); err != nil {
		return c.connectError(StepAuthenticate, err)
	}
	return nil
}

// suspectTLS adds to an error of the handshake what it may mean that the server
// hung up at its first bytes.
func (c *Conn) suspectTLS(err error) {
	n, ok := err.(*NetworkError)
	if _, secure := c.stream.(*tls.Conn); !ok || secure {
		return
	}
	if errors.Is(n.Err, io.EOF) || errors.Is(n.Err, io.ErrUnexpectedEOF) || errors.Is(n.Err, syscall.ECONNRESET) {
		n.Err = fmt.Errorf("%w; does the server want TLS? The client does not use it: the connection string has no tls=true", n.Err)
	}
}

func (c *Conn) connectError(step Step, err error) *ConnectError {
	e := &ConnectError{Address: c.Address, Step: step, Generation: c.Generation, ServiceID: c.ServiceID, Err: err}
	var refused *wire.CommandError
	if errors.As(err, &refused) {
		e.Labels = refused.Labels
	}
	return e
}

var overloadLabels = []string{SystemOverloadedError, RetryableError}

// overload reports whether an overloaded server may be the reason why it could
// not be dialled. Failed name look-ups, TLS alerts, certificates that do not fit
// and proxies are no such reason.
func overload(err error) bool {
	var dns *net.DNSError
	var alert tls.AlertError
	var proxy *socks5.Error
	if errors.As(err, &dns) || errors.As(err, &alert) || errors.As(err, &proxy) {
		return false
	}
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// errNoLoadBalancer is in the words of the specification.
var errNoLoadBalancer = errors.New("driver attempted to initialize in load balancing mode, but the server does not support this mode")

// hello shakes hands.
func (c *Conn) hello(ctx context.Context, joined func(bson.ObjectID)) error {
	h := &c.config.Handshake
	if h.Auth != nil {
		c.login = h.Auth.Login(c.Address)
	}
	reply, err := c.command(ctx, "admin", h.appendHello(nil, c.login))
	if err != nil {
		return err
	}
	c.Hello = reply
	c.Description = description.ParseHello(c.Address, reply, description.RoundTripTimes{}, time.Now())
	c.ServerConnectionID = c.Description.ConnectionID
	c.MaxMessageSize = int(c.Description.MaxMessageSizeBytes)
	c.Compressor = h.negotiate(c.Description.Compressors)
	if h.LoadBalanced {
		if c.Description.ServiceID.IsZero() {
			return errNoLoadBalancer
		}
		c.Description.Type = description.LoadBalancer
		joined(c.Description.ServiceID)
	}
	return nil
}

// command runs a command of the handshake. elements are those of its document,
// but for $db and the stable API. The error is a *wire.CommandError if the
// server refused.
func (c *Conn) command(ctx context.Context, db string, elements []byte) (bson.Raw, error) {
	message, at := wire.BeginMsg(c.Buffer(), wire.NextRequestID(), 0, 0)
	message, doc := bson.BeginDocument(message)
	message = append(message, elements...)
	message = bson.AppendString(message, "$db", db)
	message = c.config.Handshake.ServerAPI.Append(message)
	message = bson.EndDocument(message, doc)
	reply, err := c.RoundTrip(ctx, Request{Message: wire.EndMessage(message, at), IgnoreSocketTimeout: c.config.Timeout != nil})
	if err != nil {
		return nil, err
	}
	if refused := wire.ReplyError(reply); refused != nil {
		refused.Server = c.Address
		return nil, refused
	}
	return reply, nil
}

// within gives a command the whole Timeout, and tells the server of it
// (client-side-operations-timeout, Background Connection Pooling).
func (c *Conn) within(ctx context.Context, elements []byte) (context.Context, context.CancelFunc, []byte) {
	if c.config.Timeout == nil || *c.config.Timeout <= 0 {
		return ctx, func() {}, elements
	}
	maxTime := *c.config.Timeout
	if c.config.MinRTT != nil {
		maxTime -= c.config.MinRTT()
	}
	ctx, cancel := context.WithTimeout(ctx, *c.config.Timeout)
	return ctx, cancel, bson.AppendInt64(elements, "maxTimeMS", max(maxTime.Milliseconds(), 1))
}

// authenticate carries one step of an authentication conversation.
func (c *Conn) authenticate(ctx context.Context, r auth.Request) (auth.Reply, error) {
	ctx, cancel, elements := c.within(ctx, appendAuthRequest(nil, r))
	defer cancel()
	reply, err := c.command(ctx, r.Source, elements)
	var refused *wire.CommandError
	if errors.As(err, &refused) {
		return auth.Reply{}, &auth.Refused{Code: refused.Code, Err: err}
	}
	if err != nil {
		return auth.Reply{}, err
	}
	return parseAuthReply(r.Mechanism == auth.X509, reply), nil
}

// Reauthenticate authenticates the connection again, after the server's error
// 391 (ReauthenticationRequired).
func (c *Conn) Reauthenticate(ctx context.Context) error {
	if c.login == nil {
		return errors.New("the server asks for reauthentication, and no credential is configured")
	}
	return c.login.Reauthenticate(ctx, c.authenticate)
}
