package uri

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// minRescanInterval is the specification's minRescanSRVIntervalMS.
const minRescanInterval = 60 * time.Second

// Poller keeps the seed list of a sharded cluster up to date, by the
// specification of polling SRV records. It decides; the functions look and do.
type Poller struct {
	// MaxHosts is the Config's SRVMaxHosts.
	MaxHosts int
	// HeartbeatFrequency is the Config's: the time between two scans after one
	// that found nothing.
	HeartbeatFrequency time.Duration
	// MinRescanInterval is the least time between two scans that found hosts, 60 s
	// if zero. Only tests set it.
	MinRescanInterval time.Duration
	// Hosts are the hosts of the topology, and whether it is one to be polled:
	// sharded or unknown. When it is not, polling ends, for it will not become
	// one again.
	Hosts func() (hosts []string, poll bool)
	// Scan asks for the records; Resolver.Seedlist does.
	Scan func(ctx context.Context) (Seedlist, error)
	// Update is called with all the hosts that the topology is to have from now
	// on, if they are not what Hosts returned.
	Update func(hosts []string)
	// Warn is told, for the log, of a scan that failed and of hosts that were
	// refused.
	Warn func(error)
	// Shuffle is as in Resolver.
	Shuffle func(n int, swap func(i, j int))
}

// PollsSRV reports whether a client with c is to run a Poller: c is from a
// mongodb+srv string, and no load balancer stands before the servers.
func (c *Config) PollsSRV() bool { return c.SRVHost != "" && !c.LoadBalanced }

// Run scans until ctx is done or the topology is not to be polled. The first
// scan is due when ttl, that of the initial seed list, is over.
func (p Poller) Run(ctx context.Context, ttl time.Duration) {
	wait := p.wait(ttl)
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		if _, poll := p.Hosts(); !poll {
			return
		}
		found, err := p.Scan(ctx)
		if ctx.Err() != nil {
			return
		}
		hosts, poll := p.Hosts()
		if !poll {
			return
		}
		var next []string
		next, wait, err = p.Next(hosts, found, err)
		if err != nil {
			p.Warn(err)
		}
		if !slices.Equal(hosts, next) {
			p.Update(next)
		}
	}
}

// Next decides which hosts to have and how long to wait, given what a scan of
// the records found. A scan without a usable host changes nothing.
func (p Poller) Next(known []string, found Seedlist, failure error) (hosts []string, wait time.Duration, warning error) {
	if failure != nil {
		return known, p.HeartbeatFrequency, failure
	}
	if len(found.Refused) > 0 {
		warning = fmt.Errorf("SRV records name %s, which is outside the domain: ignored", strings.Join(found.Refused, ", "))
	}
	if len(found.Hosts) == 0 {
		return known, p.HeartbeatFrequency, errors.Join(errors.New("SRV records name no host within the domain: nothing is changed"), warning)
	}
	return choose(known, found.Hosts, p.MaxHosts, p.Shuffle), p.wait(found.TTL), warning
}

// wait is the time until the next scan after one that found hosts.
func (p Poller) wait(ttl time.Duration) time.Duration {
	return max(ttl, cmp.Or(p.MinRescanInterval, minRescanInterval))
}
