package config

import (
	"bytes"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/ledger"
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
	if s.Consent.Registry != nil && len(s.Consent.Keys) > 0 { // else what is missing has been said
		r.ofSite(site.Check(*s))
		r.placeCategories()
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

// leastRetention is that of [ledger.Config].
const leastRetention = 210 * 24 * time.Hour

func (r *reading) ledger() {
	given, to := r.settings.Ledger, &r.settings.Site.Ledger
	address, field := given.URL, "ledger.url"
	if given.Env != "" {
		field = "ledger.env"
	}
	switch {
	case given.Env != "" && given.URL != "":
		r.wrong("ledger.env", "names an address, and so does \"url\"; one of them is enough")
	case given.Env != "":
		if address = os.Getenv(given.Env); address == "" {
			r.wrong("ledger.env", "the environment variable %s is empty", given.Env)
		}
	}
	if given.Env == "" && address == "" && given != (Ledger{}) {
		r.wrong("ledger.url", "is missing")
	}
	switch u, err := url.Parse(address); {
	case address == "":
	case err != nil || u.Scheme == "":
		address = r.path(address) // the path of a file
	case u.Host != "" && !slices.Contains([]string{"postgres", "postgresql", "sqlite"}, u.Scheme):
		r.wrong(field, "%q is no kind of database that is known here; sqlite and postgres are", u.Scheme)
	}
	to.URL, to.Spool = address, r.path(given.Spool)
	to.Retention, to.Wait = given.Retention, given.Wait
	if given.Controller != "" {
		to.Issuer = r.issuer(r.path(given.Controller))
	}
	switch lifetime := r.settings.Decision.Lifetime; {
	case given.Retention > 0 && given.Retention < leastRetention:
		r.wrong("ledger.retention", "is less than 210 days: a consent has to be proven for as long as it stands")
	case given.Retention > 0 && given.Retention <= lifetime:
		r.wrong("ledger.retention", "is not longer than \"decision.lifetime\": a consent has to be proven for as long as it stands")
	}
}

// issuer reads who answers for the records.
func (r *reading) issuer(path string) *ledger.Issuer {
	content, err := readBounded(path)
	if err != nil {
		r.wrong("ledger.controller", "%s %s", path, reasonOf(err))
		return nil
	}
	issuer, err := ledger.ReadIssuer(bytes.NewReader(content))
	if err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			r.wrong("ledger.controller", "%s: %s", path, strings.TrimPrefix(line, "ledger: "))
		}
		return nil
	}
	return &issuer
}
