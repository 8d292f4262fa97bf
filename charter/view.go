package charter

import (
	"crypto/rand"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

// A view is the data of a template.
type view struct {
	Words    *words
	Lang     string // the language of the page
	Dir      string // the direction of its script: "ltr" or "rtl"
	Host     string // the host of the site
	Path     string // the charter's path, which forms post to
	Back     string // the page to return to after a decision
	Style    string // the path of the style sheet; empty for none
	Ask      string // the banner's question
	Presumed string // for the script: the categories that are allowed until they are refused, separated by spaces
	Decided  bool   // the visitor has answered for everything
	Just     bool   // and did so a moment ago
	Unkept   bool   // the browser has not kept the decision of a moment ago
	Status   string // the visitor's decision and its time, or what applies without one
	Groups   []group
	Tables   template.HTML // the tables of cookies, one for each group

	Reference string        // the reference under which the visitor's decisions are recorded
	Aside     template.HTML // see Config.Aside

	// For a placeholder: the content that it replaces, and the provider that
	// the content would contact.
	Content  template.HTML
	Category consent.Category
	Provider string
	Value    string // the value that its form posts; empty for no form
	Embedded string
	Show     string
	Purposes []text
}

// A group is one category, as the form and the tables show it.
type group struct {
	Category     consent.Category
	Title, About text
	CanObject    bool       // the category holds anonymous statistics
	HasObjected  bool       // the visitor objects to them
	Providers    []provider // those that need consent
	Cookies      []row
}

// Exempt reports whether nothing in the category needs consent.
func (g group) Exempt() bool { return len(g.Providers) == 0 }

// A provider can be allowed or refused within a category.
type provider struct {
	Name, Value string // Value is posted to allow the provider
	Services    []text
	Allowed     bool
}

// A row is one cookie in the charter's tables.
type row struct {
	Provider, Service, Purpose text
	Name, Lifetime             string
}

// A text has an empty Lang and Dir if it is in the language of the page.
type text struct{ Text, Lang, Dir string }

// confirmFor is the time after a decision during which pages confirm it.
const confirmFor = 15 * time.Second

// localized is the charter in one language: the parts that are the same for
// every visitor.
type localized struct {
	words  *words
	groups []group
	tables template.HTML

	// The questions to a visitor who has answered nothing: if the law is opt-in,
	// if it is opt-out, and if it is opt-out and the browser sends Sec-GPC.
	optIn, optOut, optOutGPC question
}

// A question is what a banner asks, with the banner itself.
type question struct {
	ask      string
	presumed string    // the categories that are allowed without an answer, separated by spaces
	banner   [2]string // the rendered banner, before and after view.Back; empty if it is rendered for each request
}

// localize prepares the charter in the language of w.
func (c *Charter) localize(w *words) *localized {
	l := &localized{words: w}
	for _, category := range c.allCategories() {
		l.groups = append(l.groups, c.group(category, w))
	}
	l.tables = c.render("tables", view{Words: w, Groups: l.groups})
	all := func(consent.Category) bool { return true }
	l.optIn = question{ask: l.newQuestion(w.Ask, all).ask} // nothing is presumed
	l.optOut = l.newQuestion(w.AskOptOut, all)
	l.optOutGPC = l.newQuestion(w.AskOptOut+" "+w.GPC, func(category consent.Category) bool { return category != consent.ThirdParty })
	back := "/" + rand.Text() // random, so that the banner holds it in no other place
	for _, q := range []*question{&l.optIn, &l.optOut, &l.optOutGPC} {
		banner := c.render("banner", view{Words: w, Lang: w.tag.String(), Dir: direction(w.tag), Path: c.path, Back: back, Ask: q.ask, Presumed: q.presumed})
		q.banner[0], q.banner[1], _ = strings.Cut(string(banner), back)
	}
	return l
}

// newQuestion fills {purposes} in a sentence with the titles of the categories that
// need consent and are included.
func (l *localized) newQuestion(ask string, included func(consent.Category) bool) question {
	var purposes, categories []string
	for _, g := range l.groups {
		if !g.Exempt() && included(g.Category) {
			purposes = append(purposes, g.Title.Text)
			categories = append(categories, string(g.Category))
		}
	}
	return question{
		ask:      strings.ReplaceAll(ask, "{purposes}", strings.Join(purposes, ", ")),
		presumed: strings.Join(categories, " "),
	}
}

// questionFor returns the question to a visitor who has not decided everything.
func (l *localized) questionFor(prefs consent.Preferences) question {
	switch {
	case prefs.Regime() == consent.OptIn:
		return l.optIn
	case prefs.DecidedAt().IsZero() && prefs.RefusedByGPC():
		return l.optOutGPC
	case prefs.DecidedAt().IsZero():
		return l.optOut
	// Some answers stand, so only the rest is presumed: the question is the
	// visitor's own, and has no banner yet.
	case prefs.RefusedByGPC():
		return l.newQuestion(l.words.AskOptOut+" "+l.words.GPC, prefs.Presumed)
	default:
		return l.newQuestion(l.words.AskOptOut, prefs.Presumed)
	}
}

// view returns the view for the visitor of r, without Groups and Tables, and the
// charter in the visitor's language.
func (c *Charter) view(r *http.Request) (view, *localized) {
	l := c.localizedFor(r)
	prefs := consent.FromContext(r.Context())
	v := view{
		Words:   l.words,
		Lang:    l.words.tag.String(),
		Dir:     direction(l.words.tag),
		Host:    r.Host,
		Path:    c.path,
		Back:    requestPath(r),
		Ask:     l.optIn.ask,
		Decided: prefs.Decided(),
		Status:  l.words.Undecided,

		Reference: prefs.Reference().String(),
	}
	if len(c.style.content) > 0 {
		v.Style = c.path + c.style.name
	}
	if at := prefs.DecidedAt(); v.Decided && !at.IsZero() {
		v.Just = time.Since(at) < confirmFor
		v.Status = strings.ReplaceAll(l.words.Decided, "{date}", at.UTC().Format("2006-01-02, 15:04 UTC")) + " " + l.allowed(prefs)
	}
	if !v.Decided {
		q := l.questionFor(prefs)
		v.Ask, v.Presumed = q.ask, q.presumed
	}
	if v.Presumed != "" {
		v.Status += " " + l.words.Presumed
	}
	if prefs.RefusedByGPC() {
		v.Status += " " + l.words.GPC
	}
	return v, l
}

// allowed returns the sentence that names the providers that the visitor has
// consented to.
func (l *localized) allowed(prefs consent.Preferences) string {
	var names []string
	for _, g := range l.groups {
		for _, p := range g.Providers {
			if prefs.Consented(g.Category, p.Name) && !slices.Contains(names, p.Name) {
				names = append(names, p.Name)
			}
		}
	}
	if len(names) == 0 {
		return l.words.Nothing
	}
	return strings.ReplaceAll(l.words.Allowed, "{providers}", strings.Join(names, ", "))
}

// groupsFor returns the groups with one visitor's answers.
func (l *localized) groupsFor(allows func(consent.Category, string) bool, hasObjected bool) []group {
	groups := slices.Clone(l.groups)
	for i := range groups {
		g := &groups[i]
		g.HasObjected = hasObjected
		g.Providers = slices.Clone(g.Providers)
		for j := range g.Providers {
			p := &g.Providers[j]
			p.Allowed = allows(g.Category, p.Name)
		}
	}
	return groups
}

// group returns a category without any visitor's answers.
func (c *Charter) group(category consent.Category, w *words) group {
	own := c.categories[category]
	g := group{
		Category: category,
		Title:    c.textOf(own.Title, w.Categories[category].Title, w),
		About:    c.textOf(own.About, w.Categories[category].About, w),
	}
	for _, cookie := range c.cookies {
		if cookie.Category != category {
			continue
		}
		g.Cookies = append(g.Cookies, c.row(cookie, w))
		g.CanObject = g.CanObject || cookie.Anonymous
		if !cookie.NeedsConsent() {
			continue
		}
		i := slices.IndexFunc(g.Providers, func(p provider) bool { return p.Name == cookie.Provider })
		if i < 0 {
			i = len(g.Providers)
			g.Providers = append(g.Providers, provider{Name: cookie.Provider, Value: allowValue(category, cookie.Provider)})
		}
		p := &g.Providers[i]
		if service := c.textOf(cookie.Service, "", w); service.Text != "" && !slices.Contains(p.Services, service) {
			p.Services = append(p.Services, service)
		}
	}
	return g
}

func (c *Charter) row(cookie consent.Cookie, w *words) row {
	r := row{Name: cookie.Name, Provider: text{Text: cookie.Provider}, Lifetime: w.lifetime(cookie.Lifetime)}
	if cookie.Name == consent.CookieName && cookie.Provider == "" { // not declared by the site
		r.Provider = text{Text: w.OwnProvider}
		r.Service, r.Purpose = text{Text: w.OwnService}, text{Text: w.OwnPurpose}
		return r
	}
	r.Service = c.textOf(cookie.Service, "", w)
	r.Purpose = c.textOf(cookie.Purpose, "", w)
	return r
}

// textOf returns the site's own text for a page in the language of w, or the
// fallback if the site has none.
func (c *Charter) textOf(own consent.Text, fallback string, w *words) text {
	if len(own) == 0 {
		return text{Text: fallback}
	}
	s, tag := own.In(c.defaultLanguage, w.tag)
	t := text{Text: s}
	if baseOf(tag) != baseOf(w.tag) {
		t.Lang, t.Dir = tag.String(), direction(tag)
	}
	return t
}

func baseOf(tag language.Tag) language.Base {
	base, _ := tag.Base()
	return base
}

// direction returns the direction of a language's script, as HTML's dir has it.
func direction(tag language.Tag) string {
	script, _ := tag.Script()
	switch script.String() {
	case "Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm":
		return "rtl"
	default:
		return "ltr"
	}
}
