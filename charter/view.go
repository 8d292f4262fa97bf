package charter

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

// A view is what the templates see.
type view struct {
	Words   *words
	Lang    string
	Path    string // where forms post to
	Back    string // the page to come back to
	Style   string
	Ask     string
	Decided bool
	Status  string // what the visitor has decided, and when
	Just    bool   // a moment ago
	Groups  []group
}

// A group is one category.
type group struct {
	Category     consent.Category
	Title, About told
	Exempt       bool // nothing in it needs consent
	Objectable   bool // it holds anonymous statistics
	Objects      bool
	Providers    []provider
	Cookies      []row
}

// A provider is one who can be allowed or refused within a category.
type provider struct {
	Name, Value string
	Allowed     bool
}

// A row is one line of the charter's table.
type row struct {
	Provider, Service, Purpose told
	Name, Lifetime             string
}

// A told is a text with its language, where that is not the page's.
type told struct{ Text, Lang, Dir string }

// just is how long the confirmation is shown after a decision.
const just = 15 * time.Second

func (c *Charter) view(r *http.Request) view {
	w, read := c.wordsFor(r)
	prefs := consent.FromContext(r.Context())
	v := view{
		Words:   w,
		Lang:    w.tag.String(),
		Path:    c.path,
		Back:    localPath(r.URL.RequestURI()),
		Style:   c.path + c.style,
		Decided: prefs.Decided(),
		Status:  w.Undecided,
	}
	if at := prefs.DecidedAt(); v.Decided && !at.IsZero() {
		v.Status = strings.ReplaceAll(w.Decided, "{date}", at.UTC().Format("2006-01-02, 15:04 UTC"))
		v.Just = time.Since(at) < just
	}
	var purposes []string
	for _, category := range c.declared() {
		g := c.group(category, w, read, prefs)
		v.Groups = append(v.Groups, g)
		if !g.Exempt {
			purposes = append(purposes, g.Title.Text)
		}
	}
	v.Ask = strings.ReplaceAll(w.Ask, "{purposes}", strings.Join(purposes, ", "))
	return v
}

func (c *Charter) group(category consent.Category, w *words, read []language.Tag, prefs consent.Preferences) group {
	own := c.categories[category]
	g := group{
		Category: category,
		Title:    c.tell(own.Title, w.Categories[category].Title, w, read),
		About:    c.tell(own.About, w.Categories[category].About, w, read),
		Exempt:   true,
		Objects:  prefs.Objects(),
	}
	for _, cookie := range c.cookies {
		if cookie.Category != category {
			continue
		}
		g.Cookies = append(g.Cookies, c.row(cookie, w, read))
		g.Objectable = g.Objectable || cookie.Anonymous
		if !cookie.NeedsConsent() {
			continue
		}
		g.Exempt = false
		if slices.ContainsFunc(g.Providers, func(p provider) bool { return p.Name == cookie.Provider }) {
			continue
		}
		g.Providers = append(g.Providers, provider{
			Name:    cookie.Provider,
			Value:   allowValue(category, cookie.Provider),
			Allowed: prefs.AllowsProvider(category, cookie.Provider) || prefs.Objects() && prefs.AllowsCookie(cookie.Name),
		})
	}
	return g
}

func (c *Charter) row(cookie consent.Cookie, w *words, read []language.Tag) row {
	r := row{Name: cookie.Name, Provider: told{Text: cookie.Provider}, Lifetime: w.lifetime(cookie.Lifetime)}
	if cookie.Name == consent.CookieName && cookie.Provider == "" { // not declared by the site
		r.Provider = told{Text: w.OwnProvider}
		r.Service, r.Purpose = told{Text: w.OwnService}, told{Text: w.OwnPurpose}
		return r
	}
	r.Service = c.tell(cookie.Service, "", w, read)
	r.Purpose = c.tell(cookie.Purpose, "", w, read)
	return r
}

// tell picks the text for the visitor, or ours where the site has none.
func (c *Charter) tell(text consent.Text, ours string, w *words, read []language.Tag) told {
	if len(text) == 0 {
		return told{Text: ours}
	}
	s, tag := text.In(c.site, read...)
	t := told{Text: s}
	if base, _ := tag.Base(); base != baseOf(w.tag) {
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
