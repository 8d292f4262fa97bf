// Package charter draws what a visitor sees of a site's cookies, from the
// declarations that the site has made: the banner that asks, the form that
// takes the answer, and the charter that explains. It works without JavaScript.
// A charter, from the French charte, is a site's cookie policy page.
//
//	site, err := charter.New(charter.Config{Middleware: mw})
//	mux.Handle("/cookies/", site.Handler())
//	handler := mw.Wrap(mux)
//
// and in the site's templates, for the request r, site.Head(r) in the head,
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
	"time"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

// A Config is what a [Charter] is made of. Middleware is required.
type Config struct {
	// Middleware takes the decisions and holds the declarations. Required. The
	// charter's handler must run inside of its Wrap.
	Middleware *consent.Middleware

	// Path is where the site mounts the handler, which wants the whole path: no
	// http.StripPrefix. It begins and ends with "/", and holds letters, digits
	// and "-._~" between. Empty means "/cookies/".
	Path string

	// Language is the site's own, for visitors whose languages nothing here
	// speaks. The zero Tag means English.
	Language language.Tag

	// LanguageOf, if not nil, returns the language that the site speaks with a
	// visitor, which then goes before the browser's Accept-Language; the zero
	// Tag where there is no such setting.
	LanguageOf func(*http.Request) language.Tag

	// Categories says what the site's own categories are. Each that has a
	// declaration needs a title and a sentence; those of the library may be
	// given others, and what is empty stays the library's.
	Categories map[consent.Category]Category

	// Languages holds sentences of the site's own: files such as "fr.json" in
	// the form of those in this package's folder languages. In a language that
	// is there already a file changes the sentences that it holds; a new
	// language needs all of them. They stand at the root (see [fs.Sub] for files
	// that are embedded from a folder). Nil means none.
	Languages fs.FS

	// Templates replaces templates of this package by those of the same name:
	// "banner", "link", "placeholder" and "page", which is made of "form" and
	// "tables", and in all of these "told", a text with its language. Begin with a copy from this package's folder templates, where
	// everything stands that a template is given. What the form posts must stay
	// as it is there. A template that fails is a mistake here. Nil means none.
	Templates *template.Template

	// Style is the style sheet to use in place of this package's; for a few
	// rules more, append them to [DefaultStyle]. Nil means this package's; empty
	// means none.
	Style []byte

	// Failed is told why a decision that a visitor has posted was not taken, or not
	// recorded, which the visitor is told too; and that the page was asked for
	// outside of the middleware's Wrap, where none can be. Nil logs it by [slog.Default].
	Failed func(*http.Request, error)

	// Aside, if not nil, returns what the site adds to the charter's page below
	// the form, such as what its records say of the visitor.
	Aside func(*http.Request) template.HTML
}

// A Category is what a visitor reads about a category.
type Category struct {
	Title consent.Text // a word or two
	About consent.Text // one sentence: what it covers
}

// A Charter is what a visitor sees of a site's cookies. Make it with [New]. It
// is safe for concurrent use.
type Charter struct {
	mw         *consent.Middleware
	path       string
	site       language.Tag
	languageOf func(*http.Request) language.Tag
	categories map[consent.Category]Category
	cookies    []consent.Cookie
	drawings   []func() *drawing // by language, in the matcher's order
	matcher    language.Matcher
	templates  *template.Template
	failed     func(*http.Request, error)
	aside      func(*http.Request) template.HTML
	style      asset
	script     asset
}

// New makes a charter. The error holds every mistake in the config, each naming
// its field.
func New(config Config) (*Charter, error) {
	c := &Charter{
		mw:         config.Middleware,
		path:       config.Path,
		site:       config.Language,
		languageOf: config.LanguageOf,
		categories: config.Categories,
		templates:  templates,
		failed:     config.Failed,
		aside:      config.Aside,
	}
	if c.failed == nil {
		c.failed = func(r *http.Request, err error) { slog.ErrorContext(r.Context(), err.Error()) }
	}
	if c.path == "" {
		c.path = "/cookies/"
	}
	if c.site == (language.Tag{}) {
		c.site = language.English
	}
	var mistakes []error
	if localPath(c.path) == "" || !plainPath.MatchString(c.path) || path.Clean(c.path) != "/"+strings.Trim(c.path, "/") {
		mistakes = append(mistakes, fmt.Errorf(`charter: Config.Path: %q is not a plain path such as "/cookies/"`, c.path))
	}
	if c.mw == nil {
		return nil, errors.Join(append(mistakes, errors.New("charter: Config.Middleware: is nil"))...)
	}
	c.cookies = withOwn(c.mw)
	for _, category := range c.shown() {
		own := c.categories[category]
		if !known(category) && (len(own.Title) == 0 || len(own.About) == 0) {
			mistakes = append(mistakes, fmt.Errorf("charter: Config.Categories[%q]: a category of the site's own needs a Title and an About", category))
		}
	}
	if err := c.speak(config.Languages); err != nil {
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
	if config.Style == nil {
		config.Style = DefaultStyle()
	}
	c.style = newAsset("style", ".css", "text/css; charset=utf-8", config.Style)
	return c, nil
}

// plainPath matches what stands in a link as it is, and has no meaning to a ServeMux.
var plainPath = regexp.MustCompile(`^/([A-Za-z0-9._~-]+/)*$`)

// withOwn adds the library's own cookie where the site has not declared it.
func withOwn(mw *consent.Middleware) []consent.Cookie {
	cookies := mw.Registry().Cookies()
	if slices.ContainsFunc(cookies, func(c consent.Cookie) bool { return c.Name == consent.CookieName }) {
		return cookies
	}
	lifetime := time.Duration(mw.Cookie().MaxAge) * time.Second
	return append(cookies, consent.Cookie{Name: consent.CookieName, Category: consent.Necessary, Lifetime: lifetime})
}

// shown returns the categories that the charter speaks of: the library's four,
// in its order, then the site's own in the order of their declaration.
func (c *Charter) shown() []consent.Category {
	categories := slices.Clone(kinds)
	for _, cookie := range c.cookies {
		if !slices.Contains(categories, cookie.Category) {
			categories = append(categories, cookie.Category)
		}
	}
	return categories
}

// kinds are the four that the charter explains, in its order.
var kinds = []consent.Category{consent.Necessary, consent.Statistics, consent.FirstParty, consent.ThirdParty}

func known(category consent.Category) bool { return slices.Contains(kinds, category) }

//go:embed style.css
var style []byte

var (
	styleComment = regexp.MustCompile(`(?s)/\*.*?\*/`)
	styleSpace   = regexp.MustCompile(`\s*([{};,])\s*|\s+`)
)

// DefaultStyle returns a copy of this package's style sheet. The file style.css
// names at its beginning the custom properties that a site may set.
func DefaultStyle() []byte { return compactStyle(style) }

// compactStyle leaves out what only readers of the source need.
func compactStyle(source []byte) []byte {
	return styleSpace.ReplaceAllFunc(styleComment.ReplaceAll(source, nil), func(space []byte) []byte {
		if mark := bytes.TrimSpace(space); len(mark) > 0 {
			return mark
		}
		return []byte(" ")
	})
}
