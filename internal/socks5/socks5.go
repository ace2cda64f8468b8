// Package socks5 connects through a SOCKS5 proxy (RFC 1928), with a user name
// and password if the proxy asks for them (RFC 1929). The proxy resolves host
// names.
package socks5

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"time"
)

// Dialer connects through one proxy.
type Dialer struct {
	// Address is the proxy's host and port.
	Address string
	// Username and Password are offered to the proxy if both are set; each has
	// at most 255 bytes.
	Username, Password string
	// Dial connects to the proxy; nil stands for a plain net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// String names the proxy, without the password.
func (d Dialer) String() string { return "SOCKS5 proxy " + d.Address }

// GoString is String, so that no verb prints the password.
func (d Dialer) GoString() string { return d.String() }

// Error says that there is no connection to Target through Proxy. To the
// driver it is a network error, but not one by which a server shows overload.
type Error struct {
	Proxy, Target string
	// Err is a *ReplyError if the proxy refused the target, else what went
	// wrong between driver and proxy.
	Err error
}

func (e *Error) Error() string {
	return fmt.Sprintf("connecting to %s through SOCKS5 proxy %s: %v", e.Target, e.Proxy, e.Err)
}

// Unwrap is the reason.
func (e *Error) Unwrap() error { return e.Err }

// ReplyError is a proxy's reply other than success.
type ReplyError struct{ Code byte }

var replies = map[byte]string{
	1: "general SOCKS server failure",
	2: "connection not allowed by ruleset",
	3: "network unreachable",
	4: "host unreachable",
	5: "connection refused",
	6: "TTL expired",
	7: "command not supported",
	8: "address type not supported",
}

func (e *ReplyError) Error() string {
	text, ok := replies[e.Code]
	if !ok {
		text = "unassigned"
	}
	return fmt.Sprintf("the proxy replied %s (code %d)", text, e.Code)
}

// The numbers of the protocol.
const (
	version     = 5
	authVersion = 1

	methodNone     = 0
	methodPassword = 2
	methodRefused  = 0xff

	commandConnect = 1

	addressIPv4 = 1
	addressName = 3
	addressIPv6 = 4
)

// DialContext connects to address, "host:port", over TCP. The end of ctx
// interrupts it; afterwards ctx has no influence on the connection. Its errors
// are of type *Error.
func (d Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := d.dial(ctx, network, address)
	if err != nil {
		return nil, &Error{Proxy: d.Address, Target: address, Err: err}
	}
	return conn, nil
}

func (d Dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if len(d.Username) > 255 || len(d.Password) > 255 {
		return nil, errors.New("proxyUsername or proxyPassword has more than 255 bytes")
	}
	request, err := connectRequest(network, address)
	if err != nil {
		return nil, err
	}
	dial := d.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	conn, err := dial(ctx, "tcp", d.Address)
	if err != nil {
		return nil, err
	}
	// The deadline that interrupts must be set before it is taken back.
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		conn.SetDeadline(time.Unix(1, 0))
		close(interrupted)
	})
	err = d.negotiate(conn, request)
	if !stop() {
		<-interrupted
		if err != nil {
			err = context.Cause(ctx)
		}
		conn.SetDeadline(time.Time{})
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// negotiate agrees on a method of authentication and asks for the connection.
func (d Dialer) negotiate(conn io.ReadWriter, request []byte) error {
	greeting := []byte{version, 1, methodNone}
	withPassword := d.Username != "" && d.Password != ""
	if withPassword {
		greeting = []byte{version, 2, methodNone, methodPassword}
	}
	var answer [2]byte
	if err := exchange(conn, greeting, answer[:]); err != nil {
		return err
	}
	switch method := answer[1]; {
	case answer[0] != version:
		return fmt.Errorf("the proxy speaks version %d of SOCKS, not 5", answer[0])
	case method == methodNone:
	case method == methodPassword && withPassword:
		if err := d.authenticate(conn); err != nil {
			return err
		}
	case method == methodRefused && withPassword:
		return errors.New("the proxy accepts neither a user name and password nor no authentication")
	case method == methodRefused:
		return errors.New("the proxy wants authentication; set proxyUsername and proxyPassword")
	default:
		return fmt.Errorf("the proxy chose the authentication method %d, which was not offered", method)
	}
	if _, err := conn.Write(request); err != nil {
		return err
	}
	return readReply(conn)
}

func (d Dialer) authenticate(conn io.ReadWriter) error {
	request := append([]byte{authVersion, byte(len(d.Username))}, d.Username...)
	request = append(append(request, byte(len(d.Password))), d.Password...)
	var answer [2]byte
	if err := exchange(conn, request, answer[:]); err != nil {
		return err
	}
	if answer[1] != 0 {
		return fmt.Errorf("the proxy refused the user name %q or its password (status %d)", d.Username, answer[1])
	}
	return nil
}

func exchange(conn io.ReadWriter, request, answer []byte) error {
	if _, err := conn.Write(request); err != nil {
		return err
	}
	return read(conn, answer)
}

// read fills b, and says so if the proxy hangs up instead.
func read(conn io.Reader, b []byte) error {
	_, err := io.ReadFull(conn, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the proxy closed the connection: %w", io.ErrUnexpectedEOF)
	}
	return err
}

// connectRequest asks for a connection to address. Names go out as they are.
func connectRequest(network, address string) ([]byte, error) {
	if network != "tcp" && network != "tcp4" && network != "tcp6" {
		return nil, fmt.Errorf("network %q cannot be reached through a proxy", network)
	}
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("port %q is not a number from 0 to 65535", portText)
	}
	request := []byte{version, commandConnect, 0}
	switch ip, err := netip.ParseAddr(host); {
	case err == nil && ip.Is4():
		request = append(append(request, addressIPv4), ip.AsSlice()...)
	case err == nil:
		// A zone means nothing on another machine.
		request = append(append(request, addressIPv6), ip.AsSlice()...)
	case host == "" || len(host) > 255:
		return nil, fmt.Errorf("a host name has 1 to 255 bytes, not %d", len(host))
	default:
		request = append(append(request, addressName, byte(len(host))), host...)
	}
	return append(request, byte(port>>8), byte(port)), nil
}

// readReply reads a whole reply and not a byte more: what follows is the
// target's.
func readReply(conn io.Reader) error {
	var head [5]byte
	if err := read(conn, head[:4]); err != nil {
		return err
	}
	if head[0] != version {
		return fmt.Errorf("the proxy's reply has version %d of SOCKS, not 5", head[0])
	}
	if head[1] != 0 {
		return &ReplyError{head[1]}
	}
	// The address that the proxy bound is of no interest.
	var size int
	switch head[3] {
	case addressIPv4:
		size = net.IPv4len
	case addressIPv6:
		size = net.IPv6len
	case addressName:
		if err := read(conn, head[4:]); err != nil {
			return err
		}
		size = int(head[4])
	default:
		return fmt.Errorf("the proxy's reply has an address of the unknown type %d", head[3])
	}
	return read(conn, make([]byte, size+2))
}
