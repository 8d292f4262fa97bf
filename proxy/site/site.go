// Package site puts consent in front of a site that is not written with the library: the
// middleware, the charter that explains the cookies, and the ledger that keeps proof, all
// made from plain settings. The program in this module uses it, and so does the module for
// Caddy.
//
//	s, err := site.New(ctx, site.Config{Registry: registry, Keys: keys})
//	handler := s.Wrap(backend)
//	…
//	err = s.Close(patience)
package site

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/ledger"
)

// A Config says how consent is asked for in front of a site. Registry and Keys are
// required; every other field's zero value is right for a site on https.
type Config struct {
	// Registry holds the declarations: see package declare. Required.
	Registry *consent.Registry

	// Keys sign the decisions of visitors: see [consent.Config.Keys] and [ReadKeys]. Required.
	Keys [][]byte

	// CookieName is the name of the visitor's decision, as in [consent.Config]. Empty means
	// "cookies_preferences".
	CookieName string

	// AllowUndeclared, ReportOnly and Insecure are those of [consent.Config].
	AllowUndeclared, ReportOnly, Insecure bool

	// Regimes says which law applies to a request. The zero value means opt-in for all.
	Regimes Regimes

	// Charter holds the settings of the charter. Its Middleware, LanguageOf and Failed are
	// those of the site: a mistake if they are set. An empty Path means "/cookies/".
	Charter charter.Config

	// LanguageCookie is the name of the cookie in which the site keeps the language that a
	// visitor has chosen, such as "django_language". Empty means none.
	LanguageCookie string

	// Ledger says where proof of each decision is kept. The zero value keeps none.
	Ledger Ledger

	// Observe, if not nil, gets an event for what became of each cookie, besides the log.
	Observe func(*http.Request, consent.Event)

	// Recorded, if not nil, gets each decision that visitors take, before it is recorded.
	Recorded func(consent.Record)

	// Log is told what becomes of cookies, and what goes wrong. Nil means [slog.Default].
	Log *slog.Logger
}

// Regimes say which law applies to a request, by a header that a CDN writes into it.
type Regimes struct {
	// Header is the name of the header, such as "CF-IPCountry". Empty means that the
	// default holds for every request.
	Header string

	// ByValue holds the regime for each value of the header, such as "US" or "US-CA"; upper
	// and lower case are the same.
	ByValue map[string]consent.Regime

	// Default is the regime of every other request. Zero is [consent.OptIn].
	Default consent.Regime

	// Trusted reports whether a request comes from the machine that writes the header;
	// anybody else can write it too. Required if there is a Header.
	Trusted func(*http.Request) bool
}

// A Ledger says where proof of each decision is kept: see package ledger.
type Ledger struct {
	// URL is a file, or the address of a PostgreSQL server: see [ledger.Open]. Empty means
	// that nothing is kept.
	URL string

	// Config holds the keys that seal the records, and the folder for refusals that wait.
	ledger.Config
}

// A Site is the middleware, the charter and the ledger of one site. Make it with [New].
// It is safe for concurrent use.
type Site struct {
	mw      *consent.Middleware
	charter *charter.Charter
	path    string
	ledger  *ledger.Ledger // nil for none
}

// New makes a site and opens its ledger. The error joins every mistake in the config, each
// of which names its field. Close the site when it has answered its last request.
func New(ctx context.Context, config Config) (*Site, error) {
	if config.Log == nil {
		config.Log = slog.Default()
	}
	if config.Charter.Path == "" {
		config.Charter.Path = defaultPath
	}
	s := &Site{path: config.Charter.Path}
	if config.Ledger.URL != "" {
		books, err := ledger.Open(ctx, config.Ledger.URL, config.Ledger.Config)
		if err != nil {
			return nil, fmt.Errorf("site: Config.Ledger: %w", err)
		}
		s.ledger = books
	}
	if err := s.build(config); err != nil {
		return nil, errors.Join(err, s.Close(ctx))
	}
	return s, nil
}

// defaultPath is where the charter is if nobody says otherwise.
const defaultPath = "/cookies/"

func (s *Site) build(config Config) error {
	settings := consent.Config{
		Registry:        config.Registry,
		Keys:            config.Keys,
		CookieName:      config.CookieName,
		AllowUndeclared: config.AllowUndeclared,
		ReportOnly:      config.ReportOnly,
		Insecure:        config.Insecure,
		Observe:         consent.LogTo(config.Log, 0),
	}
	if s.ledger != nil {
		settings.Recorder = s.ledger
	}
	mw, err := consent.NewMiddleware(settings)
	if err != nil {
		return err
	}
	config.Charter.Middleware = mw
	config.Charter.LanguageOf = languageIn(config.LanguageCookie)
	c, err := charter.New(config.Charter)
	if err != nil {
		return err
	}
	s.mw, s.charter = mw, c
	return nil
}

// Wrap returns a handler that answers below the charter's path by itself, and filters what
// next answers to everything else.
func (s *Site) Wrap(next http.Handler) http.Handler { return s.mw.Wrap(s.charter.Wrap(next)) }

// Tag is what a page needs in its head to ask its visitors. It is the same for everybody,
// so that a page which a cache may keep stays one.
func (s *Site) Tag() string { return `<script src="` + s.path + `script.js" defer></script>` }

// Ledger returns the ledger, nil if there is none.
func (s *Site) Ledger() *ledger.Ledger { return s.ledger }

// Ready returns nil if a consent could be recorded now, or if nothing is recorded.
func (s *Site) Ready(context.Context) error {
	if s.ledger == nil {
		return nil
	}
	return s.ledger.Figures().Failing
}

// Close writes what waits to be recorded, for as long as ctx allows, and ends the ledger.
func (s *Site) Close(ctx context.Context) error {
	if s.ledger == nil {
		return nil
	}
	return s.ledger.Close(ctx)
}

// languageIn returns a function that reads the language that a visitor has chosen from a
// cookie of the site, nil if there is no such cookie.
func languageIn(cookie string) func(*http.Request) language.Tag {
	if cookie == "" {
		return nil
	}
	return func(r *http.Request) language.Tag {
		chosen, err := r.Cookie(cookie)
		if err != nil {
			return language.Und
		}
		tag, _ := language.Parse(chosen.Value) // no language is language.Und
		return tag
	}
}
