package site_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/ledger"
	"github.com/cookiecharter/consent/proxy/site"
)

var (
	keys     = [][]byte{[]byte(strings.Repeat("k", 32))}
	registry = consent.MustRegistry(
		consent.Cookie{Provider: "Shop", Name: "sid", Category: consent.Necessary, Purpose: consent.Text{language.English: "Basket."}},
		consent.Cookie{Provider: "Google", Name: "_ga", Category: consent.Statistics, Purpose: consent.Text{language.English: "Visits."}},
	)
)

// app sets a cookie of each kind, and says which cookies it has seen.
var app = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	w.Header()["Set-Cookie"] = []string{"sid=1", "_ga=1"}
	io.WriteString(w, strings.Join(r.Header["Cookie"], "; "))
})

func config() site.Config {
	return site.Config{
		Consent: consent.Config{Registry: registry, Keys: keys, Insecure: true},
		Log:     slog.New(slog.DiscardHandler),
	}
}

func newSite(t *testing.T, config site.Config) *site.Site {
	t.Helper()
	s, err := site.New(t.Context(), config)
	require.NoError(t, err)
	return s
}

func get(handler http.Handler, path string, change func(*http.Request)) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", path, nil)
	if change != nil {
		change(r)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

func accept(t *testing.T, handler http.Handler) string {
	t.Helper()
	r := httptest.NewRequest("POST", "/cookies/", strings.NewReader(url.Values{"choice": {"accept"}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	require.Equal(t, http.StatusSeeOther, w.Code)
	return strings.Split(w.Header().Get("Set-Cookie"), ";")[0]
}

func TestNothingLeaksAndTheCharterAnswersByItself(t *testing.T) {
	s := newSite(t, config())
	defer s.Close(t.Context())
	handler := s.Wrap(app)
	assert.Equal(t, []string{"sid=1"}, get(handler, "/", nil).Header()["Set-Cookie"])
	assert.Contains(t, get(handler, "/cookies/", nil).Body.String(), "Basket.")
	decision := accept(t, handler)
	w := get(handler, "/", func(r *http.Request) { r.Header.Set("Cookie", decision) })
	assert.Equal(t, []string{"sid=1", "_ga=1"}, w.Header()["Set-Cookie"])
	assert.NoError(t, s.Ready(t.Context()))
	assert.Nil(t, s.Ledger())
}

func TestTheLogNamesSettingsAsFilesDo(t *testing.T) {
	for want, change := range map[string]func(*consent.Config){
		`for development there is the setting "insecure"`:                                  func(c *consent.Config) { c.Insecure = false },
		`the host "shop.example" does not lie under the setting "domain", "other.example"`: func(c *consent.Config) { c.Domain = "other.example" },
	} {
		var log strings.Builder
		c := config()
		c.Log = slog.New(slog.NewJSONHandler(&log, nil))
		change(&c.Consent)
		s := newSite(t, c)
		r := httptest.NewRequest("POST", "http://shop.example/cookies/", strings.NewReader("choice=accept"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "http://shop.example")
		s.Wrap(app).ServeHTTP(httptest.NewRecorder(), r)
		var line struct{ Msg string }
		require.NoError(t, json.Unmarshal([]byte(log.String()), &line), log.String())
		assert.Contains(t, line.Msg, want)
	}
}

func TestTheTagHasWhatThePageNeeds(t *testing.T) {
	c := config()
	assert.Equal(t, `<script src="/cookies/script.js" defer></script>`, newSite(t, c).Tag())
	c.Charter = charter.Config{Path: "/choix/", Prefix: "/shop", Guard: charter.GuardDeclared}
	s := newSite(t, c)
	assert.Equal(t, `<script src="/shop/choix/head.js"></script><script src="/shop/choix/script.js" defer></script>`, s.Tag())
	for _, name := range []string{"head.js", "script.js"} {
		assert.Equal(t, http.StatusOK, get(s.Wrap(app), "/choix/"+name, nil).Code, name)
	}
	c.Charter = charter.Config{Signals: []charter.Signal{charter.Google()}}
	assert.Equal(t, `<script src="/cookies/head.js"></script><script src="/cookies/script.js" defer></script>`, newSite(t, c).Tag())
}

func TestEveryMistakeIsSaidAtOnce(t *testing.T) {
	err := site.Check(site.Config{
		Consent: consent.Config{
			Registry: registry, Keys: [][]byte{[]byte("short")}, Regime: func(*http.Request) consent.Regime { return 0 },
			Recorder: new(ledger.Ledger), Failed: func(*http.Request, error) {},
		},
		Charter: charter.Config{
			Layout: "circle", LanguageOf: func(*http.Request) language.Tag { return language.Und }, Middleware: new(consent.Middleware),
		},
		Regimes: site.Regimes{Header: "CF-IPCountry"},
	})
	for _, says := range []string{
		"Consent.Regime: is set", "Consent.Recorder: is set", "Charter.LanguageOf: is set", "Charter.Middleware: is set", "Log: is told what fails",
		"Regimes.Trusted: is nil", "Config.Consent.Keys[0]", "Config.Charter.Layout",
	} {
		assert.ErrorContains(t, err, says)
	}
	assert.ErrorContains(t, site.Check(site.Config{Consent: config().Consent, Regimes: site.Regimes{ByValue: map[string]consent.Regime{"US": consent.OptOut}}}), "Regimes.Header: is empty")
	assert.ErrorContains(t, site.Check(site.Config{}), "Config.Consent.Registry")
	withoutRegistry := site.Check(site.Config{Charter: charter.Config{Layout: "circle", Signals: []charter.Signal{charter.Google()}}})
	assert.ErrorContains(t, withoutRegistry, "Config.Charter.Layout")
	assert.NotContains(t, withoutRegistry.Error(), "Signals", "what it needs may be declared")
	_, err = site.New(t.Context(), site.Config{})
	assert.ErrorContains(t, err, "Config.Consent.Keys")
	c := config()
	c.Ledger.URL = "/no/such/consent.db"
	_, err = site.New(t.Context(), c)
	assert.ErrorContains(t, err, "Config.Ledger")
}

func TestTheLawIsThatOfAHeaderFromATrustedMachine(t *testing.T) {
	c := config()
	c.Regimes = site.Regimes{
		Header: "CF-IPCountry", ByValue: map[string]consent.Regime{"us-ca": consent.OptOut, "CH": consent.NoRegime}, Default: consent.OptIn,
		Trusted: func(r *http.Request) bool { return strings.HasPrefix(r.RemoteAddr, "10.") },
	}
	handler := newSite(t, c).Wrap(app)
	for _, test := range []struct {
		name, from string
		values     []string
		passes     bool
	}{
		{"a state whose law is opt-out", "10.0.0.1:1", []string{"US-CA"}, true},
		{"in other letters", "10.0.0.1:1", []string{" ch "}, true},
		{"a country that has no entry", "10.0.0.1:1", []string{"FR"}, false},
		{"no header", "10.0.0.1:1", nil, false},
		{"two values", "10.0.0.1:1", []string{"CH", "CH"}, false},
		{"a visitor's own header", "192.0.2.1:1", []string{"CH"}, false},
	} {
		w := get(handler, "/", func(r *http.Request) { r.RemoteAddr, r.Header["Cf-Ipcountry"] = test.from, test.values })
		assert.Equal(t, test.passes, len(w.Header()["Set-Cookie"]) == 2, test.name)
	}
	c.Regimes = site.Regimes{Default: consent.NoRegime}
	assert.Len(t, get(newSite(t, c).Wrap(app), "/", nil).Header()["Set-Cookie"], 2)
}

func TestTheCharterSpeaksTheLanguageOfTheSitesCookie(t *testing.T) {
	c := config()
	c.LanguageCookie = "lang"
	handler := newSite(t, c).Wrap(app)
	for value, want := range map[string]string{"fr": `lang="fr"`, "x'": `lang="en"`} {
		w := get(handler, "/cookies/", func(r *http.Request) { r.Header.Set("Cookie", "lang="+value) })
		assert.Contains(t, w.Body.String(), want)
	}
}

func TestTheSiteThatFollowsSharesTheLedger(t *testing.T) {
	c := config()
	c.Ledger = site.Ledger{URL: filepath.Join(t.TempDir(), "consent.db")}
	c.Metrics = site.NewMetrics()
	first := newSite(t, c)
	second, err := first.Next(t.Context(), c)
	require.NoError(t, err)
	assert.Same(t, first.Ledger(), second.Ledger())
	require.NoError(t, first.Close(t.Context()))
	accept(t, second.Wrap(app))
	assert.Contains(t, figures(t, c.Metrics), `consent_decisions_total{action="form",allows="all"} 1`+"\n")
	assert.NoError(t, second.Ready(t.Context()))

	c.Ledger.URL = filepath.Join(t.TempDir(), "other.db")
	third, err := second.Next(t.Context(), c)
	require.NoError(t, err)
	assert.NotSame(t, second.Ledger(), third.Ledger())
	patience, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, second.Close(patience))
	assert.ErrorIs(t, second.Ledger().Record(t.Context(), consent.Record{Reference: consent.Reference{1}, Time: time.Now()}), ledger.ErrClosed)
	accept(t, third.Wrap(app))
	require.NoError(t, third.Close(patience))
	assert.Contains(t, figures(t, c.Metrics), `consent_decisions_total{action="form",allows="all"} 2`+"\n")
}

func TestTheDecisionIsBetweenTheVisitorAndTheProxy(t *testing.T) {
	for cookies, want := range map[string][]string{
		`a=1;  cookies_preferences=x; b="c d"`: {`a=1; b="c d"`}, "cookies_preferences=x": nil, "Cookies_preferences=x": {"Cookies_preferences=x"}, " cookies_preferences =x;a": {"a"},
	} {
		h := http.Header{"Cookie": {cookies}}
		site.HideDecision(h, "")
		assert.Equal(t, want, h["Cookie"], cookies)
	}
	h := http.Header{"Cookie": {"mine=1; cookies_preferences=2"}, "Set-Cookie": {"a=1", " mine =x", "b=2", "mine=y; Path=/"}}
	site.HideDecision(h, "mine")
	site.KeepDecision(h, "mine")
	assert.Equal(t, http.Header{"Cookie": {"cookies_preferences=2"}, "Set-Cookie": {"a=1", "b=2"}}, h)
}

func TestVisitorsReadTheirOwnRecordsIfSomebodyAnswersForThem(t *testing.T) {
	issuer, err := ledger.ReadIssuer(strings.NewReader(`{
		"controller": {"name": "Shop", "address": "1 Market Square", "email": "data@shop.example", "url": "https://shop.example/"},
		"privacyPolicy": "https://shop.example/privacy", "settings": "https://shop.example/cookies/", "lifetime": "180 days", "retention": "13 months",
		"storedIn": ["FR"], "jurisdictions": [{"regime": "opt-in", "places": ["FR"]}]}`))
	require.NoError(t, err)
	for _, answers := range []bool{false, true} {
		c := config()
		c.Ledger = site.Ledger{URL: filepath.Join(t.TempDir(), "consent.db")}
		if answers {
			c.Ledger.Issuer = &issuer
		}
		s := newSite(t, c)
		defer s.Close(t.Context())
		decision := accept(t, s.Wrap(app))
		with := func(r *http.Request) { r.Header.Set("Cookie", decision) }
		page, receipt := get(s.Wrap(app), "/cookies/records", with), get(s.Wrap(app), "/cookies/records.json", with)
		if !answers {
			assert.Equal(t, http.StatusNotFound, page.Code)
			continue
		}
		assert.Contains(t, page.Body.String(), "Google")
		assert.Contains(t, receipt.Body.String(), "data@shop.example")
	}
	c := config()
	c.Ledger.Issuer = &issuer
	_, err = site.New(t.Context(), c)
	assert.ErrorContains(t, err, "Config.Ledger.Issuer")
}
