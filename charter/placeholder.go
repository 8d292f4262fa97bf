package charter

import (
	"fmt"
	"hash/fnv"
	"html"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cookiecharter/consent"
)

// An Embed is content that contacts a provider, such as a video player or a map: see
// [Charter.Embed].
type Embed struct {
	// Category and Provider are as declared. Both are required.
	Category consent.Category
	Provider string

	// Content is what contacts the provider.
	Content template.HTML

	// Title says what the content is, such as the name of a film. It tells two contents of
	// one provider apart. Empty means the title of a frame in the content, if it has one.
	Title string

	// Ratio is the width of the content by its height, such as 16./9, so that nothing moves
	// when it takes the place of the placeholder. The content keeps the size that its markup or
	// the site's style gives it. Zero means the height of the text.
	Ratio float64

	// Image is the address of a picture that the placeholder shows, on the site itself:
	// one of the provider's would contact it. Empty means none.
	Image string

	// Link is the address of the content at the provider, for who does not want it here.
	// Empty means no link.
	Link string
}

// embedded are the data of the template "placeholder".
type embedded struct {
	Embed
	ID       string
	Text     string // why the content is not shown
	Show     string // the button that shows it
	Visit    string // the link to it
	Value    string // the value that the form posts; empty for no form
	Purposes []text
	Box      string // the viewBox of a drawing with the ratio of the content; empty for none
	Style    string // the path of the style sheet; empty for none
}

// Placeholder is [Charter.Embed] for content of which nothing else is to be said.
func (c *Charter) Placeholder(r *http.Request, category consent.Category, provider string, content template.HTML) template.HTML {
	return c.Embed(r, Embed{Category: category, Provider: provider, Content: content})
}

// Embed returns the content of e if the visitor of r allows its provider in this
// category. If not, it returns a placeholder: a text that names the provider and the
// purposes of its cookies, with a button that allows the provider. The browser loads
// nothing of the content before.
//
// The button answers for this provider alone: see [consent.Add]. There is no button if it
// could allow nothing: if the provider declares no cookie in the category, which
// [Config.Failed] is told once, or if the visitor objects to anonymous statistics of the
// provider.
//
// The response is kept out of shared caches: see [consent.Preferences.KeepPrivate]. On a
// page that is the same for everybody, the script draws the placeholder for
//
//	<template data-consent="third-party" data-provider="Vimeo" data-title="A film">…</template>
//
// with data-ratio, data-image and data-link, if they are there: see [Charter.Script].
func (c *Charter) Embed(r *http.Request, e Embed) template.HTML {
	c.keepPrivate(r)
	title := e.title()
	id := idOf(string(e.Category), e.Provider, title, string(e.Content))
	if consent.FromContext(r.Context()).AllowsProvider(e.Category, e.Provider) {
		return template.HTML(`<div class="charter-content" id="`+id+`" tabindex="-1">`) + e.Content + "</div>"
	}
	if !c.providers[allowValue(e.Category, e.Provider)] {
		c.unallowable.Do(func() {
			c.failed(r, fmt.Errorf("charter: Embed: nothing of the provider %q is declared in the category %q, so that its placeholder has no button%s", e.Provider, e.Category, c.alike(e.Provider)))
		})
	}
	v, l := c.view(r)
	if v.Back != "" {
		v.Back += "#" + id // so that a browser without the script comes back to the content
	}
	v.Embedded = c.embed(r, l, e, title)
	v.Embedded.ID = id
	return c.render("placeholder", v)
}

// alike tells where a provider is declared, if its name is the given one but for the case of
// letters. It is empty if none is.
func (c *Charter) alike(provider string) string {
	for _, cookie := range c.cookies {
		if strings.EqualFold(cookie.Provider, provider) {
			return fmt.Sprintf("; the provider %q is declared in the category %q", cookie.Provider, cookie.Category)
		}
	}
	return ""
}

// embed returns the data of the placeholder for e.
func (c *Charter) embed(r *http.Request, l *localized, e Embed, title string) embedded {
	prefs := consent.FromContext(r.Context())
	shown := embedded{
		Embed: e, Text: strings.ReplaceAll(l.words.Embedded, "{provider}", e.Provider),
		Show: strings.ReplaceAll(l.words.Show, "{provider}", e.Provider), Visit: strings.ReplaceAll(l.words.Visit, "{provider}", e.Provider),
	}
	shown.Title = title
	if e.Ratio > 0 && e.Ratio < 100 {
		shown.Box = "0 0 " + strconv.FormatFloat(100*e.Ratio, 'f', 0, 64) + " 100"
	}
	if len(c.style.content) > 0 {
		shown.Style = c.public + c.style.name
	}
	hasObjected := false
	for _, cookie := range c.cookies {
		if cookie.Category != e.Category || cookie.Provider != e.Provider {
			continue
		}
		shown.Value = allowValue(e.Category, e.Provider)
		hasObjected = hasObjected || cookie.Anonymous && prefs.HasObjected()
		if purpose := c.textOf(cookie.Purpose, "", l.words); !slices.Contains(shown.Purposes, purpose) {
			shown.Purposes = append(shown.Purposes, purpose)
		}
	}
	if hasObjected {
		shown.Value = "" // only the charter's form ends an objection
	}
	return shown
}

// maxPlaceholders is how many placeholders one request may ask for.
const maxPlaceholders = 20

// placeholders draws those that the script asks for, each by a query of its own: for pages
// that are the same for everybody. Their contents are in the page.
func (c *Charter) placeholders(r *http.Request, wanted []string, back string) template.HTML {
	var all template.HTML
	for i, query := range wanted[:min(len(wanted), maxPlaceholders)] {
		gate, err := url.ParseQuery(query)
		if err != nil {
			gate = nil // the script counts on one for each
		}
		ratio, _ := strconv.ParseFloat(gate.Get("ratio"), 64) // zero for anything else
		e := Embed{Category: consent.Category(gate.Get("category")), Provider: gate.Get("provider"), Ratio: ratio, Image: gate.Get("image"), Link: gate.Get("link")}
		v, l := c.view(r)
		v.Back = back
		v.Embedded = c.embed(r, l, e, gate.Get("title"))
		v.Embedded.ID = idOf(query, strconv.Itoa(i))
		v.Embedded.Style = "" // the script has it
		all += c.render("placeholder", v)
	}
	return all
}

var frameTitle = regexp.MustCompile(`(?i)<i?frame[^>]*\stitle\s*=\s*(?:"([^"]+)"|'([^']+)')`)

// title returns the name of the content.
func (e Embed) title() string {
	if e.Title != "" {
		return e.Title
	}
	if found := frameTitle.FindStringSubmatch(string(e.Content)); found != nil {
		return html.UnescapeString(found[1] + found[2])
	}
	return ""
}

// idOf returns an id for a content, the same each time that it is drawn.
func idOf(parts ...string) string {
	hash := fnv.New32a()
	for _, part := range parts {
		_, _ = io.WriteString(hash, part+"\x00") // never fails
	}
	return "charter-" + strconv.FormatUint(uint64(hash.Sum32()), 36)
}
