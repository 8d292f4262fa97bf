// Command thirdparty is a site whose pages embed a script, an image and a frame
// of another origin, a partner's. Each page embeds them always; its
// Content-Security-Policy follows the visitor's consent, so that the browser
// asks the partner for nothing before.
package main

import (
	"crypto/rand"
	_ "embed"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
	"golang.org/x/text/language"
)

func main() {
	log.SetFlags(0)
	// The partner is a second listener, on another port and thus another origin.
	go func() { log.Fatal(http.ListenAndServe("127.0.0.1:8081", http.HandlerFunc(partner))) }()
	site, err := newSite("http://127.0.0.1:8081")
	if err != nil {
		log.Fatal(err)
	}
	log.Println("Open http://localhost:8080 in a browser; what it asks the partner for is written here. Ctrl-C ends it.")
	log.Fatal(http.ListenAndServe("localhost:8080", site))
}

// newSite makes the site, whose pages embed what the partner serves at its origin.
func newSite(partner string) (http.Handler, error) {
	registry, err := consent.NewRegistry(consent.Cookie{
		Provider: "Partner",
		Name:     "partner_id",
		Purpose:  consent.Text{language.English: "Counts visits, plays a video, and recognises who has seen it."},
		Category: consent.ThirdParty,
		Lifetime: 365 * 24 * time.Hour,
		Origins:  []string{partner},
	})
	if err != nil {
		return nil, err
	}
	key := make([]byte, 32) // for this run alone; a real site keeps its keys
	rand.Read(key)
	mw, err := consent.NewMiddleware(consent.Config{
		Registry: registry,
		Keys:     [][]byte{key},
		Insecure: true, // in production: https, and no such line
	})
	if err != nil {
		return nil, err
	}
	banner, err := charter.New(charter.Config{Middleware: mw})
	if err != nil {
		return nil, err
	}
	show := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", policy(r))
		w.Header().Set("Cache-Control", "private, no-store") // this policy is this visitor's alone
		_ = page.Execute(w, map[string]any{                  // an error is the visitor's leaving
			"Head": banner.Head(r), "Banner": banner.Banner(r), "Link": banner.Link(r),
			"Policy": policy(r), "Partner": partner,
		})
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", show)
	mux.HandleFunc("GET /next", show)
	mux.Handle("/cookies/", banner.Handler())
	return mw.Wrap(mux), nil
}

//go:embed page.html
var source string

var page = template.Must(template.New("page").Parse(source))

// policy lets a page load what comes from the site itself and from the origins
// that the visitor allows. Where these are none, 'self' stands alone.
func policy(r *http.Request) string {
	from := strings.Join(append([]string{"'self'"}, consent.FromContext(r.Context()).Origins()...), " ")
	return fmt.Sprintf("default-src 'self'; script-src %[1]s; img-src %[1]s; frame-src %[1]s; base-uri 'none'; form-action 'self'; frame-ancestors 'none'", from)
}
