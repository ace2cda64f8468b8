package socks5

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// proxy is a SOCKS5 proxy on loopback that maps the one name it knows.
type proxy struct {
	net.Listener
	username, password string            // empty if it wants none
	names              map[string]string // host:port as asked for, to a real address
	reply              byte              // instead of success

	mu      sync.Mutex
	methods []byte
	targets []string
	wg      sync.WaitGroup
}

func newProxy(t *testing.T, p *proxy) *proxy {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.Listener = l
	p.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			p.wg.Go(func() { p.serve(conn) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.wg.Wait()
	})
	return p
}

// take reads n bytes; nil if there are none.
func take(conn net.Conn, n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(conn, b); err != nil {
		return nil
	}
	return b
}

func (p *proxy) serve(conn net.Conn) {
	defer conn.Close()
	head := take(conn, 2)
	if head == nil || head[0] != 5 {
		return
	}
	methods := take(conn, int(head[1]))
	p.mu.Lock()
	p.methods = methods
	p.mu.Unlock()
	method := byte(0)
	if p.username != "" {
		method = 2
	}
	if bytes.IndexByte(methods, method) < 0 {
		conn.Write([]byte{5, 0xff})
		return
	}
	conn.Write([]byte{5, method})
	if method == 2 {
		user := string(take(conn, int(take(conn, 2)[1])))
		password := string(take(conn, int(take(conn, 1)[0])))
		if user != p.username || password != p.password {
			conn.Write([]byte{1, 1})
			return
		}
		conn.Write([]byte{1, 0})
	}
	request := take(conn, 4)
	if request == nil {
		return
	}
	var host string
	switch request[3] {
	case 1:
		host = "ipv4 " + net.IP(take(conn, 4)).String()
	case 3:
		host = string(take(conn, int(take(conn, 1)[0])))
	case 4:
		host = "ipv6 " + net.IP(take(conn, 16)).String()
	}
	port := take(conn, 2)
	target := fmt.Sprintf("%s:%d", host, int(port[0])<<8|int(port[1]))
	p.mu.Lock()
	p.targets = append(p.targets, target)
	p.mu.Unlock()
	if p.reply != 0 {
		conn.Write([]byte{5, p.reply, 0, 1, 0, 0, 0, 0, 0, 0})
		return
	}
	upstream, err := net.Dial("tcp", p.names[target])
	if err != nil {
		conn.Write([]byte{5, 4, 0, 1, 0, 0, 0, 0, 0, 0})
		return
	}
	defer upstream.Close()
	// The name form of the bound address, and the first bytes of the target
	// in the same packet.
	conn.Write(append([]byte{5, 0, 0, 3, 4}, "host\x00\x00"...))
	go func() {
		io.Copy(upstream, conn)
		upstream.Close()
	}()
	io.Copy(conn, upstream)
}

// greeter is a server that says hello at once and then echoes.
func greeter(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				io.WriteString(conn, "hello")
				io.Copy(conn, conn)
			}()
		}
	}()
	return l.Addr().String()
}

// The prose tests, as far as the proxy goes.
func TestProxies(t *testing.T) {
	names := map[string]string{"db.invalid:27017": greeter(t)}
	open := newProxy(t, &proxy{names: names})
	locked := newProxy(t, &proxy{names: names, username: "username", password: "p4ssw0rd"})
	for _, tt := range []struct {
		proxy              *proxy
		username, password string
		methods            string
		want               string // part of the error, or empty
	}{
		{locked, "", "", "\x00", "wants authentication; set proxyUsername"},
		{open, "", "", "\x00", ""},
		{locked, "nonexistentuser", "badauth", "\x00\x02", `refused the user name "nonexistentuser" or its password (status 1)`},
		{open, "nonexistentuser", "badauth", "\x00\x02", ""},
		{locked, "username", "p4ssw0rd", "\x00\x02", ""},
		{locked, "username", "", "\x00", "wants authentication"},
		{locked, "username", strings.Repeat("x", 256), "", "more than 255 bytes"},
	} {
		d := Dialer{Address: tt.proxy.Addr().String(), Username: tt.username, Password: tt.password}
		conn, err := d.DialContext(t.Context(), "tcp", "db.invalid:27017")
		tt.proxy.mu.Lock()
		if string(tt.proxy.methods) != tt.methods {
			t.Errorf("user %q: the methods %v were offered", tt.username, tt.proxy.methods)
		}
		tt.proxy.methods = nil
		tt.proxy.mu.Unlock()
		if tt.want != "" {
			var e *Error
			if !errors.As(err, &e) || e.Target != "db.invalid:27017" || e.Proxy != d.Address || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "badauth") {
				t.Errorf("user %q: %v, want %q", tt.username, err, tt.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("user %q: %v", tt.username, err)
			continue
		}
		b := make([]byte, 10)
		io.WriteString(conn, "world")
		if _, err := io.ReadFull(conn, b); err != nil || string(b) != "helloworld" {
			t.Errorf("user %q: read %q, %v", tt.username, b, err)
		}
		conn.Close()
	}
}

func TestTargets(t *testing.T) {
	p := newProxy(t, &proxy{reply: 5})
	d := Dialer{Address: p.Addr().String()}
	for address, want := range map[string]string{
		"db.example.com:27017":              "db.example.com:27017",
		"127.0.0.1:1":                       "ipv4 127.0.0.1:1",
		"[::1]:65535":                       "ipv6 ::1:65535",
		"[fe80::1%eth0]:27017":              "ipv6 fe80::1:27017",
		strings.Repeat("x", 255) + ":27017": strings.Repeat("x", 255) + ":27017",
		strings.Repeat("x", 256) + ":27017": "",
		":27017":                            "",
		"host":                              "",
		"host:port":                         "",
		"host:65536":                        "",
	} {
		_, err := d.DialContext(t.Context(), "tcp", address)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %v", address, err)
		}
		var refused *ReplyError
		if (want != "") != errors.As(err, &refused) {
			t.Errorf("%s: %v", address, err)
		}
		p.mu.Lock()
		if got := strings.Join(p.targets, " "); got != want {
			t.Errorf("%s: the proxy was asked for %q, want %q", address, got, want)
		}
		p.targets = nil
		p.mu.Unlock()
	}
	if _, err := d.DialContext(t.Context(), "unix", "/tmp/socket"); err == nil {
		t.Error("a Unix socket was reached through a proxy")
	}
}

func TestReplyCodes(t *testing.T) {
	for code := range byte(10) {
		if code == 0 {
			continue
		}
		p := newProxy(t, &proxy{reply: code})
		_, err := Dialer{Address: p.Addr().String()}.DialContext(t.Context(), "tcp", "host:1")
		var reply *ReplyError
		if !errors.As(err, &reply) || reply.Code != code || !strings.Contains(err.Error(), fmt.Sprintf("(code %d)", code)) {
			t.Errorf("code %d: %v", code, err)
		}
	}
}

func TestNoProxy(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	_, err = Dialer{Address: l.Addr().String()}.DialContext(t.Context(), "tcp", "host:1")
	var e *Error
	var op *net.OpError
	if !errors.As(err, &e) || !errors.As(err, &op) || !strings.Contains(err.Error(), "refused") {
		t.Errorf("no proxy: %v", err)
	}
}

// piped is a dialer whose proxy is the other end of a pipe.
func piped(serve func(net.Conn)) Dialer {
	return Dialer{Address: "proxy:1080", Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go serve(server)
		return client, nil
	}}
}

func TestBadProxies(t *testing.T) {
	for name, tt := range map[string]struct{ answers, want string }{
		"hangs up":          {"", "closed the connection"},
		"SOCKS4":            {"\x04\x00", "version 4"},
		"method":            {"\x05\x01", "method 1, which was not offered"},
		"password":          {"\x05\x02", "method 2, which was not offered"},
		"cut reply":         {"\x05\x00\x05", "closed the connection"},
		"cut address":       {"\x05\x00\x05\x00\x00\x01\x00", "closed the connection"},
		"reply version":     {"\x05\x00\x04\x00\x00\x01", "version 4"},
		"address type":      {"\x05\x00\x05\x00\x00\x09", "type 9"},
		"unassigned reply":  {"\x05\x00\x05\xc8\x00\x01", "unassigned (code 200)"},
		"name without size": {"\x05\x00\x05\x00\x00\x03", "closed the connection"},
	} {
		d := piped(func(conn net.Conn) {
			defer conn.Close()
			go io.Copy(io.Discard, conn)
			io.WriteString(conn, tt.answers)
		})
		_, err := d.DialContext(t.Context(), "tcp", "host:1")
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func TestCancellation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, answers := range []string{"", "\x05", "\x05\x00", "\x05\x00\x05\x00\x00\x01"} {
			closed := make(chan struct{})
			d := piped(func(conn net.Conn) {
				defer close(closed)
				go io.WriteString(conn, answers)
				io.Copy(io.Discard, conn)
			})
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			begin := time.Now()
			_, err := d.DialContext(ctx, "tcp", "host:1")
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Second {
				t.Errorf("after %q: %v after %v", answers, err, time.Since(begin))
			}
			<-closed
			cancel()
		}
	})
}

func TestContextHasNoInfluenceAfterwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		d := piped(func(conn net.Conn) {
			go io.Copy(io.Discard, conn)
			io.WriteString(conn, "\x05\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
			time.Sleep(time.Second)
			io.WriteString(conn, "x")
		})
		conn, err := d.DialContext(ctx, "tcp", "host:1")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		cancel()
		if _, err := conn.Read(make([]byte, 1)); err != nil {
			t.Errorf("read: %v", err)
		}
	})
}

func TestDialerDoesNotPrintThePassword(t *testing.T) {
	d := Dialer{Address: "proxy:1080", Username: "user", Password: "p4ssw0rd"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(verb, d); strings.Contains(s, "p4ssw0rd") {
			t.Errorf("%s prints %s", verb, s)
		}
	}
}

func FuzzReply(f *testing.F) {
	f.Add([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0, 'x'})
	f.Add([]byte{5, 0, 0, 4, 1, 2, 3})
	f.Add([]byte{5, 0, 0, 3, 1, 2, 3, 4})
	f.Add([]byte{5, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bytes.NewReader(data)
		err := readReply(r)
		read := len(data) - r.Len()
		// The obvious twin: the sizes of RFC 1928, section 6.
		if err == nil {
			want := map[byte]int{1: 10, 4: 22}[data[3]]
			if data[3] == 3 {
				want = 7 + int(data[4])
			}
			if data[0] != 5 || data[1] != 0 || read != want {
				t.Fatalf("%v is accepted after %d bytes, want %d", data, read, want)
			}
		}
	})
}
