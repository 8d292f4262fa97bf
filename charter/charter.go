// Package charter shows visitors the cookies that a site declares. "Charter" is
// short for "charte des cookies", the French name of a site's cookie policy page:
// the page that explains each cookie. The package makes that page, a form in it
// that takes the visitor's decision, and a banner that asks for one. All of it
// works without JavaScript.
//
//	site, err := charter.New(charter.Config{Middleware: mw})
//	handler := mw.Wrap(site.Wrap(app))
//
// The site's own pages show, for the request r, site.Head(r) in the head,
// site.Banner(r) first in the body, and site.Link(r) in the footer.
package charter

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

// A Config holds the settings of a [Charter]. Only Middleware is required.
type Config struct {
	// Middleware holds the declarations and saves the decisions. Required. The
	// charter's handler must run inside its Wrap.
	Middleware *consent.Middleware

	// Path is the path below which the charter answers. It begins and ends with "/";
	// between slashes it holds letters, digits and "-._~" only. A site that mounts
	// the handler there does so without http.StripPrefix. Empty means "cookies/"
	// below the CookiePath of [consent.Config], where every path has to lie.
	Path string

	// Language is the language of the site, for visitors whose languages have no
	// sentences. The zero Tag means English.
	Language language.Tag

	// LanguageOf, if not nil, returns the language that a visitor has chosen at
	// the site. It takes precedence over the browser's Accept-Language. The zero
	// Tag means that the visitor has chosen none.
	LanguageOf func(*http.Request) language.Tag

	// Categories describes the site's own categories. Each category that has a
	// declaration needs a Title and an About. Those that package consent names may be
	// described too; a field that is empty there keeps the library's text.
	Categories map[consent.Category]Category

	// Languages holds the site's own sentences: files such as "fr.json", in the
	// form of those in this package's folder languages. A file for one of this
	// package's languages changes the sentences that it holds; a file for another
	// language has to hold all of them, but for categories that are not shown. The files lie at the root: use [fs.Sub] for
	// files that are embedded from a folder. Nil means none.
	Languages fs.FS

	// Templates replaces this package's templates of the same names:
	//
	//	banner       the question, and the confirmation of its answer
	//	link         the link to the settings
	//	placeholder  a text in place of content that needs consent
	//	page         the charter's page, which holds "form" and "tables"
	//	form         the choices by category and provider
	//	tables       the declared cookies
	//	text         one text, with its language; used by the others
	//	details      who is behind a provider; shown by "form" and "tables"
	//
	// Begin with a copy from this package's folder templates, which shows the data
	// that each template is given. Keep the names and values that the forms post.
	// A template that fails is a mistake. Nil means none.
	Templates *template.Template

	// Style is a style sheet in place of this package's. To add some rules only,
	// append them to [DefaultStyle]. Nil means this package's; empty means none.
	Style []byte

	// Failed is called with the reason if a posted decision was not saved, or not
	// recorded; the visitor sees a message too. It is also called, with
	// [consent.ErrOutside], if the page is requested outside the middleware's Wrap,
	// since nothing can be saved there; and with [consent.ErrNotKept] if the script of
	// a page has seen that the browser does not keep a decision, once, since every
	// visitor can say so. Nil means that [slog.Default] logs it.
	Failed func(*http.Request, error)

	// GPCSince is the day since when the site has honored Global Privacy Control. The
	// charter then says so at "/.well-known/gpc.json", which belongs to sites whose
	// [consent.Config.Regime] knows [consent.OptOut] (Global Privacy Control, "GPC
	// Support Resource"). The zero Time says nothing.
	GPCSince time.Time

	// Aside, if not nil, returns HTML that the charter's page shows below the form,
	// such as the records of the visitor's decisions.
	Aside func(*http.Request) template.HTML
}

// errNotKept says what the script of a page has noticed.
var errNotKept = fmt.Errorf("%w: a visitor has blocked cookies, the host of the site is not that of the cookie, or a proxy in front removes it", consent.ErrNotKept)

// A Category is the description of a category for visitors.
type Category struct {
	Title consent.Text // a word or two
	About consent.Text // one sentence: what the category covers
}

// A Charter makes banner, form and charter page for one site. Make it with [New].
// It is safe for concurrent use.
type Charter struct {
	mw              *consent.Middleware
	path            string
	defaultLanguage language.Tag
	languageOf      func(*http.Request) language.Tag
	categories      map[consent.Category]Category
	cookies         []consent.Cookie
	providers       map[string]bool // all that are declared, by allowValue
	presumed        presumed
	localized       []func() *localized // made at first use; indexed as the matcher's languages
	matcher         language.Matcher
	templates       *template.Template
	failed          func(*http.Request, error)
	notKept         sync.Once
	aside           func(*http.Request) template.HTML
	gpc             asset // without content if the site says nothing
	style           asset
	script          asset
	document        func() (asset, error) // made at first use

	details map[string]consent.Provider // by name
}

// New makes a charter. The error joins every mistake in the config, each of which
// names its field.
func New(config Config) (*Charter, error) {
	c := &Charter{
		mw:              config.Middleware,
		path:            config.Path,
		defaultLanguage: config.Language,
		languageOf:      config.LanguageOf,
		categories:      config.Categories,
		templates:       templates,
		failed:          config.Failed,
		aside:           config.Aside,
	}
	if c.failed == nil {
		c.failed = func(r *http.Request, err error) { slog.ErrorContext(r.Context(), err.Error()) }
	}
	if c.defaultLanguage == (language.Tag{}) {
		c.defaultLanguage = language.English
	}
	var mistakes []error
	if c.path != "" && !isPlainPath(c.path) {
		mistakes = append(mistakes, fmt.Errorf(`charter: Config.Path: %q is not a plain path such as "/cookies/"`, c.path))
	}
	if c.mw == nil {
		return nil, errors.Join(append(mistakes, errors.New("charter: Config.Middleware: is nil"))...)
	}
	base := strings.TrimSuffix(c.mw.Cookie().Path, "/") + "/"
	if c.path == "" {
		c.path = base + "cookies/"
	}
	if !strings.HasPrefix(c.path, base) {
		mistakes = append(mistakes, fmt.Errorf("charter: Config.Path: %q does not lie below %q, where browsers send the decision (CookiePath of consent.Config)", c.path, base))
	}
	c.details = make(map[string]consent.Provider)
	for _, p := range c.mw.Registry().Providers() {
		c.details[p.Name] = p
	}
	c.cookies = declaredCookies(c.mw)
	c.providers = make(map[string]bool)
	for _, cookie := range c.mw.Registry().Cookies() {
		c.providers[allowValue(cookie.Category, cookie.Provider)] = true
	}
	var err error
	if c.presumed, err = presumptions(c.mw, c.allCategories()); err != nil {
		mistakes = append(mistakes, err)
	}
	for _, category := range c.allCategories() {
		own := c.categories[category]
		if !slices.Contains(libraryCategories, category) && (len(own.Title) == 0 || len(own.About) == 0) {
			mistakes = append(mistakes, fmt.Errorf("charter: Config.Categories[%q]: a category of the site's own needs a Title and an About", category))
		}
	}
	if err := c.readLanguages(config.Languages); err != nil {
		mistakes = append(mistakes, err)
	} else if config.Templates != nil {
		mistakes = append(mistakes, c.replaceTemplates(config.Templates))
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	script, err := c.makeScript()
	if err != nil {
		return nil, err
	}
	c.script = newAsset("script", ".js", "text/javascript; charset=utf-8", script)
	if !config.GPCSince.IsZero() {
		c.gpc = newAsset("gpc", ".json", "application/json", fmt.Appendf(nil, `{"gpc": true, "lastUpdate": %q}`, config.GPCSince.Format(time.DateOnly)))
	}
	if config.Style == nil {
		config.Style = DefaultStyle()
	}
	c.document = sync.OnceValues(c.newDocument)
	c.style = newAsset("style", ".css", "text/css; charset=utf-8", config.Style)
	return c, nil
}

// plainPath matches paths that need no escape in a link, and no character of which
// has a meaning in the patterns of a ServeMux.
var plainPath = regexp.MustCompile(`^/([A-Za-z0-9._~-]+/)*$`)

func isPlainPath(s string) bool {
	return localPath(s) != "" && plainPath.MatchString(s) && path.Clean(s) == "/"+strings.Trim(s, "/")
}

// declaredCookies returns the site's declarations, and one of the library's own
// cookie if the site has not declared it.
func declaredCookies(mw *consent.Middleware) []consent.Cookie {
	cookies := mw.Registry().Cookies()
	own := mw.Cookie()
	if slices.ContainsFunc(cookies, func(c consent.Cookie) bool { return c.Name == own.Name && c.Kind == consent.HTTPCookie }) {
		return cookies
	}
	lifetime := time.Duration(own.MaxAge) * time.Second
	return append(cookies, consent.Cookie{Name: own.Name, Category: consent.Necessary, Lifetime: lifetime})
}

// allCategories returns the first categories of the library, also those without a
// declaration, then all others in the order of their declarations.
func (c *Charter) allCategories() []consent.Category {
	categories := slices.Clone(libraryCategories[:alwaysShown])
	for _, cookie := range c.cookies {
		if !slices.Contains(categories, cookie.Category) {
			categories = append(categories, cookie.Category)
		}
	}
	return categories
}

// libraryCategories are those that need no text of the site. The charter shows the
// first of them even if nothing is declared in them.
var libraryCategories = []consent.Category{
	consent.Necessary, consent.Statistics, consent.FirstParty, consent.ThirdParty,
	consent.AudienceMeasurement, consent.Personalisation, consent.Advertising, consent.SocialNetworks,
	consent.EmbeddedMedia, consent.Chat, consent.Appearance,
}

const alwaysShown = 4

//go:embed style.css
var style []byte

var (
	styleComment = regexp.MustCompile(`(?s)/\*.*?\*/`)
	styleSpace   = regexp.MustCompile(`\s*([{};,])\s*|\s+`)
)

// DefaultStyle returns a copy of this package's style sheet. The file style.css
// begins with a list of the custom properties that a site may set.
func DefaultStyle() []byte { return compactStyle(style) }

// compactStyle removes comments and space that browsers do not need.
func compactStyle(source []byte) []byte {
	return styleSpace.ReplaceAllFunc(styleComment.ReplaceAll(source, nil), func(space []byte) []byte {
		if mark := bytes.TrimSpace(space); len(mark) > 0 {
			return mark
		}
		return []byte(" ")
	})
}
