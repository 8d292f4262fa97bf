package charter_test

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/internal/browsertest"
)

//go:embed testdata/scenario.js
var scenario string

// gated is what a page holds back until there is consent.
const gated = `<h1>Page</h1>
<template data-consent="statistics"><p class="came-alive">template</p><script src="/ran.js"></script></template>
<script type="text/plain" data-consent="third-party" src="/ran.js"></script>
<script type="text/plain" data-consent="chat" data-provider="Chat" src="/ran.js"></script>
<script type="text/plain" data-consent="chat" data-provider="Nobody" src="/ran.js"></script>
<script type="text/plain" data-consent="undeclared" src="/ran.js"></script>`

func TestTheScriptDecidesWithoutAReload(t *testing.T) {
	mw, err := consent.NewMiddleware(consent.Config{
		Registry: consent.MustRegistry(declared()...), Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}, Insecure: true, Revision: 300,
	})
	require.NoError(t, err)
	c, err := charter.New(charter.Config{
		Middleware: mw,
		Categories: map[consent.Category]charter.Category{"chat": {Title: text("Conversation"), About: text("To talk with us.")}},
	})
	require.NoError(t, err)
	reports := make(chan string, 10)
	var banners atomic.Int32
	mux := http.NewServeMux()
	mux.HandleFunc("/cookies/", func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/banner.js") {
			banners.Add(1)
		}
		c.Handler().ServeHTTP(w, r)
	})
	page := func(w http.ResponseWriter, banner string) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; form-action 'self'; img-src 'self'; connect-src 'self'")
		fmt.Fprint(w, "<!doctype html><title>x</title>", c.Head(nil), `<script src="/scenario.js" defer></script>`, c.Script(nil), "<body>", banner, gated)
	}
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) { page(w, string(c.Banner(r))) })
	mux.HandleFunc("/static", func(w http.ResponseWriter, r *http.Request) { page(w, "") })
	script := func(source string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/javascript")
			io.WriteString(w, source)
		}
	}
	mux.Handle("/scenario.js", script(scenario))
	mux.Handle("/ran.js", script("window.ran = (window.ran || 0) + 1"))
	mux.HandleFunc("/report", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		reports <- string(b)
	})
	server := httptest.NewServer(mw.Wrap(mux))
	t.Cleanup(server.Close)
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	browsertest.Chromium(t, "http://one.localhost:"+port+"/")

	type moment struct {
		Decided             bool
		Allowed             map[string][]string
		Gated, Ran, Banners int
		Moved               float64
		Focus               string
	}
	var seen struct {
		Error, Violation                    string
		Before, After, Later, Late, Refused moment
		Closed                              bool
	}
	for range 2 {
		select {
		case report := <-reports:
			require.NoError(t, json.Unmarshal([]byte(report), &seen))
			require.Empty(t, seen.Error, report)
		case <-time.After(time.Minute):
			t.Fatal("the browser has not gone through the scenario")
		}
	}
	assert.Empty(t, seen.Violation)
	assert.Equal(t, moment{Banners: 1}, seen.Before)
	all := map[string][]string{"statistics": {"Matomo", "Plausible"}, "third-party": {`<b>"Ad" & Co</b>`}, "chat": {"Chat"}}
	assert.Equal(t, moment{Decided: true, Allowed: all, Gated: 1, Ran: seen.After.Ran, Focus: "Close"}, seen.After)
	assert.True(t, seen.Closed)
	assert.Equal(t, moment{Decided: true, Ran: 3}, seen.Later, "the decision is read from the cookie")
	assert.Equal(t, moment{}, seen.Late, "the late banner moves nothing")
	assert.Equal(t, moment{Decided: true, Allowed: map[string][]string{"statistics": {}, "third-party": {}, "chat": {}}}, seen.Refused)
	assert.EqualValues(t, 3, banners.Load(), "one confirmation for each decision, and one banner for who has not decided")
}
