package trust

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Headers are the names of those headers of a trusted machine that are believed. What such
// a machine does not set itself it usually passes on as the visitor has sent it, so that
// only what it does set may be named. Nil means X-Forwarded-For and X-Forwarded-Proto, the
// two that nearly every balancer sets.
type Headers []string

// The headers that can be believed.
const (
	forwardedFor   = "X-Forwarded-For"
	forwardedProto = "X-Forwarded-Proto"
	forwardedHost  = "X-Forwarded-Host"
	forwarded      = "Forwarded" // RFC 7239, which says all that the others say
)

var usual = Headers{forwardedFor, forwardedProto}

// ParseHeaders reads names of headers. The error joins every mistake.
func ParseHeaders(names ...string) (Headers, error) {
	var headers Headers
	var mistakes []error
	for _, name := range names {
		name = strings.TrimSpace(name)
		key := http.CanonicalHeaderKey(name)
		switch key {
		case forwardedFor, forwardedProto, forwardedHost, forwarded:
			headers = append(headers, key)
		default:
			mistakes = append(mistakes, fmt.Errorf("%q is none of X-Forwarded-For, X-Forwarded-Proto, X-Forwarded-Host and Forwarded", name))
		}
	}
	if len(headers) > 1 && slices.Contains(headers, forwarded) {
		mistakes = append(mistakes, errors.New(`"Forwarded" stands alone: it would contradict the others`))
	}
	return headers, errors.Join(mistakes...)
}

// An Origin says who has asked for what, as far as that can be believed.
type Origin struct {
	// Chain holds the addresses from the visitor to the machine that has connected to the
	// proxy. All but the first are trusted. It is empty if there is no address, such as on
	// a Unix socket.
	Chain []netip.Addr

	Proto string // "http" or "https"
	Host  string
}

// Client returns the visitor's address; the zero Addr if it is not known.
func (o Origin) Client() netip.Addr {
	if len(o.Chain) == 0 {
		return netip.Addr{}
	}
	return o.Chain[0]
}

// Origin returns the origin of a request. The visitor is the last one in the list of
// addresses who is not trusted: each machine appends whom it has seen, and what stands
// before the visitor is what the visitor claims.
func (h Hops) Origin(r *http.Request, believed Headers) Origin {
	o := Origin{Proto: "http", Host: r.Host}
	if r.TLS != nil {
		o.Proto = "https"
	}
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	from := Address(peer)
	if !from.IsValid() {
		return o
	}
	o.Chain = append(make([]netip.Addr, 0, 2), from)
	if !h.include(from) {
		return o
	}
	if believed == nil {
		believed = usual
	}
	for _, name := range believed {
		values := r.Header[name]
		if len(values) == 0 {
			continue
		}
		switch name {
		case forwardedFor:
			h.follow(&o, values)
		case forwardedProto:
			o.believeProto(last(values))
		case forwardedHost:
			o.believeHost(last(values))
		case forwarded:
			h.followForwarded(&o, values)
		}
	}
	slices.Reverse(o.Chain)
	return o
}

// follow reads addresses from the last to the first one that is not trusted.
func (h Hops) follow(o *Origin, lines []string) {
	for rest := strings.Join(lines, ","); h.include(o.Chain[len(o.Chain)-1]) && rest != ""; {
		item := rest
		rest = ""
		if comma := strings.LastIndexByte(item, ','); comma >= 0 {
			rest, item = item[:comma], item[comma+1:]
		}
		if item = strings.TrimSpace(item); item == "" {
			continue // an element of a list may be empty (RFC 9110 section 5.6.1.2)
		}
		addr, known := parseNode(item)
		if !known {
			return // whom the machine has seen is not known: it stands for them
		}
		o.Chain = append(o.Chain, addr)
	}
}

// parseNode reads an address with or without a port, which some balancers add.
func parseNode(node string) (netip.Addr, bool) {
	if with, err := netip.ParseAddrPort(node); err == nil {
		return Address(with), true
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(node, "["), "]"))
	return addr.Unmap().WithZone(""), err == nil
}

// last returns the last element of a list, which is that of the last machine.
func last(lines []string) string {
	line := lines[len(lines)-1]
	return strings.TrimSpace(line[strings.LastIndexByte(line, ',')+1:])
}

func (o *Origin) believeProto(proto string) {
	switch strings.ToLower(proto) {
	case "https", "wss":
		o.Proto = "https"
	case "http", "ws":
		o.Proto = "http"
	}
}

func (o *Origin) believeHost(host string) {
	if host != "" && !strings.ContainsFunc(host, func(r rune) bool { return r <= ' ' || r == 0x7F || strings.ContainsRune(`"\,;/@`, r) }) {
		o.Host = host
	}
}
