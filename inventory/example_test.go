package inventory_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/inventory"
)

// Names of responses and of requests are collected, and written as declarations
// to fill in.
func ExampleInventory() {
	cookies := consent.MustRegistry(consent.Cookie{
		Provider: "Example",
		Name:     "sessionid",
		Purpose:  consent.Text{language.English: "Keeps you signed in from page to page."},
		Category: consent.Necessary,
	})
	found := inventory.New(cookies)
	mw, err := consent.NewMiddleware(consent.Config{
		Registry:   cookies,
		Keys:       [][]byte{secret},
		ReportOnly: true, // nothing changes while you look
		Observe:    found.Observe,
	})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/debug/cookies", found.Handler()) // where you develop, and nowhere else
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "sessionid", Value: "a1", Path: "/"})
		http.SetCookie(w, &http.Cookie{Name: "theme", Value: "dark", Path: "/", MaxAge: 86400})
	})
	site := mw.Wrap(found.Wrap(mux))

	r := httptest.NewRequest("GET", "/news", nil)
	r.Header.Set("Cookie", "sessionid=a1; _ga_AB12CD34=1") // the second one was set by a script
	site.ServeHTTP(httptest.NewRecorder(), r)

	w := httptest.NewRecorder()
	site.ServeHTTP(w, httptest.NewRequest("GET", "/debug/cookies?as=go&package=main", nil))
	fmt.Print(w.Body)

	// Output:
	// package main
	//
	// import (
	// 	"time"
	//
	// 	"golang.org/x/text/language"
	//
	// 	"github.com/cookiecharter/consent"
	// )
	//
	// // cookies declares what the inventory has found on this site apart from what was
	// // declared before. It is a draft: visitors read what stands in it, so that every
	// // TODO needs an answer, and MustRegistry refuses it until then. A cookie is
	// // consent.Necessary only if the law exempts it: a login, a basket, a setting that
	// // the visitor asked for.
	// var cookies = consent.MustRegistry(
	// 	// Sent by browsers to "/news".
	// 	// A script sets it, another server of the domain, or this one before it was watched: then take the mark away.
	// 	// Stands for names such as "_ga_AB12CD34".
	// 	// Its name is that of a well-known cookie.
	// 	// It needs consent, unless nobody can be found again by it (Anonymous).
	// 	consent.Cookie{ // consentvet: set elsewhere
	// 		Provider: "Google",
	// 		Service:  consent.Text{language.English: "Google Analytics"},
	// 		Name:     "_ga_*",
	// 		Purpose:  consent.Text{language.English: "TODO: what it is for, in words for visitors, after a check that it is the well-known cookie of this name"},
	// 		Category: consent.Statistics,
	// 		Lifetime: 730 * 24 * time.Hour,
	// 	},
	// 	// Set by this server on "/news".
	// 	// Nothing is known of it: choose its category.
	// 	consent.Cookie{
	// 		Provider: "TODO: who sets it and answers for it",
	// 		Name:     "theme",
	// 		Purpose:  consent.Text{language.English: "TODO: what it is for, in words for visitors"},
	// 		Category: "TODO",
	// 		Lifetime: 24 * time.Hour,
	// 		Path:     "/",
	// 	},
	// )
}

// secret is 32 bytes or more, random in production.
var secret = []byte("in production this comes from your secrets")

// A scan of the site's pages has watched a script store something.
func ExampleObservation() {
	found := inventory.New(nil)
	found.Add(inventory.Observation{Kind: consent.LocalStorage, Name: "theme", Page: "/news"})
	w := httptest.NewRecorder()
	found.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/debug/cookies?as=json", nil))
	fmt.Println(strings.Contains(w.Body.String(), `"name": "theme"`))
	// Output: true
}

func ExampleSource() {
	draft, err := inventory.Draft(consent.HTTPCookie, "_ga_AB12CD34", nil)
	fmt.Println(draft.Name, draft.Provider, err)
	draft.Purpose = consent.Text{language.English: "Counts visits."}
	fmt.Print(inventory.Source(draft, true))
	// Output:
	// _ga_* Google <nil>
	// consent.Cookie{ // consentvet: set elsewhere
	// 	Provider: "Google",
	// 	Service:  consent.Text{language.English: "Google Analytics"},
	// 	Name:     "_ga_*",
	// 	Purpose:  consent.Text{language.English: "Counts visits."},
	// 	Category: consent.Statistics,
	// 	Lifetime: 730 * 24 * time.Hour,
	// },
}
