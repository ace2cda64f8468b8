package dnstest

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

func start(t *testing.T, records ...string) *Server {
	t.Helper()
	s, err := Start(records...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// ask is the answer in zone-file notation, with tabs as spaces, or the code of
// a failure.
func ask(t *testing.T, s *Server, network, name string, kind uint16) []string {
	t.Helper()
	client := dns.Client{Net: network}
	answer, _, err := client.ExchangeContext(t.Context(), new(dns.Msg).SetQuestion(name, kind), s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	if answer.Rcode != dns.RcodeSuccess {
		return []string{dns.RcodeToString[answer.Rcode]}
	}
	var lines []string
	if answer.Truncated {
		lines = append(lines, "truncated")
	}
	for _, rr := range answer.Answer {
		lines = append(lines, strings.Join(strings.Fields(rr.String()), " "))
	}
	return lines
}

func TestAnswers(t *testing.T) {
	s := start(t, append(SRV("cluster.test", "a.test:1", "b.test:2"),
		`cluster.test. 60 IN TXT "replicaSet=" "rs"`,
		"a.test. 60 IN A 127.0.0.1",
		"a.test. 60 IN AAAA ::1",
		"alias.test. 60 IN CNAME A.test.",
		"circle.test. 60 IN CNAME circle.test.",
	)...)
	for _, test := range []struct {
		name string
		kind uint16
		want []string
	}{
		{"_mongodb._tcp.cluster.test.", dns.TypeSRV, []string{
			"_mongodb._tcp.cluster.test. 60 IN SRV 0 0 1 a.test.",
			"_mongodb._tcp.cluster.test. 60 IN SRV 0 0 2 b.test.",
		}},
		{"CLUSTER.test.", dns.TypeTXT, []string{`cluster.test. 60 IN TXT "replicaSet=" "rs"`}},
		{"a.test.", dns.TypeA, []string{"a.test. 60 IN A 127.0.0.1"}},
		{"a.test.", dns.TypeAAAA, []string{"a.test. 60 IN AAAA ::1"}},
		{"alias.test.", dns.TypeA, []string{"alias.test. 60 IN CNAME A.test.", "a.test. 60 IN A 127.0.0.1"}},
		{"a.test.", dns.TypeTXT, nil},
		{"none.test.", dns.TypeA, []string{"NXDOMAIN"}},
	} {
		for _, network := range []string{"udp", "tcp"} {
			if got := ask(t, s, network, test.name, test.kind); !slices.Equal(got, test.want) {
				t.Errorf("%s %s over %s: %q, wanted %q", test.name, dns.TypeToString[test.kind], network, got, test.want)
			}
		}
	}
	ask(t, s, "tcp", "circle.test.", dns.TypeA) // ends
}

func TestSet(t *testing.T) {
	s := start(t)
	if got := ask(t, s, "udp", "a.test.", dns.TypeA); !slices.Equal(got, []string{"NXDOMAIN"}) {
		t.Errorf("at first: %q", got)
	}
	if err := s.Set("a.test. 1 IN A 127.0.0.2"); err != nil {
		t.Fatal(err)
	}
	for _, record := range []string{"a.test. 1 IN A nonsense", "", "; a comment"} {
		if err := s.Set("b.test. 1 IN A 127.0.0.1", record); err == nil {
			t.Errorf("the record %q is accepted", record)
		}
	}
	if got := ask(t, s, "udp", "a.test.", dns.TypeA); !slices.Equal(got, []string{"a.test. 1 IN A 127.0.0.2"}) {
		t.Errorf("in the end: %q", got)
	}
}

func TestTruncation(t *testing.T) {
	var addresses []string
	for i := range 100 {
		addresses = append(addresses, fmt.Sprintf("host%d.test:27017", i))
	}
	s := start(t, SRV("cluster.test", addresses...)...)
	if got := ask(t, s, "udp", "_mongodb._tcp.cluster.test.", dns.TypeSRV); len(got) > 100 || got[0] != "truncated" {
		t.Errorf("over UDP: %q", got)
	}
	if got := ask(t, s, "tcp", "_mongodb._tcp.cluster.test.", dns.TypeSRV); len(got) != 100 {
		t.Errorf("over TCP: %q", got)
	}
}

func TestRespond(t *testing.T) {
	s := start(t, "a.test. 1 IN A 127.0.0.1")
	s.Respond(func(network string, question *dns.Msg) *dns.Msg {
		if network == "tcp" {
			return s.Answer(question)
		}
		return new(dns.Msg).SetRcode(question, dns.RcodeServerFailure)
	})
	if got := ask(t, s, "udp", "a.test.", dns.TypeA); !slices.Equal(got, []string{"SERVFAIL"}) {
		t.Errorf("over UDP: %q", got)
	}
	if got := ask(t, s, "tcp", "a.test.", dns.TypeA); len(got) != 1 || got[0] == "SERVFAIL" {
		t.Errorf("over TCP: %q", got)
	}
	s.Respond(nil)
	if got := ask(t, s, "udp", "a.test.", dns.TypeA); len(got) != 1 || got[0] == "SERVFAIL" {
		t.Errorf("afterwards: %q", got)
	}
}

func TestConcurrentUse(t *testing.T) {
	s := start(t)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 20 {
				s.Set(fmt.Sprintf("a.test. %d IN A 127.0.0.1", i))
				s.Respond(nil)
				if got := ask(t, s, "udp", "a.test.", dns.TypeA); len(got) != 1 || got[0] == "NXDOMAIN" {
					t.Errorf("got %q", got)
				}
			}
		})
	}
	all.Wait()
}

func TestClose(t *testing.T) {
	s, err := Start()
	if err != nil {
		t.Fatal(err)
	}
	addr := s.Addr()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	packets, err := net.ListenPacket("udp", addr)
	if err != nil {
		t.Fatalf("the port is still in use: %v", err)
	}
	packets.Close()
	if conn, err := net.Dial("tcp", addr); err == nil {
		conn.Close()
		t.Error("it still accepts connections")
	}
}

func TestSRVPanicsWithoutPort(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an address without a port is accepted")
		}
	}()
	SRV("cluster.test", "a.test")
}
