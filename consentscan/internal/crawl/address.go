package crawl

import (
	"net/url"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// isRelated reports whether an address may be the site's own.
func (c *Crawl) isRelated(u *url.URL) bool {
	start, other := strings.ToLower(c.o.Start.Hostname()), strings.ToLower(u.Hostname())
	if start == other {
		return true
	}
	a, errA := publicsuffix.EffectiveTLDPlusOne(start)
	b, errB := publicsuffix.EffectiveTLDPlusOne(other)
	return errA == nil && errB == nil && a == b
}

// canonical returns an address of the site as it is looked at. It returns false for one of
// another site.
func (c *Crawl) canonical(u *url.URL) (*url.URL, bool) {
	if !c.hosts[hostOf(u)] && !(strings.EqualFold(u.Hostname(), c.origin.Hostname()) && hasDefaultPort(u) && hasDefaultPort(c.origin)) {
		return nil, false
	}
	own := *u
	own.Scheme, own.User, own.Host = c.origin.Scheme, c.origin.User, c.origin.Host
	own.Fragment, own.RawFragment = "", ""
	own.ForceQuery = false
	if own.Path == "" {
		own.Path = "/"
	}
	return &own, true
}

// keyOf tells addresses apart that are looked at.
func keyOf(u *url.URL) string { return u.RequestURI() }

// hostOf returns the host in lower case, with its port if that is not the default.
func hostOf(u *url.URL) string {
	if hasDefaultPort(u) {
		return strings.ToLower(u.Hostname())
	}
	return strings.ToLower(u.Host)
}

func hasDefaultPort(u *url.URL) bool {
	port := u.Port()
	return port == "" || u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443"
}
