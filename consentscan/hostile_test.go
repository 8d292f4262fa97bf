package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/consentscan/internal/crawl"
	"github.com/cookiecharter/consent/consentscan/internal/judge"
	"github.com/cookiecharter/consent/consentscan/internal/scan"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

// hostile pages, and what a scan says of each: empty, if nothing.
var hostile = []struct{ path, body, says string }{
	{"/windows", `<script>for (let i = 0; i < 100; i++) window.open("/ok?" + i)</script>`, ""},
	{"/clicked", `<button style="position:fixed;inset:0">x</button><script>onmousemove = onkeydown = () => { for (let i = 0; i < 100; i++) window.open("/ok?" + i) }</script>`, ""},
	{"/dialogs", `<script>for (let i = 0; i < 20; i++) { alert(i); confirm(i); prompt(i) } print()</script>`, "opens a dialog (alert)"},
	{"/loop", `<script>setTimeout(() => { for (;;); }, 100)</script>`, "hangs: its scripts do not end"},
	{"/hangs", `<img src="/never">`, "did not come to rest within"},
	{"/download", "", "is a download, not a page"},
	{"/nothing", "", "it shows nothing"},
	{"/away", "", "nothing listens there"},
	{"/stays", `<script>onbeforeunload = (e) => { e.preventDefault(); return "stay" }</script>`, ""},
	{"/polls", `<script>setInterval(() => fetch("/ok?" + Math.random()), 20)</script>`, "did not come to rest within"},
	{"/reloads", `<script>setTimeout(() => location.reload(), 20)</script>`, "did not come to rest within"},
	{"/stores", `<script>for (let i = 0; i < 200; i++) { localStorage.setItem("item" + i, "v"); document.cookie = "item" + i + "=1" }</script>`, ""},
	{"/breaks", `<script>Object.defineProperty = JSON.stringify = Array.from = console.debug = () => { throw 1 }; window.dataLayer = { get length() { throw 1 } }; document.querySelectorAll = null; document.cookie = "after=1"</script>`, ""},
	{"/names", `<script>localStorage.setItem("\x1b[31mred\x07\n\u202e", "v"); document.cookie = "\u{1F36A}=1"</script>`, ""},
	{"/frames", strings.Repeat(`<iframe src="/ok"></iframe>`, 60), ""},
	{"/deep", `<iframe src="/deep?"></iframe>`, ""},
}

func TestAHostilePageCostsItsTimeLimitAndTheRestIsScanned(t *testing.T) {
	chromium(t)
	mux := http.NewServeMux()
	page := func(w http.ResponseWriter, body string) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!doctype html><title>x</title>%s", body)
	}
	var links strings.Builder
	for _, h := range hostile {
		fmt.Fprintf(&links, `<a href="%s">x</a>`, h.path)
		mux.HandleFunc(h.path, func(w http.ResponseWriter, r *http.Request) { page(w, h.body) })
	}
	overridden := http.NewServeMux()
	overridden.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
		page(w, links.String()+`<a href="/last">x</a><a href="/endless/1">x</a>`)
	})
	overridden.HandleFunc("/download", func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Content-Disposition", "attachment") })
	overridden.HandleFunc("/nothing", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) })
	overridden.Handle("/away", http.RedirectHandler("http://other.localhost:9998/", http.StatusFound))
	overridden.HandleFunc("/never", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	overridden.HandleFunc("/last", func(w http.ResponseWriter, r *http.Request) { page(w, `<script>document.cookie = "last=1"</script>`) })
	overridden.HandleFunc("/endless/", func(w http.ResponseWriter, r *http.Request) {
		page(w, fmt.Sprintf(`<a href="%sx/1">deeper</a>`, r.URL.Path))
	})
	overridden.Handle("/", mux)

	site := serve(t, overridden)
	began := time.Now()
	_, err := scan.Run(t.Context(), scan.Options{URL: site, Timeout: time.Minute, Pages: []string{"/frames"}})
	require.NoError(t, err)
	// The heaviest page that comes to rest shows how fast this machine is now.
	limit := max(6*time.Second, 2*time.Since(began))
	began = time.Now()
	result, err := scan.Run(t.Context(), scan.Options{URL: site, Timeout: limit, Crawl: crawl.Options{Pages: 30}})
	require.NoError(t, err)
	t.Logf("%v for %d pages, each within %v", time.Since(began).Round(time.Second), len(result.Stages[0].Pages), limit.Round(time.Second))
	for _, h := range hostile {
		var said []string
		for _, p := range result.Problems {
			if p.Page == h.path {
				said = append(said, p.Text)
			}
		}
		if h.says == "" {
			assert.Empty(t, said, h.path)
		} else {
			assert.Contains(t, strings.Join(said, "\n"), h.says, h.path)
		}
		assert.Contains(t, result.Stages[0].Pages, h.path)
	}
	has := func(name string) bool {
		for _, e := range result.Events {
			if e.Act == seen.Stored && e.Name == name {
				return true
			}
		}
		return false
	}
	assert.True(t, has("last"), "the page after the hostile ones")
	assert.True(t, has("after"), "what a page stores that has broken its own globals")
	findings := judge.Judge(result.Scan, nil, judge.Options{})
	assert.Less(t, len(findings), 20, "two hundred names that differ in a number are one cause")
}
