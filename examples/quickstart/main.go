// Command quickstart declares two cookies and sets both; the one that needs
// consent reaches no browser before the visitor has agreed.
package main

import (
	"crypto/rand"
	"log"
	"net/http"
	"time"

	"github.com/cookiecharter/consent"
	"golang.org/x/text/language"
)

var cookies = consent.MustRegistry(
	consent.Cookie{
		Provider: "Example",
		Name:     "sessionid",
		Purpose:  consent.Text{language.English: "Keeps you signed in from page to page."},
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

func main() {
	key := make([]byte, 32) // in production: from your secrets, the same in every process
	rand.Read(key)
	mw, err := consent.NewMiddleware(consent.Config{
		Registry: cookies,
		Keys:     [][]byte{key},
		Insecure: true, // in production: https, and no such line
		Observe: func(r *http.Request, e consent.Event) {
			log.Println(r.URL.Path, e.Cookie, e.Outcome, e.Reason)
		},
	})
	if err != nil {
		log.Fatal(err)
	}

	app := http.NewServeMux()
	app.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "sessionid", Value: "a1"})
		http.SetCookie(w, &http.Cookie{Name: "_pk_id.1.1fff", Value: "b2"})
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte(`<form method="post"><button name="c" value="yes">Count me</button><button>No, thanks</button></form>`))
	})
	app.HandleFunc("POST /{$}", func(w http.ResponseWriter, r *http.Request) {
		choice := consent.RefuseAll()
		if r.PostFormValue("c") == "yes" {
			choice = consent.Accept(consent.Statistics)
		}
		if err := mw.Save(w, r, choice); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	log.Fatal(http.ListenAndServe("localhost:8080", http.NewCrossOriginProtection().Handler(mw.Wrap(app))))
}
