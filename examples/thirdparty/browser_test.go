package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/internal/browsertest"
)

func TestTheBrowserAsksThePartnerForNothingWithoutConsent(t *testing.T) {
	t.Parallel()
	var asked requests
	third := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.add(r.URL.Path)
		partner(w, r)
	}))
	t.Cleanup(third.Close)
	site, err := newSite(third.URL)
	require.NoError(t, err)
	b := browse(t, site)

	all := []string{"/badge.svg", "/count.js", "/player"}
	for _, step := range []struct {
		when, page string
		asked      []string
		then       string // the selector of what the visitor clicks on
	}{
		{"before any choice", "/", nil, "[href='/next']"},
		{"before any choice", "/next", nil, ".charter-banner [value=refuse]"},
		{"after the refusal", "/next", nil, "[href='/']"},
		{"after the refusal", "/", nil, "footer .charter-link"},
		{"where the visitor chooses", "/cookies/", nil, ".charter-buttons [value=accept]"},
		{"where the visitor has chosen", "/cookies/", nil, "header a"},
		{"after consent", "/", all, "[href='/next']"},
		{"after consent", "/next", all, "footer .charter-link"},
		{"where the visitor withdraws", "/cookies/", nil, ".charter-buttons [value=refuse]"},
		{"where the visitor has withdrawn", "/cookies/", nil, "header a"},
		{"after the withdrawal", "/", nil, "[href='/next']"},
		{"after the withdrawal", "/next", nil, ""},
	} {
		require.Equal(t, step.page, b.loaded(t, step.when), step.when)
		assert.Equal(t, step.asked, asked.take(), "%s, on %s", step.when, step.page)
		if step.then != "" {
			b.click <- step.then
		}
	}
}

// requests are what a server is asked for.
type requests struct {
	mu    sync.Mutex
	paths []string
}

func (r *requests) add(path string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.paths = append(r.paths, path)
}

// take returns what has been added since it was last called, sorted.
func (r *requests) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	paths := r.paths
	r.paths = nil
	slices.Sort(paths)
	return paths
}

// A browser tells the path of each page once it is loaded with all that it
// embeds, and then waits for what to click on.
type browser struct {
	pages chan string
	click chan string
}

func (b browser) loaded(t *testing.T, when string) string {
	t.Helper()
	select {
	case page := <-b.pages:
		return page
	case <-time.After(time.Minute):
		t.Fatal("the browser has loaded no page " + when)
		return ""
	}
}

// browse opens the site's first page in Chromium. Each page has one script more,
// of the site's own, that leads the browser.
func browse(t *testing.T, site http.Handler) browser {
	t.Helper()
	script, err := os.ReadFile("testdata/led.js")
	require.NoError(t, err)
	b := browser{pages: make(chan string, 1), click: make(chan string, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		site.ServeHTTP(answer, r)
		for key, values := range answer.Header() {
			w.Header()[key] = values
		}
		w.WriteHeader(answer.Code)
		io.WriteString(w, strings.Replace(answer.Body.String(), "<title", `<script src="/led.js"></script><title`, 1))
	})
	mux.HandleFunc("GET /led.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		w.Write(script)
	})
	mux.HandleFunc("GET /step.js", func(w http.ResponseWriter, r *http.Request) {
		b.pages <- r.FormValue("page")
		select {
		case selector := <-b.click:
			w.Header().Set("Content-Type", "text/javascript")
			fmt.Fprintf(w, "document.querySelector(%q).click()", selector)
		case <-r.Context().Done():
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	browsertest.Chromium(t, server.URL)
	return b
}
