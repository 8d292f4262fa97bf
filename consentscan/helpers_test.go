package main

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
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

// packages holds the banners of others.
func packages(t *testing.T) http.Dir {
	t.Helper()
	const folder = "../dev/bench/node_modules"
	browsertest.Installed(t, folder+"/klaro", "npm ci --ignore-scripts --prefix dev/bench")
	return http.Dir(folder)
}

// TestMain has four tests run at the same time unless somebody says otherwise: a visitor
// waits most of the time.
func TestMain(m *testing.M) {
	flag.Parse()
	if named := flag.Lookup("test.parallel"); named.Value.String() == fmt.Sprint(runtime.GOMAXPROCS(0)) {
		_ = named.Value.Set("4") // a number is no mistake
	}
	os.Exit(m.Run())
}
