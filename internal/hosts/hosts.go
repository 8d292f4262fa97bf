// Package hosts reads the host that a browser has asked for, and says which host lies
// under which domain.
package hosts

import (
	"net"
	"net/netip"
	"strings"
)

// Name returns a Host field in lower case, without a port, the brackets of an address and
// the dot of the root.
func Name(field string) string {
	name, _, err := net.SplitHostPort(field)
	if err != nil {
		name = strings.Trim(field, "[]")
	}
	return strings.ToLower(strings.TrimSuffix(name, "."))
}

// IsAddress reports whether a name is an IP address.
func IsAddress(name string) bool {
	_, err := netip.ParseAddr(name)
	return err == nil
}

// IsLoopback reports whether a name is that of this machine, which browsers take for safe
// without https (Secure Contexts section 3.1; RFC 6761 section 6.3).
func IsLoopback(name string) bool {
	address, err := netip.ParseAddr(name)
	return err == nil && address.IsLoopback() || Under(name, "localhost")
}

// Under reports whether a name is that of a domain or lies below it, so that browsers keep a
// cookie of this domain there (RFC 6265 section 5.1.3). An address lies under itself alone.
func Under(name, domain string) bool {
	return name == domain || strings.HasSuffix(name, "."+domain) && !IsAddress(name)
}
