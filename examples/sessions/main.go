// Command sessions has scs, gorilla/csrf and gorilla/sessions below the middleware:
// who signs in, and what keeps the form safe, is necessary; remembering how often
// a page was looked at is not.
package main

import (
	"crypto/rand"
	"log"
	"log/slog"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/gorilla/csrf"
	"github.com/gorilla/sessions"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

const month = 30 * 24 * time.Hour

var cookies = consent.MustRegistry(
	consent.Cookie{
		Provider: "Example",
		Name:     "session", // by scs
		Purpose:  consent.Text{language.English: "Keeps you signed in from page to page."},
		Category: consent.Necessary,
		Lifetime: 24 * time.Hour,
	},
	consent.Cookie{
		Provider: "Example",
		Name:     "_gorilla_csrf", // consentvet: set elsewhere, by gorilla/csrf
		Purpose:  consent.Text{language.English: "Keeps other sites from sending forms in your name."},
		Category: consent.Necessary,
		Lifetime: 12 * time.Hour,
	},
	consent.Cookie{
		Provider: "Example",
		Name:     "seen", // by gorilla/sessions
		Purpose:  consent.Text{language.English: "Remembers how often you have looked at a page."},
		Category: consent.FirstParty,
		Lifetime: month,
	},
)

func main() {
	site, err := newSite()
	if err != nil {
		log.Fatal(err)
	}
	log.Println("open http://localhost:8080 in a browser: what is removed is written here; Ctrl-C ends it")
	log.Fatal(http.ListenAndServe("localhost:8080", site))
}

func newSite() (http.Handler, error) {
	mw, err := consent.NewMiddleware(consent.Config{Registry: cookies, Keys: [][]byte{secret()}, Insecure: true, Observe: consent.LogTo(slog.Default(), 0)}) // Insecure: for http
	if err != nil {
		return nil, err
	}
	site, err := charter.New(charter.Config{Middleware: mw})
	if err != nil {
		return nil, err
	}

	signedIn := scs.New() // in production with signedIn.Cookie.Secure
	app := &app{site: site, signedIn: signedIn, seen: sessions.NewCookieStore(secret())}
	app.seen.Options = &sessions.Options{Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode} // in production also Secure
	app.seen.MaxAge(int(month.Seconds()))
	forms := http.NewServeMux()
	forms.HandleFunc("GET /{$}", app.home)
	forms.HandleFunc("POST /sign-in", app.signIn)

	// The charter's forms have no token of csrf's: its handler refuses other sites
	// by itself, and stands outside of protect.
	protect := csrf.Protect(secret(), csrf.Path("/"), csrf.Secure(false)) // in production without Secure(false)
	mux := http.NewServeMux()
	mux.Handle("/cookies/", site.Handler())
	mux.Handle("/", protect(forms))
	handler := mw.Wrap(signedIn.LoadAndSave(mux))
	return plaintext(handler), nil // in production: handler
}

// plaintext tells csrf that a request came by http, where it expects https.
func plaintext(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, csrf.PlaintextHTTPRequest(r))
	})
}

// secret makes a key for this run; in production each comes from your secrets.
func secret() []byte {
	key := make([]byte, 32)
	rand.Read(key)
	return key
}
