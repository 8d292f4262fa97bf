// Command websocket upgrades connections below the middleware, by gorilla's
// library and by coder's. The cookies of an upgrade's head are judged like those
// of any other; what follows the head is nobody's business.
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

	mux := http.NewServeMux()
	mux.Handle("/cookies/", site.Handler())
	mux.HandleFunc("GET /gorilla", echoByGorilla)
	mux.HandleFunc("GET /coder", echoByCoder)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		setCookies(w.Header())
		w.Header().Set("Cache-Control", "private, no-store")
		fmt.Fprintf(w, "<!doctype html><title>WebSocket</title>%s%s<h1>Two echoes</h1>%s%s", site.Head(r), site.Banner(r), site.Link(r), script)
	})
	return mw.Wrap(mux), nil
}

const script = `<script>
for (const path of ["/gorilla", "/coder"]) {
	const socket = new WebSocket(path)
	socket.onopen = () => socket.send("hello")
	socket.onmessage = e => document.body.append(path, " ", e.data, " ")
}
</script>`

func setCookies(h http.Header) {
	h.Add("Set-Cookie", "theme=dark; Path=/")
	h.Add("Set-Cookie", "_pk_id.1.1fff=b2; Path=/; Max-Age=86400")
}
