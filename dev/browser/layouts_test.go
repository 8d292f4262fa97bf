package browser

import (
	"html/template"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

var layouts = []charter.Layout{charter.BottomBar, charter.TopBar, charter.BottomBox, charter.TopBox, charter.Card}

// inLayout adds two pages with the banner in a layout, and returns the path of the first:
// it holds the banner and the script, and the one at "static" below it the script alone.
func (d *demo) inLayout(t *testing.T, layout charter.Layout) string {
	t.Helper()
	path := "/" + string(layout) + "/"
	c, err := charter.New(charter.Config{Middleware: d.mw, Path: path + "cookies/", Name: "Valombre", Layout: layout})
	require.NoError(t, err)
	handler := c.Handler()
	d.pages.HandleFunc(path+"cookies/", func(w http.ResponseWriter, r *http.Request) {
		if slow := d.slow.Load(); slow != nil && r.Method == "POST" {
			select {
			case <-*slow:
			case <-d.done:
			}
		}
		handler.ServeHTTP(w, r)
	})
	draw := func(pattern string, parts func(*http.Request) map[string]template.HTML) {
		d.pages.HandleFunc("GET "+pattern, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_ = portal.Execute(w, parts(r)) // an error is the browser's leaving
		})
	}
	draw(path+"{$}", func(r *http.Request) map[string]template.HTML {
		return map[string]template.HTML{"Head": c.Head(r), "Script": c.Script(r), "Banner": c.Banner(r), "Link": c.Link(r)}
	})
	draw(path+"static", func(r *http.Request) map[string]template.HTML {
		return map[string]template.HTML{"Script": template.HTML(`<script src="` + path + `cookies/script.js" defer></script>`), "Link": c.Link(r)}
	})
	return path
}

// addPlayer adds /player, a page with a placeholder that has all that one can have.
func (d *demo) addPlayer() {
	d.file("/still.svg", "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 9"><path fill="#246" d="M0 0h16v9H0z"/><path fill="#fa6" d="M0 9l5-5 3 3 4-5 4 7z"/></svg>`)
	d.page("/player", true, true, func(r *http.Request) template.HTML {
		return d.charter.Embed(r, charter.Embed{
			Category: consent.ThirdParty, Provider: "Vimeo", Title: "How to read a dataset", Ratio: 16. / 9, Image: "/still.svg",
			Link: "https://vimeo.com/1", Content: `<p class="film">The film.</p>`,
		})
	})
}
