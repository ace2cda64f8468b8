package spectests

import (
	"fmt"
	"slices"
	"time"

	"github.com/miekg/dns"

	"github.com/motor-go/motor/mongotest/dnstest"
	"github.com/motor-go/motor/uri"
)

// polled is a client's seed list while the records behind it change.
type polled struct {
	server   *dnstest.Server
	resolver uri.Resolver
	config   *uri.Config
	poller   uri.Poller
	hosts    []string
}

// discover starts with the records of test1, or of test22, and the options.
func discover(t T, name, service, options string) *polled {
	t.Helper()
	server, resolver := nameServer(t, pollingZone(name, service, 27017, 27018)...)
	c, _, err := resolve(t, resolver, "mongodb+srv://"+name+"/?"+options)
	if err != nil {
		t.Fatalf("%v", err)
	}
	poller := uri.Poller{MaxHosts: c.SRVMaxHosts, HeartbeatFrequency: c.HeartbeatFrequency}
	return &polled{server, resolver, c, poller, c.Hosts}
}

func pollingZone(name, service string, ports ...int) []string {
	var records []string
	for _, port := range ports {
		records = append(records, fmt.Sprintf("_%s._tcp.%s. 86400 IN SRV 0 0 %d localhost.test.build.10gen.cc.", service, name, port))
	}
	return records
}

// rescan makes the ports those of the records, and scans them.
func (p *polled) rescan(t T, name, service string, ports ...int) {
	t.Helper()
	if err := p.server.Set(pollingZone(name, service, ports...)...); err != nil {
		t.Fatalf("%v", err)
	}
	found, failure := p.resolver.Seedlist(t.Context(), p.config)
	if failure != nil {
		t.Fatalf("%v", failure)
	}
	hosts, wait, warning := p.poller.Next(p.hosts, found, nil)
	if wait != 86400*time.Second || warning != nil {
		t.Errorf("the next scan is in %v, with the warning %v", wait, warning)
	}
	p.hosts = hosts
}

func (p *polled) want(t T, ports ...int) {
	t.Helper()
	var want []string
	for _, port := range ports {
		want = append(want, fmt.Sprintf("localhost.test.build.10gen.cc:%d", port))
	}
	if got := slices.Sorted(slices.Values(p.hosts)); !slices.Equal(got, want) {
		t.Errorf("hosts are %q, wanted %q", got, want)
	}
}

// proseSRVPolling has the prose tests of
// polling-srv-records-for-mongos-discovery.
func proseSRVPolling(t T) {
	const test1, test22 = "test1.test.build.10gen.cc", "test22.test.build.10gen.cc"
	change := func(name, options string, ports, want []int) {
		t.Run(name, func(t T) {
			p := discover(t, test1, "mongodb", options)
			p.rescan(t, test1, "mongodb", ports...)
			p.want(t, want...)
		})
	}
	change("1. addition", "", []int{27017, 27018, 27019}, []int{27017, 27018, 27019})
	change("2. removal", "", []int{27017}, []int{27017})
	change("3. replacement", "", []int{27017, 27019}, []int{27017, 27019})
	change("4. replacement by one", "", []int{27019}, []int{27019})
	change("5. replacement by two", "", []int{27019, 27020}, []int{27019, 27020})

	fail := func(name string, respond dnstest.Responder) {
		t.Run(name, func(t T) {
			p := discover(t, test1, "mongodb", "")
			p.server.Respond(respond)
			p.resolver.Timeout = 20 * time.Millisecond
			found, failure := p.resolver.Seedlist(t.Context(), p.config)
			if failure == nil {
				t.Fatalf("found %+v", found)
			}
			hosts, wait, warning := p.poller.Next(p.hosts, found, failure)
			if wait != p.poller.HeartbeatFrequency || warning == nil {
				t.Errorf("the next scan is in %v, with the warning %v", wait, warning)
			}
			p.hosts = hosts
			p.want(t, 27017, 27018)
		})
	}
	fail("6. timeout", func(string, *dns.Msg) *dns.Msg { return nil })
	fail("7. failure", func(_ string, question *dns.Msg) *dns.Msg {
		return new(dns.Msg).SetRcode(question, dns.RcodeNameError)
	})
	fail("8. removal of all", func(_ string, question *dns.Msg) *dns.Msg {
		return new(dns.Msg).SetReply(question)
	})

	t.Run("9. not for load balanced clusters", func(t T) {
		const test3 = "test3.test.build.10gen.cc"
		_, resolver := nameServer(t, pollingZone(test3, "mongodb", 27017)...)
		c, _, err := resolve(t, resolver, "mongodb+srv://"+test3+"/?loadBalanced=true")
		if err != nil {
			t.Fatalf("%v", err)
		}
		if c.PollsSRV() {
			t.Errorf("%v is polled", c)
		}
	})

	change("10. srvMaxHosts is zero", "srvMaxHosts=0", []int{27017, 27019, 27020}, []int{27017, 27019, 27020})
	change("11. srvMaxHosts is as many as records", "srvMaxHosts=2", []int{27019, 27020}, []int{27019, 27020})
	t.Run("12. srvMaxHosts is less", func(t T) {
		p := discover(t, test1, "mongodb", "srvMaxHosts=2")
		p.rescan(t, test1, "mongodb", 27017, 27019, 27020)
		if len(p.hosts) != 2 || !slices.Contains(p.hosts, "localhost.test.build.10gen.cc:27017") {
			t.Errorf("hosts are %q", p.hosts)
		}
	})
	t.Run("13. srvServiceName", func(t T) {
		p := discover(t, test22, "customname", "srvServiceName=customname")
		p.rescan(t, test22, "customname", 27019, 27020)
		p.want(t, 27019, 27020)
	})
}
