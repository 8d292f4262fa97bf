// Command timeout has an http.TimeoutHandler outside of the middleware and inside.
// Both keep what is refused away. Inside is better: there a Save that comes after
// the time is up says so (consent.ErrTooLate); outside it cannot know.
package main

import (
	"crypto/rand"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"time"

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
	outside, inside, err := newSites(5 * time.Second)
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(http.ListenAndServe("localhost:8081", outside)) }()
	log.Println("open http://localhost:8080 for the time limit inside, and http://localhost:8081 for it outside; Ctrl-C ends it")
	log.Fatal(http.ListenAndServe("localhost:8080", inside))
}

// newSites makes the same site twice; a decision on one counts on the other.
func newSites(limit time.Duration) (outside, inside http.Handler, err error) {
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
		setCookies(w)
		w.Header().Set("Cache-Control", "private, no-store")
		fmt.Fprintf(w, "<!doctype html><title>Timeout</title>%s%s<h1>In time</h1><p><a href=/slow>Too late</a></p>%s", site.Head(r), site.Banner(r), site.Link(r))
	})
	mux.HandleFunc("GET /slow", func(w http.ResponseWriter, r *http.Request) {
		setCookies(w)
		<-r.Context().Done() // as a database would that takes too long
	})
	const message = "This takes too long."
	outside = http.TimeoutHandler(mw.Wrap(mux), limit, message)
	inside = mw.Wrap(http.TimeoutHandler(mux, limit, message))
	return outside, inside, nil
}

func setCookies(w http.ResponseWriter) {
	http.SetCookie(w, &http.Cookie{Name: "theme", Value: "dark"})
	http.SetCookie(w, &http.Cookie{Name: "_pk_id.1.1fff", Value: "b2", MaxAge: 86400})
}
