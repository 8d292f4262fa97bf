package main

import (
	"crypto/rand"
	"html/template"
	"net/http"
)

// atlasProvider plays the part of another site, whose map the portal embeds. It
// lives on this machine like the rest, under a path of its own.
const atlasProvider = "Atlas Exemple"

// atlasFrame is what embeds the map into a page. Whoever loads it is known to
// its provider, so that a page holds it back until there is consent.
func atlasFrame(title string) template.HTML {
	return template.HTML(`<iframe src="/atlas/" title="` + template.HTMLEscapeString(title) + `"></iframe>`)
}

// atlasPolicy is the map's own: it loads its style sheet, and the portal may
// frame it.
const atlasPolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'self'"

// atlas serves the map, which sets its cookie on whoever looks at it, as such
// maps do.
func atlas(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, cookie("atlas_view", rand.Text()))
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", atlasPolicy)
	w.Header().Set("Cache-Control", "private, no-store")
	_ = pages.ExecuteTemplate(w, "atlas.html", languageOf(r).String()) // the visitor may be gone
}
