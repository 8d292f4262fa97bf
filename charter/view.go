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

// A view is what the templates see.
type view struct {
	Words    *words
	Lang     string
	Dir      string // how it is written: ltr or rtl
	Host     string // of the site
	Path     string // where forms post to
	Back     string // the page to come back to
	Style    string
	Ask      string // what the banner asks
	Presumed string // the categories that are allowed until they are refused, for the script
	Decided  bool
	Just     bool   // a moment ago
	Status   string // what the visitor has decided, and when; what holds where they have not
	Groups   []group
	Tables   template.HTML // of the cookies, by group

	Reference string        // under which the visitor's decisions are recorded
	Aside     template.HTML // what the site adds below the form

	// Of a placeholder: what it stands for, and whom showing it would contact.
	Content  template.HTML
	Category consent.Category
	Provider string
	Value    string // what its form posts
	Embedded string
	Show     string
	Purposes []text
}

// A group is one category.
type group struct {
	Category     consent.Category
	Title, About text
	Exempt       bool // nothing in it needs consent
	Objectable   bool // it holds anonymous statistics
	Objects      bool
	Providers    []provider
	Cookies      []row
}

// A provider is one who can be allowed or refused within a category.
type provider struct {
	Name, Value string
	Services    []text
	Allowed     bool
}

// A row is one line of the charter's table.
type row struct {
	Provider, Service, Purpose text
	Name, Lifetime             string
}

// A text is one that visitors read. Lang and Dir are empty if it is in the
// language of the page.
type text struct{ Text, Lang, Dir string }

// just is how long the confirmation is shown after a decision.
const just = 15 * time.Second

// A drawing is what the charter shows in one language, whoever looks at it.
type drawing struct {
	words  *words
	groups []group
	tables template.HTML

	// What asks a visitor who has answered nothing: where the law is opt-in, where
	// it is opt-out, and where there the browser refuses third parties.
	optIn, optOut, optOutGPC question
}

// A question is what a banner asks.
type question struct {
	ask      string
	presumed string    // the categories that are allowed without an answer
	banner   [2]string // before and behind the page to come back to
}

// draw makes the drawing in the language of w.
func (c *Charter) draw(w *words) *drawing {
	d := &drawing{words: w}
	for _, category := range c.shown() {
		d.groups = append(d.groups, c.group(category, w))
	}
	d.tables = c.render("tables", view{Words: w, Groups: d.groups})
	all := func(consent.Category) bool { return true }
	d.optIn = question{ask: d.question(w.Ask, all).ask}
	d.optOut = d.question(w.AskOptOut, all)
	d.optOutGPC = d.question(w.AskOptOut+" "+w.GPC, func(category consent.Category) bool { return category != consent.ThirdParty })
	somewhere := "/" + rand.Text() // stands for the page to come back to, and nowhere else
	for _, q := range []*question{&d.optIn, &d.optOut, &d.optOutGPC} {
		banner := c.render("banner", view{Words: w, Lang: w.tag.String(), Dir: direction(w.tag), Path: c.path, Back: somewhere, Ask: q.ask, Presumed: q.presumed})
		q.banner[0], q.banner[1], _ = strings.Cut(string(banner), somewhere)
	}
	return d
}

// question asks in these words for the categories that need consent and that
// it is about.
func (d *drawing) question(ask string, about func(consent.Category) bool) question {
	var purposes, categories []string
	for _, g := range d.groups {
		if !g.Exempt && about(g.Category) {
			purposes = append(purposes, g.Title.Text)
			categories = append(categories, string(g.Category))
		}
	}
	return question{
		ask:      strings.ReplaceAll(ask, "{purposes}", strings.Join(purposes, ", ")),
		presumed: strings.Join(categories, " "),
	}
}

// questionFor returns what to ask a visitor who has not decided everything. Its
// banner is empty where it is not one of those that a drawing holds: where the law
// is opt-out and something was answered before, only the rest is presumed.
func (d *drawing) questionFor(prefs consent.Preferences) question {
	switch {
	case !prefs.OptOut():
		return d.optIn
	case prefs.DecidedAt().IsZero() && prefs.RefusedBySignal():
		return d.optOutGPC
	case prefs.DecidedAt().IsZero():
		return d.optOut
	case prefs.RefusedBySignal():
		return d.question(d.words.AskOptOut+" "+d.words.GPC, prefs.Presumed)
	default:
		return d.question(d.words.AskOptOut, prefs.Presumed)
	}
}

// view is the drawing for the visitor of r, without the groups.
func (c *Charter) view(r *http.Request) (view, *drawing) {
	d := c.drawingFor(r)
	prefs := consent.FromContext(r.Context())
	v := view{
		Words:   d.words,
		Lang:    d.words.tag.String(),
		Dir:     direction(d.words.tag),
		Host:    r.Host,
		Path:    c.path,
		Back:    here(r),
		Ask:     d.optIn.ask,
		Decided: prefs.Decided(),
		Status:  d.words.Undecided,

		Reference: prefs.Reference().String(),
	}
	if len(c.style.content) > 0 {
		v.Style = c.path + c.style.name
	}
	if at := prefs.DecidedAt(); v.Decided && !at.IsZero() {
		v.Just = time.Since(at) < just
		v.Status = strings.ReplaceAll(d.words.Decided, "{date}", at.UTC().Format("2006-01-02, 15:04 UTC")) + " " + d.allowed(prefs)
	}
	if !v.Decided {
		q := d.questionFor(prefs)
		v.Ask, v.Presumed = q.ask, q.presumed
	}
	if v.Presumed != "" {
		v.Status += " " + d.words.Presumed
	}
	if prefs.RefusedBySignal() {
		v.Status += " " + d.words.GPC
	}
	return v, d
}

// allowed says whom the visitor allows.
func (d *drawing) allowed(prefs consent.Preferences) string {
	var names []string
	for _, g := range d.groups {
		for _, p := range g.Providers {
			if prefs.Consented(g.Category, p.Name) && !slices.Contains(names, p.Name) {
				names = append(names, p.Name)
			}
		}
	}
	if len(names) == 0 {
		return d.words.Nothing
	}
	return strings.ReplaceAll(d.words.Allowed, "{providers}", strings.Join(names, ", "))
}

// groupsFor are the groups of a drawing with what a visitor allows.
func (d *drawing) groupsFor(allows func(consent.Category, string) bool, objects bool) []group {
	groups := slices.Clone(d.groups)
	for i := range groups {
		g := &groups[i]
		g.Objects = objects
		g.Providers = slices.Clone(g.Providers)
		for j := range g.Providers {
			p := &g.Providers[j]
			p.Allowed = allows(g.Category, p.Name)
		}
	}
	return groups
}

func (c *Charter) group(category consent.Category, w *words) group {
	own := c.categories[category]
	g := group{
		Category: category,
		Title:    c.textOf(own.Title, w.Categories[category].Title, w),
		About:    c.textOf(own.About, w.Categories[category].About, w),
		Exempt:   true,
	}
	for _, cookie := range c.cookies {
		if cookie.Category != category {
			continue
		}
		g.Cookies = append(g.Cookies, c.row(cookie, w))
		g.Objectable = g.Objectable || cookie.Anonymous
		if !cookie.NeedsConsent() {
			continue
		}
		g.Exempt = false
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
	s, tag := own.In(c.site, w.tag)
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

// direction returns how a language is written.
func direction(tag language.Tag) string {
	script, _ := tag.Script()
	switch script.String() {
	case "Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm":
		return "rtl"
	default:
		return "ltr"
	}
}
