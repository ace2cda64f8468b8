package uri

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// txtOptions are the options that a TXT record may have, in lower case.
var txtOptions = []string{"authsource", "replicaset", "loadbalanced"}

// mergeTXT asks for the TXT record of c.SRVHost, and takes from it what c does
// not say yet.
func (r Resolver) mergeTXT(ctx context.Context, c *Config) ([]Warning, error) {
	records, err := r.lookupTXT(ctx, c.SRVHost)
	refusal, refused := errors.AsType[rcodeError](err)
	switch {
	case errors.Is(err, errNoRecords):
		return nil, nil
	case refused:
		return []Warning{{
			Option: "authSource, replicaSet, loadBalanced",
			Reason: "none taken from the TXT record of " + c.SRVHost + ": " + refusal.Error(),
		}}, nil
	case err != nil:
		return nil, fmt.Errorf("the TXT record of %s: %w", c.SRVHost, err)
	case len(records) > 1:
		return nil, fmt.Errorf("the TXT record of %s: there are %d, but must not be more than one", c.SRVHost, len(records))
	}
	warnings, err := c.merge(records[0])
	if err != nil {
		return nil, fmt.Errorf("the TXT record of %s: %w", c.SRVHost, err)
	}
	return warnings, nil
}

// merge takes the options of a TXT record that c does not have.
func (c *Config) merge(record string) ([]Warning, error) {
	for part := range strings.SplitSeq(record, "&") {
		name, _, _ := strings.Cut(part, "=")
		if part != "" && !slices.Contains(txtOptions, lower(name)) {
			return nil, fmt.Errorf("it has option %q, but can have only authSource, replicaSet and loadBalanced", name)
		}
	}
	var txt Config
	_, warnings, err := txt.parseOptions(record, nil)
	if err != nil {
		return nil, err
	}
	if c.AuthSource == "" {
		c.AuthSource = txt.AuthSource
	}
	if c.ReplicaSet == "" {
		c.ReplicaSet = txt.ReplicaSet
	}
	if !c.LoadBalanced && !c.LoadBalancedSet {
		c.LoadBalanced, c.LoadBalancedSet = txt.LoadBalanced, txt.LoadBalancedSet
	}
	return warnings, nil
}

// plainText undoes the escapes in which package dns presents the strings of
// TXT records: \DDD is a byte in decimal, a backslash before anything else
// stands for that.
func plainText(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
			if i+3 <= len(s) {
				if code, err := strconv.ParseUint(s[i:i+3], 10, 8); err == nil {
					b.WriteByte(byte(code))
					i += 2
					continue
				}
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
