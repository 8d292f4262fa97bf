package charter

import (
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/cookiecharter/consent"
)

// Placeholder returns content that contacts a provider, such as a video player or a
// map, if the visitor of r allows the provider in this category. If not, it returns
// a text in its place that names the provider and the purposes of its cookies, with
// a button that allows the provider. The browser loads nothing of the content before.
//
// The button leaves the visitor's other answers as they are. For a visitor who has
// not answered yet it refuses everything else, under an opt-out law too.
//
// The response is kept out of shared caches: see [consent.Preferences.KeepPrivate].
//
// There is no button if it could allow nothing: if the provider declares no cookie in
// the category, or if the visitor objects to anonymous statistics of the provider.
func (c *Charter) Placeholder(r *http.Request, category consent.Category, provider string, content template.HTML) template.HTML {
	c.keepPrivate(r)
	prefs := consent.FromContext(r.Context())
	if prefs.AllowsProvider(category, provider) {
		return content
	}
	hasObjected := false
	v, l := c.view(r)
	v.Content, v.Category, v.Provider = content, category, provider
	v.Embedded = strings.ReplaceAll(l.words.Embedded, "{provider}", provider)
	v.Show = strings.ReplaceAll(l.words.Show, "{provider}", provider)
	for _, cookie := range c.cookies {
		if cookie.Category != category || cookie.Provider != provider {
			continue
		}
		v.Value = allowValue(category, provider)
		hasObjected = hasObjected || cookie.Anonymous && prefs.HasObjected()
		if purpose := c.textOf(cookie.Purpose, "", l.words); !slices.Contains(v.Purposes, purpose) {
			v.Purposes = append(v.Purposes, purpose)
		}
	}
	if hasObjected {
		v.Value = "" // only the charter's form ends an objection
	}
	return c.render("placeholder", v)
}
