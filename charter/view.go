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
	Presumed string // the categories that are allowed until they are refused, separated by spaces
	GPC      string // what has become of the opt-out request that the browser sends; empty if it sends none, or the law knows none
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

	gpcGroups  []group // those that Global Privacy Control refuses
	gpcRefuses string  // the sentence that says so

	// The questions to a visitor who has answered nothing: if the law is opt-in,
	// that of the UK, opt-out, and opt-out with a browser that sends Sec-GPC.
	optIn, uk, optOut, optOutGPC question
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
		g := c.group(category, w)
		l.groups = append(l.groups, g)
		if c.presumed.refusedByGPC(category) {
			l.gpcGroups = append(l.gpcGroups, g)
		}
	}
	l.gpcRefuses = l.refusedByGPC(func(consent.Category) bool { return false })
	l.tables = c.render("tables", view{Words: w, Groups: l.groups})
	l.optIn = l.newQuestion(w.Ask, func(consent.Category) bool { return false })
	l.uk = l.newQuestion(w.AskUK, c.presumed.uk.has)
	l.optOut = l.newQuestion(w.AskOptOut, c.presumed.optOut.has)
	l.optOutGPC = l.newQuestion(w.AskOptOut+" "+l.gpcRefuses, c.presumed.optOutGPC.has)
	back := "/" + rand.Text() // random, so that the banner holds it in no other place
	for _, q := range []*question{&l.optIn, &l.uk, &l.optOut, &l.optOutGPC} {
		banner := c.render("banner", view{Words: w, Lang: w.tag.String(), Dir: direction(w.tag), Path: c.path, Back: back, Ask: q.ask, Presumed: q.presumed})
		q.banner[0], q.banner[1], _ = strings.Cut(string(banner), back)
	}
	return l
}

// newQuestion fills {presumed} in a sentence with the titles of the categories that
// need consent and are presumed, and {purposes} with those of the others.
func (l *localized) newQuestion(ask string, presumed func(consent.Category) bool) question {
	var titles, others, categories []string
	for _, g := range l.groups {
		switch {
		case g.Exempt():
		case presumed(g.Category):
			titles = append(titles, g.Title.Text)
			categories = append(categories, string(g.Category))
		default:
			others = append(others, g.Title.Text)
		}
	}
	if len(others) == 0 && ask == l.words.AskUK {
		ask = l.words.AskOptOut
	}
	return question{
		ask:      strings.NewReplacer("{presumed}", strings.Join(titles, ", "), "{purposes}", strings.Join(others, ", ")).Replace(ask),
		presumed: strings.Join(categories, " "),
	}
}

// questionFor returns the question to a visitor who has not decided everything.
func (l *localized) questionFor(prefs consent.Preferences) question {
	regime, isFirst := prefs.Regime(), prefs.DecidedAt().IsZero()
	switch {
	case !slices.ContainsFunc(l.groups, func(g group) bool { return prefs.Presumed(g.Category) }):
		return l.optIn // the law presumes nothing, or nothing of this visitor
	case isFirst && regime == consent.UK:
		return l.uk
	case isFirst && prefs.RefusedByGPC():
		return l.optOutGPC
	case isFirst:
		return l.optOut
	// Some answers stand, so only the rest is presumed: the question is the
	// visitor's own, and has no banner yet.
	case regime == consent.UK:
		return l.newQuestion(l.words.AskUK, prefs.Presumed)
	case prefs.RefusedByGPC():
		return l.newQuestion(l.words.AskOptOut+" "+l.refusedByGPC(prefs.Allows), prefs.Presumed)
	default:
		return l.newQuestion(l.words.AskOptOut, prefs.Presumed)
	}
}

// refusedByGPC returns the sentence that names what Global Privacy Control refuses, but
// for the categories that the visitor allows.
func (l *localized) refusedByGPC(allows func(consent.Category) bool) string {
	var titles []string
	for _, g := range l.gpcGroups {
		if !allows(g.Category) {
			titles = append(titles, g.Title.Text)
		}
	}
	return strings.ReplaceAll(l.words.GPC, "{refused}", strings.Join(titles, ", "))
}

// gpc returns what has become of the opt-out request that the browser sends with r. It
// is shown after a decision too (California Code of Regulations, title 11, section
// 7025(c)(6)).
func (l *localized) gpc(r *http.Request, prefs consent.Preferences) string {
	if prefs.Regime() != consent.OptOut || !slices.Contains(r.Header["Sec-Gpc"], "1") {
		return ""
	}
	if names := allowedIn(l.gpcGroups, prefs); len(names) > 0 {
		return strings.ReplaceAll(l.words.GPCExcept, "{providers}", strings.Join(names, ", "))
	}
	return l.words.GPCHonored
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

		GPC:       l.gpc(r, prefs),
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
		v.Status += " " + l.refusedByGPC(prefs.Allows)
	} else if v.GPC != "" {
		v.Status += " " + v.GPC
	}
	return v, l
}

// allowed returns the sentence that names the providers that the visitor has
// consented to.
func (l *localized) allowed(prefs consent.Preferences) string {
	names := allowedIn(l.groups, prefs)
	if len(names) == 0 {
		return l.words.Nothing
	}
	return strings.ReplaceAll(l.words.Allowed, "{providers}", strings.Join(names, ", "))
}

// allowedIn returns the names of the providers of some groups that the visitor has
// consented to.
func allowedIn(groups []group, prefs consent.Preferences) []string {
	var names []string
	for _, g := range groups {
		for _, p := range g.Providers {
			if prefs.Consented(g.Category, p.Name) && !slices.Contains(names, p.Name) {
				names = append(names, p.Name)
			}
		}
	}
	return names
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
	if cookie.Name == c.mw.Cookie().Name && cookie.Provider == "" { // not declared by the site
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
