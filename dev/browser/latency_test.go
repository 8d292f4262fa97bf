package browser

import (
	"html/template"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/stretchr/testify/assert"
)

// Of what the banner adds nothing has to arrive before the first paint: on a line with much
// latency, a style sheet would cost that and more. A page for everybody needs one
// request, which goes with the page's own. The latency is longer than the time that a busy
// machine takes for a page, so that a round trip shows; the best of three visits counts.
func TestNoPageWaitsForTheBanner(t *testing.T) {
	d := newDemo(t, declared...)
	d.pages.HandleFunc("GET /without", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = portal.Execute(w, map[string]template.HTML{}) // an error is the browser's leaving
	})
	d.pages.HandleFunc("GET /everybody", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = portal.Execute(w, map[string]template.HTML{"Script": `<script src="/cookies/script.js" defer></script>`})
	})
	const latency = 600
	first := func(path, element string) float64 {
		var times []float64
		for range 3 {
			b := newTab(t)
			b.onEachPage(watchPaint + `
				new MutationObserver((_, observer) => {
					const title = document.querySelector("#charter-title");
					if (title) title.setAttribute("elementtiming", "banner"), observer.disconnect();
				}).observe(document, {childList: true, subtree: true});`)
			call(b, network.Enable, network.EnableParams{})
			call(b, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
				MatchedNetworkConditions: []*network.Conditions{{Latency: latency, DownloadThroughput: -1, UploadThroughput: -1}},
			})
			b.visit(d.url + path)
			b.until("painted?.[" + element + "]")
			times = append(times, eval[float64](b, "painted["+element+"]"))
		}
		return slices.Min(times)
	}
	const page, banner = `"first-contentful-paint"`, `"banner"`
	without, with, asked, cached := first("/without", page), first("/", page), first("/", banner), first("/everybody", banner)
	t.Logf("first paint without the banner %.0f ms, with it %.0f ms, of the banner %.0f ms, of the banner of a page for everybody %.0f ms", without, with, asked, cached)
	assert.Less(t, with-without, latency*2./3, "a round trip takes longer")
	assert.Less(t, asked-without, latency*2./3)
	assert.Less(t, cached-without, latency*2./3, "the script comes with the page's own style sheet")
	assert.False(t, strings.Contains(portalHTML, "charter"), "the page without is without it")
}
