// Package trust knows the machines in front of the proxy whose word about visitors counts:
// a balancer, a cache or a CDN.
package trust

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// Hops are the addresses of those machines. Nil trusts nobody.
type Hops []netip.Prefix

// Parse reads addresses and ranges, such as "10.0.0.7" and "10.1.0.0/16". The error joins
// every mistake.
func Parse(items ...string) (Hops, error) {
	var hops Hops
	var mistakes []error
	for _, item := range items {
		item = strings.TrimSpace(item)
		prefix, err := netip.ParsePrefix(item)
		if addr, isAddr := netip.ParseAddr(item); isAddr == nil {
			prefix, err = addr.Prefix(addr.BitLen())
		}
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%q is neither an address nor a range such as 10.1.0.0/16", item))
		}
		hops = append(hops, prefix)
	}
	return hops, errors.Join(mistakes...)
}

// Include reports whether an address and a port, as [net/http.Request.RemoteAddr] has them,
// are those of a trusted machine.
func (h Hops) Include(remote string) bool {
	peer, _ := netip.ParseAddrPort(remote)
	from := Address(peer)
	return from.IsValid() && h.include(from)
}

// Address returns the address as forwarding headers have it.
func Address(peer netip.AddrPort) netip.Addr { return peer.Addr().Unmap().WithZone("") }

func (h Hops) include(from netip.Addr) bool {
	for _, prefix := range h {
		if prefix.Contains(from) {
			return true
		}
	}
	return false
}
