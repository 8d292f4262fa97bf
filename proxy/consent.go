package main

import (
	"log/slog"
	"net/http"
	"strings"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

// charterPath is where the proxy itself answers. All else is the site's.
const charterPath = "/cookies/"

// withConsent puts the middleware and the charter in front of a site.
func withConsent(site http.Handler, keys [][]byte, o options, logger *slog.Logger) (http.Handler, error) {
	mw, err := consent.NewMiddleware(consent.Config{
		Registry:   cookies,
		Keys:       keys,
		ReportOnly: o.reportOnly,
		Insecure:   o.insecure,
		Observe:    consent.LogTo(logger, 0),
		Recorder:   o.books,
	})
	if err != nil {
		return nil, err
	}
	c, err := charter.New(charter.Config{Middleware: mw, Path: charterPath, LanguageOf: siteLanguage})
	if err != nil {
		return nil, err
	}
	return mw.Wrap(c.Wrap(site)), nil
}

// siteLanguage is the language that a visitor has chosen on the site, which the
// banner and the charter then speak too.
func siteLanguage(r *http.Request) language.Tag {
	chosen, err := r.Cookie("django_language")
	if err != nil {
		return language.Und
	}
	tag, _ := language.Parse(chosen.Value) // no language is language.Und
	return tag
}

// The decision is between the visitor and the proxy. A site may have a cookie
// of the same name: it gets to see the visitor's no more than the visitor its.

// hideDecision takes the decision out of a request, and leaves the rest of the
// Cookie headers byte for byte.
func hideDecision(h http.Header) {
	var kept []string
	for _, header := range h["Cookie"] {
		var rest strings.Builder
		for pair := range strings.SplitSeq(header, ";") {
			if cookieName(pair) == consent.CookieName {
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

// keepDecision takes out of an answer what would overwrite the decision.
func keepDecision(h http.Header) {
	lines := h["Set-Cookie"]
	for i, line := range lines {
		if cookieName(line) != consent.CookieName {
			continue
		}
		kept := lines[:i:i]
		for _, line := range lines[i+1:] {
			if cookieName(line) != consent.CookieName {
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
