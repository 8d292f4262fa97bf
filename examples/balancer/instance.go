package main

import (
	"fmt"
	"net/http"
	"sync/atomic"
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

// An instance is one of the processes that serve a site, here in one program. One
// of yours may get its keys when it starts: a restart does what use does.
type instance struct {
	name string
	site atomic.Pointer[http.Handler]
}

func (i *instance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	(*i.site.Load()).ServeHTTP(w, r)
}

// use puts a site with these keys in place of the one before, which answers what
// it has begun to answer.
func (i *instance) use(keys [][]byte) error {
	site, err := newSite(i.name, keys)
	if err != nil {
		return err
	}
	i.site.Store(&site)
	return nil
}

func newSite(name string, keys [][]byte) (http.Handler, error) {
	mw, err := consent.NewMiddleware(consent.Config{Registry: cookies, Keys: keys, Insecure: true}) // Insecure: for http
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
		fmt.Fprintf(w, "<!doctype html><title>Balancer</title>%s%s<h1>Served by %s</h1>%s", site.Head(r), site.Banner(r), name, site.Link(r))
	})
	return mw.Wrap(mux), nil
}
