package main

import (
	"crypto/rand"
	"log"
	"net/http"
)

// partner plays the part of another company's server. It sets its cookie on
// whoever asks it for anything, and the site never sees that cookie.
func partner(w http.ResponseWriter, r *http.Request) {
	served, ok := map[string]struct{ contentType, content string }{
		"/count.js":  {"text/javascript", `document.getElementById("script").textContent = "The partner's script has run."`},
		"/badge.svg": {"image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg" width="120" height="30"><rect width="120" height="30" fill="#0b5f59"/></svg>`},
		"/player":    {"text/html", `<!doctype html><title>Player</title><p>The partner's player.</p>`},
	}[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	log.Println("The partner is asked for", r.URL.Path)
	http.SetCookie(w, &http.Cookie{Name: "partner_id", Value: rand.Text(), SameSite: http.SameSiteNoneMode, Secure: true})
	w.Header().Set("Content-Type", served.contentType)
	w.Header().Set("Cache-Control", "no-store") // each page asks for it anew
	_, _ = w.Write([]byte(served.content))      // an error is the visitor's leaving
}
