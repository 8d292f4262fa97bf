// Command charter shows the cookie charter of an open-data portal, which is declared in
// cookies.json.
package main

import (
	"bytes"
	"crypto/rand"
	_ "embed"
	"fmt"
	"log"
	"net/http"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

//go:embed cookies.json
var declarations []byte

func main() {
	handler, err := newSite()
	if err != nil {
		log.Fatal(err)
	}
	log.Println("open http://localhost:8080/cookies/ in a browser, and /cookies/charter.json for programs; Ctrl-C ends it")
	log.Fatal(http.ListenAndServe("localhost:8080", handler))
}

func newSite() (http.Handler, error) {
	cookies, err := consent.ReadRegistry(bytes.NewReader(declarations))
	if err != nil {
		return nil, fmt.Errorf("cookies.json: %w", err)
	}
	key := make([]byte, 32) // in production: from your secrets, the same in every process
	rand.Read(key)
	mw, err := consent.NewMiddleware(consent.Config{Registry: cookies, Keys: [][]byte{key}, Insecure: true}) // Insecure: for http
	if err != nil {
		return nil, err
	}
	site, err := charter.New(charter.Config{Middleware: mw})
	if err != nil {
		return nil, err
	}
	portal := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "sessionid", Value: "a1"})
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!doctype html><title>Portal</title>%s%s<h1>Portal</h1>%s", site.Head(r), site.Banner(r), site.Link(r))
	})
	return mw.Wrap(site.Wrap(portal)), nil
}
