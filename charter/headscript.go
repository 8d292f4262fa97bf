package charter

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/cookiecharter/consent"
)

// The script is a function. One with guard.js in it is for sites that want it: others do
// without its 900 bytes, compressed.
var (
	//go:embed head.min.js
	headFunction string

	//go:embed head-guard.min.js
	guardFunction string
)

// A headScript is the script that tells tags of others what the visitor has decided. It is
// the same in pages and in files, and for every visitor but for the law.
type headScript struct {
	asset                         // without content if there is nobody to tell
	hash       string             // as a source of a Content-Security-Policy
	standsIn   bool               // it may stand in a page: the page would not end it
	categories []consent.Category // those of which the law is told, in this order
}

// newHeadScript returns the script that the config asks for.
func (c *Charter) newHeadScript(config Config) (headScript, error) {
	h := headMaker{c: c, needs: [][]any{}, numbers: make(map[string]int)}
	signals, err := h.signals(config.Signals)
	guard, errGuard := h.guard(config)
	if err := errors.Join(err, errGuard); err != nil {
		return headScript{}, err
	}
	if len(config.Signals) == 0 && config.Guard == GuardOff {
		return headScript{}, nil
	}
	var arguments []string
	for _, argument := range []any{c.mw.Cookie().Name, c.mw.FormerCookieName(), c.mw.Revision(), h.needs} {
		code, err := json.Marshal(argument)
		if err != nil {
			return headScript{}, err
		}
		arguments = append(arguments, string(code))
	}
	arguments = append(arguments, signals)
	function := headFunction
	if config.Guard != GuardOff {
		function, arguments = guardFunction, append(arguments, guard)
	}
	script := function + "(" + strings.Join(arguments, ",") + ")"
	lower := strings.ToLower(script)
	return headScript{
		asset:      newAsset("head", ".js", "text/javascript; charset=utf-8", []byte(script)),
		hash:       sourceOf(script),
		standsIn:   !strings.Contains(lower, "</script") && !strings.Contains(lower, "<!--"),
		categories: h.categories,
	}, nil
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
	attributes := nonceAttribute(nonce)
	if law := c.lawOf(consent.FromContext(r.Context())); law != "" {
		attributes += template.HTML(` data-law="` + law + `"`)
	}
	all, _ := policies(r)
	if !c.head.standsIn || slices.ContainsFunc(all, func(policy string) bool { return !allowsScript(policy, nonce, c.head.hash) }) {
		return template.HTML(`<script src="`+template.HTMLEscapeString(c.public+c.head.name)+`"`) + attributes + "></script>"
	}
	return "<script" + attributes + ">" + template.HTML(c.head.content) + "</script>"
}

// lawOf returns what the law says of each of the script's categories, as head.js reads it;
// "" if it says nothing of any.
func (c *Charter) lawOf(prefs consent.Preferences) string {
	digits := make([]byte, len(c.head.categories))
	for i, category := range c.head.categories {
		switch {
		case prefs.Presumed(category):
			digits[i] = '2'
		case prefs.Regime() >= c.presumed.from(category):
			digits[i] = '1'
		default:
			digits[i] = '0'
		}
	}
	if strings.Trim(string(digits), "0") == "" {
		return ""
	}
	return string(digits)
}

// serveHead serves the script under a fixed name, for pages that are the same for
// everybody. Where a law presumes something, it is the visitor's own.
func (c *Charter) serveHead(w http.ResponseWriter, r *http.Request) {
	law := c.lawOf(consent.FromContext(r.Context()))
	if law == "" {
		c.head.serve(w, r, "public, max-age=3600")
		return
	}
	under := newAsset("head", ".js", c.head.contentType, fmt.Appendf(slices.Clip(c.head.content[:len(c.head.content)-1]), ",%q)", law))
	w.Header().Add("Vary", varies)
	under.serve(w, r, "private, no-cache")
}
