// Package charter shows visitors the cookies that a site declares. "Charter" is
// short for "charte des cookies", the French name of a site's cookie policy page:
// the page that explains each cookie. The package makes that page, a form in it
// that takes the visitor's decision, and a banner that asks for one. All of it
// works without JavaScript.
//
//	site, err := charter.New(charter.Config{Middleware: mw})
//	handler := mw.Wrap(site.Wrap(app))
//
// The site's own pages show, for the request r, site.Head(r) and site.Script(r) in the
// head, site.Banner(r) first in the body, and site.Link(r) in the footer.
package charter

import (
	"cmp"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/internal/account"
	"github.com/cookiecharter/consent/internal/document"
)

// A Config holds the settings of a [Charter]. Only Middleware is required.
type Config struct {
	// Middleware holds the declarations and saves the decisions. Required. The
	// charter's handler must run inside its Wrap.
	Middleware *consent.Middleware

	// Path is the path below which the charter answers. It begins and ends with "/";
	// between slashes it holds letters, digits and "-._~" only. A site that mounts
	// the handler there does so without http.StripPrefix. Empty means "cookies/"
	// below the CookiePath of [consent.Config], where every path has to lie as browsers see
	// it.
	Path string

	// Prefix is the beginning of the path that a proxy in front takes off, or
	// [http.StripPrefix] around the whole site, such as "/shop": browsers see the charter at
	// Prefix and Path. Empty means that the path arrives whole.
	Prefix string

	// Name is the name of the site, with which the banner begins. Empty means "this site",
	// in each language.
	Name string

	// PolicyURL is the address of the site's privacy policy, to which the charter's page
	// links: a path on the site, or an address with https. Empty means none.
	PolicyURL string

	// Updated is the day on which the charter was last changed; its page says so. The zero
	// Time says nothing.
	Updated time.Time

	// Layout is the form and the place of the banner. Empty means [BottomBar].
	Layout Layout

	// Button adds a button to the settings to pages with a [Charter.Banner], or with the
	// script, once the visitor has decided. It lies over the corner of the window.
	Button bool

	// Nonce, if not nil, returns the nonce of the Content-Security-Policy of the response to
	// a request; the tags that the charter writes, and those that its script makes, carry
	// it. Empty means none.
	Nonce func(*http.Request) string

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
	//	banner       the question, and the notes that take its place
	//	button       the button of Config.Button
	//	link         the link to the settings
	//	placeholder  a text in place of content that needs consent
	//	page         the charter's page, which holds "form" and "tables"
	//	settings     the dialog of the script, which holds "form"
	//	form         the choices by category and provider
	//	tables       the declared cookies
	//	text         one text, with its language; used by the others
	//	details      who is behind a provider; shown by "form" and "tables"
	//	records      the page of Config.History, which holds "decisions"
	//	decisions    what is recorded of the visitor; each of them holds "screen"
	//	screen       what was on the screen when the visitor decided
	//
	// Begin with a copy from this package's folder templates, which shows the data
	// that each template is given. Keep the names and values that the forms post: by
	// "by", "said" and "shows" a record knows what was on the screen.
	// A template that fails is a mistake. Nil means none.
	Templates *template.Template

	// Style is a style sheet in place of this package's: a file, to which pages link. To
	// add some rules only, append them to [DefaultStyle]: they then stand in the pages with
	// the banner's. Nil means this package's; empty means none.
	Style []byte

	// Failed is called with the reason if a posted decision was not saved, or not
	// recorded; the visitor sees a message too. It is also called, with
	// [consent.ErrOutside], if the page is requested outside the middleware's Wrap,
	// since nothing can be saved there; with [consent.ErrNotKept] if a browser does not
	// keep a decision; if one does not say that a post comes from this site; and if a page
	// asks for content that no visitor can allow. The last three are told once, since every
	// visitor can say so. Nil means that [slog.Default] logs it.
	Failed func(*http.Request, error)

	// Account, if not nil, returns the ID of the user who is signed in as a request says, "" for
	// nobody. What somebody decides while signed in then holds for them on every device on
	// which they sign in, and nothing of it remains in a browser after they have signed out: that
	// has the decision again that it had before. The charter notices a sign-in and a sign-out by
	// itself, in each request through [Charter.Wrap], which has to be around the whole site. The
	// function is called before the site's own handlers, and must not wait for anything: a
	// middleware for sessions belongs outside of Wrap. Banner and forms say before the choice that
	// it holds for the account; the first page after a sign-in tells that the account's applies
	// (CNIL, deliberation no. 2025-131 of 18 December 2025). The rule for a browser that has
	// decided something else is that of [consent.Middleware.Restore]. Nil means that the site
	// has no accounts. Account and Accounts need each other, and a [consent.Config.Recorder].
	Account func(*http.Request) string

	// Accounts keep what users decide: the Users of the module's ledger. A sign-in asks them, and
	// each page after five minutes; after 30 seconds if they have answered nothing, or failed. If they
	// do not answer within two seconds, the page is served, and what the browser has stands. Failed
	// is told. Nil means that the site has no accounts.
	Accounts Accounts

	// GPCSince is the day since when the site has honored Global Privacy Control. The
	// charter then says so at "/.well-known/gpc.json", which belongs to sites whose
	// [consent.Config.Regime] knows [consent.OptOut] (Global Privacy Control, "GPC
	// Support Resource"). The zero Time says nothing.
	GPCSince time.Time

	// Signals are the tags of others that are to be told what the visitor has decided, such
	// as [Google]. [Charter.Head] tells them before they run; a page that cannot call it
	// loads "head.js" below the path, without defer, before any tag. Nil means none.
	Signals []Signal

	// Guard holds back what the scripts of a page store, as a cookie or in local or session
	// storage, under a name that the visitor has not allowed: the script sees no error, and
	// nothing is stored. It is in the script that [Charter.Head] writes, and in "head.js",
	// which have to come before any other. A script that means to can go round it: gates and
	// [consent.Cookie.Origins] keep scripts away. Zero is [GuardOff].
	Guard Guard

	// GuardReport, where you develop, is the path at which package inventory answers, such as
	// "/debug/cookies". It is told of the names, and nothing is held back. Empty means that
	// the Guard does its work.
	GuardReport string

	// History, if not nil, reads what Recorder of [consent.Config] has kept, which has to be
	// set. A visitor with a reference then finds a link in the form to "records" below the
	// path: a page with what is recorded of their decisions, and "records.json", which is
	// the receipt of these. The reference is that of the visitor's own cookie, and of no
	// other (Regulation (EU) 2016/679, article 15). Nil means that there is neither.
	History History

	// Aside, if not nil, returns HTML that the charter's page shows below the form.
	Aside func(*http.Request) template.HTML
}

// errNotKept says what the script of a page has noticed.
var errNotKept = fmt.Errorf("%w: a visitor has blocked cookies, the host of the site is not that of the cookie, or a proxy in front removes it", consent.ErrNotKept)

// errUnverified is what the site is told of a post that may come from anywhere.
var errUnverified = errors.New("charter: a browser does not say that a decision comes from a page of this site, so that its visitor has to decide twice; is the site on plain http with \"Referrer-Policy: no-referrer\", or does a proxy change Host?")

// A Category is the description of a category for visitors.
type Category struct {
	Title consent.Text // a word or two
	About consent.Text // one sentence: what the category covers

	// For says what for, in a few words that follow "it uses others", such as "to offer you
	// a chat". Empty means the title in quotes.
	For consent.Text
}

// A Layout is the form and the place of the banner in the window.
type Layout string

const (
	BottomBar Layout = "bar"     // along the foot of the window
	TopBar    Layout = "top-bar" // along its head
	BottomBox Layout = "box"     // in the lower corner, at the end of lines
	TopBox    Layout = "top-box" // in the upper one
	Card      Layout = "card"    // in the middle
)

var layouts = []Layout{BottomBar, TopBar, BottomBox, TopBox, Card}

// A Charter makes banner, form and charter page for one site. Make it with [New].
// It is safe for concurrent use.
type Charter struct {
	mw              *consent.Middleware
	path            string // as requests arrive with it
	public          string // as browsers see it
	prefix          string
	name            string
	policyURL       string
	updated         time.Time
	layout          Layout
	button          bool
	nonce           func(*http.Request) string
	defaultLanguage language.Tag
	languageOf      func(*http.Request) language.Tag
	categories      map[consent.Category]Category
	cookies         []consent.Cookie
	providers       map[string]bool // all that are declared, by allowValue
	presumed        presumed
	localized       []func() *localized // made at first use; indexed as languages
	languages       []language.Tag      // those of the matcher
	words           []*words            // the same
	matcher         language.Matcher
	templates       *template.Template
	templatesSum    string
	version         string // of all that a control may show: see versionOf
	hosts           hosts  // that notices name
	failed          func(*http.Request, error)
	notKept         sync.Once
	unverified      sync.Once
	history         History
	mounted         atomic.Bool // Wrap or Handler was called
	unmounted       sync.Once
	unallowable     sync.Once // Embed was asked for what nobody can allow
	aside           func(*http.Request) template.HTML
	gpc             asset // without content if the site says nothing
	style           asset
	inline          inlined
	script          asset
	head            headScript
	google          Signal
	document        func() (asset, error) // made at first use

	details map[string]consent.Provider // by name

	account  func(*http.Request) string // nil if the site has no accounts
	accounts Accounts
}

// New makes a charter. The error joins every mistake in the config, each of which
// names its field.
func New(config Config) (*Charter, error) {
	c := &Charter{
		mw:              config.Middleware,
		path:            config.Path,
		prefix:          config.Prefix,
		name:            config.Name,
		policyURL:       config.PolicyURL,
		updated:         config.Updated,
		layout:          cmp.Or(config.Layout, BottomBar),
		button:          config.Button,
		nonce:           config.Nonce,
		defaultLanguage: config.Language,
		languageOf:      config.LanguageOf,
		categories:      config.Categories,
		templates:       templates,
		templatesSum:    ownTemplatesSum,
		failed:          config.Failed,
		history:         config.History,
		aside:           config.Aside,
		google:          googleOf(config.Signals),
		account:         config.Account,
		accounts:        config.Accounts,
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
	mistakes = append(mistakes, c.checkPage()...)
	mistakes = append(mistakes, c.checkAccounts()...)
	base := strings.TrimSuffix(c.mw.Cookie().Path, "/") + "/"
	if c.path == "" {
		c.path = "/" + strings.TrimPrefix(base, c.prefix+"/") + "cookies/"
		if !strings.HasPrefix(base, c.prefix+"/") {
			c.path = "/cookies/"
		}
	}
	c.public = c.prefix + c.path
	if !strings.HasPrefix(c.public, base) {
		mistakes = append(mistakes, fmt.Errorf("charter: Config.Path: %q does not lie below %q, where browsers send the decision (CookiePath of consent.Config)", c.public, base))
	}
	c.details = make(map[string]consent.Provider)
	for _, p := range c.mw.Registry().Providers() {
		c.details[p.Name] = p
	}
	c.cookies = c.declaredCookies()
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
			mistakes = append(mistakes, fmt.Errorf("charter: Config.Categories[%q]: is no category of the library; %s. One of the site's own needs a Title and an About", category, document.Nearest(string(category), libraryNames())))
		}
	}
	if c.head, err = c.newHeadScript(config); err != nil {
		mistakes = append(mistakes, err)
	}
	if config.Style == nil {
		config.Style = DefaultStyle()
	}
	c.style = newAsset("style", ".css", "text/css; charset=utf-8", config.Style)
	c.inline = c.newInlined(config.Style)
	if err := c.readLanguages(config.Languages); err != nil {
		mistakes = append(mistakes, err)
	} else if config.Templates != nil {
		mistakes = append(mistakes, c.replaceTemplates(config.Templates))
	}
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	if c.version, err = c.versionOf(); err != nil {
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
	c.document = sync.OnceValues(c.newDocument)
	return c, nil
}

// checkPage returns the mistakes in what the page says about the site, and in where
// things stand.
func (c *Charter) checkPage() (mistakes []error) {
	if c.prefix != "" && !isPlainPath(c.prefix+"/") {
		mistakes = append(mistakes, fmt.Errorf(`charter: Config.Prefix: %q is not a plain path such as "/shop", without a slash at its end`, c.prefix))
	}
	if u, err := url.Parse(c.policyURL); c.policyURL != "" && localPath(c.policyURL) == "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		mistakes = append(mistakes, fmt.Errorf("charter: Config.PolicyURL: %q is neither a path on the site nor an address with https", c.policyURL))
	}
	if !slices.Contains(layouts, c.layout) {
		mistakes = append(mistakes, fmt.Errorf("charter: Config.Layout: %q is none of %q", c.layout, layouts))
	}
	if c.history != nil && !c.mw.Records() {
		mistakes = append(mistakes, errors.New("charter: Config.History: nothing is recorded, since consent.Config has no Recorder"))
	}
	return mistakes
}

// plainPath matches paths that need no escape in a link, and no character of which
// has a meaning in the patterns of a ServeMux.
var plainPath = regexp.MustCompile(`^/([A-Za-z0-9._~-]+/)*$`)

func isPlainPath(s string) bool {
	return localPath(s) != "" && plainPath.MatchString(s) && path.Clean(s) == "/"+strings.Trim(s, "/")
}

// declaredCookies returns the site's declarations, and those of the library's own
// cookies that the site has not declared.
func (c *Charter) declaredCookies() []consent.Cookie {
	cookies := c.mw.Registry().Cookies()
	for _, own := range c.ownCookies() {
		if !slices.ContainsFunc(cookies, func(c consent.Cookie) bool { return c.Name == own.Name && c.Kind == consent.HTTPCookie }) {
			lifetime := time.Duration(own.MaxAge) * time.Second
			cookies = append(cookies, consent.Cookie{Name: own.Name, Category: consent.Necessary, Lifetime: lifetime})
		}
	}
	return cookies
}

// ownCookies returns the library's own cookies: the preferences, and what remembers who is
// signed in if the site has accounts.
func (c *Charter) ownCookies() []http.Cookie {
	own := []http.Cookie{c.mw.Cookie()}
	if c.account != nil {
		own = append(own, account.Attributes(own[0]))
	}
	return own
}

// allCategories returns the first categories of the library, also those without a
// declaration, then all others in the order of their declarations. A site that asks by
// purpose gets none that are empty: its third parties may be under another name.
func (c *Charter) allCategories() []consent.Category {
	isDeclared := func(category consent.Category) bool {
		return slices.ContainsFunc(c.cookies, func(cookie consent.Cookie) bool { return cookie.Category == category })
	}
	categories := slices.Clone(libraryCategories[:alwaysShown])
	if slices.ContainsFunc(libraryCategories[alwaysShown:], isDeclared) {
		categories = slices.DeleteFunc(categories, func(category consent.Category) bool { return !isDeclared(category) })
	}
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

func libraryNames() []string {
	names := make([]string, len(libraryCategories))
	for i, category := range libraryCategories {
		names[i] = string(category)
	}
	return names
}
