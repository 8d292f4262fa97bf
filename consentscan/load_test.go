package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/consentscan/internal/chrome"
	"github.com/cookiecharter/consent/consentscan/internal/crawl"
	"github.com/cookiecharter/consent/consentscan/internal/judge"
	"github.com/cookiecharter/consent/consentscan/internal/report"
	"github.com/cookiecharter/consent/consentscan/internal/scan"
)

// A site of many pages, each with cookies of three categories, scripts and images.
// PAGES=100 go test -run Pages -v . measures what the README says.
func TestASiteOfManyPagesIsWalkedInEveryState(t *testing.T) {
	chromium(t)
	pages, _ := strconv.Atoi(os.Getenv("PAGES"))
	pages = max(pages, 5)
	address := serveMany(t, pages)
	var mu sync.Mutex
	most := int64(0)
	began := time.Now()
	var texts []string
	runs, _ := strconv.Atoi(os.Getenv("RUNS"))
	for range max(runs, 1) {
		result, err := scan.Run(t.Context(), scan.Options{
			URL: address, Crawl: crawl.Options{Pages: pages, Depth: pages}, Browser: chrome.Options{},
			Progress: func(p scan.Progress) { // from several goroutines
				mu.Lock()
				defer mu.Unlock()
				most = max(most, p.Memory())
			},
		})
		require.NoError(t, err)
		findings := judge.Judge(result.Scan, result.Registry, judge.Options{})
		for _, stage := range result.Stages {
			if stage.Name != "withdrawing" {
				assert.Len(t, stage.Pages, pages, stage.Name)
			}
		}
		assert.LessOrEqual(t, len(result.Problems), 1, "%v", result.Problems) // that there are more pages
		var text bytes.Buffer
		require.NoError(t, report.WriteBaseline(&text, findings))
		texts = append(texts, text.String())
		t.Logf("%d pages in %d stages: %v, %d findings, %d MB at most", pages, len(result.Stages), time.Since(began).Round(time.Second), len(findings), most>>20)
	}
	for _, text := range texts {
		assert.Equal(t, texts[0], text)
		assert.Equal(t, 1, strings.Count(text, `"fingerprint"`), text)
		assert.Contains(t, text, `"undeclared","kind":"cookie","name":"tag_uid"`, "the fault of one page")
	}
}

func serveMany(t *testing.T, pages int) string {
	en := func(s string) consent.Text { return consent.Text{language.English: s} }
	registry := consent.MustRegistry(
		consent.Cookie{Provider: "Shop", Name: "sessionid", Purpose: en("Keeps you signed in."), Category: consent.Necessary},
		consent.Cookie{Provider: "Shop", Name: "profile", Purpose: en("Remembers what you like."), Category: consent.FirstParty},
		consent.Cookie{Provider: "Matomo", Name: "_pk_id*", Purpose: en("Counts visitors."), Category: consent.Statistics, Lifetime: 30 * 24 * time.Hour},
		consent.Cookie{Provider: "Ads", Name: "ad_id", Purpose: en("Shows advertisements."), Category: consent.ThirdParty},
		consent.Cookie{Provider: "Chatty", Name: "chat", Purpose: en("Remembers the talk."), Category: consent.Chat},
	)
	mw, err := consent.NewMiddleware(consent.Config{Registry: registry, Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}, Insecure: true})
	require.NoError(t, err)
	site, err := charter.New(charter.Config{Middleware: mw, Name: "Shop"})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/cookies/", site.Handler())
	mux.HandleFunc("GET /app.js", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(w, `setTimeout(() => { document.title += "."; }, 1000);`)
	})
	mux.HandleFunc("GET /picture.svg", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "image/svg+xml")
		fmt.Fprint(w, `<svg xmlns="http://www.w3.org/2000/svg" width="200" height="100"><rect width="200" height="100" fill="teal"/></svg>`)
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/page/0", http.StatusFound) })
	mux.HandleFunc("GET /page/{n}", func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.PathValue("n"))
		if err != nil || n >= pages {
			http.NotFound(w, r)
			return
		}
		for _, line := range []string{"sessionid=1", "profile=1", "_pk_id.1=1; Max-Age=2592000", "ad_id=1", "chat=1"} {
			w.Header().Add("Set-Cookie", line+"; Path=/")
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!doctype html><title>Page %d</title>%s<h1>Page %[1]d</h1>%[3]s", n, site.Head(r), site.Banner(r))
		for i := range 10 {
			fmt.Fprintf(w, `<p>%s <img src="/picture.svg?%d" alt="" loading="lazy"> <a href="/page/%d">next</a></p>`,
				"Words of a shop that sells many things. ", i, n+i)
		}
		if n == pages/2 {
			fmt.Fprint(w, `<script>document.cookie = "tag_uid=1; max-age=9999"</script>`)
		}
		fmt.Fprintf(w, `<script src="/app.js"></script>%s%s`, site.Link(r), site.Script(r))
	})
	return serve(t, mw.Wrap(mux))
}
