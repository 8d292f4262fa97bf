package main

import (
	"fmt"
	"html/template"
	"log"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/gorilla/csrf"
	"github.com/gorilla/sessions"

	"github.com/cookiecharter/consent/charter"
)

type app struct {
	site     *charter.Charter
	signedIn *scs.SessionManager
	seen     *sessions.CookieStore
}

func (a *app) home(w http.ResponseWriter, r *http.Request) {
	a.signedIn.Put(r.Context(), "last", time.Now().Unix())
	seen, _ := a.seen.Get(r, "seen") // a new one where the cookie is missing or broken
	times, _ := seen.Values["times"].(int)
	seen.Values["times"] = times + 1
	if err := seen.Save(r, w); err != nil {
		log.Print(err)
	}
	w.Header().Set("Cache-Control", "private, no-store")
	fmt.Fprintf(w, "<!doctype html><title>Sessions</title>%s%s<h1>Hello %s</h1><p>Seen before: %d</p>%s",
		a.site.Head(r), a.site.Banner(r), template.HTMLEscapeString(a.signedIn.GetString(r.Context(), "name")), times, a.site.Link(r))
	fmt.Fprintf(w, `<form method="post" action="/sign-in">%s<input name="name" required><button>Sign in</button></form>`, csrf.TemplateField(r))
}

func (a *app) signIn(w http.ResponseWriter, r *http.Request) {
	if err := a.signedIn.RenewToken(r.Context()); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	a.signedIn.Put(r.Context(), "name", r.PostFormValue("name"))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
