package uri

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Resolver finds what is behind the name of a mongodb+srv string. The zero
// value asks the system's DNS servers: those of /etc/resolv.conf, or where there
// is no such file, whomever package net asks.
type Resolver struct {
	// Servers are the addresses ("host:port") of the DNS servers to ask instead.
	Servers []string
	// Dial opens a connection to one of them, over "udp" (a net.PacketConn) or
	// "tcp". Nil dials directly.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Timeout bounds the wait for each answer. 0 is what resolv.conf says, or 5 s.
	Timeout time.Duration
	// Shuffle decides which hosts are taken if srvMaxHosts admits not all, as
	// rand.Shuffle does. Nil is rand.Shuffle.
	Shuffle func(n int, swap func(i, j int))
}

// Seedlist is what the SRV records of a name say at one moment.
type Seedlist struct {
	// Hosts are the hosts within the domain of the name, in the order of the
	// answer, each once.
	Hosts []string
	// Refused are the other hosts. They are never to be connected to.
	Refused []string
	// TTL is for how long the answer holds: the lowest of the records.
	TTL time.Duration
}

// Resolve completes a Config by the initial DNS seedlist discovery: it fills
// in Hosts, takes authSource, replicaSet and loadBalanced from the TXT record
// where c does not have them yet, and validates the whole. It returns the seed
// list, of which srvMaxHosts may have kept a part from c, to start a Poller
// with. A Config without SRVHost is only validated.
//
// It is an error if there are no SRV records, if one of them names a host
// outside the domain, or if the TXT record is not as it should be. A TXT record
// that a DNS server refuses to tell is a warning. If there is an error, c is
// unchanged.
func (r Resolver) Resolve(ctx context.Context, c *Config) (Seedlist, []Warning, error) {
	if c.SRVHost == "" {
		return Seedlist{}, nil, c.Validate()
	}
	seeds, err := r.Seedlist(ctx, c)
	if err != nil {
		return Seedlist{}, nil, err
	}
	if len(seeds.Refused) > 0 {
		return Seedlist{}, nil, fmt.Errorf("the SRV records of %s name %s, which is not in the domain of %s", c.srvName(), strings.Join(seeds.Refused, ", "), c.SRVHost)
	}
	resolved := *c
	resolved.Hosts = choose(nil, seeds.Hosts, c.SRVMaxHosts, r.Shuffle)
	warnings, err := r.mergeTXT(ctx, &resolved)
	if err == nil {
		err = resolved.Validate()
	}
	if err != nil {
		return Seedlist{}, nil, err
	}
	*c = resolved
	return seeds, warnings, nil
}

// srvName is the name whose SRV records are the seed list.
func (c *Config) srvName() string {
	return "_" + c.SRVServiceName + "._tcp." + c.SRVHost
}

// Seedlist asks for the SRV records behind c.SRVHost. It is an error if there
// are none.
func (r Resolver) Seedlist(ctx context.Context, c *Config) (Seedlist, error) {
	name := c.srvName()
	records, err := r.lookupSRV(ctx, name)
	if err != nil {
		return Seedlist{}, fmt.Errorf("no hosts for %s%s: the SRV records of %s: %w", srvScheme, c.SRVHost, name, err)
	}
	seeds := Seedlist{TTL: time.Duration(records[0].Hdr.Ttl) * time.Second}
	for _, srv := range records {
		seeds.TTL = min(seeds.TTL, time.Duration(srv.Hdr.Ttl)*time.Second)
		host := lower(strings.TrimSuffix(srv.Target, "."))
		address := net.JoinHostPort(host, strconv.Itoa(int(srv.Port)))
		switch {
		case host == "": // the way to say that there is no such service
		case !inDomain(host, c.SRVHost) || srv.Port == 0:
			seeds.Refused = append(seeds.Refused, address)
		case !slices.Contains(seeds.Hosts, address):
			seeds.Hosts = append(seeds.Hosts, address)
		}
	}
	if len(seeds.Hosts)+len(seeds.Refused) == 0 {
		return Seedlist{}, fmt.Errorf("no hosts for %s%s: the SRV records of %s say that there are none", srvScheme, c.SRVHost, name)
	}
	return seeds, nil
}

// inDomain reports whether a host that SRV records name is below the domain of
// the name that they belong to: that name itself if it has one or two parts,
// else what follows its first part.
func inDomain(host, srvHost string) bool {
	domain := srvHost
	if strings.Count(srvHost, ".") >= 2 {
		_, domain, _ = strings.Cut(srvHost, ".")
	}
	sub, ok := strings.CutSuffix(host, "."+domain)
	return ok && sub != "" && checkHostname(host) == nil && !strings.Contains(host, "/")
}

// choose keeps the known hosts that are still found and adds others that are:
// all, or at random as many as there may be.
func choose(known, found []string, limit int, shuffle func(n int, swap func(i, j int))) []string {
	var kept, added []string
	for _, host := range known {
		if slices.Contains(found, host) {
			kept = append(kept, host)
		}
	}
	for _, host := range found {
		if !slices.Contains(known, host) {
			added = append(added, host)
		}
	}
	if limit > 0 && limit < len(found) {
		if shuffle == nil {
			shuffle = rand.Shuffle
		}
		shuffle(len(added), func(i, j int) { added[i], added[j] = added[j], added[i] })
		added = added[:min(len(added), max(0, limit-len(kept)))]
	}
	return append(kept, added...)
}

// lookupSRV finds at least one record.
func (r Resolver) lookupSRV(ctx context.Context, name string) ([]*dns.SRV, error) {
	answer, err := r.query(ctx, name, dns.TypeSRV)
	if errors.Is(err, errNoFile) {
		return systemSRV(ctx, net.DefaultResolver, name)
	}
	if err != nil {
		return nil, err
	}
	records := make([]*dns.SRV, len(answer))
	for i, rr := range answer {
		records[i] = rr.(*dns.SRV)
	}
	return records, nil
}

// lookupTXT finds at least one record; its strings are joined.
func (r Resolver) lookupTXT(ctx context.Context, name string) ([]string, error) {
	answer, err := r.query(ctx, name, dns.TypeTXT)
	if errors.Is(err, errNoFile) {
		return systemTXT(ctx, net.DefaultResolver, name)
	}
	if err != nil {
		return nil, err
	}
	records := make([]string, len(answer))
	for i, rr := range answer {
		records[i] = plainText(strings.Join(rr.(*dns.TXT).Txt, ""))
	}
	return records, nil
}
