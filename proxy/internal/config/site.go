package config

import (
	"net/http"
	"net/url"
	"os"
	"slices"
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
	r.ofSite(site.Check(*s))
	r.placeCategories()
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
		signal, err := site.SignalNamed(name)
		if err != nil {
			r.wrongAll(yamldoc.Index("charter.signals", i), err)
			continue
		}
		c.Signals = append(c.Signals, signal)
	}
	guard, err := site.GuardNamed(given.Guard)
	r.wrongAll("charter.guard", err)
	c.Guard = guard
	return c
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
		issuer, err := site.ReadIssuer(r.path(given.Controller))
		r.wrongAll("ledger.controller", err)
		to.Issuer = issuer
	}
}
