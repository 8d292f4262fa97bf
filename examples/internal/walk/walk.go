// Package walk goes through an example as a visitor does: it allows one provider, and
// takes the consent back.
package walk

import (
	_ "embed"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent/internal/browsertest"
)

//go:embed walk.js
var source string

// Through opens the first page of a site in Chromium. Allow and show are functions in
// JavaScript: one allows the provider of the element .film and none of the element
// .meeting, the other has them, or what is there instead, drawn after the withdrawal.
func Through(t *testing.T, site http.Handler, allow, show string) {
	t.Helper()
	reports := make(chan string, 1)
	mux := http.NewServeMux()
	mux.Handle("/", site)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		page := httptest.NewRecorder()
		site.ServeHTTP(page, r)
		for key, values := range page.Header() {
			w.Header()[key] = values
		}
		_, _ = io.WriteString(w, strings.Replace(page.Body.String(), "<title", `<script src="/walk.js"></script><title`, 1))
	})
	mux.HandleFunc("GET /walk.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		_, _ = io.WriteString(w, strings.NewReplacer("(ALLOW)", "("+allow+")", "(SHOW)", "("+show+")").Replace(source))
	})
	mux.HandleFunc("POST /report", func(_ http.ResponseWriter, r *http.Request) {
		report, _ := io.ReadAll(r.Body)
		reports <- string(report)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	browsertest.Chromium(t, server.URL)
	select {
	case report := <-reports:
		assert.Empty(t, report)
	case <-time.After(3 * time.Minute):
		t.Fatal("the browser has not gone the way")
	}
}
