package browser

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

// A page that is the same for everybody loads one script, which brings the banner. A browser
// may keep it in memory too, and there look at no Vary.
func TestTheBannerOfACachedPageIsOnTheNextOneWithoutARequest(t *testing.T) {
	for name, varies := range map[string]bool{"with Vary": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address := newCachedSite(t, varies)
			b := newTab(t)
			b.visit(address + "/first")
			b.until(`document.querySelector(".charter-banner")`)
			assert.Positive(t, eval[int](b, received))
			b.visit(address + "/second")
			b.until(`document.querySelector(".charter-banner")`)
			assert.Zero(t, eval[int](b, received))

			b.click(".charter-banner [value=refuse]")
			b.until(`document.querySelector(".charter-done")`)
			b.visit(address + "/third")
			b.until(`consent.state.decided && document.querySelector(".charter-done")`)
			assert.Zero(t, eval[int](b, `document.querySelectorAll(".charter-banner").length`), "the answer is newer than the banner")
		})
	}
}

// received is how many bytes of the script came over the network.
const received = `performance.getEntriesByName(location.origin + "/cookies/script.js")[0].transferSize`

// newCachedSite returns the address of a site that may leave out Vary.
func newCachedSite(t *testing.T, varies bool) string {
	t.Helper()
	mw, err := consent.NewMiddleware(consent.Config{Registry: consent.MustRegistry(tagged...), Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}, Insecure: true})
	require.NoError(t, err)
	c, err := charter.New(charter.Config{Middleware: mw})
	require.NoError(t, err)
	pages := http.NewServeMux()
	pages.HandleFunc("GET /{page}", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<!doctype html><html lang="en"><title>t</title><link rel="icon" href="data:,"><script src="/cookies/script.js" defer></script><h1>t</h1>`)
	})
	site := mw.Wrap(c.Wrap(pages))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if varies {
			site.ServeHTTP(w, r)
			return
		}
		taken := httptest.NewRecorder()
		site.ServeHTTP(taken, r)
		taken.Header().Del("Vary")
		maps.Copy(w.Header(), taken.Header())
		w.WriteHeader(taken.Code)
		_, _ = taken.Body.WriteTo(w)
	}))
	t.Cleanup(server.Close)
	return server.URL
}
