package charter

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"html/template"
	"net/http"
	"strings"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/internal/decision"
)

//go:embed script.js
var scriptSource string

// Script returns the tag of an optional script, for the head of a page. It is empty
// if [consent.Config.HttpOnly] hides the decision from scripts. The script
//
//   - saves the decision of a banner or a placeholder without a reload of the page;
//   - activates gated content, see below, once it is allowed;
//   - dispatches a "consent" event on document, at the beginning and after each
//     decision. Its detail holds decided, a bool, and allowed, the allowed
//     providers of each category;
//   - loads the banner on a page without one, such as a page from a cache, if the
//     visitor has not decided.
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
			// The lowest bit of a mark is free for the answer.
			of.Providers[cookie.Provider] = decision.MarkOf(string(cookie.Category), cookie.Provider) >> 1
		}
	}
	cookie := c.mw.Cookie()
	declared, err := json.Marshal(map[string]any{
		"path": c.path, "cookie": cookie.Name, "framed": cookie.SameSite == http.SameSiteNoneMode, "revision": c.mw.Revision(), "categories": categories,
	})
	if err != nil {
		return nil, err
	}
	// Unlike in JSON, the key "__proto__" of an object literal sets the prototype.
	declared = bytes.ReplaceAll(declared, []byte(`"__proto__":`), []byte(`["__proto__"]:`))
	return []byte("(C => {" + withoutComments(scriptSource) + "})(" + string(declared) + ")"), nil
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
