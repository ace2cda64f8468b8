package uri

import (
	"context"
	"errors"
	"net"

	"github.com/miekg/dns"
)

// Where the system keeps its DNS servers to itself, package net asks them. It
// does not tell the TTL, which is 0 here.

func systemSRV(ctx context.Context, system *net.Resolver, name string) ([]*dns.SRV, error) {
	_, found, err := system.LookupSRV(ctx, "", "", name)
	if err != nil {
		return nil, systemError(err)
	}
	records := make([]*dns.SRV, len(found))
	for i, srv := range found {
		records[i] = &dns.SRV{Target: srv.Target, Port: srv.Port}
	}
	return records, nil
}

func systemTXT(ctx context.Context, system *net.Resolver, name string) ([]string, error) {
	records, err := system.LookupTXT(ctx, dns.Fqdn(name))
	return records, systemError(err)
}

func systemError(err error) error {
	if failure, ok := errors.AsType[*net.DNSError](err); ok && failure.IsNotFound {
		return errNoRecords
	}
	return err
}
