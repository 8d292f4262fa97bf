// Command htmx is a page into which htmx swaps fragments with what a provider serves. The
// server draws them as the visitor has decided.
package main

import (
	"crypto/rand"
	"fmt"
	"html/template"
	"log"
	"net/http"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/examples/internal/node"
)

func main() {
	site, err := newSite()
	if err != nil {
		log.Fatal(err)
	}
	log.Println("open http://localhost:8080 in a browser; Ctrl-C ends it")
	log.Fatal(http.ListenAndServe("localhost:8080", site))
}

func newSite() (http.Handler, error) {
	script, err := node.File("htmx.org/dist/htmx.min.js")
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
	html := func(pattern string, draw func(*http.Request) template.HTML) {
		app.HandleFunc("GET "+pattern, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, draw(r))
		})
	}
	html("/{$}", func(r *http.Request) template.HTML {
		return `<!doctype html><html lang="en"><title>Harbour town</title>` + site.Head(r) + site.Script(r) + `<script src="/htmx.js" defer></script>
			<body>` + site.Banner(r) + `<h1>Harbour town</h1>
			<p><button hx-get="/films" hx-target="#films">Show the films</button></p><div id="films"></div>
			<footer>` + site.Link(r) + `</footer>`
	})
	html("/films", func(r *http.Request) template.HTML {
		return site.Embed(r, charter.Embed{
			Category: consent.ThirdParty, Provider: "Vimeo",
			Content: `<iframe class="film" src="/player?film" title="A film of the harbour"></iframe>`,
		}) + site.Embed(r, charter.Embed{
			Category: consent.ThirdParty, Provider: "Dailymotion",
			Content: `<iframe class="meeting" src="/player?meeting" title="A meeting of the council"></iframe>`,
		})
	})
	html("/player", func(*http.Request) template.HTML { // in place of the provider's
		return "<!doctype html><title>Player</title><p>The player.</p>"
	})
	app.HandleFunc("GET /htmx.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		_, _ = w.Write(script) // an error is the visitor's leaving
	})
	return mw.Wrap(site.Wrap(app)), nil
}
