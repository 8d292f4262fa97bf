package metrics_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
	"github.com/cookiecharter/consent/proxy/internal/metrics"
)

func figures(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	require.Equal(t, 200, w.Code, w.Body)
	return w.Body.String()
}

func TestWhatTheProxyDoesIsCounted(t *testing.T) {
	m := metrics.New([]string{"slow", "silent"})
	m.Begun()
	m.Begun()
	m.Ended(200, 0.02)
	m.UpstreamFailed("slow")
	m.Decided(consent.Record{Evidence: consent.Evidence{Action: consent.ByBanner}, Answers: []consent.Answer{{Allowed: true}, {Allowed: false}}})
	m.Decided(consent.Record{Evidence: consent.Evidence{Action: "a site's own"}})
	m.Cookie(nil, consent.Event{Cookie: "_ga", Outcome: consent.OutcomeRemoved, Reason: consent.ReasonUndeclared})
	m.Cookie(nil, consent.Event{Cookie: "_ga", Outcome: consent.OutcomeRemoved, Reason: consent.ReasonUndeclared, ReportOnly: true})
	got := figures(t, m)
	for _, line := range []string{
		"consentproxy_requests_in_flight 1",
		`consentproxy_request_duration_seconds_bucket{status="2xx",le="0.025"} 1`,
		`consentproxy_request_duration_seconds_bucket{status="2xx",le="0.01"} 0`,
		`consentproxy_upstream_errors_total{reason="slow"} 1`,
		`consentproxy_upstream_errors_total{reason="silent"} 0`,
		`consentproxy_decisions_total{action="banner",allows="some"} 1`,
		`consentproxy_decisions_total{action="other",allows="nothing"} 1`,
		`consentproxy_cookies_total{cookie="_ga",outcome="removed",reason="undeclared"} 1`,
		`consentproxy_cookies_total{cookie="_ga",outcome="would be removed",reason="undeclared"} 1`,
	} {
		assert.Contains(t, got, line+"\n")
	}
	assert.NotContains(t, got, "consent_ledger_")
	m.Ended(101, 600)
	assert.Contains(t, figures(t, m), "consentproxy_requests_in_flight 0\n")
	assert.NotContains(t, figures(t, m), `status="1xx"`, "a websocket says nothing of latency")
}

func TestALedgersFiguresAreThoseOfTheCurrentOne(t *testing.T) {
	m := metrics.New(nil)
	first, second := open(t), open(t)
	require.NoError(t, first.Record(t.Context(), consent.Record{Reference: consent.Reference{1}, Time: time.Now()}))
	m.Keep(first)
	got := figures(t, m)
	for _, line := range []string{
		"consent_ledger_waiting_records 0", "consent_ledger_failing 0", "consent_ledger_spool_failing 0",
		`consent_ledger_records_total{outcome="written"} 1`, `consent_ledger_records_total{outcome="failed"} 0`,
		`consent_ledger_records_total{outcome="dropped"} 0`, "consent_ledger_consent_duration_seconds_count 1",
	} {
		assert.Contains(t, got, line+"\n")
	}
	m.Keep(second)
	assert.Contains(t, figures(t, m), `consent_ledger_records_total{outcome="written"} 0`+"\n")
	m.Keep(nil)
	assert.NotContains(t, figures(t, m), "consent_ledger_")
}

func open(t *testing.T) *ledger.Ledger {
	t.Helper()
	books, err := ledger.Open(t.Context(), filepath.Join(t.TempDir(), "consent.db"), ledger.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, books.Close(context.Background())) })
	return books
}

func TestNoFloodOfNamesMakesMoreThanAFewFigures(t *testing.T) {
	m := metrics.New(nil)
	text := consent.Text{language.English: "text"}
	m.Declare(consent.MustRegistry(consent.Cookie{Provider: "p", Service: text, Name: "_pk_id*", Purpose: text, Category: consent.Statistics}))
	for i := range 5000 {
		m.Cookie(nil, consent.Event{Cookie: fmt.Sprint("_pk_id.", i), Outcome: consent.OutcomeRemoved, Reason: consent.ReasonUndecided})
		m.Cookie(nil, consent.Event{Cookie: fmt.Sprint("visitor", i, "\xff", strings.Repeat("x", 1000)), Outcome: consent.OutcomeRemoved, Reason: consent.ReasonUndeclared})
	}
	got := figures(t, m)
	assert.Contains(t, got, `consentproxy_cookies_total{cookie="_pk_id*",outcome="removed",reason="undecided"} 5000`)
	assert.Contains(t, got, `consentproxy_cookies_total{cookie="*",outcome="removed",reason="undeclared"} 4900`)
	assert.Equal(t, 102, strings.Count(got, "\nconsentproxy_cookies_total{"))
	assert.Less(t, len(got), 50_000)
}
