package main

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestEachMiddlewareDoesWhatItIsMeasuredFor(t *testing.T) {
	sets := func(lines ...string) func(*testing.T, contestant, http.Header) {
		return func(t *testing.T, _ contestant, head http.Header) { assert.Equal(t, lines, head.Values("Set-Cookie")) }
	}
	gives := func(name string) func(*testing.T, contestant, http.Header) {
		return func(t *testing.T, c contestant, head http.Header) {
			assert.Empty(t, c.cookie)
			assert.Contains(t, head.Get("Set-Cookie"), name+"=")
		}
	}
	keeps := func(name string) func(*testing.T, contestant, http.Header) {
		return func(t *testing.T, c contestant, head http.Header) {
			assert.Contains(t, c.cookie, name+"=")
			assert.Empty(t, head.Values("Set-Cookie"))
		}
	}
	says := func(name, value string) func(*testing.T, contestant, http.Header) {
		return func(t *testing.T, _ contestant, head http.Header) { assert.Equal(t, value, head.Get(name)) }
	}
	work := map[string]func(*testing.T, contestant, http.Header){
		"bare handler":                              sets(),
		"consent: no cookie":                        sets(),
		"consent: exempt":                           sets(necessaryLine),
		"consent: refused":                          sets(),
		"consent: consented":                        sets(statisticsLine),
		"consent: consented, no cookie":             sets(),
		"consent: consented, a form":                sets(statisticsLine),
		"consent: no cookie, in a writer of others": sets(),
		"consent: refused, in a writer of others":   sets(),
		"http.CrossOriginProtection":                sets(),
		"http.CrossOriginProtection, a form":        sets(),
		"gorilla/csrf, a form":                      keeps("_gorilla_csrf"),
		"consent: no cookie, 10,000 declarations":   sets(),
		"consent: refused, 10,000 declarations":     sets(),
		"consent: consented, 10,000 declarations":   sets(statisticsLine),
		"consent: refused, report-only":             sets(statisticsLine),
		"consent: refused, observing":               sets(),
		"a context and a writer, no more":           sets(),
		"scs LoadAndSave, no session":               says("Vary", "Cookie"),
		"scs LoadAndSave, a session":                keeps("session"),
		"gorilla/csrf, first visit":                 gives("_gorilla_csrf"),
		"gorilla/csrf, token known":                 keeps("_gorilla_csrf"),
		"nosurf, first visit":                       gives("csrf_token"),
		"nosurf, token known":                       keeps("csrf_token"),
		"jub0bs/cors":                               says("Access-Control-Allow-Origin", origin),
		"httpsnoop CaptureMetrics":                  sets(),
		"chi Compress":                              says("Content-Encoding", "gzip"),
	}
	list, err := contestants()
	require.NoError(t, err)
	assert.Len(t, work, len(list))
	for _, c := range list {
		t.Run(c.Name, func(t *testing.T) {
			require.Contains(t, work, c.Name)
			for _, handler := range []http.Handler{c.bare, c.wrapped} {
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, c.request())
				assert.Equal(t, http.StatusOK, w.Code)
				sent := io.Reader(w.Body)
				if w.Header().Get("Content-Encoding") == "gzip" {
					sent, err = gzip.NewReader(w.Body)
					require.NoError(t, err)
				}
				got, err := io.ReadAll(sent)
				require.NoError(t, err)
				assert.Equal(t, string(body), string(got))
			}
			w := httptest.NewRecorder()
			c.wrapped.ServeHTTP(w, c.request())
			work[c.Name](t, c, w.Header())
		})
	}
}

func TestTheServersPartMeasuresEveryRowAndDrawsItsPlots(t *testing.T) {
	effort := serverEffort{CostRounds: 2, FigureRounds: 1, Pairs: 2, CostEach: time.Millisecond, FigureEach: time.Millisecond, PairEach: time.Millisecond}
	measured, err := measureServer(effort)
	require.NoError(t, err)
	for _, row := range measured.Rows() {
		assert.Positive(t, row.Priced.Cost.NS.Median(), row.Priced.Name)
		assert.Positive(t, row.Priced.Cost.Bytes, row.Priced.Name)
		assert.Len(t, row.Raced.Throughput(), 2, row.Priced.Name)
		assert.Positive(t, row.Raced.Throughput().Median(), row.Priced.Name)
	}
	folder := t.TempDir()
	require.NoError(t, results{Server: measured}.write(folder))
	page, err := os.ReadFile(filepath.Join(folder, "RESULTS.md"))
	require.NoError(t, err)
	assert.Contains(t, string(page), "\n| chi Compress | ")
	assert.NotContains(t, string(page), "## The visitor")
	for _, plot := range []string{"declarations.png", "lines.png"} {
		assert.FileExists(t, filepath.Join(folder, plot))
	}
}

func TestAClientNoticesAnotherResponse(t *testing.T) {
	asked := 0
	l, err := newLoad(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked++; asked > 1 {
			w.WriteHeader(http.StatusTeapot)
		}
	}), contestant{}.request())
	require.NoError(t, err)
	defer func() { assert.NoError(t, l.close()) }()
	l.clients = l.clients[:1]
	_, err = l.run(10 * time.Second)
	assert.ErrorContains(t, err, "418")
}
