package consent_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
)

func TestNothingIsForgottenOfTwoApplicationsOnOneHost(t *testing.T) {
	shop := consent.MustRegistry(consent.Cookie{Provider: "Shop", Name: "seen", Purpose: text("x"), Category: consent.FirstParty})
	for what, change := range map[string]func(c *consent.Config){
		"by name": func(c *consent.Config) { c.CookieName = "shop_preferences" },
		"by path": func(c *consent.Config) { c.CookiePath = "/shop" },
	} {
		t.Run(what, func(t *testing.T) {
			portal := middleware(t, nil)
			other := middleware(t, func(c *consent.Config) { change(c); c.Registry = shop })
			yes := decide(t, portal, consent.AcceptAll())
			line := serve(t, other, yes, func(w http.ResponseWriter, r *http.Request) {
				assert.False(t, consent.FromContext(r.Context()).Decided(), "the portal's decision is none here")
				assert.NoError(t, other.Save(w, r, consent.AcceptAll()))
			}).Header.Get("Set-Cookie")
			pair, attributes, _ := strings.Cut(line, ";")
			both := pair + "; " + yes // the longer path comes first
			for _, mw := range []*consent.Middleware{portal, other} {
				assert.Equal(t, "", sent(load(t, mw, "/shop/", both, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					assert.True(t, consent.FromContext(r.Context()).Decided())
				}))))
			}
			if what == "by path" {
				assert.Contains(t, attributes, "Path=/shop;")
			}
			// A value of the one under the name of the other is worth nothing.
			_, value, _ := strings.Cut(pair, "=")
			serve(t, portal, consent.CookieName+"="+value, func(_ http.ResponseWriter, r *http.Request) {
				assert.True(t, consent.FromContext(r.Context()).DecidedAt().IsZero())
			})
		})
	}
}

func TestNothingIsForgottenOnTheWayToAnotherName(t *testing.T) {
	before := middleware(t, nil)
	after := middleware(t, func(c *consent.Config) {
		c.CookieName, c.FormerCookieName = "__Host-cookies", consent.CookieName
	})
	yes := decide(t, before, consent.AcceptAll())
	serve(t, after, yes, func(_ http.ResponseWriter, r *http.Request) {
		assert.True(t, consent.FromContext(r.Context()).Allows(consent.FirstParty))
	})
	// It stays where it is: a page that moved it could overtake the next decision.
	assert.Equal(t, []string{"profile"}, names(load(t, after, "/", yes, set("profile=1"))))
	line := serve(t, after, yes, func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, after.Save(w, r, consent.AcceptAll()))
	}).Cookies()[0]
	assert.True(t, line.Name == "__Host-cookies" && line.Secure && line.Path == "/" && line.Domain == "")
	assert.Equal(t, consent.CookieName, after.FormerCookieName())
	// Who has the new name cannot be given a decision under the former one.
	no := serve(t, after, "", func(w http.ResponseWriter, r *http.Request) { assert.NoError(t, after.Save(w, r, consent.RefuseAll())) }).Cookies()[0]
	assert.Empty(t, names(serve(t, after, decide(t, before, consent.AcceptAll())+"; "+no.Name+"="+no.Value, set("profile=1"))))
	assert.Equal(t, http.Header{}, load(t, after, "/", consent.CookieName+"=forged", set()).Header, "what is no decision is nobody's")
}

func TestNothingIsForgottenInAFrameOfAnotherSite(t *testing.T) {
	mw := middleware(t, func(c *consent.Config) { c.Framed = true })
	line := serve(t, mw, "", func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, mw.Save(w, r, consent.AcceptAll()))
	}).Header.Get("Set-Cookie")
	assert.Regexp(t, `; Secure; SameSite=None; Partitioned$`, line)
}

func TestNothingIsForgottenUnderANameThatBrowsersDoNotKeep(t *testing.T) {
	for what, test := range map[string]struct {
		config consent.Config
		want   []string
	}{
		"a name":                    {consent.Config{CookieName: "shop_preferences", CookiePath: "/shop"}, nil},
		"a host's":                  {consent.Config{CookieName: "__Host-cookies", CookiePath: "/", FormerCookieName: consent.CookieName}, nil},
		"a secure one":              {consent.Config{CookieName: "__Secure-cookies", Domain: "example.com"}, nil},
		"one for http":              {consent.Config{CookieName: "__Http-cookies", HttpOnly: true}, nil},
		"no name":                   {consent.Config{CookieName: "a b"}, []string{"CookieName"}},
		"no former name":            {consent.Config{FormerCookieName: "a;b"}, []string{"FormerCookieName"}},
		"the present one":           {consent.Config{FormerCookieName: consent.CookieName}, []string{"FormerCookieName"}},
		"no path":                   {consent.Config{CookiePath: "shop"}, []string{"CookiePath"}},
		"a host's with a domain":    {consent.Config{CookieName: "__host-x", Domain: "example.com"}, []string{"CookieName"}},
		"a host's with a path":      {consent.Config{CookieName: "__Host-x", CookiePath: "/shop"}, []string{"CookieName"}},
		"a host's on plain http":    {consent.Config{CookieName: "__Host-x", Insecure: true}, []string{"CookieName"}},
		"a secure one on http":      {consent.Config{CookieName: "__Secure-x", Insecure: true}, []string{"CookieName"}},
		"one for http, for scripts": {consent.Config{CookieName: "__Host-Http-x"}, []string{"CookieName"}},
		"another's":                 {consent.Config{CookieName: "profile"}, []string{"CookieName"}},
		"one that is necessary":     {consent.Config{CookieName: "sessionid"}, nil},
		"framed on plain http":      {consent.Config{Framed: true, Insecure: true}, []string{"Framed"}},
	} {
		test.config.Registry, test.config.Keys = consent.MustRegistry(site()...), [][]byte{key}
		_, err := consent.NewMiddleware(test.config)
		assert.Equal(t, test.want, fields(err), what)
	}
}

// A sibling host can plant a decision that it took for itself. What is recorded must
// not go under its reference.
func TestNothingIsInventedUnderAPlantedReference(t *testing.T) {
	l := &ledger{}
	mw := recorded(t, l)
	attacker, err := save(t, mw, "", consent.AcceptAll())
	require.NoError(t, err)
	visitor, err := save(t, mw, "", consent.RefuseAll())
	require.NoError(t, err)
	l.kept, l.later = nil, nil
	_, err = save(t, mw, visitor+"; "+attacker, consent.AcceptAll())
	require.NoError(t, err)
	serve(t, mw, attacker, func(_ http.ResponseWriter, r *http.Request) {
		assert.NotEqual(t, consent.FromContext(r.Context()).Reference(), l.kept[0].Reference)
	})
	serve(t, mw, visitor+"; "+attacker, func(_ http.ResponseWriter, r *http.Request) {
		assert.Zero(t, consent.FromContext(r.Context()).Reference(), "nor are the attacker's records shown")
	})
	assert.Zero(t, l.kept[0].Previous)
}

// told collects what goes to Config.Failed.
func told(to *[]error) func(*consent.Config) {
	return func(c *consent.Config) {
		c.Failed = func(_ *http.Request, err error) { *to = append(*to, err) }
	}
}

func TestNothingIsForgottenByBrowsersWithoutAWordToTheSite(t *testing.T) {
	for what, test := range map[string]struct {
		change       func(*consent.Config)
		host, origin string
		want         bool
	}{
		"on https":                 {nil, "www.example.com", "https://www.example.com", false},
		"on plain http":            {nil, "www.example.com", "http://www.example.com", true},
		"in development":           {nil, "localhost:8080", "http://localhost:8080", false},
		"by an address":            {nil, "127.0.0.1:8080", "http://127.0.0.1:8080", false},
		"by another address":       {nil, "[::1]:8080", "http://[::1]:8080", false},
		"on plain http, as meant":  {func(c *consent.Config) { c.Insecure = true }, "www.example.com", "http://www.example.com", false},
		"below the domain":         {func(c *consent.Config) { c.Domain = ".Example.com" }, "WWW.example.com:443", "", false},
		"the domain":               {func(c *consent.Config) { c.Domain = "example.com" }, "example.com", "", false},
		"another domain":           {func(c *consent.Config) { c.Domain = "example.com" }, "localhost:8080", "", true},
		"one that ends as it does": {func(c *consent.Config) { c.Domain = "example.com" }, "myexample.com", "", true},
	} {
		var errs []error
		mw := middleware(t, func(c *consent.Config) {
			told(&errs)(c)
			if test.change != nil {
				test.change(c)
			}
		})
		for range 2 {
			r := httptest.NewRequest("POST", "/", nil)
			r.Host = test.host
			if test.origin != "" {
				r.Header.Set("Origin", test.origin)
			}
			through(t, mw, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				assert.NoError(t, mw.Save(w, r, consent.RefuseAll()))
			})).ServeHTTP(httptest.NewRecorder(), r)
		}
		if assert.Equal(t, test.want, len(errs) == 1, "%s: %v", what, errs); test.want {
			assert.ErrorIs(t, errs[0], consent.ErrNotKept)
		}
	}
}

// As in a framework that calls its handlers when those around them have returned.
func TestNothingLeaksAfterTheHandlerHasReturnedWithoutAWord(t *testing.T) {
	var errs []error
	mw := middleware(t, told(&errs))
	for range 2 {
		var inside *http.Request
		mw.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { inside = r })).
			ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
		assert.ErrorIs(t, mw.Save(nil, inside, consent.AcceptAll()), consent.ErrTooLate)
	}
	assert.Equal(t, []error{consent.ErrReturned}, errs)
}

// between is a writer that a framework puts around the one that it was given.
type between struct{ http.ResponseWriter }

func (b between) Unwrap() http.ResponseWriter { return b.ResponseWriter }

// As in a framework that hands its handlers a writer of its own, made before Wrap.
func TestNothingLeaksPastWrapWithoutAnError(t *testing.T) {
	for what, test := range map[string]struct {
		writer func(outside, inside http.ResponseWriter) http.ResponseWriter
		want   error
	}{
		"the one inside":             {func(_, inside http.ResponseWriter) http.ResponseWriter { return inside }, nil},
		"one around it":              {func(_, inside http.ResponseWriter) http.ResponseWriter { return between{inside} }, nil},
		"one that nobody knows":      {func(http.ResponseWriter, http.ResponseWriter) http.ResponseWriter { return httptest.NewRecorder() }, nil},
		"none":                       {func(http.ResponseWriter, http.ResponseWriter) http.ResponseWriter { return nil }, nil},
		"the one outside":            {func(outside, _ http.ResponseWriter) http.ResponseWriter { return outside }, consent.ErrBypassed},
		"one around the one outside": {func(outside, _ http.ResponseWriter) http.ResponseWriter { return between{outside} }, consent.ErrBypassed},
	} {
		for kind, outside := range map[string]http.ResponseWriter{"a pointer": httptest.NewRecorder(), "a map": sunk{}} {
			var errs []error
			mw := middleware(t, told(&errs))
			mw.Wrap(http.HandlerFunc(func(inside http.ResponseWriter, r *http.Request) {
				err := mw.Save(test.writer(outside, inside), r, consent.AcceptAll())
				if kind == "a map" { // two of these cannot be compared
					assert.NoError(t, err, what)
					return
				}
				assert.ErrorIs(t, err, test.want, what)
				assert.Equal(t, test.want == nil, len(errs) == 0, what)
			})).ServeHTTP(outside, httptest.NewRequest("GET", "/", nil))
		}
	}
}

// sunk is a writer that cannot be compared.
type sunk http.Header

func (s sunk) Header() http.Header         { return http.Header(s) }
func (s sunk) Write(p []byte) (int, error) { return len(p), nil }
func (s sunk) WriteHeader(int)             {}

func TestNothingLeaksToASharedCacheOfWhatAPageShows(t *testing.T) {
	for what, test := range map[string]struct {
		given, want string
		contradicts bool
	}{
		"nothing said":    {"", "private", false},
		"private":         {"private, no-store", "private, no-store", false},
		"public":          {"public, max-age=60", "private, max-age=60", true},
		"for some time":   {"max-age=60", "private, max-age=60", false},
		"shared for some": {"s-maxage=60", "private", true},
	} {
		var errs []error
		mw := middleware(t, func(c *consent.Config) { told(&errs)(c); c.Regime = everywhere(consent.OptIn) })
		for range 2 {
			response := serve(t, mw, "", func(w http.ResponseWriter, r *http.Request) {
				if test.given != "" {
					w.Header().Set("Cache-Control", test.given)
				}
				w.Header().Set("Vary", "accept-language")
				consent.FromContext(r.Context()).KeepPrivate("Accept-Language")
				w.Write([]byte("x"))
			})
			assert.Equal(t, test.want, response.Header.Get("Cache-Control"), what)
			assert.Equal(t, []string{"accept-language", "Cookie, Sec-GPC"}, response.Header["Vary"], what)
		}
		if assert.Equal(t, test.contradicts, len(errs) == 1, "%s: %v", what, errs); test.contradicts {
			assert.ErrorIs(t, errs[0], consent.ErrPublic)
		}
	}
	for what, ask := range map[string]func(consent.Preferences){
		"origins":          func(p consent.Preferences) { p.Origins() },
		"without a regime": func(p consent.Preferences) { p.KeepPrivate() },
	} {
		response := serve(t, middleware(t, nil), "", func(_ http.ResponseWriter, r *http.Request) { ask(consent.FromContext(r.Context())) })
		assert.Equal(t, http.Header{"Cache-Control": {"private"}, "Vary": {"Cookie"}}, response.Header, what)
	}
	reporting := serve(t, middleware(t, reportOnly), "", func(_ http.ResponseWriter, r *http.Request) { consent.FromContext(r.Context()).KeepPrivate() })
	assert.Equal(t, "private", reporting.Header.Get("Cache-Control"))
	consent.Preferences{}.KeepPrivate() // outside of Wrap there is nothing to keep
}

func TestNothingLeaksAfterTheHeadWithoutAWord(t *testing.T) {
	for given, want := range map[string]error{"": consent.ErrShownTooLate, "public": consent.ErrShownTooLate, "private": nil, "no-store": nil} {
		var errs []error
		mw := middleware(t, told(&errs))
		for range 2 {
			serve(t, mw, "", func(w http.ResponseWriter, r *http.Request) {
				if given != "" {
					w.Header().Set("Cache-Control", given)
				}
				w.Write([]byte("<!doctype html>"))
				consent.FromContext(r.Context()).KeepPrivate()
			})
		}
		assert.ErrorIs(t, errors.Join(errs...), want, given)
		assert.Equal(t, want != nil, len(errs) == 1, given)
	}
}

func TestNothingIsLostToANilHandler(t *testing.T) {
	mw := middleware(t, nil)
	for _, next := range []http.Handler{nil, http.HandlerFunc(nil), (*http.ServeMux)(nil)} {
		assert.PanicsWithValue(t, "consent: Wrap: the handler is nil", func() { mw.Wrap(next) })
	}
}
