package spectests

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/internal/knobs"
	"github.com/motor-go/motor/mongotest/dnstest"
)

// polled is a client of a sharded cluster while the records behind its seed
// list change. There is a mongos wherever it connects to.
type polled struct {
	*motor.Client
	name, service string
	dns           *dnstest.Server
	questions     atomic.Int64
}

// poll starts with the records of test1, test3 or test22, two mongos, and the
// options.
func poll(t T, name, service, options string, ports ...int) *polled {
	t.Helper()
	p := &polled{name: name, service: service}
	p.dns, _ = nameServer(t, p.zone(ports)...)
	p.respond(p.dns.Answer)
	ctx := knobs.With(t.Context(), knobs.Knobs{
		HeartbeatFrequency: 20 * time.Millisecond, MinHeartbeatFrequency: time.Millisecond,
		MinRescanInterval: time.Millisecond, DNSTimeout: time.Second,
	})
	mongos := &fakeServer{mongos: true}
	var err error
	p.Client, err = motor.Connect(ctx, "mongodb+srv://"+name+"/?tls=false&"+options, motor.ClientOptions{
		DNS:  []string{p.dns.Addr()},
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) { return mongos.dial(ctx) },
	})
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() { p.Close(context.Background()) })
	return p
}

// zone has SRV records of the ports. They are not to be kept: the client asks
// again at once.
func (p *polled) zone(ports []int) (records []string) {
	for _, port := range ports {
		records = append(records, fmt.Sprintf("_%s._tcp.%s. 0 IN SRV 0 0 %d localhost.test.build.10gen.cc.", p.service, p.name, port))
	}
	return records
}

// respond has questions counted and answered.
func (p *polled) respond(answer func(question *dns.Msg) *dns.Msg) {
	p.dns.Respond(func(_ string, question *dns.Msg) *dns.Msg {
		defer p.questions.Add(1)
		return answer(question)
	})
}

// hosts are those of the topology.
func (p *polled) hosts() (addresses []string) {
	for _, s := range p.Topology().Servers {
		addresses = append(addresses, s.Addr)
	}
	return addresses
}

func addresses(ports ...int) (list []string) {
	for _, port := range ports {
		list = append(list, fmt.Sprintf("localhost.test.build.10gen.cc:%d", port))
	}
	return list
}

// want waits until the hosts are those with the ports.
func (p *polled) want(t T, ports ...int) {
	t.Helper()
	for deadline := time.Now().Add(patience); !slices.Equal(p.hosts(), addresses(ports...)); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("hosts are %q, wanted %q", p.hosts(), addresses(ports...))
		}
	}
	if err := p.Ping(t.Context(), nil); err != nil {
		t.Errorf("%v", err)
	}
}

// rescan waits until the client has asked the DNS server some more.
func (p *polled) rescan(t T) {
	t.Helper()
	asked := p.questions.Load()
	for deadline := time.Now().Add(patience); p.questions.Load() < asked+3; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the records were looked up %d times", p.questions.Load()-asked)
		}
	}
}

// proseSRVPolling has the prose tests of
// polling-srv-records-for-mongos-discovery.
func proseSRVPolling(t T) {
	const test1, test22 = "test1.test.build.10gen.cc", "test22.test.build.10gen.cc"
	change := func(title, options string, ports ...int) {
		t.Run(title, func(t T) {
			p := poll(t, test1, "mongodb", options, 27017, 27018)
			p.want(t, 27017, 27018)
			if err := p.dns.Set(p.zone(ports)...); err != nil {
				t.Fatalf("%v", err)
			}
			p.want(t, ports...)
		})
	}
	change("1. addition", "", 27017, 27018, 27019)
	change("2. removal", "", 27017)
	change("3. replacement", "", 27017, 27019)
	change("4. replacement by one", "", 27019)
	change("5. replacement by two", "", 27019, 27020)

	fail := func(title string, answer func(question *dns.Msg) *dns.Msg) {
		t.Run(title, func(t T) {
			p := poll(t, test1, "mongodb", "", 27017, 27018)
			p.respond(answer)
			p.rescan(t)
			p.want(t, 27017, 27018)
		})
	}
	fail("6. timeout", func(*dns.Msg) *dns.Msg { return nil })
	fail("7. failure", func(question *dns.Msg) *dns.Msg { return new(dns.Msg).SetRcode(question, dns.RcodeNameError) })
	fail("8. removal of all", func(question *dns.Msg) *dns.Msg { return new(dns.Msg).SetReply(question) })

	t.Run("9. not for load balanced clusters", func(t T) {
		p := poll(t, "test3.test.build.10gen.cc", "mongodb", "loadBalanced=true", 27017)
		if err := p.dns.Set(p.zone([]int{27017, 27018})...); err != nil {
			t.Fatalf("%v", err)
		}
		asked := p.questions.Load()
		time.Sleep(20 * time.Millisecond)
		if p.questions.Load() != asked || !slices.Equal(p.hosts(), addresses(27017)) {
			t.Errorf("hosts are %q after %d more questions", p.hosts(), p.questions.Load()-asked)
		}
	})

	change("10. srvMaxHosts is zero", "srvMaxHosts=0", 27017, 27019, 27020)
	change("11. srvMaxHosts is as many as records", "srvMaxHosts=2", 27019, 27020)
	t.Run("12. srvMaxHosts is less", func(t T) {
		p := poll(t, test1, "mongodb", "srvMaxHosts=2", 27017, 27018)
		p.want(t, 27017, 27018)
		if err := p.dns.Set(p.zone([]int{27017, 27019, 27020})...); err != nil {
			t.Fatalf("%v", err)
		}
		p.rescan(t)
		if hosts := p.hosts(); len(hosts) != 2 || hosts[0] != addresses(27017)[0] || slices.Contains(hosts, addresses(27018)[0]) {
			t.Errorf("hosts are %q", hosts)
		}
	})
	t.Run("13. srvServiceName", func(t T) {
		p := poll(t, test22, "customname", "srvServiceName=customname", 27017, 27018)
		if err := p.dns.Set(p.zone([]int{27019, 27020})...); err != nil {
			t.Fatalf("%v", err)
		}
		p.want(t, 27019, 27020)
	})
}
