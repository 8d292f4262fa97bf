package browser

import (
	"html/template"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/stretchr/testify/assert"
)

// On a line with much latency each round trip counts: all that has to arrive before the
// banner is painted is asked for together with the page's own style sheet. That is one style
// sheet, and on a page for everybody one script. So the server keeps back the page's own
// until that request has come, and whatever else the page asks for until the banner is
// painted.
func TestNoPageWaitsForTheBanner(t *testing.T) {
	t.Parallel()
	d := newDemo(t, declared...)
	d.pages.HandleFunc("GET /everybody", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = portal.Execute(w, map[string]template.HTML{"Script": `<script src="/cookies/script.js" defer></script>`}) // an error is the browser's leaving
	})
	for path, brings := range map[string]string{"/": ".css", "/everybody": "/script.js"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			asked, painted := make(chan struct{}), make(chan struct{})
			ask := sync.OnceFunc(func() { close(asked) })
			front := httptest.NewServer(d.mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Security-Policy", policy)
				until := painted
				switch asks := r.URL.Path; {
				case asks == path:
					until = nil
				case asks == "/portal.css":
					until = asked
				case strings.HasPrefix(asks, "/cookies/") && strings.HasSuffix(asks, brings):
					ask()
					until = nil
				}
				if until != nil {
					select {
					case <-until:
					case <-r.Context().Done():
					}
				}
				d.pages.ServeHTTP(w, r)
			})))
			t.Cleanup(front.Close)
			t.Cleanup(func() { close(painted) }) // or the server waits for its handlers
			b := newTab(t)
			b.onEachPage(watchPaint + `
				new MutationObserver((_, observer) => {
					const title = document.querySelector("#charter-title");
					if (title) title.setAttribute("elementtiming", "banner"), observer.disconnect();
				}).observe(document, {childList: true, subtree: true});`)
			call(b, page.Navigate, page.NavigateParams{URL: front.URL + path})
			b.until(`painted?.["first-contentful-paint"] && painted.banner`)
		})
	}
	assert.False(t, strings.Contains(portalHTML, "charter"), "the page without is without it")
}
