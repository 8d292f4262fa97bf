package browse

import (
	"context"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cookiecharter/consent/internal/hosts"
	"golang.org/x/net/publicsuffix"
)

// A Site tells its own hosts from those of others. It is safe for concurrent use.
type Site struct {
	domain string
	lookup func(ctx context.Context, host string) (string, error)

	mu      sync.Mutex
	aliases map[string]string
}

// NewSite returns the site of host. lookup follows CNAME records to the last name, as
// [net.Resolver.LookupCNAME] does; nil asks nobody.
func NewSite(host string, lookup func(ctx context.Context, host string) (string, error)) *Site {
	return &Site{domain: domain(host), lookup: lookup, aliases: make(map[string]string)}
}

// Third says whether host, with or without a port, is of another registrable domain than
// the site. If it is not, cloaked is the host that a CNAME record leads to, if that one is.
func (s *Site) Third(host string) (third bool, cloaked string) {
	name := hosts.Name(host)
	if domain(name) != s.domain {
		return true, ""
	}
	if cloaked = s.alias(name); cloaked == "" || domain(cloaked) == s.domain {
		return false, ""
	}
	return true, cloaked
}

// alias asks once for each host. A host that has no answer in time has no alias.
func (s *Site) alias(name string) string {
	if s.lookup == nil || net.ParseIP(name) != nil || name == s.domain || hosts.IsLoopback(name) {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.aliases[name]
	if ok {
		return known
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	found, err := s.lookup(ctx, name)
	if err != nil {
		found = ""
	}
	found = strings.ToLower(strings.TrimSuffix(found, "."))
	s.aliases[name] = found
	return found
}

// domain returns the registrable domain of host, or host itself if it has none, as an
// address and "localhost" have not.
func domain(host string) string {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if net.ParseIP(host) != nil {
		return host
	}
	if found, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return found
	}
	return host
}

// An address is what is kept of a URL: its query may hold anything about a visitor.
type address struct {
	host   string // with its port, if it has one; empty: no host is asked
	origin string
	path   string
	whole  string // without query and fragment
}

// schemes are those for which a host is asked.
var schemes = []string{"http", "https", "ws", "wss"}

func parse(raw string) address {
	u, err := url.Parse(raw)
	if err != nil || !slices.Contains(schemes, u.Scheme) {
		return address{whole: short(strings.SplitN(raw, ":", 2)[0] + ":")}
	}
	u.RawQuery, u.Fragment, u.User = "", "", nil
	a := address{host: strings.ToLower(u.Host), origin: u.Scheme + "://" + u.Host, path: short(u.EscapedPath()), whole: short(u.String())}
	if a.path == "" {
		a.path = "/"
	}
	return a
}

// short bounds what a site may make as long as it likes.
func short(s string) string {
	const most = 512
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
