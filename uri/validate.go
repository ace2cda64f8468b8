package uri

import (
	"errors"
	"fmt"
)

// Validate refuses options that contradict each other, and credentials that
// their mechanism has no use for. Parse and Resolver.Resolve do so themselves;
// call it again after changes. A Config whose hosts are not resolved yet passes
// what depends on their number.
func (c *Config) Validate() error {
	if c.SRVHost == "" && len(c.Hosts) == 0 {
		return errors.New("connection string: no host")
	}
	if c.DirectConnection {
		switch {
		case c.SRVHost != "":
			return fmt.Errorf("connection string: directConnection=true needs the one host named; %s may give several", srvScheme)
		case len(c.Hosts) > 1:
			return fmt.Errorf("connection string: directConnection=true with %d hosts; name one", len(c.Hosts))
		}
	}
	if c.LoadBalanced {
		switch {
		case len(c.Hosts) > 1:
			return fmt.Errorf("connection string: loadBalanced=true with %d hosts; name one", len(c.Hosts))
		case c.ReplicaSet != "":
			return fmt.Errorf("connection string: loadBalanced=true excludes replicaSet=%s", c.ReplicaSet)
		case c.DirectConnection:
			return errors.New("connection string: loadBalanced=true excludes directConnection=true")
		case c.SRVMaxHosts > 0:
			return fmt.Errorf("connection string: loadBalanced=true excludes srvMaxHosts=%d", c.SRVMaxHosts)
		}
	}
	if c.SRVMaxHosts > 0 && c.ReplicaSet != "" {
		return fmt.Errorf("connection string: srvMaxHosts=%d excludes replicaSet=%s: the members of a set are found all the same", c.SRVMaxHosts, c.ReplicaSet)
	}
	if c.MaxPoolSize > 0 && c.MinPoolSize > c.MaxPoolSize {
		return fmt.Errorf("connection string: minPoolSize=%d is more than maxPoolSize, which is %d", c.MinPoolSize, c.MaxPoolSize)
	}
	if (c.ProxyUsername == "") != (c.ProxyPassword == "") {
		return errors.New("connection string: options proxyUsername and proxyPassword need each other")
	}
	if c.ProxyUsername != "" && c.ProxyHost == "" {
		return errors.New("connection string: option proxyUsername needs option proxyHost")
	}
	if err := c.WriteConcern.Validate(); err != nil {
		return fmt.Errorf("connection string: %w", err)
	}
	if err := c.ReadPreference.Validate(); err != nil {
		return fmt.Errorf("connection string: %w", err)
	}
	_, err := c.Credential()
	return err
}
