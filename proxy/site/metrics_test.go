package site_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/proxy/site"
)

// figures returns what Prometheus reads.
func figures(t *testing.T, m *site.Metrics) string {
	t.Helper()
	gathered := prometheus.NewPedanticRegistry()
	gathered.MustRegister(m)
	w := httptest.NewRecorder()
	promhttp.HandlerFor(gathered, promhttp.HandlerOpts{}).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	return w.Body.String()
}

// setting sets cookies of these names.
func setting(names ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for _, name := range names {
			w.Header().Add("Set-Cookie", name+"=1")
		}
	})
}

func TestWhatBecomesOfCookiesIsCountedForSeveralSites(t *testing.T) {
	c := config()
	c.Metrics = site.NewMetrics()
	get(newSite(t, c).Wrap(setting("sid", "_ga", "unknown")), "/", nil)
	c.Consent.Registry, c.Consent.ReportOnly = consent.MustRegistry(), true
	get(newSite(t, c).Wrap(setting("_ga")), "/", nil)
	got := figures(t, c.Metrics)
	for _, line := range []string{
		`consent_cookies_total{cookie="_ga",outcome="removed",reason="undecided"} 1`,
		`consent_cookies_total{cookie="unknown",outcome="removed",reason="undeclared"} 1`,
		`consent_cookies_total{cookie="_ga",outcome="would be removed",reason="undeclared"} 1`,
	} {
		assert.Contains(t, got, line+"\n")
	}
	assert.NotContains(t, got, `cookie="sid"`, "nothing became of it")
}

func TestDecisionsAreCountedByWhatTheyDidAndAllow(t *testing.T) {
	c := config()
	c.Ledger = site.Ledger{URL: filepath.Join(t.TempDir(), "consent.db")}
	c.Metrics = site.NewMetrics()
	c.Consent.Registry = consent.MustRegistry(
		consent.Cookie{Provider: "Google", Name: "_ga", Category: consent.Statistics, Purpose: consent.Text{language.English: "Visits."}},
		consent.Cookie{Provider: "Vimeo", Name: "vuid", Category: consent.ThirdParty, Purpose: consent.Text{language.English: "Films."}},
	)
	s := newSite(t, c)
	defer s.Close(t.Context())
	handler := s.Wrap(setting())
	for _, form := range []string{"choice=accept&by=banner", "choice=accept&by=banner", "choice=refuse", "choice=save&category:statistics=allow"} {
		r := httptest.NewRequest("POST", "/cookies/", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	got := figures(t, c.Metrics)
	for _, line := range []string{
		`consent_decisions_total{action="banner",allows="all"} 2`,
		`consent_decisions_total{action="form",allows="nothing"} 1`,
		`consent_decisions_total{action="form",allows="some"} 1`,
	} {
		assert.Contains(t, got, line+"\n")
	}
}

func TestNoFloodOfNamesMakesMoreThanAFewFigures(t *testing.T) {
	c := config()
	c.Metrics = site.NewMetrics()
	c.Consent.Registry = consent.MustRegistry(consent.Cookie{
		Provider: "Matomo", Name: "_pk_id*", Category: consent.Statistics, Purpose: consent.Text{language.English: "Visits."},
	})
	s := newSite(t, c)
	for i := range 5000 {
		get(s.Wrap(setting(fmt.Sprint("_pk_id.", i), fmt.Sprint("visitor", i, "\xff", strings.Repeat("x", 1000)))), "/", nil)
	}
	got := figures(t, c.Metrics)
	assert.Contains(t, got, `consent_cookies_total{cookie="_pk_id*",outcome="removed",reason="undecided"} 5000`)
	assert.Contains(t, got, `consent_cookies_total{cookie="*",outcome="removed",reason="undeclared"} 4900`)
	assert.Equal(t, 102, strings.Count(got, "\nconsent_cookies_total{"))
	assert.Less(t, len(got), 50_000)
}
