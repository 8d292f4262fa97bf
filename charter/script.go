package charter

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/internal/decision"
	"github.com/cookiecharter/consent/internal/pattern"
)

// The script is a function of the declarations. One with storage.js in it is for sites
// that declare storage: others do without its 400 bytes, compressed.
var (
	//go:embed script.min.js
	plainScript string

	//go:embed script-storage.min.js
	storageScript string
)

// Script returns the tag of an optional script, for the head of a page. It is empty
// if [consent.Config.HttpOnly] hides the decision from scripts. The script
//
//   - saves the decision of a banner or a placeholder without a reload of the page, and
//     opens the settings over it;
//   - activates gated content, see below, once it is allowed;
//   - looks again whenever the decision may have changed, be it in another tab: an
//     answered banner goes, and a page on which something may be active that is now
//     refused is loaded again;
//   - dispatches a "consent" event on document, at the beginning and after each change.
//     Its detail is the state, see below, and before, the state until then;
//   - shows the banner on a page without one, such as a page from a cache, if the
//     visitor has not decided;
//   - deletes what the visitor has refused of what is declared as [consent.LocalStorage],
//     [consent.SessionStorage], [consent.IndexedDB] or [consent.CacheStorage], on each
//     page and after each decision. What the visitor has not answered for, and what
//     nobody declared, stays.
//
// Gated content stands in one of two elements:
//
//	<template data-consent="statistics">…</template>
//	<script type="text/plain" data-consent="statistics">…</script>
//
// It waits for all providers of the category, or for the one that data-provider
// names. A script gets its src and type from data-src and data-type. It may have
// data-category and data-service, as for vanilla-cookieconsent, in place of
// data-consent and data-provider. A template with data-provider and data-title gets a
// placeholder: see [Charter.Placeholder]. If the server writes a value into gated code, take
// the template: html/template takes a script of the type text/plain for text, and writes the
// value without quotes, as code.
//
// A page's own code finds the state in window.consent, which script.d.ts next to this
// file describes: consent.state, consent.open() for the settings, consent.scan() and
// consent.subscribe(listener).
//
// The script leaves it to the browser to drop a decision at the end of its
// [consent.Config.Lifetime], since the visitor's clock may be wrong. A site that
// shortens the lifetime raises [consent.Config.Revision] too.
//
// Under a law that presumes consents, [Charter.Banner] tells the script which. A page
// without a banner asks the server.
func (c *Charter) Script(r *http.Request) template.HTML {
	if c.mw.Cookie().HttpOnly {
		return ""
	}
	tag := template.HTML(`<script src="`+template.HTMLEscapeString(c.public+c.script.name)+`" defer`) + nonceAttribute(c.nonceOf(r))
	if r != nil {
		if all, known := policies(r); known && !slices.ContainsFunc(all, func(policy string) bool { return !allowsFetch(policy) }) {
			tag += ` data-fetch` // it then learns what becomes of a post
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			tag += ` data-post` // to load the page again would post again
		}
	}
	return tag + "></script>"
}

// wholeScript serves the script for pages that are the same for everybody, with the banner
// of this visitor, so that it takes one request after the page, and not two in a row.
func (c *Charter) wholeScript(w http.ResponseWriter, r *http.Request) {
	if c.shownTo(r) == nothing || !fromOwnPage(r) {
		w.Header().Add("Vary", varies+", Sec-Fetch-Site")
		c.script.serve(w, r, "private, no-cache")
		return
	}
	part, err := json.Marshal(drawn{c.bannerFor(r, ""), cmp.Or(c.inline.css, string(c.style.content))})
	if err != nil { // cannot happen for strings
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	// The declarations are the last argument of the script, an object that is not empty.
	script, _ := bytes.CutSuffix(c.script.content, []byte("})"))
	w.Header().Set("Cross-Origin-Resource-Policy", "same-origin")
	caching := noStore
	if c.asksAgain(r) {
		w.Header().Add("Vary", "Sec-Fetch-Site")
		caching = "private, max-age=300"
	}
	sendCached(w, http.StatusOK, caching, c.script.contentType, fmt.Appendf(slices.Clip(script), `,"part":%s})`, part))
}

// asksAgain reports whether the browser may ask by the banner that it has, so that the next
// pages of a visitor who has not answered show it without a request. An answer changes
// the cookie, and so ends it (RFC 9111 section 4.1). A browser may keep scripts in memory
// too, and compare no cookies there: the banner is older than the answer then, which the
// script sees if the cookie is not hidden from it. What no browser compares must not matter: a
// law that presumes something, of a country that the visitor has left; an account; a language
// that the site finds out.
func (c *Charter) asksAgain(r *http.Request) bool {
	prefs := consent.FromContext(r.Context())
	return prefs.ShouldAsk() && prefs.Regime() == consent.OptIn && !c.mw.Cookie().HttpOnly && c.account == nil && c.languageOf == nil
}

// makeScript returns the script, called with the declarations. It is the same for
// every visitor: the decision is in the visitor's cookie.
func (c *Charter) makeScript() ([]byte, error) {
	type category struct {
		Providers map[string]decision.Mark `json:"providers"`
		Anonymous bool                     `json:"anonymous,omitempty"`
		From      uint8                    `json:"from"` // the least regime that presumes the category
	}
	categories := make(map[consent.Category]*category)
	for _, cookie := range c.cookies {
		if cookie.Category == consent.Necessary {
			continue
		}
		of := categories[cookie.Category]
		if of == nil {
			of = &category{Providers: make(map[string]decision.Mark), From: uint8(c.presumed.from(cookie.Category))}
			categories[cookie.Category] = of
		}
		of.Anonymous = of.Anonymous || cookie.Anonymous
		if cookie.NeedsConsent() {
			of.Providers[cookie.Provider] = scriptMark(cookie)
		}
	}
	cookie, function := c.mw.Cookie(), plainScript
	data := map[string]any{
		"path": c.public, "regimes": regimes, "cookie": cookie.Name, "former": c.mw.FormerCookieName(), "framed": cookie.SameSite == http.SameSiteNoneMode, "revision": c.mw.Revision(), "categories": categories,
	}
	if c.hasStorage() {
		data["stored"] = c.stored()
		function = storageScript
	}
	declared, err := json.Marshal(data)
	if err != nil {
		return nil, err
	}
	// Unlike in JSON, the key "__proto__" of an object literal sets the prototype.
	declared = bytes.ReplaceAll(declared, []byte(`"__proto__":`), []byte(`["__proto__"]:`))
	return []byte(function + "(" + string(declared) + ")"), nil
}

// regimes are numbered as package consent does.
var regimes = []consent.Regime{consent.OptIn, consent.UK, consent.OptOut, consent.NoRegime}

// scriptMark returns the mark of a cookie's provider as the script reads it, without
// the two bits that are free for the answer.
func scriptMark(c consent.Cookie) decision.Mark {
	return decision.MarkOf(string(c.Category), c.Provider) >> 2
}

// storages are the kinds that the script can delete, in the order of storage.js.
var storages = []consent.Kind{consent.LocalStorage, consent.SessionStorage, consent.IndexedDB, consent.CacheStorage}

// hasStorage reports whether the script may have to delete something.
func (c *Charter) hasStorage() bool {
	return slices.ContainsFunc(c.cookies, func(cookie consent.Cookie) bool {
		return cookie.Category != consent.Necessary && slices.Contains(storages, cookie.Kind)
	})
}

// stored returns for each of the storages what is declared there, as storage.js reads it:
// the mark of whoever needs consent, null for anonymous statistics.
func (c *Charter) stored() [][][]any {
	all := make([][][]any, len(storages))
	for i, kind := range storages {
		all[i] = c.rules(kind, func(cookie consent.Cookie) any {
			switch {
			case cookie.NeedsConsent():
				return scriptMark(cookie)
			case cookie.Category != consent.Necessary:
				return json.RawMessage("null")
			default:
				return nil
			}
		})
	}
	return all
}

// rules returns what is declared of a kind, in the order of precedence: each name, and
// what else of each declaration of it; nil is left out. What is necessary is among it,
// since it may take precedence over a pattern. If several declare one name, the strictest
// decides, as in internal/policy.
func (c *Charter) rules(kind consent.Kind, of func(consent.Cookie) any) [][]any {
	rules := [][]any{} // nil would be null in JSON, which has no method some
	for _, cookie := range c.cookies {
		if cookie.Kind != kind {
			continue
		}
		at := slices.IndexFunc(rules, func(rule []any) bool { return rule[0] == cookie.Name })
		if at < 0 {
			at = len(rules)
			rules = append(rules, []any{cookie.Name})
		}
		if what := of(cookie); what != nil {
			rules[at] = append(rules[at], what)
		}
	}
	slices.SortStableFunc(rules, func(a, b []any) int { return pattern.Compare(a[0].(string), b[0].(string)) })
	return rules
}
