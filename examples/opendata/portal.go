package main

import (
	"bytes"
	"crypto/rand"
	"embed"
	"html/template"
	"net/http"
	"time"

	"github.com/cookiecharter/consent/charter"
)

// A portal is the site itself. It sets its cookies as it likes, and the
// middleware decides; what a visitor must be told and asked, the charter does.
type portal struct {
	charter *charter.Charter
	who     *sessions
}

func newPortal(c *charter.Charter, who *sessions) http.Handler {
	p := &portal{charter: c, who: who}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.home)
	mux.HandleFunc("POST /language", chooseLanguage)
	mux.HandleFunc("POST /sign-in", who.signIn)
	mux.HandleFunc("POST /sign-out", who.signOut)
	mux.HandleFunc("POST /api/datasets", serveDatasets)
	mux.HandleFunc("GET /atlas/{$}", atlas)
	mux.HandleFunc("GET /atlas/atlas.css", asset("atlas.css", "text/css; charset=utf-8"))
	mux.HandleFunc("GET /portal.css", asset("portal.css", "text/css; charset=utf-8"))
	mux.HandleFunc("GET /portal.js", asset("portal.js", "text/javascript; charset=utf-8"))
	mux.HandleFunc("GET /favicon.ico", asset("icon.svg", "image/svg+xml"))
	return c.Wrap(mux)
}

//go:embed *.html *.css *.js *.svg
var files embed.FS

var pages = template.Must(template.ParseFS(files, "home.html", "atlas.html"))

// charterPage is the charter's page, and that of the visitor's records, with the portal
// around it, in place of those that package charter brings along.
var charterPage = template.Must(template.ParseFS(files, "charter.html"))

// asset serves an embedded file.
func asset(name, contentType string) http.HandlerFunc {
	content, err := files.ReadFile(name)
	if err != nil {
		panic(err) // a mistake in newPortal
	}
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "no-cache") // a restarted portal may look different
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}
}

// policy lets the home page load what the portal itself serves, and nothing
// inline. The charter's page brings its own.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// home sets all the cookies that such a site sets, and shows what became of
// them.
func (p *portal) home(w http.ResponseWriter, r *http.Request) {
	token := value(r, "csrftoken")
	if token == "" {
		token = rand.Text()
	}
	for _, c := range []*http.Cookie{
		cookie("csrftoken", token),
		cookie("visits", "1"),
		cookie("_pk_id.1.1fff", rand.Text()),
		cookie("profile", "mobility"),
		cookie("ad_id", rand.Text()),
		cookie("gadget", "1"), // which nobody declared
	} {
		http.SetCookie(w, c)
	}
	tried := w.Header().Values("Set-Cookie")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Cache-Control", "private, no-store")
	w.Header().Set("Vary", "Accept-Language, Cookie")
	banner := p.charter.Banner(r)                                              // which may change the head
	w.WriteHeader(http.StatusOK)                                               // it leaves here, so that the panel can tell what was in it
	_ = pages.ExecuteTemplate(w, "home.html", p.view(r, token, tried, banner)) // the visitor may be gone
}
