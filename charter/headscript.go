package charter

import (
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/cookiecharter/consent"
)

// The script is a function. Those with guard.js and guard-storage.js in them are for sites
// that want that: it takes 500 bytes, compressed, and 350 more.
var (
	//go:embed head.min.js
	headFunction string

	//go:embed head-guard.min.js
	guardFunction string

	//go:embed head-storage.min.js
	guardStorageFunction string
)

// A headScript is the script that tells tags of others what the visitor has decided. It is
// the same in pages and in files, and for every visitor but for the law.
type headScript struct {
	asset                         // under opt-in; without content if there is nobody to tell
	function   string             // all but the law
	usual      string             // the law of the asset
	hash       string             // as a source of a Content-Security-Policy
	standsIn   bool               // it may stand in a page: the page would not end it
	categories []consent.Category // those of which the law is told, in this order
	hasExempt  bool               // something is allowed without an answer under every law
}

// newHeadScript returns the script that the config asks for.
func (c *Charter) newHeadScript(config Config) (headScript, error) {
	h := headMaker{c: c}
	signals, err := h.signals(config.Signals)
	guard, errGuard := h.guard(config)
	if err := errors.Join(err, errGuard); err != nil {
		return headScript{}, err
	}
	if len(config.Signals) == 0 && config.Guard == GuardOff {
		return headScript{}, nil
	}
	function := headFunction
	switch {
	case config.Guard == GuardAll, config.Guard == GuardDeclared && c.hasStorage():
		function, signals = guardStorageFunction, signals+","+guard
	case config.Guard == GuardDeclared:
		function, signals = guardFunction, signals+","+guard
	}
	cookies := valuesOf(c.mw.Cookie().Name)
	if former := c.mw.FormerCookieName(); former != "" {
		cookies += "," + valuesOf(former)
	}
	made := headScript{function: fmt.Sprintf("%s([%s],%d,%s,", function, cookies, c.mw.Revision(), signals), categories: h.categories, hasExempt: h.hasExempt}
	lower := strings.ToLower(made.function)
	made.standsIn = !strings.Contains(lower, "</script") && !strings.Contains(lower, "<!--")
	made.usual = made.law(consent.Preferences{}, &c.presumed)
	made.asset = made.under(made.usual)
	made.hash = sourceOf(string(made.content))
	return made, nil
}

// valuesOf returns the pattern of JavaScript that finds the values of a cookie.
func valuesOf(name string) string { return "/(?:^| )" + regexp.QuoteMeta(name) + "=([^;]*)/g" }

// under returns the script for visitors under a law.
func (h *headScript) under(law string) asset {
	return newAsset("head", ".js", "text/javascript; charset=utf-8", fmt.Appendf(nil, "%s%q)", h.function, law))
}

// ScriptHash returns the source that a site without nonces adds to the script-src of its
// Content-Security-Policy, such as 'sha256-…', so that its pages may hold the script that
// [Charter.Head] writes into them. It is empty if there is none.
func (c *Charter) ScriptHash() string { return c.head.hash }

// headScript returns the script of the head: in the page itself if that is allowed there,
// so that it waits for nothing, else as a file that the page waits for.
func (c *Charter) headScript(r *http.Request) template.HTML {
	if len(c.head.content) == 0 {
		return ""
	}
	nonce := c.nonceOf(r)
	script, hash, query := c.head.asset, c.head.hash, ""
	if law := c.head.law(consent.FromContext(r.Context()), &c.presumed); law != c.head.usual {
		script, hash, query = c.head.under(law), "", "?law="+law
	}
	all, _ := policies(r)
	if !c.head.standsIn || slices.ContainsFunc(all, func(policy string) bool { return !allowsScript(policy, nonce, hash) }) {
		return template.HTML(`<script src="`+template.HTMLEscapeString(c.public+c.head.name+query)+`"`) + nonceAttribute(nonce) + "></script>"
	}
	return "<script" + nonceAttribute(nonce) + ">" + template.HTML(script.content) + "</script>"
}

// law returns what the visitor's law says of each of the script's categories, as head.js
// reads it; "" if nothing is allowed without an answer.
func (h *headScript) law(prefs consent.Preferences, p *presumed) string {
	digits := make([]byte, len(h.categories))
	for i, category := range h.categories {
		switch {
		case prefs.Presumed(category):
			digits[i] = '4'
		case prefs.Regime() >= p.from(category):
			digits[i] = '2'
		default:
			digits[i] = '0'
		}
	}
	if h.hasExempt {
		digits = append(digits, '4') // of no category: there is something to tell
	}
	if strings.Trim(string(digits), "0") == "" {
		return ""
	}
	return string(digits)
}

// serveHeadFile serves the script by a name that changes with it, under any law.
func (c *Charter) serveHeadFile(w http.ResponseWriter, r *http.Request) {
	script := c.head.asset
	if law := r.URL.Query().Get("law"); len(law) <= len(c.head.categories)+1 && strings.Trim(law, "024") == "" {
		script = c.head.under(law)
	}
	script.ServeHTTP(w, r)
}

// serveOwnHead serves the script under a fixed name, for pages that are the same for
// everybody. If a law presumes something, it is the visitor's own.
func (c *Charter) serveOwnHead(w http.ResponseWriter, r *http.Request) {
	prefs := consent.FromContext(r.Context())
	if prefs.Regime() == consent.OptIn {
		c.head.serve(w, r, "public, max-age=3600")
		return
	}
	w.Header().Add("Vary", varies)
	c.head.under(c.head.law(prefs, &c.presumed)).serve(w, r, "private, no-cache")
}
