package main

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/internal/browsertest"
)

// A site as Django makes it sets its cookies whatever visitors say, and its pages run a
// script that sets one more. The proxy declares more cookies than such a site has.
func TestABrowserFindsNothingBehindTheProxyInAnyStateOfConsent(t *testing.T) {
	django := newSite(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		for _, line := range []string{
			"csrftoken=a1; expires=Fri, 01 Jan 2038 00:00:00 GMT; Max-Age=31449600; Path=/; SameSite=Lax",
			"sessionid=b2; HttpOnly; Max-Age=1209600; Path=/; SameSite=Lax",
			"django_language=fr; Path=/",
			"_pk_id.1.1fff=c3; Max-Age=33696000; Path=/",
			"_fbp=d4; Max-Age=7776000; Path=/",
			"messages=undeclared; Path=/; HttpOnly",
		} {
			w.Header().Add("Set-Cookie", line)
		}
		fmt.Fprint(w, `<!doctype html><html lang="fr"><head><title>Portail</title></head><body><h1>Portail</h1><a href="/explore/">Explorer</a></body></html>`)
	})
	handler, err := newHandler(options{to: django, inject: true, insecure: true}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	browsertest.Scan(t, strings.Replace(newSite(t, handler.ServeHTTP), "127.0.0.1", "localhost", 1), "-fail-on", "warning")
}
