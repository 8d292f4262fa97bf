package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/internal/browsertest"
)

func TestADecisionWithoutAReloadRenewsPanelChoiceAndMap(t *testing.T) {
	site, err := newSite(newBooks(t))
	require.NoError(t, err)
	scenario, err := os.ReadFile("testdata/scenario.js")
	require.NoError(t, err)
	reports := make(chan []byte, 1)
	mux := http.NewServeMux()
	mux.Handle("/", site)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		page := httptest.NewRecorder()
		r.Header.Set("Accept-Language", "en")
		site.ServeHTTP(page, r)
		for key, values := range page.Header() {
			w.Header()[key] = values
		}
		// Before the others, so that it hears all that they tell.
		io.WriteString(w, strings.Replace(page.Body.String(), "<script", `<script src="/scenario.js" defer></script><script`, 1))
	})
	mux.HandleFunc("GET /scenario.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		w.Write(scenario)
	})
	mux.HandleFunc("POST /report", func(_ http.ResponseWriter, r *http.Request) {
		report, _ := io.ReadAll(r.Body)
		reports <- report
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	browsertest.Chromium(t, server.URL)

	type moment struct {
		Panel, Choice []string
		Map, Banner   int
	}
	var seen struct {
		Error         string
		Violations    []string
		Before, After moment
	}
	select {
	case report := <-reports:
		require.NoError(t, json.Unmarshal(report, &seen))
	case <-time.After(3 * time.Minute):
		t.Fatal("the browser has not gone through the scenario")
	}
	require.Empty(t, seen.Error)
	assert.Empty(t, seen.Violations)
	assert.Contains(t, seen.Before.Panel, "ad_id ✕ removed you have not chosen yet")
	assert.Contains(t, seen.Before.Choice, "Map of the town Atlas Exemple ✕ not allowed")
	assert.Zero(t, seen.Before.Map)
	assert.Equal(t, 1, seen.Before.Banner)
	assert.Contains(t, seen.After.Panel, "ad_id ✕ removed you have not chosen yet")
	assert.Contains(t, seen.After.Choice, "Map of the town Atlas Exemple ✓ allowed")
	assert.Equal(t, 1, seen.After.Map)
	assert.Equal(t, 1, seen.After.Banner, "the map says nothing about anything else")
}
