package uri

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

const defaultPort = 27017

// parseHosts reads the comma-separated host identifiers of a mongodb string.
func (c *Config) parseHosts(s string) error {
	known := map[string]bool{}
	for part := range strings.SplitSeq(s, ",") {
		host, err := parseHost(part)
		if err != nil {
			return err
		}
		if !known[host] {
			c.Hosts = append(c.Hosts, host)
		}
		known[host] = true
	}
	return nil
}

// parseHost reads a host identifier and completes it with the default port.
func parseHost(s string) (string, error) {
	if s == "" {
		return "", errors.New("connection string: a host is empty; the path of a UNIX domain socket must be percent-encoded")
	}
	if err := checkNoOptions(s); err != nil {
		return "", fmt.Errorf("connection string: host %q: %w", s, err)
	}
	name, port, err := splitPort(s)
	if err != nil {
		return "", err
	}
	if literal, ok := strings.CutPrefix(name, "["); ok {
		literal, closed := strings.CutSuffix(literal, "]")
		literal, err := unescape(literal)
		addr, invalid := netip.ParseAddr(literal)
		if !closed || err != nil || invalid != nil || !addr.Is6() {
			return "", fmt.Errorf("connection string: host %q is not an IPv6 address in brackets", s)
		}
		return hostPort(addr.String(), port), nil
	}
	name, err = unescape(name)
	if err != nil {
		return "", fmt.Errorf("connection string: host %q: %w", s, err)
	}
	if strings.Contains(name, "/") {
		if !strings.HasSuffix(name, ".sock") || port != 0 {
			return "", fmt.Errorf("connection string: host %q contains a slash, but is not the path of a UNIX domain socket, which ends in .sock", s)
		}
		return name, nil
	}
	if err := checkHostname(name); err != nil {
		return "", fmt.Errorf("connection string: host %q: %w", s, err)
	}
	return hostPort(lower(name), port), nil
}

func hostPort(host string, port int) string {
	if port == 0 {
		port = defaultPort
	}
	return net.JoinHostPort(host, strconv.Itoa(port))
}

// splitPort divides a host identifier; port is 0 if there is none.
func splitPort(s string) (name string, port int, err error) {
	colon := strings.LastIndexByte(s, ':')
	if colon < strings.LastIndexByte(s, ']') {
		colon = -1
	}
	if colon < 0 {
		return s, 0, nil
	}
	name, digits := s[:colon], s[colon+1:]
	if strings.Contains(name, ":") && !strings.HasPrefix(name, "[") {
		return "", 0, fmt.Errorf("connection string: host %q has more than one colon; an IPv6 address needs brackets", s)
	}
	port, err = strconv.Atoi(digits)
	if err != nil || port < 1 || port > 65535 || digits[0] == '+' {
		return "", 0, fmt.Errorf("connection string: the port of host %q is not a number from 1 to 65535", s)
	}
	return name, port, nil
}

// checkHostname refuses what can be no part of a name or an IPv4 address.
func checkHostname(name string) error {
	if name == "" {
		return errors.New("the name is empty")
	}
	for _, r := range name {
		if r <= ' ' || r == 0x7f || strings.ContainsRune(`"#%&,:<=>?@[\]^{|}`+"`", r) {
			return fmt.Errorf("no host name contains %q", r)
		}
	}
	return nil
}

// parseSRVHost reads the one name of a mongodb+srv string. A dot at its end,
// the root of DNS, is dropped.
func (c *Config) parseSRVHost(s string) error {
	if err := checkNoOptions(s); err != nil {
		return fmt.Errorf("connection string: host %q: %w", s, err)
	}
	if strings.Contains(s, ",") {
		return fmt.Errorf("connection string: %s takes one host name, not a list", srvScheme)
	}
	if strings.Contains(s, ":") {
		return fmt.Errorf("connection string: %s takes a host name without a port", srvScheme)
	}
	name, err := unescape(s)
	if err == nil {
		name = strings.TrimSuffix(lower(name), ".")
		err = checkHostname(name)
	}
	if err != nil {
		return fmt.Errorf("connection string: host %q: %w", s, err)
	}
	if strings.Contains(name, "/") || strings.Contains("."+name+".", "..") {
		return fmt.Errorf("connection string: host %q: %s takes a name of parts between dots", s, srvScheme)
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return fmt.Errorf("connection string: host %q: %s takes a name that DNS knows, not an address", s, srvScheme)
	}
	c.SRVHost = name
	return nil
}
