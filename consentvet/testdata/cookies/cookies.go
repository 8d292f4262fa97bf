// Package cookies sets cookies by http.SetCookie.
package cookies

import (
	"fmt"
	"net/http"
	"time"

	"github.com/cookiecharter/consent"
)

var registry = consent.MustRegistry(
	consent.Cookie{Name: "declared"},
	consent.Cookie{Name: "site_*"},
	consent.Cookie{Name: "*_end"},
	consent.Cookie{Name: "user_1"},
)

const sessionName = "session"

var langName = "lang"

func plain(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: "declared", Value: "1"})
	http.SetCookie(w, &http.Cookie{Name: "Declared", Value: "1"}) // want `cookie "Declared" is set by http.SetCookie but not declared`
	http.SetCookie(w, &http.Cookie{Name: "site_theme"})
	http.SetCookie(w, &http.Cookie{Name: consent.CookieName, Value: "forged"})
	http.SetCookie(w, &http.Cookie{
		Value: "1",
		Name:  "promo", // want `cookie "promo" is set by http.SetCookie but not declared`
	})
	http.SetCookie(w, &http.Cookie{Name: sessionName}) // want `cookie "session" is set by http.SetCookie but not declared`
	http.SetCookie(w, &http.Cookie{Name: langName})    // want `cookie "lang" is set by http.SetCookie but not declared`
	http.SetCookie(w, &http.Cookie{Value: "nameless"})

	c := http.Cookie{Path: "/"}
	c.Name = "late" // want `cookie "late" is set by http.SetCookie but not declared`
	defer http.SetCookie(w, &c)

	// What is sent to others is not set.
	out, _ := http.NewRequest("GET", "https://api.example.com", nil)
	out.AddCookie(&http.Cookie{Name: "upstream"})
}

func branches(w http.ResponseWriter, r *http.Request) {
	name := "left" // the place is that of the cookie
	if r.Host == "" {
		name = "right"
	}
	http.SetCookie(w, &http.Cookie{Name: name}) // want `cookie "left" is set by http.SetCookie but not declared` `cookie "right" is set by http.SetCookie but not declared`
}

// set is called with names, and told where that is.
func set(w http.ResponseWriter, name, value string, age int) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, MaxAge: age})
}

func make(name string) *http.Cookie { return &http.Cookie{Name: name, Path: "/"} }

func helpers(w http.ResponseWriter, r *http.Request) {
	set(w, "declared", "1", 60)
	set(w, "basket", "1", 60) // want `cookie "basket" is set by http.SetCookie but not declared`
	set(w, "old", "", -1)
	set(w, r.FormValue("name"), "", 1) // want `the name of this cookie, set by http.SetCookie, is not constant and cannot be checked`
	http.SetCookie(w, make("made"))    // want `cookie "made" is set by http.SetCookie but not declared`
	for _, c := range []*http.Cookie{
		make("one"),   // want `cookie "one" is set by http.SetCookie but not declared`
		{Name: "two"}, // want `cookie "two" is set by http.SetCookie but not declared`
	} {
		http.SetCookie(w, c)
	}
	for _, name := range []string{
		"site_a",
		"three", // want `cookie "three" is set by http.SetCookie but not declared`
	} {
		http.SetCookie(w, &http.Cookie{Name: name})
	}
}

func deletions(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: "gone", MaxAge: -1})
	http.SetCookie(w, &http.Cookie{Name: "gone", Expires: time.Unix(0, 0)})
	http.SetCookie(w, &http.Cookie{Name: "future", Expires: time.Unix(1<<40, 0)})       // want `cookie "future" is set by http.SetCookie but not declared`
	http.SetCookie(w, &http.Cookie{Name: "stays", Expires: time.Now(), MaxAge: 60})     // want `cookie "stays" is set by http.SetCookie but not declared`
	http.SetCookie(w, &http.Cookie{Name: "zero", MaxAge: 0})                            // want `cookie "zero" is set by http.SetCookie but not declared`
	http.SetCookie(w, &http.Cookie{Name: "both", Expires: time.Unix(0, 0), MaxAge: 60}) // want `cookie "both" is set by http.SetCookie but not declared`
	maybe := &http.Cookie{Name: "maybe", MaxAge: -1}                                    // want `cookie "maybe" is set by http.SetCookie but not declared`
	if r.Host == "" {
		maybe.MaxAge = 60
	}
	http.SetCookie(w, maybe)
}

func computed(w http.ResponseWriter, r *http.Request) {
	id := r.FormValue("id")
	http.SetCookie(w, &http.Cookie{Name: "site_" + id})
	http.SetCookie(w, &http.Cookie{Name: id + "_the_end"})
	http.SetCookie(w, &http.Cookie{Name: "sit" + id})                 // want `the name of this cookie, "sit*", set by http.SetCookie, is not constant and may be one that is not declared`
	http.SetCookie(w, &http.Cookie{Name: "user_" + id})               // want `the name of this cookie, "user_*", set by http.SetCookie, is not constant and may be one that is not declared`
	http.SetCookie(w, &http.Cookie{Name: fmt.Sprintf("cart_%s", id)}) // want `the name of this cookie, "cart_*", set by http.SetCookie, is not constant and may be one that is not declared`
	http.SetCookie(w, &http.Cookie{Name: "cart_" + id + "_v2"})       // want `cookie "cart_*_v2" is set by http.SetCookie but not declared`
	for _, c := range r.Cookies() {
		http.SetCookie(w, c) // want `the name of this cookie, set by http.SetCookie, is not constant and cannot be checked`
	}
	boxed, _ := r.Context().Value(http.ServerContextKey).(*http.Cookie)
	http.SetCookie(w, boxed)               // want `the name of this cookie, set by http.SetCookie, is not constant and cannot be checked`
	either := &http.Cookie{Name: "either"} // want `cookie "either" is set by http.SetCookie but not declared`
	if id != "" {
		either, _ = r.Context().Value(http.LocalAddrContextKey).(*http.Cookie)
	}
	http.SetCookie(w, either)                      // want `the name of this cookie, set by http.SetCookie, is not constant and cannot be checked`
	http.SetCookie(w, &http.Cookie{Name: id})      // consentvet: ignore, it is one of ours
	http.SetCookie(w, &http.Cookie{Name: "shown"}) // consentvet: ignore
}

// A function that makes cookies and one that ends them share the one that fills them in.
func shared(w http.ResponseWriter) {
	http.SetCookie(w, ending("only ended"))
	http.SetCookie(w, ending("begun"))
	http.SetCookie(w, lasting("begun")) // want `cookie "begun" is set by http.SetCookie but not declared`
}

func ending(name string) *http.Cookie  { return filled(name, -1) }
func lasting(name string) *http.Cookie { return filled(name, 60) }

func filled(name string, age int) *http.Cookie { return &http.Cookie{Name: name, MaxAge: age} }
