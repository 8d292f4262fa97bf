// Command gzip compresses below the middleware and above it. Both are right: the
// middleware looks at heads, and gzhttp at bodies.
package main

import (
	"crypto/rand"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/klauspost/compress/gzhttp"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

var cookies = consent.MustRegistry(
	consent.Cookie{
		Provider: "Example",
		Name:     "theme",
		Purpose:  consent.Text{language.English: "Remembers whether you read on light or on dark."},
		Category: consent.Necessary,
	},
	consent.Cookie{
		Provider: "Matomo",
		Name:     "_pk_id*",
		Purpose:  consent.Text{language.English: "Recognises a visitor who comes back."},
		Category: consent.Statistics,
		Lifetime: 13 * 30 * 24 * time.Hour,
	},
)

func main() {
	outside, inside, err := newSites()
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.ListenAndServe("localhost:8081", inside)) }()
	log.Println("open http://localhost:8080 for gzip outside, and http://localhost:8081 for gzip inside; Ctrl-C ends it")
	log.Fatal(http.ListenAndServe("localhost:8080", outside))
}

// newSites makes the same site twice; a decision on one counts on the other.
func newSites() (outside, inside http.Handler, err error) {
	key := make([]byte, 32) // in production: from your secrets, the same in every process
	rand.Read(key)
	mw, err := consent.NewMiddleware(consent.Config{Registry: cookies, Keys: [][]byte{key}, Insecure: true, Observe: consent.LogTo(slog.Default(), 0)}) // Insecure: for http
	if err != nil {
		return nil, nil, err
	}
	site, err := charter.New(charter.Config{Middleware: mw})
	if err != nil {
		return nil, nil, err
	}

	mux := http.NewServeMux()
	mux.Handle("/cookies/", site.Handler())
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "theme", Value: "dark"})
		http.SetCookie(w, &http.Cookie{Name: "_pk_id.1.1fff", Value: "b2", MaxAge: 86400})
		w.Header().Set("Cache-Control", "private, no-store")
		fmt.Fprintf(w, "<!doctype html><title>gzip</title>%s%s<h1>A long page</h1>%s", site.Head(r), site.Banner(r), site.Link(r))
		fmt.Fprint(w, strings.Repeat("<p>As long as a page must be to be worth compressing.", 1000))
	})
	outside = gzhttp.GzipHandler(mw.Wrap(mux))
	inside = mw.Wrap(gzhttp.GzipHandler(mux))
	return outside, inside, nil
}
