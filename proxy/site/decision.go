package site

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/cookiecharter/consent"
)

// The decision is between the visitor and the proxy. A site may have a cookie
// of the same name: it gets to see the visitor's no more than the visitor its.

// HideDecision takes the visitor's decision out of the headers of a request for the site,
// and leaves the rest of the Cookie headers byte for byte. The name is that of
// [consent.Config.CookieName]; empty means "cookies_preferences".
func HideDecision(h http.Header, name string) {
	name = cmp.Or(name, consent.CookieName)
	var kept []string
	for _, header := range h["Cookie"] {
		var rest strings.Builder
		for pair := range strings.SplitSeq(header, ";") {
			if cookieName(pair) == name {
				continue
			}
			if rest.Len() == 0 {
				pair = strings.TrimLeft(pair, " ")
			} else {
				rest.WriteByte(';')
			}
			rest.WriteString(pair)
		}
		if rest.Len() > 0 {
			kept = append(kept, rest.String())
		}
	}
	if len(kept) == 0 {
		h.Del("Cookie")
	} else {
		h["Cookie"] = kept
	}
}

// KeepDecision takes out of the headers of an answer what would overwrite the visitor's
// decision. The name is as in [HideDecision].
func KeepDecision(h http.Header, name string) {
	name = cmp.Or(name, consent.CookieName)
	lines := h["Set-Cookie"]
	for i, line := range lines {
		if cookieName(line) != name {
			continue
		}
		kept := lines[:i:i]
		for _, line := range lines[i+1:] {
			if cookieName(line) != name {
				kept = append(kept, line)
			}
		}
		h["Set-Cookie"] = kept
		return
	}
}

// cookieName reads the name that begins a pair or a Set-Cookie line.
func cookieName(pair string) string {
	pair, _, _ = strings.Cut(pair, ";")
	name, _, _ := strings.Cut(pair, "=")
	return strings.Trim(name, " \t")
}
