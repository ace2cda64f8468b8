package uri

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// errNoRecords says that the name does not exist, or has no record of the type.
var errNoRecords = errors.New("no such record")

// rcodeError is a DNS server's refusal to answer.
type rcodeError struct {
	server string
	rcode  int
}

func (e rcodeError) Error() string {
	return fmt.Sprintf("the DNS server %s answered %s", e.server, dns.RcodeToString[e.rcode])
}

// resolvConf is where the system names its DNS servers, if it does so in a file.
const resolvConf = "/etc/resolv.conf"

var errNoFile = errors.New("there is no " + resolvConf)

// The bounds of a question where resolv.conf does not set them.
const (
	questionTimeout  = 5 * time.Second
	questionAttempts = 2
)

// The size of an answer over UDP that crosses any network whole, and the size
// of the largest that a server may send nevertheless.
const (
	offeredUDPSize  = 1232
	acceptedUDPSize = 65535
)

// query asks for the records of a name, each server in turn. It returns those
// of the type that belong to the name or to what a CNAME record in the same
// answer makes of it, at least one.
func (r Resolver) query(ctx context.Context, name string, kind uint16) ([]dns.RR, error) {
	servers, timeout, attempts, err := r.servers()
	if err != nil {
		return nil, err
	}
	var failure error
	for attempt := range attempts {
		for _, server := range servers {
			edns := attempt == 0 // some networks lose what has EDNS
			answer, err := r.ask(ctx, server, name, kind, edns, timeout)
			switch {
			case ctx.Err() != nil:
				return nil, context.Cause(ctx)
			case err != nil:
				failure = err
			case answer.Rcode == dns.RcodeNameError:
				return nil, errNoRecords
			case answer.Rcode != dns.RcodeSuccess:
				failure = rcodeError{server, answer.Rcode}
			default:
				return records(answer, name, kind)
			}
		}
	}
	return nil, failure
}

// servers are whom to ask, how long to wait for each, and how often to try.
func (r Resolver) servers() (addresses []string, timeout time.Duration, attempts int, err error) {
	addresses, timeout, attempts = r.Servers, questionTimeout, questionAttempts
	if len(addresses) == 0 {
		system, err := dns.ClientConfigFromFile(resolvConf)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, 0, 0, errNoFile
		}
		if err != nil {
			return nil, 0, 0, err
		}
		for _, host := range system.Servers {
			addresses = append(addresses, net.JoinHostPort(host, system.Port))
		}
		if len(addresses) == 0 {
			return nil, 0, 0, fmt.Errorf("%s names no server", resolvConf)
		}
		timeout, attempts = time.Duration(system.Timeout)*time.Second, system.Attempts
	}
	if r.Timeout > 0 {
		timeout = r.Timeout
	}
	return addresses, timeout, attempts, nil
}

// ask puts one question to one server: over UDP, once more without EDNS if the
// server does not know that, and over TCP if the answer was cut off.
func (r Resolver) ask(ctx context.Context, server, name string, kind uint16, edns bool, timeout time.Duration) (*dns.Msg, error) {
	question := new(dns.Msg).SetQuestion(dns.Fqdn(name), kind)
	if edns {
		question.SetEdns0(offeredUDPSize, false)
	}
	answer, err := r.exchange(ctx, "udp", server, question, timeout)
	if err == nil && edns && (answer.Rcode == dns.RcodeFormatError || answer.Rcode == dns.RcodeNotImplemented || answer.Rcode == dns.RcodeBadVers) {
		question.Extra = nil
		answer, err = r.exchange(ctx, "udp", server, question, timeout)
	}
	if err == nil && answer.Truncated {
		answer, err = r.exchange(ctx, "tcp", server, question, timeout)
	}
	return answer, err
}

// exchange sends a question and waits for its answer. Over UDP it does not give
// up on anything else that arrives: anybody can send that.
func (r Resolver) exchange(ctx context.Context, network, server string, question *dns.Msg, timeout time.Duration) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	dial := r.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	socket, err := dial(ctx, network, server)
	if err != nil {
		return nil, err
	}
	defer socket.Close()
	defer context.AfterFunc(ctx, func() { socket.SetDeadline(time.Unix(1, 0)) })()

	conn := dns.Conn{Conn: socket, UDPSize: acceptedUDPSize}
	if err := conn.WriteMsg(question); err != nil {
		return nil, err
	}
	for {
		packet, err := conn.ReadMsgHeader(nil)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("no answer from %s within %v", server, timeout)
		}
		if err != nil && err != dns.ErrShortRead {
			return nil, err
		}
		answer := new(dns.Msg)
		if err := answer.Unpack(packet); err == nil && answers(answer, question) {
			return answer, nil
		}
		if network != "udp" {
			return nil, fmt.Errorf("the DNS server %s sent something else than an answer", server)
		}
	}
}

func answers(answer, question *dns.Msg) bool {
	return answer.Response && answer.Id == question.Id && len(answer.Question) == 1 &&
		answer.Question[0].Qtype == question.Question[0].Qtype &&
		strings.EqualFold(answer.Question[0].Name, question.Question[0].Name)
}

// records picks the records that were asked for from an answer.
func records(answer *dns.Msg, name string, kind uint16) ([]dns.RR, error) {
	owner := dns.Fqdn(name)
	for range answer.Answer { // a chain cannot be longer, and a circle ends
		i := slices.IndexFunc(answer.Answer, func(rr dns.RR) bool {
			return rr.Header().Rrtype == dns.TypeCNAME && strings.EqualFold(rr.Header().Name, owner)
		})
		if i < 0 {
			break
		}
		owner = answer.Answer[i].(*dns.CNAME).Target
	}
	var found []dns.RR
	for _, rr := range answer.Answer {
		if h := rr.Header(); h.Rrtype == kind && h.Class == dns.ClassINET && strings.EqualFold(h.Name, owner) {
			found = append(found, rr)
		}
	}
	if len(found) == 0 {
		return nil, errNoRecords
	}
	return found, nil
}
