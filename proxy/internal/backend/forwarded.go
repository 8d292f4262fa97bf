package backend

import (
	"net/http"
	"net/http/httputil"
	"net/netip"
	"strings"

	"github.com/cookiecharter/consent/proxy/internal/trust"
)

// setForwarded tells the site who asks for what, as X-Forwarded-* and as
// Forwarded (RFC 7239). What a visitor claims about that is left out; what a
// trusted balancer says is passed on and goes on in the form that it uses.
func setForwarded(r *httputil.ProxyRequest, trusted trust.Hops) {
	peer, _ := netip.ParseAddrPort(r.In.RemoteAddr)
	from := trust.Address(peer)
	believed := trusted.Include(r.In.RemoteAddr)
	for key, values := range r.In.Header {
		if !IsForwarding(key) {
			continue
		}
		if believed {
			r.Out.Header[key] = values
		} else {
			delete(r.Out.Header, key)
		}
	}
	in := r.In.Header
	host, proto := in.Get("X-Forwarded-Host"), in.Get("X-Forwarded-Proto")
	if !believed || host == "" {
		host = r.In.Host
	}
	if !believed || proto == "" {
		proto = "http"
	}
	if !believed || len(in["X-Forwarded-For"]) > 0 || len(in["Forwarded"]) == 0 {
		r.SetXForwarded() // appends to what is there
		r.Out.Header.Set("X-Forwarded-Host", host)
		r.Out.Header.Set("X-Forwarded-Proto", proto)
	}
	if !believed || len(in["Forwarded"]) > 0 || len(in["X-Forwarded-For"]) == 0 {
		node := from.String()
		if from.Is6() {
			node = `"[` + node + `]"`
		}
		hop := "for=" + node + `;host="` + quoted.Replace(host) + `";proto="` + quoted.Replace(proto) + `"`
		r.Out.Header.Set("Forwarded", strings.Join(append(r.Out.Header["Forwarded"], hop), ", "))
	}
}

// quoted is for quoted strings (RFC 9110 section 5.6.4).
var quoted = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// IsForwarding reports whether a header speaks of the visitor in the visitor's
// place. Sites that take headers for variables do not tell "_" from "-".
func IsForwarding(key string) bool {
	key = http.CanonicalHeaderKey(strings.ReplaceAll(key, "_", "-"))
	return key == "Forwarded" || key == "X-Real-Ip" || strings.HasPrefix(key, "X-Forwarded")
}
