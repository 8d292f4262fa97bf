package browser

import (
	"fmt"
	"html/template"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/internal/browsertest"
)

// inOrder are scripts of every kind, of which each says its name. The first is slow, one of
// them does not exist, and two are none for a browser of today.
const inOrder = `<script src="/say.js?slow"></script>
<script>say("inline")</script>
<script src="/missing.js"></script>
<script nomodule src="/say.js?nomodule"></script>
<script type="text/x-template" src="/say.js?template"></script>
<script type="module" src="/say.js?module"></script>
<script defer src="/say.js?deferred"></script>
<script>say("inline 2")</script>
<script type="module">say("inline module")</script>
<script src="/say.js?external"></script>
<script defer src="/say.js?deferred-2"></script>
<script>say("inline 3")</script>`

// asData is a script that nobody runs, whatever holds it.
const asData = `<script type="text/plain">say("data")</script>`

// The order of gated scripts is that of the same scripts without a gate, which the browser
// itself says first.
func TestGatedScriptsRunInTheOrderOfThePage(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*testing.T, string){"Chromium": browsertest.Chromium, "Firefox": browsertest.Firefox} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDemo(t, declared...)
			told := make(chan string, 10)
			d.pages.HandleFunc("GET /tell", func(_ http.ResponseWriter, r *http.Request) { told <- r.URL.Query().Get("order") })
			d.pages.HandleFunc("GET /say.js", func(w http.ResponseWriter, r *http.Request) {
				if r.URL.RawQuery == "slow" {
					time.Sleep(300 * time.Millisecond)
				}
				w.Header().Set("Content-Type", "text/javascript")
				fmt.Fprintf(w, "say(%q)", r.URL.RawQuery)
			})
			scripts := regexp.MustCompile(`<script([^>]*)>`)
			textPlain := scripts.ReplaceAllStringFunc(inOrder, func(tag string) string {
				tag = strings.Replace(tag, ` type="`, ` data-type="`, 1)
				return strings.Replace(tag, "<script", `<script type="Text/Plain" data-consent="third-party"`, 1)
			})
			pages := []struct{ path, content string }{
				{"/order/plain", asData + inOrder},
				{"/order/scripts", textPlain},
				{"/order/template", `<template data-consent="third-party">` + asData + inOrder + `</template>`},
				{"/order/nested", `<template data-consent="third-party"><div>` + textPlain + `</div></template>`},
				{"/order/async", `<script async type="text/plain" data-consent="third-party" src="/say.js?async"></script>` + textPlain},
			}
			for i, page := range pages {
				next := "/order/end"
				if i+1 < len(pages) {
					next = pages[i+1].path
				}
				d.pages.HandleFunc("GET "+page.path, func(w http.ResponseWriter, r *http.Request) {
					w.Header().Del("Content-Security-Policy")
					w.Header().Set("Content-Type", "text/html")
					fmt.Fprintf(w, `<!doctype html><title>t</title><link rel="icon" href="data:,">%s<script>
						const order = [];
						const say = name => {
							order.push(name);
							if (order.length === 9 + %t) setTimeout(async () => { await fetch("/tell?order=" + order); location = %q }, 200);
						}</script>%s`, template.HTML(d.charter.Script(r)), page.path == "/order/async", next, page.content)
				})
			}
			d.pages.HandleFunc("GET /order/begin", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Del("Content-Security-Policy")
				w.Header().Set("Content-Type", "text/html")
				fmt.Fprint(w, `<!doctype html><title>t</title><link rel="icon" href="data:,"><script>
					fetch("/cookies/state.json", {method: "POST", headers: {"Content-Type": "application/json"}, body: '{"choice": "accept"}'}).then(() => location = "/order/plain")</script>`)
			})
			open(t, d.url+"/order/begin")
			var orders []string
			for range pages {
				select {
				case order := <-told:
					orders = append(orders, order)
				case <-time.After(time.Minute):
					t.Fatalf("nothing more was told after %q", orders)
				}
			}
			require.Equal(t, "slow,inline,inline 2,external,inline 3,module,deferred,inline module,deferred-2", orders[0], "the browser's own")
			for i, order := range orders[1:4] {
				assert.Equal(t, orders[0], order, pages[i+1].path)
			}
			assert.Equal(t, "async,"+orders[0], orders[4], "what is async waits for nothing")
		})
	}
}
