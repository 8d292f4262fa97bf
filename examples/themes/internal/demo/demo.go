// Package demo is the site that each theme is shown on: one page in the design, with what
// a visitor meets of the charter.
package demo

import (
	"bytes"
	"crypto/rand"
	"embed"
	"flag"
	"fmt"
	"html/template"
	"log"
	"net"
	"net/http"
	"os"
	"strings"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

// Run serves the page of a design, in the given theme. What the design needs of npm is
// below /npm/.
func Run(design string, theme charter.Config) {
	log.SetFlags(0)
	addr := flag.String("addr", "localhost:8080", "where to listen")
	modules := flag.String("npm", "examples/node_modules", "where npm has put the design systems")
	flag.Parse()
	site, err := newSite(design, theme)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := os.Stat(*modules); err != nil && design != "shop" {
		log.Fatal("At the root of the repository, first: npm ci --ignore-scripts --prefix examples")
	}
	site.Handle("GET /npm/", http.StripPrefix("/npm/", http.FileServer(http.Dir(*modules))))
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("Open http://%s in a browser. Ctrl-C ends it.", listener.Addr())
	log.Fatal(http.Serve(listener, site.wrap(site)))
}

type site struct {
	*http.ServeMux
	wrap func(http.Handler) http.Handler
}

//go:embed pages
var pages embed.FS

// newSite makes the site, without the files of the design.
func newSite(design string, theme charter.Config) (*site, error) {
	key := make([]byte, 32) // for this run alone; a real site keeps its keys
	rand.Read(key)
	mw, err := consent.NewMiddleware(consent.Config{
		Registry: cookiesOf(theme.Name),
		Keys:     [][]byte{key},
		Insecure: true, // in production: https, and no such line
	})
	if err != nil {
		return nil, err
	}
	theme.Middleware = mw
	c, err := charter.New(theme)
	if err != nil {
		return nil, err
	}
	page, err := template.ParseFS(pages, "pages/"+design+".html")
	if err != nil {
		return nil, err
	}
	s := &site{http.NewServeMux(), func(app http.Handler) http.Handler { return policy(c, mw.Wrap(c.Wrap(app))) }}
	s.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		v := view{Head: c.Head(r) + c.Script(r), Banner: c.Banner(r), Link: c.Link(r), language: languageOf(r)}
		v.Film = c.Embed(r, charter.Embed{
			Category: consent.EmbeddedMedia, Provider: "Vimeo", Ratio: 16. / 9, Link: "https://vimeo.com",
			Title:   v.Say("Our film", "Notre film"),
			Content: `<iframe src="/film" title="Film" width="640" height="360" class="film"></iframe>`,
		})
		var b bytes.Buffer
		if err := page.Execute(&b, v); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = b.WriteTo(w) // an error is the visitor's leaving
	})
	s.HandleFunc("GET /film", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/svg+xml")
		_, _ = fmt.Fprint(w, film)
	})
	s.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	for _, name := range []string{"demo.css", "scheme.js", "shop.css"} {
		s.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, pages, "pages/"+name) })
	}
	return s, nil
}

// policy is strict, to show that a theme works under it.
func policy(c *charter.Charter, h http.Handler) http.Handler {
	style := strings.TrimSpace("'self' " + c.StyleHash())
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'; img-src 'self' data:; style-src "+style+"; form-action 'self'; base-uri 'none'")
		h.ServeHTTP(w, r)
	})
}

// A view is the data of a page.
type view struct {
	Head, Banner, Film, Link template.HTML
	language                 string
}

func (v view) Lang() string { return v.language }

// Say returns the text in the language of the page.
func (v view) Say(english, french string) string {
	if v.language == "fr" {
		return french
	}
	return english
}

var languages = language.NewMatcher([]language.Tag{language.English, language.French})

func languageOf(r *http.Request) string {
	_, i := language.MatchStrings(languages, r.Header.Get("Accept-Language"))
	return []string{"en", "fr"}[i]
}

// film stands for a player of somebody else.
const film = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 9"><rect width="16" height="9" fill="#1d2b3a"/><path d="m6.5 2.8 4 1.7-4 1.7z" fill="#fff"/></svg>`
