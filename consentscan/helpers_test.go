package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cookiecharter/consent/internal/browsertest"
)

// chromium skips a test where there is none, and fails it in CI.
func chromium(t *testing.T) { browsertest.FindChromium(t) }

// serve returns the address of a site, by a name of its own.
func serve(t *testing.T, handler http.Handler) string {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "127.0.0.1", "shop.localhost", 1) + "/"
}
