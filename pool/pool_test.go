package pool

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/motor-go/motor/bson"
	"github.com/motor-go/motor/event"
)

func TestRoundTrip(t *testing.T) {
	s := &server{answer: slow(0)}
	p := newPool(t, s, Config{})
	for range 3 {
		c := checkOut(t, p)
		answers(t, c)
		p.CheckIn(c)
	}
	if n := s.dials.Load(); n != 1 {
		t.Errorf("%d connections for 3 operations one after the other", n)
	}
}

// A thousand operations are given up at any moment of their round trip, and no
// connection is lost over it.
func TestNoChurnUnderCancellation(t *testing.T) {
	const workers, each = 8, 125
	test := func(t *testing.T, config Config) {
		var cancelled, done atomic.Int64
		p := New(config)
		p.Ready()
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for range each {
					c := checkOut(t, p)
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(mathrand.IntN(int(6*time.Millisecond))))
					if _, err := c.RoundTrip(ctx, ping(c)); err == nil {
						done.Add(1)
					} else if errors.Is(err, context.DeadlineExceeded) {
						cancelled.Add(1)
					} else {
						t.Error(err)
					}
					cancel()
					p.CheckIn(c)
				}
			})
		}
		wg.Wait()
		for p.Stats().Draining > 0 {
			time.Sleep(time.Millisecond)
		}
		s := p.Stats()
		if s.Created > workers || s.Closed > 0 {
			t.Errorf("%d connections were created and %d closed", s.Created, s.Closed)
		}
		if cancelled.Load() < workers*each/4 || done.Load() == 0 {
			t.Errorf("%d were cancelled, %d done", cancelled.Load(), done.Load())
		}
		for range s.Available {
			c := checkOut(t, p)
			answers(t, c)
			defer p.CheckIn(c)
		}
		p.Close()
	}
	answer := func(s *serverConn, command bson.Raw) bson.Raw {
		return slow(time.Duration(mathrand.IntN(int(8*time.Millisecond))))(s, command)
	}
	t.Run("pipe", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			test(t, Config{Address: "test:27017", Dial: (&server{answer: answer}).dial, MaxPoolSize: workers})
		})
	})
	t.Run("TCP", func(t *testing.T) {
		dial := listen(t, &server{answer: answer}, nil)
		test(t, Config{Address: "test:27017", Dial: dial, MaxPoolSize: workers})
	})
	t.Run("TLS", func(t *testing.T) {
		dial := listen(t, &server{answer: answer}, certificate(t))
		test(t, Config{Address: "test:27017", Dial: dial, MaxPoolSize: workers})
	})
}

// listen serves s on the loopback interface, with TLS if there is a
// certificate, and gives a Config.Dial.
func listen(t *testing.T, s *server, cert *tls.Certificate) func(context.Context) (net.Conn, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{}
	if cert != nil {
		config.Certificates = []tls.Certificate{*cert}
	}
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if cert != nil {
				c = tls.Server(c, config)
			}
			s.running.Go(func() { s.serve(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		accepting.Wait()
		s.running.Wait()
	})
	return func(ctx context.Context) (net.Conn, error) {
		if cert == nil {
			return new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
		}
		roots := x509.NewCertPool()
		roots.AddCert(cert.Leaf)
		return (&tls.Dialer{Config: &tls.Config{RootCAs: roots}}).DialContext(ctx, "tcp", l.Addr().String())
	}
}

// certificate is a new certificate for 127.0.0.1.
func certificate(t *testing.T) *tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:         true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func TestWaitQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(t, &server{answer: slow(0)}, Config{MaxPoolSize: 1, WaitQueueTimeout: time.Second})
		c := checkOut(t, p)
		for _, patience := range []time.Duration{time.Minute, 500 * time.Millisecond} {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			start := time.Now()
			_, err := p.CheckOut(ctx)
			var timeout *WaitQueueTimeoutError
			if !errors.As(err, &timeout) || !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != min(patience, time.Second) {
				t.Errorf("after %v: %v", time.Since(start), err)
			}
		}
		time.AfterFunc(900*time.Millisecond, func() { p.CheckIn(c) })
		p.CheckIn(checkOut(t, p))
	})
}

// The wait queue timeout does not count while a connection is being made.
func TestWaitQueueTimeoutWhileConnecting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		config := Config{MaxConnecting: 1, WaitQueueTimeout: time.Second}
		config.Address = "test:27017"
		config.Dial = func(ctx context.Context) (net.Conn, error) {
			time.Sleep(3 * time.Second)
			return s.dial(ctx)
		}
		p := New(config)
		p.Ready()
		var wg sync.WaitGroup
		wg.Go(func() { p.CheckIn(checkOut(t, p)) })
		synctest.Wait()
		if _, err := p.CheckOut(t.Context()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := p.CheckOut(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("error: %v", err)
		}
		wg.Wait()
		p.Close()
		<-p.Done()
	})
}

// A check-out that is given up while its connection is being made leaves the
// connection to others.
func TestGivenUpCheckOutKeepsConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{answer: func(_ *serverConn, command bson.Raw) bson.Raw {
			time.Sleep(time.Second)
			return nil
		}}
		p := newPool(t, s, Config{})
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := p.CheckOut(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error: %v", err)
		}
		time.Sleep(time.Second)
		p.CheckIn(checkOut(t, p))
		if n := s.dials.Load(); n != 1 {
			t.Errorf("%d connections were made", n)
		}
	})
}

func TestMinPoolSizeAndMaxIdleTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		p := newPool(t, s, Config{MinPoolSize: 3, MaxIdleTime: time.Minute})
		synctest.Wait()
		if st := p.Stats(); st.Available != 3 {
			t.Errorf("%+v", st)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if st := p.Stats(); st.Available != 3 || st.Closed != 3 {
			t.Errorf("after a minute: %+v", st)
		}
		p.Clear(errors.New("gone"), nil, false)
		time.Sleep(time.Hour)
		if st := p.Stats(); st.Total() != 0 || s.dials.Load() != 6 {
			t.Errorf("a paused pool: %+v", st)
		}
		p.Ready()
		synctest.Wait()
		if st := p.Stats(); st.Available != 3 || st.Generation != 1 {
			t.Errorf("%+v", st)
		}
	})
}

// A server that is too busy to greet is not asked again and again.
func TestMinPoolSizeOfAnOverloadedServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dials atomic.Int64
		var errs []error
		p := New(Config{Address: "a:1", MinPoolSize: 1, Dial: func(context.Context) (net.Conn, error) {
			dials.Add(1)
			return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
		}, OnConnectError: func(err *ConnectError) { errs = append(errs, err) }})
		p.Ready()
		time.Sleep(9*populateRetryInterval + 1)
		synctest.Wait()
		p.Close()
		if n := dials.Load(); n != 10 || len(errs) != 10 {
			t.Errorf("%d attempts, %d errors", n, len(errs))
		}
	})
}

// Prose test 5 of connection-monitoring-and-pooling: ConnectionCheckOutFailed
// with the reason connectionError if the connection cannot be set up. The
// topology hears of the error before.
func TestProse5CheckOutFailsOnConnectError(t *testing.T) {
	var events []string
	observer := &event.Observer{
		ConnectionClosed: func(e *event.ConnectionClosed) { events = append(events, "closed "+string(e.Reason)) },
		ConnectionCheckOutFailed: func(e *event.ConnectionCheckOutFailed) {
			events = append(events, "failed "+string(e.Reason))
			var err *ConnectError
			if !errors.As(e.Error, &err) {
				t.Errorf("error: %v", e.Error)
			}
		},
		PoolCleared: func(*event.PoolCleared) { events = append(events, "cleared") },
	}
	refused := errors.New("refused")
	var p *Pool
	p = New(Config{
		Address:        "a:1",
		Observer:       observer,
		Dial:           func(context.Context) (net.Conn, error) { return nil, refused },
		OnConnectError: func(err *ConnectError) { p.Clear(err, nil, false) },
	})
	p.Ready()
	_, err := p.CheckOut(t.Context())
	var connect *ConnectError
	if !errors.As(err, &connect) || !errors.Is(err, refused) || connect.Step != StepDial || connect.Generation != 0 {
		t.Errorf("error: %#v", err)
	}
	if want := []string{"cleared", "closed error", "failed connectionError"}; !slices.Equal(events, want) {
		t.Errorf("events %q, want %q", events, want)
	}
	p.Close()
	<-p.Done()
}

// Clearing and closing interrupt a dial that goes on.
func TestClearAndCloseInterruptDialling(t *testing.T) {
	for name, end := range map[string]func(*Pool){
		"clear": func(p *Pool) { p.Clear(errors.New("gone"), nil, false) },
		"close": func(p *Pool) { p.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := New(Config{Address: "a:1", Dial: func(ctx context.Context) (net.Conn, error) {
					<-ctx.Done()
					return nil, ctx.Err()
				}, OnConnectError: func(err *ConnectError) { t.Errorf("the interruption is reported: %v", err) }})
				p.Ready()
				time.AfterFunc(time.Second, func() { end(p) })
				_, err := p.CheckOut(t.Context())
				var cleared *ClearedError
				var closed *ClosedError
				if !errors.As(err, &cleared) && !errors.As(err, &closed) {
					t.Errorf("error: %v", err)
				}
				p.Close()
				<-p.Done()
			})
		})
	}
}

func TestConnectTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &server{answer: slow(0)}
		s.answer = func(*serverConn, bson.Raw) bson.Raw { time.Sleep(time.Minute); return nil }
		p := newPool(t, s, Config{ConnectTimeout: 10 * time.Second})
		start := time.Now()
		_, err := p.CheckOut(t.Context())
		var connect *ConnectError
		if !errors.As(err, &connect) || connect.Step != StepHello || !connect.Network() || !connect.Timeout() || !connect.HasLabel(SystemOverloadedError) {
			t.Errorf("error: %v", err)
		}
		if want := "connect to test:27017: handshake: context deadline exceeded"; err.Error() != want {
			t.Errorf("error %q", err)
		}
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

func TestCheckInOfAStranger(t *testing.T) {
	s := &server{}
	p := newPool(t, s, Config{})
	c, err := Connect(t.Context(), Config{Address: "a:1", Dial: s.dial})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	own := checkOut(t, p)
	p.CheckIn(own)
	for _, c := range []*Conn{c, own} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("a connection that is not checked out was checked in")
				}
			}()
			p.CheckIn(c)
		}()
	}
}

// Events come in the order of what they tell, whoever causes them.
func TestEventsInOrder(t *testing.T) {
	inUse := map[int64]bool{}
	started, ended, ready := 0, 0, false
	observer := &event.Observer{
		PoolReady:                 func(*event.PoolReady) { ready = true },
		PoolCleared:               func(*event.PoolCleared) { ready = false },
		ConnectionCheckOutStarted: func(*event.ConnectionCheckOutStarted) { started++ },
		ConnectionCheckOutFailed:  func(*event.ConnectionCheckOutFailed) { ended++ },
		ConnectionCreated: func(e *event.ConnectionCreated) {
			if !ready {
				t.Error("a connection was created in a paused pool")
			}
		},
		ConnectionCheckedOut: func(e *event.ConnectionCheckedOut) {
			if inUse[e.ConnectionID] || !ready {
				t.Errorf("connection %d was checked out; in use: %v, pool ready: %v", e.ConnectionID, inUse[e.ConnectionID], ready)
			}
			ended++
			inUse[e.ConnectionID] = true
		},
		ConnectionCheckedIn: func(e *event.ConnectionCheckedIn) {
			if !inUse[e.ConnectionID] {
				t.Errorf("connection %d was checked in, and was not checked out", e.ConnectionID)
			}
			delete(inUse, e.ConnectionID)
		},
		ConnectionClosed: func(e *event.ConnectionClosed) {
			if inUse[e.ConnectionID] {
				t.Errorf("connection %d was closed while in use", e.ConnectionID)
			}
		},
	}
	p := newPool(t, &server{answer: slow(0)}, Config{MaxPoolSize: 3, Observer: observer})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				if c, err := p.CheckOut(t.Context()); err == nil {
					p.CheckIn(c)
				}
			}
		})
	}
	wg.Go(func() {
		for range 20 {
			time.Sleep(100 * time.Microsecond)
			p.Clear(errors.New("gone"), nil, false)
			p.Ready()
		}
	})
	wg.Wait()
	if started != 1600 || ended != started {
		t.Errorf("%d check-outs started, %d ended", started, ended)
	}
}
