package motor_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/event"
	"github.com/motor-go/motor/mongotest"
	"github.com/motor-go/motor/mongotest/dnstest"
	"github.com/motor-go/motor/topology/description"
	"github.com/motor-go/motor/wire"
)

// wiretap dials and keeps what went over the connections.
type wiretap struct {
	mu    sync.Mutex
	conns []*tapped
}

type tapped struct {
	net.Conn
	mu       sync.Mutex
	sent     bytes.Buffer
	received bytes.Buffer
}

func (w *wiretap) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	tap := &tapped{Conn: conn}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns = append(w.conns, tap)
	return tap, nil
}

func (c *tapped) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.received.Write(p[:n])
	return n, err
}

func (c *tapped) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent.Write(p[:n])
	return n, err
}

// compressors count the messages by their compressor.
func compressors(t *testing.T, stream *bytes.Buffer) map[wire.Compressor]int {
	t.Helper()
	count := make(map[wire.Compressor]int)
	r := bytes.NewReader(stream.Bytes())
	for {
		h, message, err := wire.ReadMessage(r, nil, wire.DefaultMaxMessageSize)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return count
		}
		if err != nil {
			t.Fatal(err)
		}
		c := wire.NoCompression
		if h.OpCode == wire.OpCompressed {
			c = wire.Compressor(message[wire.HeaderLen+4+4])
		}
		count[c]++
	}
}

func TestCompressorIsNegotiatedAndUsed(t *testing.T) {
	for _, tt := range []struct {
		server  []string
		asked   string
		agreed  string
		options string
	}{
		{nil, "snappy", "snappy", ""},
		{nil, "zlib", "zlib", "zlibCompressionLevel=9"},
		{nil, "zstd", "zstd", ""},
		{[]string{"zlib"}, "snappy,zstd,zlib", "zlib", ""},
		{nil, "zstd,snappy", "zstd", ""},
		{[]string{}, "snappy,zstd,zlib", "noop", ""},
		{[]string{"zlib"}, "zstd", "noop", ""},
		{nil, "", "noop", ""},
	} {
		t.Run(fmt.Sprintf("%v asked for %s", tt.server, tt.asked), func(t *testing.T) {
			server := mongotest.NewStandalone(t, mongotest.Options{Compressors: tt.server, Username: rootName, Password: rootPassword})
			uri := server.URI()
			for _, o := range []string{tt.options, "compressors=" + tt.asked} {
				if !strings.HasSuffix(o, "=") && o != "" {
					uri = withOptions(uri, o)
				}
			}
			tap := new(wiretap)
			client := connectTo(t, uri, motor.ClientOptions{Dial: tap.dial})
			const commands = 6 // two of them inserts
			type essay struct {
				ID   int `bson:"_id"`
				Text string
			}
			c := motor.CollectionOf[essay](client.Database("db"), "c")
			text := strings.Repeat("all work and no play ", 1000)
			for i := range commands / 2 {
				if _, err := c.InsertOne(bounded(t), essay{i, text}); err != nil {
					t.Fatal(err)
				}
				if doc, err := c.FindOne(bounded(t), d("_id", i)); err != nil || doc.Text != text {
					t.Fatalf("found %v, %v", doc, err)
				}
			}
			want, _ := wire.ParseCompressor(tt.agreed)
			sent, received, logins := 0, 0, 0
			tap.mu.Lock()
			defer tap.mu.Unlock()
			for _, conn := range tap.conns {
				conn.mu.Lock()
				out, in := compressors(t, &conn.sent), compressors(t, &conn.received)
				for _, secret := range []string{"saslStart", "saslContinue"} {
					logins += bytes.Count(conn.sent.Bytes(), []byte(secret))
				}
				conn.mu.Unlock()
				for _, count := range []map[wire.Compressor]int{out, in} {
					for used := range count {
						if used != want && used != wire.NoCompression {
							t.Errorf("messages were compressed by %v, want %v", used, want)
						}
					}
				}
				sent, received = sent+out[want], received+in[want]
			}
			if want != wire.NoCompression && (sent != commands || received != commands) {
				t.Errorf("%d requests and %d replies by %v, want %d of each", sent, received, want, commands)
			}
			if logins == 0 {
				t.Error("no login was seen in plain: it must not be compressed")
			}
		})
	}
}

func TestSRVRecordsLeadToTheReplicaSet(t *testing.T) {
	const name, host = "cluster.motor.test", "node.motor.test"
	rs := mongotest.New(t, mongotest.Options{})
	var seeds []string
	for _, node := range rs.Nodes {
		_, port, _ := net.SplitHostPort(node.Address())
		seeds = append(seeds, net.JoinHostPort(host, port))
	}
	dns, err := dnstest.Start(append(dnstest.SRV(name, seeds...),
		name+`. 60 IN TXT "replicaSet=rs0"`, host+". 60 IN A 127.0.0.1")...)
	if err != nil {
		t.Fatal(err)
	}
	defer dns.Close()
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, dns.Addr())
	}}
	options := motor.ClientOptions{DNS: []string{dns.Addr()}, Dial: (&net.Dialer{Resolver: resolver}).DialContext}
	client := connectTo(t, "mongodb+srv://"+name+"/?tls=false", options)
	if _, err := client.Database("db").Collection("c").InsertOne(bounded(t), d("x", 1)); err != nil {
		t.Fatal(err)
	}
	found := client.Topology()
	if found.Type != description.ReplicaSetWithPrimary || found.SetName != "rs0" || len(found.Servers) != len(rs.Nodes) {
		t.Errorf("found %v", found)
	}

	if err := dns.Set(append(dnstest.SRV(name, seeds...), name+`. 60 IN TXT "ssl=false"`)...); err != nil {
		t.Fatal(err)
	}
	if client, err := motor.Connect(t.Context(), "mongodb+srv://"+name+"/?tls=false", options); err == nil || !strings.Contains(err.Error(), "ssl") {
		t.Errorf("a TXT record with an option that it must not have: %v", err)
		if client != nil {
			client.Close(t.Context())
		}
	}
	const lost = "lost.motor.test"
	if client, err := motor.Connect(t.Context(), "mongodb+srv://"+lost, options); err == nil || !strings.Contains(err.Error(), lost) {
		t.Errorf("a name without records: %v", err)
		if client != nil {
			client.Close(t.Context())
		}
	}
}

// socksProxy is a SOCKS5 proxy that connects to anything by its port on the
// loopback interface.
type socksProxy struct {
	net.Listener
	user, password string // empty: nobody is asked
	served         atomic.Int64
}

func newSOCKSProxy(t *testing.T, user, password string) *socksProxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &socksProxy{Listener: l, user: user, password: password}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				p.serve(conn)
			}()
		}
	}()
	return p
}

func (p *socksProxy) serve(client net.Conn) error {
	method := byte(0)
	if p.user != "" {
		method = 2
	}
	if methods, err := block(client, 1); err != nil || !bytes.Contains(methods, []byte{method}) {
		client.Write([]byte{5, 0xff})
		return err
	}
	client.Write([]byte{5, method})
	if method == 2 {
		user, err := block(client, 1)
		if err != nil {
			return err
		}
		password, err := block(client, 0)
		if err != nil {
			return err
		}
		if string(user) != p.user || string(password) != p.password {
			client.Write([]byte{1, 1})
			return nil
		}
		client.Write([]byte{1, 0})
	}
	head := make([]byte, 4)
	if _, err := io.ReadFull(client, head); err != nil {
		return err
	}
	var err error
	if head[3] == 3 {
		_, err = block(client, 0) // the name of the host
	} else {
		_, err = io.ReadFull(client, make([]byte, 4))
	}
	port := make([]byte, 2)
	if _, err2 := io.ReadFull(client, port); err != nil || err2 != nil {
		return errors.Join(err, err2)
	}
	server, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port[0])<<8|int(port[1]))))
	if err != nil {
		client.Write([]byte{5, 5, 0, 1, 0, 0, 0, 0, 0, 0})
		return err
	}
	defer server.Close()
	p.served.Add(1)
	client.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	go func() {
		io.Copy(server, client)
		server.Close()
	}()
	io.Copy(client, server)
	return nil
}

// block reads bytes whose number comes first, after some that do not matter.
func block(r io.Reader, skip int) ([]byte, error) {
	head := make([]byte, skip+1)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	content := make([]byte, head[skip])
	_, err := io.ReadFull(r, content)
	return content, err
}

func TestSOCKS5ProxyCarriesAllConnections(t *testing.T) {
	rs := mongotest.New(t, mongotest.Options{})
	for _, tt := range []struct {
		name           string
		user, password string // the proxy's
		options        string
		want           string // empty: no error
	}{
		{"open", "", "", "", ""},
		{"open, asked with a password", "", "", "proxyUsername=u&proxyPassword=p", ""},
		{"with a password", "u", "secret", "proxyUsername=u&proxyPassword=secret", ""},
		{"with a wrong password", "u", "secret", "proxyUsername=u&proxyPassword=public", "SOCKS5"},
		{"without the password", "u", "secret", "", "SOCKS5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			proxy := newSOCKSProxy(t, tt.user, tt.password)
			host, port, _ := net.SplitHostPort(proxy.Addr().String())
			uri := withOptions(rs.URI(), "proxyHost="+host, "proxyPort="+port)
			if tt.options != "" {
				uri = withOptions(uri, tt.options)
			}
			if tt.want != "" {
				uri = withOptions(uri, "serverSelectionTimeoutMS=1500")
			}
			var direct atomic.Int64
			client := connectTo(t, uri, motor.ClientOptions{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
				if address != proxy.Addr().String() {
					direct.Add(1)
				}
				return new(net.Dialer).DialContext(ctx, network, address)
			}})
			_, err := client.Database("db").Collection("c").InsertOne(bounded(t), d("x", tt.name))
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("%v, want %q", err, tt.want)
			}
			if err != nil && (strings.Contains(err.Error(), "public") || strings.Contains(err.Error(), "secret")) {
				t.Errorf("the error holds a password: %v", err)
			}
			if direct.Load() > 0 {
				t.Errorf("%d connections went past the proxy", direct.Load())
			}
			// A monitor for the primary, and a connection for the insert.
			if err == nil && proxy.served.Load() < 2 {
				t.Errorf("the proxy served %d connections", proxy.served.Load())
			}
		})
	}
}

// TestSOCKS5Prose is the table of the specification's prose tests, with and
// without TLS.
func TestSOCKS5Prose(t *testing.T) {
	for _, secured := range []bool{false, true} {
		options := mongotest.Options{Nodes: 2}
		tlsOption := ""
		if secured {
			ca := newAuthority(t)
			options.TLS, tlsOption = ca.server("127.0.0.1"), "tlsCAFile="+url.QueryEscape(ca.file)
		}
		rs := mongotest.New(t, options)
		ports := make(map[bool]string) // by whether the proxy asks for a password
		for asks, user := range map[bool]string{false: "", true: "username"} {
			_, ports[asks], _ = net.SplitHostPort(newSOCKSProxy(t, user, "p4ssw0rd").Addr().String())
		}
		for _, tt := range []struct {
			direct, asks bool
			user         string
			succeeds     bool
		}{
			{true, true, "", false},
			{true, false, "", true},
			{false, true, "", false},
			{false, false, "", true},
			{true, true, "proxyUsername=nonexistentuser&proxyPassword=badauth", false},
			{true, false, "proxyUsername=nonexistentuser&proxyPassword=badauth", true},
			{false, false, "proxyUsername=nonexistentuser&proxyPassword=badauth", true},
			{true, true, "proxyUsername=username&proxyPassword=p4ssw0rd", true},
			{false, true, "proxyUsername=username&proxyPassword=p4ssw0rd", true},
		} {
			uri := rs.URI()
			if tt.direct {
				uri = rs.Nodes[0].URI()
			}
			uri = withOptions(uri, "proxyHost=localhost", "proxyPort="+ports[tt.asks])
			for _, o := range []string{tt.user, tlsOption} {
				if o != "" {
					uri = withOptions(uri, o)
				}
			}
			if !tt.succeeds {
				uri = withOptions(uri, "serverSelectionTimeoutMS=500")
			}
			t.Run(uri, func(t *testing.T) {
				t.Parallel()
				var mu sync.Mutex
				var addresses []string
				client := connectTo(t, uri, motor.ClientOptions{Observer: &event.Observer{CommandStarted: func(e *event.CommandStarted) {
					mu.Lock()
					defer mu.Unlock()
					addresses = append(addresses, e.Address)
				}}})
				_, err := client.Database("admin").RunCommand(bounded(t), d("hello", 1))
				if (err == nil) != tt.succeeds {
					t.Errorf("hello: %v", err)
				}
				for _, a := range addresses {
					if a != rs.Nodes[0].Address() && a != rs.Nodes[1].Address() {
						t.Errorf("an event names %s, which is no member", a)
					}
				}
			})
		}
	}
}
