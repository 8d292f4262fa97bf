// Package origins reads the origins that a page contacts, such as
// "https://player.example.com" or "https://*.example.com", as a
// Content-Security-Policy writes them.
package origins

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/cookiecharter/consent/internal/attribute"
)

// Valid reports whether s is a scheme, a host and perhaps a port, as a source in
// a policy is written (CSP3 section 2.3.1). The host may begin with "*.", which
// stands for every host below the rest.
func Valid(s string) bool {
	scheme, host, _ := strings.Cut(s, "://")
	if scheme != "https" && scheme != "http" && scheme != "wss" && scheme != "ws" {
		return false
	}
	host, port, hasPort := strings.Cut(host, ":")
	if _, err := strconv.ParseUint(port, 10, 16); hasPort && err != nil {
		return false
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	host = strings.TrimPrefix(host, "*.") // no host lies below an address
	return attribute.CheckDomain(host) == nil && host[0] != '.'
}

// Overlap reports whether one host may answer for both of two origins. Neither
// the scheme nor a default port tells them apart: a policy that names http lets
// https in (CSP3, "scheme-part matches").
func Overlap(a, b string) bool {
	a, b = hostPort(a), hostPort(b)
	return a == b || covers(a, b) || covers(b, a)
}

// hostPort returns the host of an origin, with its port if that is no default.
func hostPort(origin string) string {
	_, host, _ := strings.Cut(strings.ToLower(origin), "://")
	return strings.TrimSuffix(strings.TrimSuffix(host, ":443"), ":80")
}

// covers reports whether wildcard is one, and host lies below it.
func covers(wildcard, host string) bool {
	suffix, ok := strings.CutPrefix(wildcard, "*")
	return ok && strings.HasSuffix(host, suffix)
}
