package seen

import (
	"net"
	"strings"
)

// IsLocal reports whether a host, with or without a port, is this machine: a loopback
// address, or a name below localhost (RFC 6761, section 6.3).
func IsLocal(host string) bool {
	name := strings.TrimSuffix(HostName(host), ".")
	ip := net.ParseIP(name)
	return ip != nil && ip.IsLoopback() || name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// HostName returns a host in small letters without its port, and an address without its
// brackets.
func HostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}
