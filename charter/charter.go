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
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"html/template"
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
)

// A Charter makes banner, form and charter page for one site. Make it with [New].
// It is safe for concurrent use.
type Charter struct {
	mw     *consent.Middleware
	path   string // as requests arrive with it
	public string // as browsers see it
	prefix string
	failed func(*http.Request, error)

	// What is declared, and how visitors read of it.
	cookies    []consent.Cookie
	categories map[consent.Category]Category
	providers  map[string]bool             // all that are declared, by allowValue
	details    map[string]consent.Provider // by name
	presumed   presumed

	// What pages say and look like.
	name            string
	policyURL       string
	updated         time.Time
	layout          Layout
	button          bool
	nonce           func(*http.Request) string
	aside           func(*http.Request) template.HTML
	defaultLanguage language.Tag
	languageOf      func(*http.Request) language.Tag
	localized       []func() *localized // made at first use; indexed as languages
	languages       []language.Tag      // those of the matcher
	words           []*words            // the same
	matcher         language.Matcher
	templates       *template.Template
	templatesSum    string
	version         string // of all that a control may show: see versionOf

	// Files and scripts.
	style    asset
	inline   inlined
	script   asset
	head     headScript
	google   Signal
	gpc      asset                 // without content if the site says nothing
	document func() (asset, error) // made at first use

	// What is recorded of visitors, and what users have decided.
	history  History
	hosts    hosts                      // that notices name
	account  func(*http.Request) string // nil if the site has no accounts
	accounts Accounts

	mounted                        atomic.Bool // Wrap or Handler was called
	unmounted, notKept, unverified sync.Once   // each mistake of the site is told once
	unallowable                    sync.Once   // Embed was asked for what nobody can allow
}

// New makes a charter. The error joins every mistake in the config, each of which
// names its field.
func New(config Config) (*Charter, error) {
	c := config.charter()
	mistakes := []error{c.checkPath()}
	if c.mw == nil {
		return nil, errors.Join(append(mistakes, errors.New("charter: Config.Middleware: is nil"))...)
	}
	mistakes = append(mistakes, c.checkPage()...)
	mistakes = append(mistakes, c.checkAccounts()...)
	mistakes = append(mistakes, c.place(), c.readDeclarations())
	mistakes = append(mistakes, c.checkCategories()...)
	mistakes = append(mistakes, c.prepare(config))
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	var err error
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

// charter returns a charter with what the config says, or its defaults.
func (config *Config) charter() *Charter {
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
	return c
}

// checkPath returns the mistake in a path that the config names.
func (c *Charter) checkPath() error {
	if c.path != "" && !isPlainPath(c.path) {
		return fmt.Errorf(`charter: Config.Path: %q is not a plain path such as "/cookies/"`, c.path)
	}
	return nil
}

// place finds the path if the config names none, and the one that browsers see. The error
// is for a path to which browsers do not send the decision.
func (c *Charter) place() error {
	base := strings.TrimSuffix(c.mw.Cookie().Path, "/") + "/"
	if c.path == "" {
		c.path = "/" + strings.TrimPrefix(base, c.prefix+"/") + "cookies/"
		if !strings.HasPrefix(base, c.prefix+"/") {
			c.path = "/cookies/"
		}
	}
	c.public = c.prefix + c.path
	if !strings.HasPrefix(c.public, base) {
		return fmt.Errorf("charter: Config.Path: %q does not lie below %q, where browsers send the decision (CookiePath of consent.Config)", c.public, base)
	}
	return nil
}

// prepare makes what is the same in every page: the script of the head, the style, and the
// charter in each language. The error joins the mistakes in what the site gives for it.
func (c *Charter) prepare(config Config) error {
	head, errHead := c.newHeadScript(config)
	c.head = head
	if config.Style == nil {
		config.Style = DefaultStyle()
	}
	if own, isOurs := bytes.CutPrefix(config.Style, DefaultStyle()); isOurs && config.Templates == nil {
		config.Style = slices.Concat(DefaultStyle(), []byte(layoutStyle("whole")), own) // what is the site's own stays last
	}
	c.style = newAsset("style", ".css", "text/css; charset=utf-8", config.Style)
	c.inline = c.newInlined(config.Style)
	err := c.readLanguages(config.Languages)
	if err == nil && config.Templates != nil {
		err = c.replaceTemplates(config.Templates) // which are tried in a language
	}
	return errors.Join(errHead, err)
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
