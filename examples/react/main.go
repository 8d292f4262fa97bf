// Command react is a page whose components, in React, show what a provider serves once the
// visitor allows that provider.
package main

import (
	"crypto/rand"
	_ "embed"
	"fmt"
	"log"
	"net/http"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/examples/internal/node"
)

//go:embed app.jsx
var source string

func main() {
	site, err := newSite()
	if err != nil {
		log.Fatal(err)
	}
	log.Println("open http://localhost:8080 in a browser; Ctrl-C ends it")
	log.Fatal(http.ListenAndServe("localhost:8080", site))
}

func newSite() (http.Handler, error) {
	script, err := node.Bundle(source)
	if err != nil {
		return nil, err
	}
	plays := consent.Text{language.English: "Plays films, and measures how they are watched."}
	cookies, err := consent.NewRegistry(
		consent.Cookie{Provider: "Vimeo", Name: "vuid", Category: consent.ThirdParty, Purpose: plays},
		consent.Cookie{Provider: "Dailymotion", Name: "dmvk", Category: consent.ThirdParty, Purpose: plays},
	)
	if err != nil {
		return nil, err
	}
	key := make([]byte, 32) // in production: from your secrets, the same in every process
	rand.Read(key)
	mw, err := consent.NewMiddleware(consent.Config{Registry: cookies, Keys: [][]byte{key}, Insecure: true}) // Insecure: for http
	if err != nil {
		return nil, err
	}
	site, err := charter.New(charter.Config{Middleware: mw, Name: "Harbour town"})
	if err != nil {
		return nil, err
	}
	app := http.NewServeMux()
	app.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		// The charter's script comes first, so that the components find window.consent.
		fmt.Fprintf(w, `<!doctype html><html lang="en"><title>Harbour town</title>%s%s<script src="/app.js" defer></script>
			<body>%s<div id="app"></div><footer>%s</footer>`, site.Head(r), site.Script(r), site.Banner(r), site.Link(r))
	})
	app.HandleFunc("GET /app.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		_, _ = w.Write(script) // an error is the visitor's leaving
	})
	app.HandleFunc("GET /player", func(w http.ResponseWriter, _ *http.Request) { // in place of the provider's
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, "<!doctype html><title>Player</title><p>The player.</p>")
	})
	return mw.Wrap(site.Wrap(app)), nil
}
