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

// Script returns the tag of an optional script, for the head of a page. With
// it, decisions are taken without a reload; what a page holds in
// <template data-consent="statistics"> or
// <script type="text/plain" data-consent="statistics"> comes alive once the
// category is allowed (with data-provider, once that provider is), a script with
// the src and the type that its data-src and data-type say; and a
// "consent" event on document carries what is allowed. Scripts that are marked by
// data-category and data-service, as for vanilla-cookieconsent, wait and come alive
// as by data-consent and data-provider. On a page without a
// banner, such as one from a cache, it asks those who have not decided. Where the
// law is opt-out it learns from the banner's data-presumed what is allowed until
// there is an answer; without that, as in a banner of the site's own that leaves
// it out, everything waits for the answer. Where
// [consent.Config.HttpOnly] hides the decision from scripts there is no tag.
func (c *Charter) Script(_ *http.Request) template.HTML {
	if c.mw.Cookie().HttpOnly {
		return ""
	}
	return template.HTML(`<script src="` + template.HTMLEscapeString(c.path+c.script.name) + `" defer></script>`)
}

// makeScript puts what is declared before the script, which reads the rest from
// the visitor's cookie.
func (c *Charter) makeScript() ([]byte, error) {
	type category struct {
		Providers map[string]decision.Mark `json:"providers"`
		Anonymous bool                     `json:"anonymous,omitempty"`
	}
	categories := make(map[consent.Category]*category)
	for _, cookie := range c.cookies {
		if cookie.Category == consent.Necessary {
			continue
		}
		of := categories[cookie.Category]
		if of == nil {
			of = &category{Providers: make(map[string]decision.Mark)}
			categories[cookie.Category] = of
		}
		of.Anonymous = of.Anonymous || cookie.Anonymous
		if cookie.NeedsConsent() {
			// A mark's lowest bit is the answer's.
			of.Providers[cookie.Provider] = decision.MarkOf(string(cookie.Category), cookie.Provider) >> 1
		}
	}
	declared, err := json.Marshal(map[string]any{
		"path": c.path, "revision": c.mw.Revision(), "lifetime": c.mw.Cookie().MaxAge * 1000, "categories": categories,
	})
	if err != nil {
		return nil, err
	}
	// In a script, as opposed to JSON, this key would be no provider.
	declared = bytes.ReplaceAll(declared, []byte(`"__proto__":`), []byte(`["__proto__"]:`))
	return []byte("(C => {" + withoutComments(scriptSource) + "})(" + string(declared) + ")"), nil
}

// withoutComments leaves out what only readers of the source need: indentation,
// and lines that are comments.
func withoutComments(source string) string {
	var b strings.Builder
	for line := range strings.Lines(source) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
			b.WriteString(line + "\n")
		}
	}
	return b.String()
}
