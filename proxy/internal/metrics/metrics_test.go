package metrics_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
	"github.com/cookiecharter/consent/proxy/internal/metrics"
	"github.com/cookiecharter/consent/proxy/site"
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
	s, err := site.New(t.Context(), site.Config{
		Consent: consent.Config{Registry: consent.MustRegistry(), Keys: [][]byte{site.NewKey()}},
		Metrics: m.Site,
		Log:     slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	s.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Set-Cookie", "_ga=1")
	})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	got := figures(t, m)
	for _, line := range []string{
		"consentproxy_requests_in_flight 1",
		`consentproxy_request_duration_seconds_bucket{status="2xx",le="0.025"} 1`,
		`consentproxy_request_duration_seconds_bucket{status="2xx",le="0.01"} 0`,
		`consentproxy_upstream_errors_total{reason="slow"} 1`,
		`consentproxy_upstream_errors_total{reason="silent"} 0`,
		`consent_cookies_total{cookie="_ga",outcome="removed",reason="undeclared"} 1`,
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
