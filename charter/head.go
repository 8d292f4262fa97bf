package charter

import (
	"bytes"
	"html/template"
	"net/http"
	"slices"

	"github.com/cookiecharter/consent"
)

// Head returns what belongs into the head of every page, before anything else: the script
// that tells the tags of [Config.Signals] what the visitor has decided and holds the
// [Config.Guard], and the style of the banner, if there is one.
//
// The style stands in the page itself, so that no page waits
// for a file: with the nonce of [Config.Nonce], if there is one. If the
// Content-Security-Policy of the response, as far as it is set by now, does not allow this
// (see [Charter.StyleHash]), or if [Config.Style] is a sheet of the site's own, it is a link
// to the file. As the banner does, it keeps the response out of shared caches: see
// [consent.Preferences.KeepPrivate].
func (c *Charter) Head(r *http.Request) template.HTML {
	consent.FromContext(r.Context()).KeepPrivate()
	return c.headScript(r) + c.headStyle(r)
}

// headStyle returns the style of the banner.
func (c *Charter) headStyle(r *http.Request) template.HTML {
	if c.inline.css == "" {
		return c.styleLink(r)
	}
	if c.shownTo(r) == nothing {
		return ""
	}
	nonce := c.nonceOf(r)
	all, _ := policies(r)
	if slices.ContainsFunc(all, func(policy string) bool { return !allowsStyle(policy, nonce, c.inline.hash) }) {
		return c.styleLink(r)
	}
	return "<style" + nonceAttribute(nonce) + ">" + template.HTML(c.inline.css) + "</style>"
}

// StyleHash returns the source that a site without nonces adds to the style-src of its
// Content-Security-Policy, such as 'sha256-…', so that its pages may hold the style that
// [Charter.Head] writes into them. It is empty if Head writes none.
func (c *Charter) StyleHash() string { return c.inline.hash }

// An inlined style is one that stands in pages.
type inlined struct {
	css  string
	hash string // as a source of a Content-Security-Policy
}

// newInlined returns what pages hold of a style sheet: the banner's part of this
// package's, with the layout that the site has chosen, and what the site has appended. A
// sheet of the site's own is a file.
func (c *Charter) newInlined(sheet []byte) inlined {
	appended, isOurs := bytes.CutPrefix(sheet, DefaultStyle())
	if !isOurs || bytes.Contains(bytes.ToLower(appended), []byte("</style")) { // it would end there
		return inlined{}
	}
	css := bannerStyle + layoutStyle(layoutParts[c.layout]...)
	if c.button {
		css += layoutStyle("button")
	}
	css += string(appended)
	return inlined{css, sourceOf(css)}
}

// styleLink returns the link to the style sheet; nothing if it is empty.
func (c *Charter) styleLink(r *http.Request) template.HTML {
	if len(c.style.content) == 0 {
		return ""
	}
	return template.HTML(`<link rel="stylesheet" href="`+template.HTMLEscapeString(c.public+c.style.name)+`"`) + nonceAttribute(c.nonceOf(r)) + ">"
}

func (c *Charter) nonceOf(r *http.Request) string {
	if c.nonce == nil || r == nil {
		return ""
	}
	return c.nonce(r)
}

func nonceAttribute(nonce string) template.HTML {
	if nonce == "" {
		return ""
	}
	return template.HTML(` nonce="` + template.HTMLEscapeString(nonce) + `"`)
}
