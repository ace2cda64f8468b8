package main

import (
	"context"
	"fmt"
	"net"
	"slices"

	"github.com/motor-go/motor"
	"github.com/motor-go/motor/mongotest/dnstest"
	"github.com/motor-go/motor/topology/description"
)

// connectSRV has a DNS server of its own tell where the deployment is.
func connectSRV(ctx context.Context, t *tour) error {
	const name, host = "cluster.tour.example", "node.tour.example"
	var addrs []string
	for _, s := range t.client.Topology().Servers {
		_, port, err := net.SplitHostPort(s.Addr)
		if err != nil {
			return err
		}
		addrs = append(addrs, net.JoinHostPort(host, port))
	}
	records := append(dnstest.SRV(name, addrs...),
		name+`. 60 IN TXT "replicaSet=rs0"`,
		host+". 60 IN A 127.0.0.1",
	)
	dns, err := dnstest.Start(records...)
	if err != nil {
		return err
	}
	defer dns.Close()
	t.say("A DNS server on %s answers:", dns.Addr())
	for _, r := range records {
		t.say("  %s", r)
	}
	uri := "mongodb+srv://" + name + "/?tls=false"
	t.say("Connect to %s", uri)
	client, err := motor.Connect(ctx, uri, motor.ClientOptions{DNS: []string{dns.Addr()}, Dial: dialer(dns.Addr())})
	if err != nil {
		return err
	}
	defer client.Close(ctx)
	if err := client.Ping(ctx, nil); err != nil {
		return err
	}
	found := client.Topology()
	var set []string
	for _, s := range found.Servers {
		set = append(set, s.Addr)
	}
	t.say("The SRV records named the seeds, the TXT record the set; the set itself named its members: %v.", set)
	if found.Type != description.ReplicaSetWithPrimary || found.SetName != "rs0" {
		return fmt.Errorf("found a %v named %q", found.Type, found.SetName)
	}
	var want []string
	for _, s := range t.client.Topology().Servers {
		want = append(want, s.Addr)
	}
	slices.Sort(set)
	return expect("the members", set, want)
}

// dialer resolves host names by the DNS server at address.
func dialer(address string) func(ctx context.Context, network, addr string) (net.Conn, error) {
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
	return (&net.Dialer{Resolver: resolver}).DialContext
}
