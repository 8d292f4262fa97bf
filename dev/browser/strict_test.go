package browser

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

func TestInASandboxEverythingStaysClosedAndNothingFails(t *testing.T) {
	t.Parallel()
	d := newDemo(t, declared...)
	d.pages.HandleFunc("GET /sandbox", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "sandbox allow-scripts")
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><html lang="en"><title>t</title><link rel="icon" href="data:,">%s%s%s`, d.charter.Script(r), d.charter.Banner(r), gated)
	})
	b := newTab(t)
	b.visit(d.url + "/sandbox")
	b.until(`window.consent`)
	assert.False(t, eval[bool](b, `consent.state.decided`))
	assert.Zero(t, eval[int](b, `document.querySelectorAll(".alive").length`))
}

// The whole way under policies that are stricter than ours. The tab fails the test if the
// browser complains of one of them.
func TestTheStrictestPoliciesAreEnoughForTheWholeWay(t *testing.T) {
	t.Parallel()
	for name, policy := range map[string]string{
		"nonces alone":                   "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; form-action 'self'",
		"strict-dynamic, trusted types":  "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'nonce-{nonce}'; form-action 'self'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types cookiecharter",
		"trusted types without a fetch":  "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; form-action 'self'; require-trusted-types-for 'script'; trusted-types cookiecharter",
		"the hash of the style":          "default-src 'none'; script-src 'self'; style-src 'self' {hash}; form-action 'self'",
		"no style but that of the files": "default-src 'none'; script-src 'self'; style-src 'self'; form-action 'self'; connect-src 'self'",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			type key struct{}
			mw, err := consent.NewMiddleware(consent.Config{Registry: consent.MustRegistry(declared...), Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}, Insecure: true})
			require.NoError(t, err)
			config := charter.Config{Middleware: mw, Name: "Valombre", Signals: []charter.Signal{charter.Google().With(map[string][]string{"analytics_storage": {"statistics"}})}}
			if strings.Contains(policy, "{nonce}") {
				config.Nonce = func(r *http.Request) string { return r.Context().Value(key{}).(string) }
			}
			site, err := charter.New(config)
			require.NoError(t, err)
			app := http.NewServeMux()
			app.HandleFunc("GET /alive.js", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/javascript")
				fmt.Fprint(w, "window.alive = (window.alive ?? 0) + 1")
			})
			app.HandleFunc("GET /favicon.ico", func(http.ResponseWriter, *http.Request) {})
			app.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				fmt.Fprintf(w, `<!doctype html><html lang="en"><title>t</title>%s%s%s<main><h1>t</h1>
					<script type="text/plain" data-consent="third-party" data-src="/alive.js"></script>
					<template data-consent="third-party"><script src="/alive.js"></script></template>
					<template data-consent="third-party" data-provider="Vimeo" data-title="A film"><p id="film">The film.</p></template>
					</main><footer>%s</footer>`, site.Head(r), site.Script(r), site.Banner(r), site.Link(r))
			})
			handler := mw.Wrap(site.Wrap(app))
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				nonce := rand.Text()
				w.Header().Set("Content-Security-Policy", strings.NewReplacer("{nonce}", nonce, "{hash}", site.StyleHash()).Replace(policy))
				handler.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), key{}, nonce)))
			}))
			t.Cleanup(server.Close)

			b := newTab(t)
			b.visit(server.URL)
			const isStyled = `getComputedStyle(document.querySelector(%q)).position === "fixed"`
			b.until(fmt.Sprintf(isStyled, ".charter-banner"))
			assert.Equal(t, !strings.Contains(policy, "style-src 'self';"), eval[bool](b, `Boolean(document.querySelector("style"))`), "the style stands in the page where the policy allows it")
			assert.Equal(t, "default", eval[string](b, "dataLayer[0][1]"), "tags are told")
			b.until(`document.querySelector(".charter-placeholder button")`)
			b.click(".charter-placeholder button")
			b.until(`document.querySelector("#film")`)
			assert.Equal(t, "film", eval[string](b, "document.activeElement.id"), "the focus goes to what was asked for")
			assert.Equal(t, 1, eval[int](b, `document.querySelectorAll(".charter-banner").length`), "nothing else was answered")
			b.click(".charter-banner [value=accept]")
			b.until("window.alive === 2")
			assert.Equal(t, "granted", eval[string](b, "dataLayer.at(-2)[2].analytics_storage"))
			b.until(`document.querySelector(".charter-done button")`)
			b.click(".charter-done button")
			b.click(".charter-link")
			b.until(`document.querySelector("dialog.charter-settings[open]")`)
			assert.True(t, eval[bool](b, fmt.Sprintf(isStyled, ".charter-settings")))
			b.click(".charter-buttons [value=refuse]")
			b.until(`document.readyState === "complete" && !window.alive && document.querySelector(".charter-placeholder")`)
			assert.Equal(t, map[string]any{"first-party": []any{}, "statistics": []any{}, "third-party": []any{}}, eval[map[string]any](b, "consent.state.allowed"))
			b.visit(server.URL + "/cookies/")
			b.until(`getComputedStyle(document.querySelector(".charter-page main")).maxWidth !== "none"`)
		})
	}
}
