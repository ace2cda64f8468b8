// Package dnstest is a small DNS server on the loopback interface, for tests
// of mongodb+srv connection strings. It serves a zone of records that can be
// changed while it runs, over UDP and TCP on one port.
//
//	server, err := dnstest.Start(
//		"_mongodb._tcp.cluster.example.test. 60 IN SRV 0 0 27017 a.example.test.",
//		`cluster.example.test. 60 IN TXT "replicaSet=rs0"`,
//		"a.example.test. 60 IN A 127.0.0.1",
//	)
//	defer server.Close()
//
// A record is written as in a zone file, its name in full. Nothing but the
// loopback interface is served, and nothing is asked of other servers.
package dnstest

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/miekg/dns"
)

// Server is a running DNS server. Its methods may be called concurrently.
type Server struct {
	udp, tcp *dns.Server
	zone     atomic.Pointer[[]dns.RR]
	respond  atomic.Pointer[Responder]
	running  sync.WaitGroup
}

// Responder answers a question in the server's place. The network is "udp" or
// "tcp"; nil is no answer at all, so that the client runs into its time-out.
type Responder func(network string, question *dns.Msg) *dns.Msg

// Start runs a server with the given records on a free port.
func Start(records ...string) (*Server, error) {
	s := new(Server)
	if err := s.Set(records...); err != nil {
		return nil, err
	}
	packets, listener, err := listen()
	if err != nil {
		return nil, fmt.Errorf("DNS server: %w", err)
	}
	s.udp = &dns.Server{PacketConn: packets, Handler: s.handler("udp"), UDPSize: dns.MaxMsgSize}
	s.tcp = &dns.Server{Listener: listener, Handler: s.handler("tcp")}
	for _, server := range []*dns.Server{s.udp, s.tcp} {
		started := make(chan struct{})
		server.NotifyStartedFunc = func() { close(started) }
		s.running.Go(func() { server.ActivateAndServe() })
		<-started
	}
	return s, nil
}

// listen finds a port that is free for both networks.
func listen() (packets net.PacketConn, listener net.Listener, err error) {
	for range 20 {
		packets, err = net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			return nil, nil, err
		}
		if listener, err = net.Listen("tcp", packets.LocalAddr().String()); err == nil {
			return packets, listener, nil
		}
		packets.Close()
	}
	return nil, nil, err
}

// Addr is where the server listens, "127.0.0.1:port".
func (s *Server) Addr() string { return s.udp.PacketConn.LocalAddr().String() }

// Close stops the server, and returns when nothing of it runs any more.
func (s *Server) Close() error {
	err := errors.Join(s.udp.Shutdown(), s.tcp.Shutdown())
	s.running.Wait()
	return err
}

// Set replaces all the records.
func (s *Server) Set(records ...string) error {
	zone := make([]dns.RR, 0, len(records))
	for _, record := range records {
		rr, err := dns.NewRR(record)
		if err != nil {
			return fmt.Errorf("DNS record %q: %w", record, err)
		}
		if rr == nil {
			return fmt.Errorf("DNS record %q is empty", record)
		}
		zone = append(zone, rr)
	}
	s.zone.Store(&zone)
	return nil
}

// Respond has f answer all questions until it is called again; nil has the
// records answer them again. Inside f, Answer gives what they say.
func (s *Server) Respond(f Responder) {
	if f == nil {
		s.respond.Store(nil)
		return
	}
	s.respond.Store(&f)
}

// SRV is the SRV records that make "host:port" addresses the hosts of
// mongodb+srv://name, with a TTL of 60 s. It panics if an address has no port.
func SRV(name string, addresses ...string) []string {
	var records []string
	for _, address := range addresses {
		host, port, err := net.SplitHostPort(address)
		if err == nil {
			_, err = strconv.ParseUint(port, 10, 16)
		}
		if err != nil {
			panic(fmt.Sprintf("dnstest.SRV: %v", err))
		}
		records = append(records, fmt.Sprintf("_mongodb._tcp.%s 60 IN SRV 0 0 %s %s", dns.Fqdn(name), port, dns.Fqdn(host)))
	}
	return records
}

func (s *Server) handler(network string) dns.HandlerFunc {
	return func(w dns.ResponseWriter, question *dns.Msg) {
		answer := s.answer(network, question)
		if answer == nil {
			return
		}
		if network == "udp" {
			size := dns.MinMsgSize
			if edns := question.IsEdns0(); edns != nil {
				size = max(size, int(edns.UDPSize()))
			}
			answer.Truncate(size)
		}
		w.WriteMsg(answer)
	}
}

func (s *Server) answer(network string, question *dns.Msg) *dns.Msg {
	if f := s.respond.Load(); f != nil {
		return (*f)(network, question)
	}
	return s.Answer(question)
}

// Answer is what the records say to a question.
func (s *Server) Answer(question *dns.Msg) *dns.Msg {
	answer := new(dns.Msg).SetReply(question)
	answer.Authoritative = true
	if edns := question.IsEdns0(); edns != nil {
		answer.SetEdns0(edns.UDPSize(), false)
	}
	q := question.Question[0]
	exists := false
	name := q.Name
	// An alias leads to another name; so do at most as many as there are.
	zone := *s.zone.Load()
	for range zone {
		alias := ""
		for _, rr := range zone {
			if !strings.EqualFold(rr.Header().Name, name) {
				continue
			}
			exists = true
			if cname, ok := rr.(*dns.CNAME); ok && q.Qtype != dns.TypeCNAME {
				answer.Answer = append(answer.Answer, rr)
				alias = cname.Target
			} else if rr.Header().Rrtype == q.Qtype {
				answer.Answer = append(answer.Answer, rr)
			}
		}
		if alias == "" {
			break
		}
		name = alias
	}
	if !exists {
		answer.Rcode = dns.RcodeNameError
	}
	return answer
}
