package inventory

import (
	"net/url"
	"strings"

	"github.com/cookiecharter/consent"
)

// wellKnownHosts are those that pages contact for well-known services, each with a cookie of
// the same service, whose name says who the provider is and what it is for. A host stands for
// those below it, too.
var wellKnownHosts = map[string]string{
	"analytics.google.com":  "_ga",
	"google-analytics.com":  "_ga",
	"googletagmanager.com":  "_ga",
	"doubleclick.net":       "IDE",
	"googleadservices.com":  "_gcl_au",
	"googlesyndication.com": "__gads",
	"youtube.com":           "VISITOR_INFO1_LIVE",
	"youtube-nocookie.com":  "VISITOR_INFO1_LIVE",
	"vimeo.com":             "vuid",
	"connect.facebook.net":  "_fbp",
	"bat.bing.com":          "_uetvid",
	"clarity.ms":            "_clck",
	"analytics.tiktok.com":  "_ttp",
}

// hostKnowledge returns what is known of a host, which may have a port; nil for nothing.
func hostKnowledge(host string) *knowledge {
	at := strings.ToLower((&url.URL{Host: host}).Hostname())
	for at != "" {
		if f := recall(wellKnownHosts[at]); f != nil {
			return &knowledge{Name: at, Provider: f.provider, Service: f.service, Category: f.category, Purpose: f.purpose}
		}
		_, at, _ = strings.Cut(at, ".")
	}
	return nil
}

// isHost reports whether it is a host that was contacted, and nothing that was stored.
func (f *finding) isHost() bool { return consent.Kind(f.Kind) == consent.Other && f.Origins != nil }
