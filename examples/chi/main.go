// Command chi shows the middleware on a chi router: the first of all, so that
// what the others set, and what is set where no route matches, is judged too.
package main

import (
	"crypto/rand"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
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
	site, err := newSite()
	if err != nil {
		log.Fatal(err)
	}
	log.Println("open http://localhost:8080 in a browser: what is removed is written here; Ctrl-C ends it")
	log.Fatal(http.ListenAndServe("localhost:8080", site))
}

func newSite() (http.Handler, error) {
	key := make([]byte, 32) // in production: from your secrets, the same in every process
	rand.Read(key)
	mw, err := consent.NewMiddleware(consent.Config{Registry: cookies, Keys: [][]byte{key}, Insecure: true, Observe: consent.LogTo(slog.Default(), 0)}) // Insecure: for http
	if err != nil {
		return nil, err
	}
	site, err := charter.New(charter.Config{Middleware: mw})
	if err != nil {
		return nil, err
	}

	router := chi.NewRouter()
	router.Use(mw.Wrap) // before the others
	router.Use(middleware.Recoverer, measure)
	router.Handle("/cookies/*", site.Handler())
	router.Get("/", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "theme", Value: "dark"})
		w.Header().Set("Cache-Control", "private, no-store")
		counted := consent.FromContext(r.Context()).Allows(consent.Statistics)
		fmt.Fprintf(w, "<!doctype html><title>chi</title>%s%s<h1>Counted: %t</h1>%s", site.Head(r), site.Banner(r), counted, site.Link(r))
	})
	return router, nil
}

// measure sets a cookie on every response, whether the visitor agrees or not.
func measure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "_pk_id.1.1fff", Value: "b2", MaxAge: 86400})
		next.ServeHTTP(w, r)
	})
}
