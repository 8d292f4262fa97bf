package charter

import (
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/cookiecharter/consent"
)

// Placeholder returns content that a provider is contacted for, such as a
// player or a map, where the visitor allows the provider in this category; and
// in its place, where not, who would be contacted and why, with a button that
// allows it. The button leaves every other answer as it is; whoever has answered
// nothing yet refuses the rest by it, where the law is opt-out too. Nothing of
// the content is loaded before.
//
// For a provider that declares nothing in the category, or anonymous statistics that
// the visitor objects to, the placeholder has no button: there is nothing that it
// could allow.
func (c *Charter) Placeholder(r *http.Request, category consent.Category, provider string, content template.HTML) template.HTML {
	prefs := consent.FromContext(r.Context())
	if prefs.AllowsProvider(category, provider) {
		return content
	}
	objected := false
	v, d := c.view(r)
	v.Content, v.Category, v.Provider = content, category, provider
	v.Embedded = strings.ReplaceAll(d.words.Embedded, "{provider}", provider)
	v.Show = strings.ReplaceAll(d.words.Show, "{provider}", provider)
	for _, cookie := range c.cookies {
		if cookie.Category != category || cookie.Provider != provider {
			continue
		}
		v.Value = allowValue(category, provider)
		objected = objected || cookie.Anonymous && prefs.Objects()
		if purpose := c.textOf(cookie.Purpose, "", d.words); !slices.Contains(v.Purposes, purpose) {
			v.Purposes = append(v.Purposes, purpose)
		}
	}
	if objected {
		v.Value = "" // the form takes an objection back, not this button
	}
	return c.render("placeholder", v)
}
