package trust

import (
	"net/http"
	"strings"
)

// Tell writes into the headers of a request for the site who has asked for what: as
// X-Forwarded-For, -Proto and -Host, as X-Real-IP, and as Forwarded (RFC 7239), which all
// say the same. Whatever else speaks in the visitor's place is removed; what only a CDN
// writes stays if the request comes from a trusted machine.
func (h Hops) Tell(out http.Header, in *http.Request, believed Headers) {
	for key := range in.Header {
		if IsForwarding(key) || speaksForVisitor(key) && !h.Include(in.RemoteAddr) {
			delete(out, key)
		}
	}
	o := h.Origin(in, believed)
	var list, elements strings.Builder
	for i, addr := range o.Chain {
		node := addr.String()
		if i > 0 {
			list.WriteString(", ")
			elements.WriteString(", ")
		}
		list.WriteString(node)
		if addr.Is6() {
			node = `"[` + node + `]"`
		}
		elements.WriteString("for=" + node)
		if i == 0 {
			elements.WriteString(ofWhat(o))
		}
	}
	if len(o.Chain) == 0 {
		elements.WriteString("for=unknown" + ofWhat(o))
	} else {
		out[forwardedFor] = []string{list.String()}
		out["X-Real-Ip"] = []string{o.Client().String()}
	}
	out[forwardedProto] = []string{o.Proto}
	out[forwardedHost] = []string{o.Host}
	out[forwarded] = []string{elements.String()}
}

func ofWhat(o Origin) string {
	return `;host="` + quoted.Replace(o.Host) + `";proto=` + o.Proto
}

// quoted is for quoted strings (RFC 9110 section 5.6.4).
var quoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// IsForwarding reports whether a header speaks of the visitor in the visitor's
// place. Sites that take headers for variables do not tell "_" from "-".
func IsForwarding(key string) bool {
	switch key = plain(key); key {
	case forwarded, "X-Real-Ip", "X-Client-Ip", "X-Cluster-Client-Ip", "X-Original-Host", "X-Scheme", "X-Url-Scheme", "Front-End-Https":
		return true
	default:
		return strings.HasPrefix(key, "X-Forwarded")
	}
}

// speaksForVisitor reports whether a header is one that only a CDN writes, over whatever a
// visitor has sent.
func speaksForVisitor(key string) bool {
	switch plain(key) {
	case "True-Client-Ip", "Cf-Connecting-Ip", "Fastly-Client-Ip":
		return true
	}
	return false
}

func plain(key string) string {
	if strings.Contains(key, "_") {
		return http.CanonicalHeaderKey(strings.ReplaceAll(key, "_", "-"))
	}
	return key // net/http has made it canonical
}
