// Package site puts consent in front of a site that is not written with the library: the
// middleware, the charter that explains the cookies, and the ledger that keeps proof, all
// made from plain settings. The program in this module uses it, and so does the module for
// Caddy.
//
//	registry, err := declare.Read(file)
//	keys, err := site.ReadKeys("keys")
//	s, err := site.New(ctx, site.Config{Consent: consent.Config{Registry: registry, Keys: keys}})
//	err = http.ListenAndServe(addr, s.Wrap(backend))
//	…
//	err = s.Close(patience)
//
// A page asks its visitors if [Site.Tag] stands in its head: package inject puts it there.
package site

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

// A Config says how consent is asked for in front of a site. Consent.Registry and
// Consent.Keys are required; every other field's zero value is right for a site on https.
type Config struct {
	// Consent holds the settings of the middleware. For its Registry see package declare,
	// for its Keys [ReadKeys]. Its Regime, Recorder and Failed are those that the other
	// fields make: a mistake if they are set.
	Consent consent.Config

	// Charter holds the settings of the charter. Its Middleware, LanguageOf, History and Failed
	// are those that the other fields make: a mistake if they are set. An empty Path means
	// "/cookies/".
	Charter charter.Config

	// LanguageCookie is the name of the cookie in which the site keeps the language that a
	// visitor has chosen, such as "django_language". Empty means none.
	LanguageCookie string

	// Regimes say which law applies to a request. The zero value means opt-in for all.
	Regimes Regimes

	// Ledger says where proof of each decision is kept. The zero value keeps none.
	Ledger Ledger

	// Metrics, if not nil, count what becomes of cookies, and each decision that the ledger
	// keeps. Several sites may share them.
	Metrics *Metrics

	// Log is told what becomes of cookies, besides Consent.Observe, and what goes wrong.
	// Nil means [slog.Default].
	Log *slog.Logger
}

// A Site is the middleware, the charter and the ledger of one site. Make it with [New].
// It is safe for concurrent use.
type Site struct {
	mw      *consent.Middleware
	charter *charter.Charter
	tag     string
	ledger  *sharedLedger // nil for none
}

// New makes a site and opens its ledger. The error joins every mistake in the config, each
// of which names its field. Close the site when it has answered its last request.
func New(ctx context.Context, config Config) (*Site, error) { return (*Site)(nil).Next(ctx, config) }

// Next makes the site that takes the place of s, such as after a change of the
// declarations. If both have the same Ledger, they share it; each has to be closed. The
// error is as that of [New], and s goes on in either case.
func (s *Site) Next(ctx context.Context, config Config) (*Site, error) {
	if err := Check(config); err != nil {
		return nil, err
	}
	next := new(Site)
	if config.Ledger.URL != "" {
		var err error
		if next.ledger, err = s.openOrShare(ctx, config.Ledger); err != nil {
			return nil, fmt.Errorf("site: Config.Ledger: %w", err)
		}
	}
	if err := next.build(config); err != nil {
		return nil, errors.Join(err, next.Close(ctx))
	}
	return next, nil
}

// defaultPath is where the charter is if nobody says otherwise.
const defaultPath = "/cookies/"

func (s *Site) build(config Config) error {
	logger := config.Log
	if logger == nil {
		logger = slog.Default()
	}
	failed := func(r *http.Request, err error) { logger.ErrorContext(r.Context(), toOperator.Replace(err.Error())) }
	settings := config.Consent
	settings.Observe = observers(consent.LogTo(logger, 0), settings.Observe, config.Metrics.observer(settings.Registry))
	settings.Failed = failed
	settings.Regime = config.Regimes.of()
	settings.Recorder = s.ledger.recorder(config.Metrics)
	mw, err := consent.NewMiddleware(settings)
	if err != nil {
		return err
	}
	text := config.Charter
	text.Middleware, text.Failed = mw, failed
	text.LanguageOf = languageIn(config.LanguageCookie)
	text.Path = cmp.Or(text.Path, defaultPath)
	if text.History, err = s.ledger.history(config.Ledger.Issuer); err != nil {
		return fmt.Errorf("site: Config.Ledger.Issuer: %w", err)
	}
	c, err := charter.New(text)
	if err != nil {
		return err
	}
	s.mw, s.charter, s.tag = mw, c, tagOf(text)
	return nil
}

// toOperator says by the names that files of settings have what package consent says by
// those of its Config: who reads the log of a proxy may have seen no line of Go.
var toOperator = strings.NewReplacer("Config.Insecure", `the setting "insecure"`, "Config.Domain", `the setting "domain"`)

// observers returns one observer for several, of which some may be nil.
func observers(all ...func(*http.Request, consent.Event)) func(*http.Request, consent.Event) {
	all = slices.DeleteFunc(all, func(observe func(*http.Request, consent.Event)) bool { return observe == nil })
	return func(r *http.Request, e consent.Event) {
		for _, observe := range all {
			observe(r, e)
		}
	}
}

// Wrap returns a handler that answers below the charter's path by itself, and filters what
// next answers to everything else.
func (s *Site) Wrap(next http.Handler) http.Handler { return s.mw.Wrap(s.charter.Wrap(next)) }

// Tag is what a page needs in its head, before any other script, to ask its visitors, and
// for [charter.Config.Guard] and [charter.Config.Signals] if they are set. It is the same
// for everybody, so that a page which a cache may keep stays one.
func (s *Site) Tag() string { return s.tag }

func tagOf(c charter.Config) string {
	tag := `<script src="` + c.Prefix + c.Path + `script.js" defer></script>`
	if c.Guard != charter.GuardOff || len(c.Signals) > 0 {
		tag = `<script src="` + c.Prefix + c.Path + `head.js"></script>` + tag
	}
	return tag
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
