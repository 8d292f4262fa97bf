package charter

import (
	"cmp"
	"crypto/rand"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/cookiecharter/consent"
)

// A view is the data of a template.
type view struct {
	Words    *words
	Lang     string // the language of the page
	Dir      string // the direction of its script: "ltr" or "rtl"
	Home     string // the path of the site
	Host     string // the host of the site
	Site     string // the name of the site; empty if Config.Name is
	Intro    string // what the charter's page is for
	Privacy  string // the address of the site's privacy policy; empty for none
	Updated  template.HTML
	Path     string // the charter's path as browsers know it, which forms post to
	Back     string // the page to return to after a decision; empty means the charter's
	At       string // when the banner was drawn, in milliseconds since 1970
	Layout   Layout
	Nonce    string        // of the page's Content-Security-Policy; empty for none
	Style    string        // the path of the style sheet; empty for none
	Script   string        // the path of the script, if the page needs it; empty for none
	Ask      template.HTML // the banner's question
	Presumed string        // the categories that are allowed until they are refused, separated by spaces
	GPC      string        // what has become of the opt-out request that the browser sends; empty if it sends none, or the law knows none
	Decided  bool          // the visitor has answered for everything
	Just     bool          // and did so a moment ago
	Status   template.HTML // the visitor's decision and its time, or what applies without one
	Groups   []group
	Tables   template.HTML // the tables of cookies, one for each group

	// A note in place of the banner's question, such as that the decision is saved.
	Note   string
	Change bool // with a link to the settings
	Reload bool // with a button that loads the page again

	Reference string        // the reference under which the visitor's decisions are recorded
	Records   string        // the path of the page with those records; empty if there is none
	Aside     template.HTML // see Config.Aside

	Account   string // says before the choice that it holds for the account; empty if nobody is signed in
	AccountOf string // that a form posts as "account", so that its choice does

	Control control // that a form posts as "by"
	Drawn   string  // that it posts as "drawn": see drawing
	Said    said    // above the form: it posts this too

	Embedded embedded // for a placeholder
}

// A group is one category, as the form and the tables show it.
type group struct {
	Category    consent.Category
	Title, For  text
	About       text
	Field       string     // the name of the field with the answer for the category
	Answer      string     // "allow", "refuse", "some", or empty if there is none
	CanObject   bool       // the category holds anonymous statistics
	HasObjected bool       // the visitor objects to them
	Providers   []provider // those that need consent
	Cookies     []row
}

// Exempt reports whether nothing in the category needs consent.
func (g group) Exempt() bool { return len(g.Providers) == 0 }

// A provider can be allowed or refused within a category.
type provider struct {
	Name, Value string // Value is posted to allow the provider
	Services    []text
	Details     template.HTML // who is behind the provider; empty if the site does not say
	Allowed     bool
	Cookies     []row // that need consent
}

// details are the data of the template "details".
type details struct {
	Who    string // the legal name and the country
	Policy string // the address of the provider's privacy policy
	Link   string // the text of the link to it
}

// A row is one cookie in the charter's tables.
type row struct {
	Provider, Service, Purpose text
	Name, Lifetime             string
	Kind                       string // empty for a cookie
	Details                    template.HTML
}

// A text has an empty Lang and Dir if it is in the language of the page.
type text struct{ Text, Lang, Dir string }

// localized is the charter in one language: the parts that are the same for
// every visitor.
type localized struct {
	words  *words
	site   string // begins a sentence
	intro  string
	groups []group
	tables template.HTML

	presumedSays string // what the law allows without an answer

	gpcGroups  []group // those that Global Privacy Control refuses
	gpcRefuses string  // the sentence that says so

	// The questions to a visitor who has answered nothing: if the law is opt-in,
	// that of the UK, opt-out, and opt-out with a browser that sends Sec-GPC.
	optIn, uk, optOut, optOutGPC question
}

// localize prepares the charter in the language of w.
func (c *Charter) localize(w *words) *localized {
	l := &localized{words: w, site: cmp.Or(c.name, w.ThisSite)}
	l.intro = strings.ReplaceAll(w.Intro, "{site}", l.site)
	l.presumedSays = strings.ReplaceAll(w.Presumed, "{allow}", w.Allow)
	for _, category := range c.allCategories() {
		g := c.group(category, w)
		l.groups = append(l.groups, g)
		if c.presumed.refusedByGPC(category) {
			l.gpcGroups = append(l.gpcGroups, g)
		}
	}
	l.gpcRefuses = l.saysGPC(l.gpcGroups)
	l.tables = c.render("tables", view{Words: w, Groups: l.groups})
	l.optIn = l.newQuestion(w.Ask, nil, func(consent.Category) bool { return false })
	l.uk = l.newQuestion(w.AskUK, nil, c.presumed.uk.has)
	l.optOut = l.newQuestion(w.AskOptOut, nil, c.presumed.optOut.has)
	l.optOutGPC = l.newQuestion(w.AskOptOut, l.gpcGroups, c.presumed.optOutGPC.has)
	l.uk.law, l.optOut.law, l.optOutGPC.law = law{regime: consent.UK}, law{regime: consent.OptOut}, law{consent.OptOut, true}
	if c.templates != templates {
		return l // where a template of the site shows At and Back is not known
	}
	at, back := rand.Text(), "/"+rand.Text() // random, so that the banner holds them in no other place
	for _, q := range l.shared() {
		v := c.viewIn(l)
		v.Drawn = c.drawnIn(l) + q.law.String()
		v.At, v.Back, v.Ask, v.Presumed = at, back, q.ask, q.presumed
		var rest string
		q.banner[0], rest, _ = strings.Cut(string(c.render("banner", v)), at)
		q.banner[1], q.banner[2], _ = strings.Cut(rest, back)
	}
	return l
}

// viewIn returns the view of a charter in one language, without anything of a visitor.
func (c *Charter) viewIn(l *localized) view {
	v := view{
		Words: l.words, Lang: l.words.tag.String(), Dir: direction(l.words.tag),
		Site: c.name, Intro: l.intro, Privacy: c.policyURL, Layout: c.layout,
		Home: c.prefix + "/", Path: c.public, Ask: l.optIn.ask, Drawn: c.drawnIn(l) + law{}.String(),
	}
	if !c.updated.IsZero() {
		v.Updated = l.words.dated(l.words.Updated, c.updated)
	}
	if len(c.style.content) > 0 {
		v.Style = c.public + c.style.name
	}
	return v
}

// view returns the view for the visitor of r, without Groups and Tables, and the
// charter in the visitor's language.
func (c *Charter) view(r *http.Request) (view, *localized) {
	l := c.localizedFor(r)
	return c.viewFor(r, l), l
}

// viewFor returns the view for the visitor of r in one language, without Groups and Tables.
func (c *Charter) viewFor(r *http.Request, l *localized) view {
	prefs := consent.FromContext(r.Context())
	v := c.viewIn(l)
	v.Host, v.Back, v.Nonce, v.Drawn = r.Host, c.backOf(r), c.nonceOf(r), c.drawnIn(l)+lawOf(r).String()
	v.Decided, v.Just = prefs.Decided(), c.isJust(r)
	v.GPC, v.Reference = l.gpc(r, prefs, l.words.list), prefs.Reference().String()
	if c.history != nil && v.Reference != "" {
		v.Records = c.public + recordsName
	}
	if !v.Decided {
		q := l.questionFor(prefs)
		v.Ask, v.Presumed = q.ask, q.presumed
	}
	if v.AccountOf = c.formOf(r); v.AccountOf != "" {
		v.Account = l.words.AskAccount
	}
	v.Status = l.statusFor(prefs, v, l.decided(prefs))
	return v
}

// group returns a category without any visitor's answers.
func (c *Charter) group(category consent.Category, w *words) group {
	own := c.categories[category]
	g := group{
		Category: category,
		Title:    c.textOf(own.Title, w.Categories[category].Title, w),
		About:    c.textOf(own.About, w.Categories[category].About, w),
		Field:    categoryField(category),
	}
	fallback := w.Categories[category].For
	if fallback == "" || len(own.For) == 0 && len(own.Title) > 0 { // another title may be another purpose
		fallback = strings.ReplaceAll(w.ForCategory, "{category}", g.Title.Text)
	}
	g.For = c.textOf(own.For, fallback, w)
	for _, cookie := range c.cookies {
		if cookie.Category != category {
			continue
		}
		shown := c.row(cookie, w)
		g.Cookies = append(g.Cookies, shown)
		g.CanObject = g.CanObject || cookie.Anonymous
		if !cookie.NeedsConsent() {
			continue
		}
		i := slices.IndexFunc(g.Providers, func(p provider) bool { return p.Name == cookie.Provider })
		if i < 0 {
			i = len(g.Providers)
			g.Providers = append(g.Providers, provider{Name: cookie.Provider, Value: allowValue(category, cookie.Provider), Details: c.detailsOf(cookie.Provider, w)})
		}
		p := &g.Providers[i]
		p.Cookies = append(p.Cookies, shown)
		if service := c.textOf(cookie.Service, "", w); service.Text != "" && !slices.Contains(p.Services, service) {
			p.Services = append(p.Services, service)
		}
	}
	return g
}

func (c *Charter) row(cookie consent.Cookie, w *words) row {
	r := row{
		Name: cookie.Name, Kind: w.kind(cookie.Kind), Lifetime: w.lifetime(cookie.Kind, cookie.Lifetime),
		Provider: text{Text: cookie.Provider}, Details: c.detailsOf(cookie.Provider, w),
	}
	if cookie.Provider == "" { // the library's own, not declared by the site
		r.Provider = text{Text: w.OwnProvider}
		r.Service, r.Purpose = text{Text: w.OwnService}, text{Text: c.ownPurpose(cookie.Name, w)}
		return r
	}
	r.Service = c.textOf(cookie.Service, "", w)
	r.Purpose = c.textOf(cookie.Purpose, "", w)
	return r
}

// detailsOf returns what the site says about a provider, in the language of w. It is
// drawn once, and not for each visitor of the form.
func (c *Charter) detailsOf(name string, w *words) template.HTML {
	p, known := c.details[name]
	if !known {
		return ""
	}
	who := p.LegalName
	if p.Country != "" {
		who = strings.TrimPrefix(who+", "+countryIn(w.tag, p.Country), ", ")
	}
	return c.render("details", details{Who: who, Policy: p.Policy, Link: w.Policy})
}

// countryIn returns the name of a country in a language, or its code if either is
// unknown: a site may add a language for which CLDR has no names.
func countryIn(tag language.Tag, code string) string {
	region, err := language.ParseRegion(code)
	if names := display.Regions(tag); err == nil && names != nil {
		return cmp.Or(names.Name(region), code)
	}
	return code
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
