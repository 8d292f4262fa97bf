package caches

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/internal/servertest"
)

func wrap(t *testing.T, h http.Handler) http.Handler {
	mw, err := consent.NewMiddleware(consent.Config{
		Registry: consent.MustRegistry(consent.Cookie{Provider: "Matomo", Name: "_pk_id", Purpose: consent.Text{language.English: "x"}, Category: consent.Statistics}),
		Keys:     [][]byte{bytes.Repeat([]byte("k"), 32)},
	})
	require.NoError(t, err)
	return mw.Wrap(h)
}

// A handler that says how long its page may be kept when it has begun to write it, behind
// a writer that holds the head back (http.TimeoutHandler): bare, nginx and Varnish keep
// nothing, since the page sets a cookie.
func TestNothingLeaksFromACacheBehindAHeadThatIsHeld(t *testing.T) {
	for _, cache := range []string{"nginx", "varnishd"} {
		for name, wrap := range map[string]func(*testing.T, http.Handler) http.Handler{"bare": func(_ *testing.T, h http.Handler) http.Handler { return h }, "wrapped": wrap} {
			var n atomic.Int64
			h := http.TimeoutHandler(wrap(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Set-Cookie", "_pk_id=1; Path=/")
				io.WriteString(w, "account ")
				w.Header().Set("Cache-Control", "public, max-age=60")
				fmt.Fprint(w, n.Add(1))
			})), time.Minute, "")
			url := "http://" + inFront(t, cache, h) + "/account"
			one, _ := ask(t, "GET", url, http.Header{})
			two, _ := ask(t, "GET", url, http.Header{})
			assert.NotEqual(t, one, two, "%s, %s: one visitor's page went to another one", cache, name)
		}
	}
}

// A site whose nginx ignores Cache-Control keeps its pages out by X-Accel-Expires: 0.
func TestNothingLeaksFromACacheThatGoesByAFieldOfItsOwn(t *testing.T) {
	for name, wrap := range map[string]func(*testing.T, http.Handler) http.Handler{"bare": func(_ *testing.T, h http.Handler) http.Handler { return h }, "wrapped": wrap} {
		var n atomic.Int64
		h := wrap(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Set-Cookie", "_pk_id=1; Path=/")
			w.Header().Set("X-Accel-Expires", "0")
			fmt.Fprint(w, "account ", n.Add(1))
		}))
		url := "http://" + inFrontAs(t, h, func(t *testing.T, listen, site string) {
			server := fmt.Sprintf(nginxServer, listen, site)
			servertest.Nginx(t, listen, strings.Replace(server, "proxy_cache_revalidate on;", "proxy_ignore_headers Cache-Control Expires;", 1))
		}) + "/account"
		one, _ := ask(t, "GET", url, http.Header{})
		two, _ := ask(t, "GET", url, http.Header{})
		assert.NotEqual(t, one, two, "%s: one visitor's page went to another one", name)
	}
}
