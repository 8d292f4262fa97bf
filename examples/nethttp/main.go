// Command nethttp shows the middleware on a net/http server that speaks
// HTTP/1.1 and, without TLS, HTTP/2 (h2c); with a certificate it speaks HTTP/2 as
// browsers do.
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
	server, err := newServer()
	if err != nil {
		log.Fatal(err)
	}
	log.Println("open http://localhost:8080 in a browser: what is removed is written here; Ctrl-C ends it")
	log.Fatal(server.ListenAndServe()) // or ListenAndServeTLS
}

func newServer() (*http.Server, error) {
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
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "theme", Value: "dark"})
		http.SetCookie(w, &http.Cookie{Name: "_pk_id.1.1fff", Value: "b2", MaxAge: 86400})
		w.Header().Set("Cache-Control", "private, no-store")
		counted := consent.FromContext(r.Context()).Allows(consent.Statistics)
		fmt.Fprintf(w, "<!doctype html><title>net/http</title>%s%s<h1>By %s, counted: %t</h1>%s", site.Head(r), site.Banner(r), r.Proto, counted, site.Link(r))
	})

	handler := mw.Wrap(mux)
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{Addr: "localhost:8080", Handler: handler, Protocols: protocols, ReadHeaderTimeout: 10 * time.Second}, nil
}
