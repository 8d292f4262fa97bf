package config

import (
	"cmp"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/proxy/internal/yamldoc"
	"github.com/cookiecharter/consent/proxy/site"
)

// site makes the settings of the middleware, the charter and the ledger, and has them
// checked as a whole.
func (r *reading) site() {
	f, s := &r.settings.File, &r.settings.Site
	s.Consent.AllowUndeclared, s.Consent.ReportOnly = f.AllowUndeclared, f.ReportOnly
	s.Consent.ExpireUndecided, s.Consent.Insecure = f.ExpireUndecided, f.Insecure
	s.Consent.Lifetime, s.Consent.Revision = f.Decision.Lifetime, f.Decision.Revision
	s.Consent.CookieName, s.Consent.FormerCookieName = f.Decision.CookieName, f.Decision.FormerCookieName
	s.Consent.CookiePath, s.Consent.Domain = f.Decision.CookiePath, f.Decision.Domain
	s.LanguageCookie = f.Charter.LanguageCookie
	s.Charter = r.charter()
	r.regimes()
	r.ledger()
	r.tls()
	r.log()
	if s.Consent.Registry != nil && len(s.Consent.Keys) > 0 { // else what is missing has been said
		r.ofSite(site.Check(*s))
	}
}

func (r *reading) charter() charter.Config {
	given := r.settings.Charter
	c := charter.Config{
		Path: given.Path, Prefix: given.Prefix, Name: given.Name, PolicyURL: given.PolicyURL,
		Layout: given.Layout, Button: given.Button, Categories: given.Categories,
		Updated: r.day("charter.updated", given.Updated), GPCSince: r.day("charter.gpcSince", given.GPCSince),
	}
	if given.Language != "" {
		tag, err := language.Parse(given.Language)
		if err != nil {
			r.wrong("charter.language", "%q is no language tag such as \"fr\" or \"pt-BR\"", given.Language)
		}
		c.Language = tag
	}
	if given.Languages != "" {
		c.Languages = os.DirFS(r.path(given.Languages))
	}
	if given.Style != "" {
		style, err := readBounded(r.path(given.Style))
		if err != nil {
			r.wrong("charter.style", "%s %s", r.path(given.Style), reasonOf(err))
		}
		c.Style = style
	}
	for i, name := range given.Signals {
		signal, known := signals[name]
		if !known {
			r.wrong(yamldoc.Index("charter.signals", i), "%q is none of %s", name, names(signals))
			continue
		}
		c.Signals = append(c.Signals, signal())
	}
	guard, known := guards[given.Guard]
	if !known {
		r.wrong("charter.guard", "%q is neither \"declared\" nor \"all\"", given.Guard)
	}
	c.Guard = guard
	return c
}

var signals = map[string]func() charter.Signal{
	"google": charter.Google, "microsoft": charter.Microsoft, "clarity": charter.Clarity, "meta": charter.Meta,
	"tiktok": charter.TikTok, "matomo": charter.Matomo, "matomo-cookies": charter.MatomoCookies,
	"piano": charter.Piano, "posthog": charter.PostHog, "adobe": charter.Adobe,
}

var guards = map[string]charter.Guard{"": charter.GuardOff, "declared": charter.GuardDeclared, "all": charter.GuardAll}

func names[V any](of map[string]V) string {
	all := make([]string, 0, len(of))
	for name := range of {
		all = append(all, name)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// day reads a day; "" is none.
func (r *reading) day(path, text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		r.wrong(path, "%q is no day such as 2026-11-26", text)
	}
	return day
}

func (r *reading) regimes() {
	given, to := r.settings.Regimes, &r.settings.Site.Regimes
	to.Header, to.ByValue, to.Default = given.Header, given.Values, given.Default
	trusted := r.settings.Backend.Trusted
	to.Trusted = func(request *http.Request) bool { return trusted.Include(request.RemoteAddr) }
	if given.Header != "" && len(r.settings.Trusted) == 0 {
		r.wrong("regimes.header", "counts only from a machine in \"trusted\", and there is none: anybody else can write it too")
	}
	if given.Header == "" && len(given.Values) > 0 {
		r.wrong("regimes.values", "are those of a header, and \"header\" is missing")
		to.ByValue = nil
	}
}

func (r *reading) ledger() {
	given, to := r.settings.Ledger, &r.settings.Site.Ledger
	address := given.URL
	if given.Env != "" {
		if given.URL != "" {
			r.wrong("ledger.env", "names an address, and so does \"url\"; one of them is enough")
		}
		if address = os.Getenv(given.Env); address == "" {
			r.wrong("ledger.env", "the environment variable %s is empty", given.Env)
		}
	}
	if address == "" && (given.Spool != "" || given.Keys != (Keys{})) {
		r.wrong("ledger.url", "is missing")
	}
	if u, err := url.Parse(address); address != "" && (err != nil || u.Scheme == "") {
		address = r.path(address) // the path of a file
	}
	to.URL, to.Spool = address, r.path(given.Spool)
}

func (r *reading) tls() {
	given := r.settings.TLS
	files := given.Certificate != "" || given.Key != ""
	switch {
	case files && len(given.ACME.Hosts) > 0:
		r.wrong("tls.acme", "asks for certificates, and \"certificate\" names one; take one of the two")
	case files:
		if _, err := tls.LoadX509KeyPair(r.path(given.Certificate), r.path(given.Key)); err != nil {
			r.wrong("tls", "%v", err)
		}
	case len(given.ACME.Hosts) > 0 && given.ACME.Cache == "":
		r.wrong("tls.acme.cache", "is missing; without it each start asks for new certificates, and the authority soon refuses")
	case len(given.ACME.Hosts) == 0 && given.ACME.Email+given.ACME.Directory+given.ACME.Cache != "":
		r.wrong("tls.acme.hosts", "is missing")
	}
	for i, host := range given.ACME.Hosts {
		if !isHost(host) {
			r.wrong(yamldoc.Index("tls.acme.hosts", i), "%q is no host name such as \"www.example.org\"", host)
		}
	}
	r.settings.TLS.Certificate, r.settings.TLS.Key = r.path(given.Certificate), r.path(given.Key)
	r.settings.TLS.ACME.Cache = r.path(given.ACME.Cache)
}

func (r *reading) log() {
	l := &r.settings.Log
	l.Format, l.Addresses = cmp.Or(l.Format, "text"), cmp.Or(l.Addresses, "cut")
	if !slices.Contains([]string{"text", "json"}, l.Format) {
		r.wrong("log.format", "%q is neither \"text\" nor \"json\"", l.Format)
	}
	if !slices.Contains([]string{"cut", "full", "none"}, l.Addresses) {
		r.wrong("log.addresses", "%q is none of cut, full, none", l.Addresses)
	}
}

// address checks an address to listen on.
func (r *reading) address(path, address string) {
	_, port, err := net.SplitHostPort(address)
	if n, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || n > 65535 {
		r.wrong(path, "%q is no address such as \":8080\" or \"localhost:8080\"", address)
	}
}

func isHost(name string) bool {
	return len(name) <= 253 && !strings.ContainsFunc(name, func(r rune) bool {
		return r != '-' && r != '.' && r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
}
