package uri

import (
	"context"
	"errors"
	"fmt"
	"net"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/motor-go/motor/mongotest/dnstest"
)

const cluster = "mongodb+srv://cluster.example.test"

// zone is what a test changes one thing of.
var zone = append(dnstest.SRV("cluster.example.test", "a.example.test:27017", "b.example.test:27018"),
	`cluster.example.test. 60 IN TXT "replicaSet=rs&authSource=users"`)

func startDNS(t *testing.T, records ...string) (*dnstest.Server, Resolver) {
	t.Helper()
	server, err := dnstest.Start(records...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server, Resolver{Servers: []string{server.Addr()}}
}

// resolve fails the test unless cluster resolves to a and b.
func (r Resolver) resolve(t *testing.T) (*Config, []Warning) {
	t.Helper()
	c := parse(t, cluster)
	_, warnings, err := r.Resolve(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a.example.test:27017", "b.example.test:27018"}; !slices.Equal(c.Hosts, want) {
		t.Fatalf("hosts are %q, wanted %q", c.Hosts, want)
	}
	return c, warnings
}

func TestResolve(t *testing.T) {
	_, r := startDNS(t, zone...)
	c := parse(t, cluster+"/?replicaSet=mine")
	seeds, warnings, err := r.Resolve(t.Context(), c)
	if err != nil || len(warnings) > 0 {
		t.Fatal(warnings, err)
	}
	hosts := []string{"a.example.test:27017", "b.example.test:27018"}
	if want := (Seedlist{Hosts: hosts, TTL: time.Minute}); !reflect.DeepEqual(seeds, want) {
		t.Errorf("the seed list is %+v", seeds)
	}
	if !slices.Equal(c.Hosts, hosts) || c.ReplicaSet != "mine" || c.AuthSource != "users" {
		t.Errorf("the Config is %v with the hosts %q", c, c.Hosts)
	}
}

func TestResolveWithoutSRV(t *testing.T) {
	c := parse(t, "mongodb://a,b")
	if _, _, err := (Resolver{}).Resolve(t.Context(), c); err != nil {
		t.Error(err)
	}
	c.DirectConnection = true
	if _, _, err := (Resolver{}).Resolve(t.Context(), c); err == nil {
		t.Error("an invalid Config passes")
	}
}

func TestResolveErrorChangesNothing(t *testing.T) {
	_, r := startDNS(t, append(dnstest.SRV("cluster.example.test", "a.example.test:1", "b.example.test:2"),
		`cluster.example.test. 60 IN TXT "loadBalanced=true"`)...)
	c := parse(t, cluster)
	before := *c
	if _, _, err := r.Resolve(t.Context(), c); err == nil || !strings.Contains(err.Error(), "loadBalanced=true with 2 hosts") {
		t.Errorf("the error is %v", err)
	}
	if !reflect.DeepEqual(*c, before) {
		t.Errorf("changed to %#v", c)
	}
}

func TestSeedlist(t *testing.T) {
	for _, test := range []struct {
		name    string
		records []string
		want    Seedlist
		failure string
	}{
		{
			name: "duplicates, letter case and the lowest TTL",
			records: []string{
				"_mongodb._TCP.cluster.EXAMPLE.test. 90 IN SRV 0 0 1 A.Example.Test.",
				"_mongodb._tcp.cluster.example.test. 30 IN SRV 5 5 1 a.example.test.",
			},
			want: Seedlist{Hosts: []string{"a.example.test:1"}, TTL: 30 * time.Second},
		},
		{
			name: "refused hosts",
			records: []string{
				"_mongodb._tcp.cluster.example.test. 60 IN SRV 0 0 1 example.test.",
				"_mongodb._tcp.cluster.example.test. 60 IN SRV 0 0 0 a.example.test.",
				`_mongodb._tcp.cluster.example.test. 60 IN SRV 0 0 2 a\047b.example.test.`,
				`_mongodb._tcp.cluster.example.test. 60 IN SRV 0 0 3 a\@b.example.test.`,
				"_mongodb._tcp.cluster.example.test. 60 IN SRV 0 0 4 b.example.test.",
			},
			want: Seedlist{
				Hosts:   []string{"b.example.test:4"},
				Refused: []string{"example.test:1", "a.example.test:0", "a/b.example.test:2", `a\@b.example.test:3`},
				TTL:     time.Minute,
			},
		},
		{
			name: "an alias",
			records: []string{
				"_mongodb._tcp.cluster.example.test. 60 IN CNAME Elsewhere.test.",
				"elsewhere.test. 60 IN SRV 0 0 1 a.example.test.",
			},
			want: Seedlist{Hosts: []string{"a.example.test:1"}, TTL: time.Minute},
		},
		{
			name: "aliases in a circle",
			records: []string{
				"_mongodb._tcp.cluster.example.test. 60 IN CNAME b.test.",
				"b.test. 60 IN CNAME _mongodb._tcp.cluster.example.test.",
			},
			failure: "the SRV records of _mongodb._tcp.cluster.example.test: no such record",
		},
		{
			name:    "no service",
			records: []string{"_mongodb._tcp.cluster.example.test. 60 IN SRV 0 0 0 ."},
			failure: "the SRV records of _mongodb._tcp.cluster.example.test say that there are none",
		},
		{
			name:    "no name",
			failure: "no hosts for mongodb+srv://cluster.example.test: the SRV records of _mongodb._tcp.cluster.example.test: no such record",
		},
		{
			name:    "no record of the type",
			records: []string{"_mongodb._tcp.cluster.example.test. 60 IN A 127.0.0.1"},
			failure: "no such record",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, r := startDNS(t, test.records...)
			got, err := r.Seedlist(t.Context(), parse(t, cluster))
			if test.failure != "" {
				if err == nil || !strings.Contains(err.Error(), test.failure) {
					t.Errorf("the error is %v, wanted %q", err, test.failure)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, %v; wanted %+v", got, err, test.want)
			}
		})
	}
}

func TestTXT(t *testing.T) {
	for _, test := range []struct{ records, uri, want, warning, failure string }{
		{records: `"authSource=a" "bc"`, want: "mongodb+srv://cluster.example.test/?authSource=abc"},
		{records: `"AUTHSOURCE=a\"b\\c\046&replicaset=%72s"`, want: `mongodb+srv://cluster.example.test/?replicaSet=rs&authSource=a%22b%5Cc.`},
		{records: `"loadBalanced=maybe"`, want: cluster + "/", warning: "loadBalanced=maybe"},
		{records: `""`, want: cluster + "/"},
		{records: `"loadBalanced=true"`, uri: "/?loadBalanced=false", want: cluster + "/?loadBalanced=false"},
		{records: `"authSource="`, failure: "option authSource: empty"},
		{records: `"tls=true"`, failure: `it has option "tls", but can have only authSource, replicaSet and loadBalanced`},
		{records: `"nonsense=1"`, failure: `it has option "nonsense"`},
		{records: `"authSource=a";"authSource=a"`, failure: "there are 2, but must not be more than one"},
	} {
		records := dnstest.SRV("cluster.example.test", "a.example.test:1")
		for txt := range strings.SplitSeq(test.records, ";") {
			records = append(records, "cluster.example.test. 60 IN TXT "+txt)
		}
		_, r := startDNS(t, records...)
		c := parse(t, cluster+test.uri)
		_, warnings, err := r.Resolve(t.Context(), c)
		if test.failure != "" {
			if err == nil || !strings.Contains(err.Error(), "the TXT record of cluster.example.test: ") || !strings.Contains(err.Error(), test.failure) {
				t.Errorf("%s: the error is %v, wanted %q", test.records, err, test.failure)
			}
			continue
		}
		if err != nil || c.URI() != test.want || !strings.Contains(fmt.Sprint(warnings), test.warning) || (len(warnings) > 0) != (test.warning != "") {
			t.Errorf("%s: got %s, %v, %v; wanted %s", test.records, c.URI(), warnings, err, test.want)
		}
	}
}

func TestRefusedTXTIsAWarning(t *testing.T) {
	server, r := startDNS(t, zone...)
	server.Respond(func(_ string, question *dns.Msg) *dns.Msg {
		if question.Question[0].Qtype == dns.TypeTXT {
			return new(dns.Msg).SetRcode(question, dns.RcodeRefused)
		}
		return server.Answer(question)
	})
	_, warnings := r.resolve(t)
	if len(warnings) != 1 || !strings.Contains(warnings[0].Error(), "answered REFUSED") {
		t.Errorf("warnings are %v", warnings)
	}
}

func TestSRVMaxHosts(t *testing.T) {
	_, r := startDNS(t, dnstest.SRV("cluster.example.test", "a.example.test:1", "b.example.test:1", "c.example.test:1")...)
	r.Shuffle = func(n int, swap func(i, j int)) { swap(0, n-1) }
	for limit, want := range map[int][]string{
		0: {"a.example.test:1", "b.example.test:1", "c.example.test:1"},
		1: {"c.example.test:1"},
		2: {"c.example.test:1", "b.example.test:1"},
		3: {"a.example.test:1", "b.example.test:1", "c.example.test:1"},
	} {
		c := parse(t, fmt.Sprintf("%s/?srvMaxHosts=%d", cluster, limit))
		if _, _, err := r.Resolve(t.Context(), c); err != nil || !slices.Equal(c.Hosts, want) {
			t.Errorf("srvMaxHosts=%d: hosts are %q, %v", limit, c.Hosts, err)
		}
	}
}

// TestRandomHosts sees each host chosen sometimes.
func TestRandomHosts(t *testing.T) {
	chosen := map[string]bool{}
	for range 200 {
		chosen[choose(nil, []string{"a", "b", "c"}, 1, nil)[0]] = true
	}
	if len(chosen) != 3 {
		t.Errorf("chosen are %v", chosen)
	}
}

// TestOddServers finds the hosts through servers that answer in other ways
// than most.
func TestOddServers(t *testing.T) {
	for name, behave := range map[string]func(s *dnstest.Server) dnstest.Responder{
		"no EDNS": func(s *dnstest.Server) dnstest.Responder {
			return func(_ string, question *dns.Msg) *dns.Msg {
				if question.IsEdns0() != nil {
					return new(dns.Msg).SetRcode(question, dns.RcodeFormatError)
				}
				return s.Answer(question)
			}
		},
		"EDNS is lost": func(s *dnstest.Server) dnstest.Responder {
			return func(_ string, question *dns.Msg) *dns.Msg {
				if question.IsEdns0() != nil {
					return nil
				}
				return s.Answer(question)
			}
		},
		"TCP only": func(s *dnstest.Server) dnstest.Responder {
			return func(network string, question *dns.Msg) *dns.Msg {
				answer := s.Answer(question)
				if network == "udp" {
					answer.Truncated = true
					answer.Answer = nil
				}
				return answer
			}
		},
		"out of sorts at first": func(s *dnstest.Server) dnstest.Responder {
			var asked atomic.Int32
			return func(_ string, question *dns.Msg) *dns.Msg {
				if asked.Add(1) == 1 {
					return new(dns.Msg).SetRcode(question, dns.RcodeServerFailure)
				}
				return s.Answer(question)
			}
		},
		"upper case": func(s *dnstest.Server) dnstest.Responder {
			return func(_ string, question *dns.Msg) *dns.Msg {
				answer := s.Answer(question)
				answer.Question[0].Name = strings.ToUpper(answer.Question[0].Name)
				for _, rr := range answer.Answer {
					rr.Header().Name = strings.ToUpper(rr.Header().Name)
				}
				return answer
			}
		},
		"more than was asked for": func(s *dnstest.Server) dnstest.Responder {
			return func(_ string, question *dns.Msg) *dns.Msg {
				answer := s.Answer(question)
				other, _ := dns.NewRR("_mongodb._tcp.other.test. 60 IN SRV 0 0 1 evil.example.test.")
				address, _ := dns.NewRR(question.Question[0].Name + " 60 IN A 127.0.0.1")
				answer.Answer = append([]dns.RR{other, address}, answer.Answer...)
				return answer
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			server, r := startDNS(t, zone...)
			server.Respond(behave(server))
			if name == "EDNS is lost" {
				r.Timeout = 500 * time.Millisecond
			}
			r.resolve(t)
		})
	}
}

func TestManyHosts(t *testing.T) {
	var addresses []string
	for i := range 400 { // too many for any UDP answer
		addresses = append(addresses, fmt.Sprintf("host%d.example.test:27017", i))
	}
	_, r := startDNS(t, dnstest.SRV("cluster.example.test", addresses...)...)
	c := parse(t, cluster)
	if _, _, err := r.Resolve(t.Context(), c); err != nil || !slices.Equal(c.Hosts, addresses) {
		t.Errorf("%d hosts, %v", len(c.Hosts), err)
	}
}

func TestSecondServer(t *testing.T) {
	broken, first := startDNS(t)
	broken.Respond(func(_ string, question *dns.Msg) *dns.Msg {
		return new(dns.Msg).SetRcode(question, dns.RcodeServerFailure)
	})
	_, second := startDNS(t, zone...)
	Resolver{Servers: append(first.Servers, second.Servers...)}.resolve(t)
}

func TestServerFailures(t *testing.T) {
	server, r := startDNS(t)
	for want, respond := range map[string]dnstest.Responder{
		"answered SERVFAIL": func(_ string, question *dns.Msg) *dns.Msg {
			return new(dns.Msg).SetRcode(question, dns.RcodeServerFailure)
		},
		"no answer from " + server.Addr() + " within 10ms": func(string, *dns.Msg) *dns.Msg { return nil },
	} {
		r := r
		if strings.Contains(want, "10ms") {
			r.Timeout = 10 * time.Millisecond
		}
		server.Respond(respond)
		if _, _, err := r.Resolve(t.Context(), parse(t, cluster)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, wanted %q", err, want)
		}
	}
}

func TestCancel(t *testing.T) {
	server, r := startDNS(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	server.Respond(func(string, *dns.Msg) *dns.Msg {
		cancel(enough)
		return nil
	})
	r.Timeout = time.Minute
	if _, _, err := r.Resolve(ctx, parse(t, cluster)); !errors.Is(err, enough) {
		t.Errorf("the error is %v", err)
	}
}

func TestDial(t *testing.T) {
	server, _ := startDNS(t, zone...)
	r := Resolver{
		Servers: []string{"dns.invalid:53"},
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			if address != "dns.invalid:53" {
				t.Errorf("dials %s", address)
			}
			return new(net.Dialer).DialContext(ctx, network, server.Addr())
		},
	}
	r.resolve(t)
}

// TestSpoofed sends answers that are not the server's before the real one.
func TestSpoofed(t *testing.T) {
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, from, err := socket.ReadFrom(buffer)
			if err != nil {
				return
			}
			var question dns.Msg
			if err := question.Unpack(buffer[:n]); err != nil {
				t.Error(err)
			}
			send := func(change func(*dns.Msg)) {
				answer := new(dns.Msg).SetReply(&question)
				if question.Question[0].Qtype == dns.TypeSRV {
					evil, _ := dns.NewRR(question.Question[0].Name + " 60 IN SRV 0 0 1 evil.example.test.")
					answer.Answer = []dns.RR{evil}
				}
				change(answer)
				packet, err := answer.Pack()
				if err != nil {
					t.Error(err)
				}
				socket.WriteTo(packet, from)
			}
			socket.WriteTo([]byte("not DNS"), from)
			socket.WriteTo(append(buffer[:2:2], "\xff\xff\x00\x01\x00\x01\x00\x00\x00\x00broken"...), from)
			send(func(answer *dns.Msg) { answer.Id++ })
			send(func(answer *dns.Msg) { answer.Response = false })
			send(func(answer *dns.Msg) { answer.Question[0].Name = "other.test." })
			send(func(answer *dns.Msg) { answer.Question[0].Qtype = dns.TypeA })
			send(func(answer *dns.Msg) { answer.Question = nil })
			send(func(answer *dns.Msg) {
				answer.Answer = nil
				if question.Question[0].Qtype == dns.TypeSRV {
					for _, record := range zone[:2] {
						rr, _ := dns.NewRR(record)
						answer.Answer = append(answer.Answer, rr)
					}
				}
			})
		}
	}()
	Resolver{Servers: []string{socket.LocalAddr().String()}}.resolve(t)
}

// TestSystem asks through package net, as is done where there is no resolv.conf.
func TestSystem(t *testing.T) {
	server, _ := startDNS(t, zone...)
	system := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Addr())
	}}
	records, err := systemSRV(t.Context(), system, "_mongodb._tcp.cluster.example.test")
	if err != nil || len(records) != 2 || records[0].Target != "a.example.test." && records[1].Target != "a.example.test." {
		t.Errorf("SRV records are %v, %v", records, err)
	}
	texts, err := systemTXT(t.Context(), system, "cluster.example.test")
	if err != nil || len(texts) != 1 || texts[0] != "replicaSet=rs&authSource=users" {
		t.Errorf("TXT records are %q, %v", texts, err)
	}
	if _, err := systemSRV(t.Context(), system, "_mongodb._tcp.none.test"); err != errNoRecords {
		t.Errorf("the error is %v", err)
	}
	if _, err := systemTXT(t.Context(), system, "none.test"); err != errNoRecords {
		t.Errorf("the error is %v", err)
	}
}

// FuzzSRVAnswer has a DNS server answer with the bytes that it is given. What
// comes of them is a clear error, or hosts within the domain.
func FuzzSRVAnswer(f *testing.F) {
	question := new(dns.Msg).SetQuestion("_mongodb._tcp.cluster.example.test.", dns.TypeSRV)
	for _, records := range [][]string{
		zone[:2],
		{"_mongodb._tcp.cluster.example.test. 60 IN CNAME b.test.", "b.test. 60 IN SRV 0 0 1 a.example.test."},
		{"_mongodb._tcp.cluster.example.test. 0 IN SRV 0 0 0 a.evil.test.", "_mongodb._tcp.cluster.example.test. 60 IN SRV 0 0 1 ."},
		{`_mongodb._tcp.cluster.example.test. 60 IN SRV 0 0 1 \000\255\..example.test.`},
		{`_mongodb._tcp.cluster.example.test. 60 IN TXT "a\"b"`},
	} {
		answer := new(dns.Msg).SetReply(question)
		for _, record := range records {
			rr, err := dns.NewRR(record)
			if err != nil {
				f.Fatal(err)
			}
			answer.Answer = append(answer.Answer, rr)
		}
		packet, err := answer.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packet[12:], uint16(answer.Rcode), uint16(len(answer.Answer)))
	}
	f.Fuzz(func(t *testing.T, body []byte, bits, answers uint16) {
		if len(body) > 4000 {
			return
		}
		client, server := net.Pipe()
		served := make(chan struct{})
		defer func() {
			client.Close()
			<-served
		}()
		go func() {
			defer close(served)
			defer server.Close()
			conn := dns.Conn{Conn: server}
			question, err := conn.ReadMsg()
			if err != nil {
				t.Error(err)
				return
			}
			header := []byte{byte(question.Id >> 8), byte(question.Id), 0x80 | byte(bits>>8), byte(bits), 0, 1, byte(answers >> 8), byte(answers), 0, 0, 0, 0}
			conn.Write(append(header, body...))
		}()
		asked := false
		r := Resolver{
			Servers: []string{"dns.invalid:53"},
			Dial: func(context.Context, string, string) (net.Conn, error) {
				if asked {
					return nil, errors.New("asked twice")
				}
				asked = true
				return client, nil
			},
		}
		c := parse(t, cluster)
		seeds, err := r.Seedlist(t.Context(), c)
		if err != nil {
			if !strings.Contains(err.Error(), "_mongodb._tcp.cluster.example.test") {
				t.Errorf("the error is %v", err)
			}
			return
		}
		for _, address := range seeds.Hosts {
			host, err := parseHost(address)
			if err != nil || host != address || !strings.Contains(address, ".example.test:") {
				t.Errorf("host %q: %v", address, err)
			}
		}
		if len(seeds.Hosts)+len(seeds.Refused) == 0 {
			t.Error("neither hosts nor an error")
		}
	})
}
