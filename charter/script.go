package charter

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/internal/decision"
)

//go:embed script.js
var scriptSource string

//go:embed storage.js
var storageSource string

// Script returns the tag of an optional script, for the head of a page. It is empty
// if [consent.Config.HttpOnly] hides the decision from scripts. The script
//
//   - saves the decision of a banner or a placeholder without a reload of the page;
//   - activates gated content, see below, once it is allowed;
//   - dispatches a "consent" event on document, at the beginning and after each
//     decision. Its detail holds decided, a bool, and allowed, the allowed
//     providers of each category;
//   - loads the banner on a page without one, such as a page from a cache, if the
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
// data-consent and data-provider.
//
// The script leaves it to the browser to drop a decision at the end of its
// [consent.Config.Lifetime], since the visitor's clock may be wrong. A site that
// shortens the lifetime raises [consent.Config.Revision] too.
//
// Under a law that presumes consents, [Charter.Banner] tells the script which. A page
// without a banner asks the server.
func (c *Charter) Script(_ *http.Request) template.HTML {
	if c.mw.Cookie().HttpOnly {
		return ""
	}
	return template.HTML(`<script src="` + template.HTMLEscapeString(c.path+c.script.name) + `" defer></script>`)
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
	cookie, source := c.mw.Cookie(), scriptSource
	data := map[string]any{
		"path": c.path, "cookie": cookie.Name, "former": c.mw.FormerCookieName(), "framed": cookie.SameSite == http.SameSiteNoneMode, "revision": c.mw.Revision(), "categories": categories,
	}
	if c.hasStorage() {
		data["stored"] = c.stored()
		source = storageSource + source // other sites do without its 470 bytes, compressed
	}
	declared, err := json.Marshal(data)
	if err != nil {
		return nil, err
	}
	// Unlike in JSON, the key "__proto__" of an object literal sets the prototype.
	declared = bytes.ReplaceAll(declared, []byte(`"__proto__":`), []byte(`["__proto__"]:`))
	return []byte("(C => {" + withoutComments(source) + "})(" + string(declared) + ")"), nil
}

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

// stored returns for each of the storages what is declared there, as storage.js reads
// it. What is necessary is among it, since it may take precedence over a pattern. If
// several declare one name, each has a mark: the strictest decides, as in
// internal/policy.
func (c *Charter) stored() [][][]any {
	all := make([][][]any, len(storages))
	for i, kind := range storages {
		all[i] = [][]any{} // nil would be null in JSON, which has no method some
		for _, cookie := range c.cookies {
			if cookie.Kind != kind {
				continue
			}
			at := slices.IndexFunc(all[i], func(rule []any) bool { return rule[0] == cookie.Name })
			if at < 0 {
				at = len(all[i])
				all[i] = append(all[i], []any{cookie.Name})
			}
			if cookie.NeedsConsent() {
				all[i][at] = append(all[i][at], scriptMark(cookie))
			} else if cookie.Category != consent.Necessary {
				all[i][at] = append(all[i][at], nil)
			}
		}
		slices.SortStableFunc(all[i], func(a, b []any) int { return moreSpecific(a[0].(string), b[0].(string)) })
	}
	return all
}

// moreSpecific orders names by the precedence of [consent.Registry.Lookup]: names, then
// the patterns with the most bytes, then those with the most of them before the '*'.
func moreSpecific(a, b string) int {
	beforeA, _, wildA := strings.Cut(a, "*")
	beforeB, _, wildB := strings.Cut(b, "*")
	switch {
	case wildA && wildB:
		return cmp.Or(len(b)-len(a), len(beforeB)-len(beforeA))
	case wildA:
		return 1
	case wildB:
		return -1
	default:
		return 0
	}
}

// withoutComments removes indentation, empty lines and lines that are comments.
func withoutComments(source string) string {
	var b strings.Builder
	for line := range strings.Lines(source) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}
