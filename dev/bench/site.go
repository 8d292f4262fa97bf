package main

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"path/filepath"
	"time"

	chi "github.com/go-chi/chi/v5/middleware"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

// A site serves the same page as every other, with a banner of its own.
type site struct {
	Name    string
	ours    bool
	banner  string // the selector of the banner's first text; empty for none
	handler http.Handler
}

//go:embed pages
var pages embed.FS

var layout = template.Must(template.ParseFS(pages, "pages/page.html"))

// parts are what a banner adds to the page.
type parts struct{ Head, First, Foot, Last template.HTML }

// Paths of the page. On the last two the server sets a cookie of statistics.
const (
	untracked       = "/"
	next            = "/maps"
	trackedReadable = "/tracked"
	trackedHTTPOnly = "/tracked-httponly"
)

// sites returns the page without a banner, with ours in three ways, and with
// each of the others, whose packages lie in a folder of npm's.
func sites(packages string) ([]site, error) {
	list := []site{{Name: "no banner", handler: serve(packages, nil, func(*http.Request) parts { return parts{} })}}
	own, err := ourSites(packages, charter.Config{}, "")
	if err != nil {
		return nil, err
	}
	list = append(list, own...)
	built, err := builtFiles(packages, "c15t")
	if err != nil {
		return nil, err
	}
	for _, other := range others {
		list = append(list, site{Name: other.Name, banner: other.banner, handler: serve(packages, built, func(*http.Request) parts { return other.parts })})
	}
	return compressed(list), nil
}

// compressed has the sites compress what they send, as any server on the web does.
func compressed(list []site) []site {
	for i := range list {
		list[i].handler = chi.Compress(5)(list[i].handler)
	}
	return list
}

// ourSites are those with our banner, whose pages have more in their heads.
func ourSites(packages string, config charter.Config, more template.HTML) ([]site, error) {
	mw, err := consent.NewMiddleware(consent.Config{
		Registry: consent.MustRegistry(asked...),
		Keys:     [][]byte{bytes.Repeat([]byte("k"), 32)},
		Insecure: true,
	})
	if err != nil {
		return nil, err
	}
	config.Middleware = mw
	c, err := charter.New(config)
	if err != nil {
		return nil, err
	}
	everybody := template.HTML(`<script src="/cookies/script.js" defer></script>`)
	if len(config.Signals) > 0 {
		everybody = `<script src="/cookies/head.js"></script>` + "\n" + everybody
	}
	var list []site
	for _, way := range []struct {
		name string
		of   func(*http.Request) parts
	}{
		{"consent, no script", func(r *http.Request) parts {
			return parts{Head: c.Head(r) + more, First: c.Banner(r), Foot: c.Link(r)}
		}},
		{"consent, script", func(r *http.Request) parts {
			return parts{Head: c.Head(r) + c.Script(r) + more, First: c.Banner(r), Foot: c.Link(r)}
		}},
		{"consent, cached page", func(*http.Request) parts { return parts{Head: everybody + more} }},
	} {
		own := map[string]http.Handler{"/cookies/": c.Handler()}
		list = append(list, site{Name: way.name, ours: true, banner: "#charter-title", handler: mw.Wrap(serve(packages, own, way.of))})
	}
	return list, nil
}

// others are the banners that ours is compared with, as their documentation has a page load them.
var others = []struct {
	Name, banner string
	parts
}{
	{"vanilla-cookieconsent", "#cc-main .cm__title", parts{
		Head: `<link rel="stylesheet" href="/npm/vanilla-cookieconsent/dist/cookieconsent.css">`,
		Last: `<script type="module" src="/pages/vanilla-cookieconsent.js"></script>`,
	}},
	{"klaro", ".klaro .cookie-notice p", parts{
		Head: `<script defer src="/pages/klaro.js"></script>` + "\n" + `<script defer src="/npm/klaro/dist/klaro.js"></script>`,
	}},
	{"tarteaucitronjs", "#tarteaucitronDisclaimerAlert", parts{
		Head: `<script src="/npm/tarteaucitronjs/tarteaucitron.min.js"></script>` + "\n" + inline("tarteaucitron.js"),
	}},
	{"orejime", ".orejime-Banner-description", parts{
		Head: inline("orejime.js") + "\n" + `<script src="/npm/orejime/dist/orejime-standard-en.js"></script>` + "\n" +
			`<link href="/npm/orejime/dist/orejime-standard.css" rel="stylesheet">`,
	}},
	{"c15t", `[data-testid="consent-banner-title"]`, parts{
		Head:  `<link rel="stylesheet" href="/built/c15t.css">` + "\n" + `<script defer src="/built/c15t.js"></script>`,
		First: `<div id="c15t"></div>`,
	}},
}

const day = 24 * time.Hour

// asked are a site's cookies, one in each of four categories.
var asked = []consent.Cookie{
	{Provider: "Valombre", Name: "sessionid", Purpose: english("Keeps you signed in from page to page."), Category: consent.Necessary},
	{Provider: "Matomo", Name: "_pk_id*", Purpose: english("Recognises a visitor who comes back."), Category: consent.Statistics, Lifetime: 393 * day},
	{Provider: "Valombre", Name: "recent_datasets", Purpose: english("Suggests datasets close to those that you have looked at."), Category: consent.FirstParty, Lifetime: 90 * day},
	{Provider: "Vimeo", Name: "vuid", Purpose: english("Measures how videos are watched."), Category: consent.ThirdParty, Lifetime: 730 * day},
}

func english(s string) consent.Text { return consent.Text{language.English: s} }

// inline returns one of the pages' scripts as an element.
func inline(script string) template.HTML {
	source, err := pages.ReadFile("pages/" + script)
	if err != nil {
		panic(err) // it is embedded
	}
	return template.HTML("<script>\n" + string(source) + "</script>")
}

// serve has the page, the files of the banners and npm's, and what else a site has.
func serve(packages string, more map[string]http.Handler, of func(*http.Request) parts) http.Handler {
	mux := http.NewServeMux()
	for pattern, handler := range more {
		mux.Handle(pattern, handler)
	}
	for path, line := range map[string]string{
		untracked + "{$}": "",
		next:              "",
		trackedReadable:   statisticsLine,
		trackedHTTPOnly:   statisticsLine + "; HttpOnly",
	} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			if line != "" {
				w.Header().Add("Set-Cookie", line)
			}
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_ = layout.Execute(w, of(r)) // an error is the browser's leaving
		})
	}
	mux.Handle("GET /pages/", lasting(http.FileServerFS(pages)))
	mux.Handle("GET /page.css", lasting(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.ServeFileFS(w, r, pages, "pages/page.css") })))
	mux.Handle("GET /npm/", lasting(http.StripPrefix("/npm/", http.FileServer(http.Dir(filepath.Join(packages, "node_modules"))))))
	return mux
}

// lasting lets a browser keep a file, as sites do with files that have a version in their name.
func lasting(files http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		files.ServeHTTP(w, r)
	})
}
