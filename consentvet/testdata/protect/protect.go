// Package protect guards forms by github.com/gorilla/csrf.
package protect

import (
	"net/http"
	"os"

	"github.com/gorilla/csrf"

	"github.com/cookiecharter/consent"
)

var registry = consent.MustRegistry(
	consent.Cookie{Name: "declared"},
	consent.Cookie{Name: "token_*"},
)

const tokenName = "constant"

func guard(key []byte, app http.Handler, production bool) {
	csrf.Protect(key)(app) // want `cookie "_gorilla_csrf" is set by gorilla/csrf but not declared (and 1 more place)`
	csrf.Protect(key, csrf.Secure(false), csrf.Path("/"))(app)
	csrf.Protect(key, csrf.CookieName("declared"), csrf.Secure(true))(app)
	csrf.Protect(key, csrf.Secure(true), csrf.CookieName(tokenName))(app) // want `cookie "constant" is set by gorilla/csrf but not declared`
	csrf.Protect(key, csrf.CookieName(os.Getenv("NAME")))(app)            // want `the name of this cookie, set by gorilla/csrf, is not constant and cannot be checked`
	csrf.Protect(key, csrf.CookieName("token_"+os.Getenv("NAME")))(app)

	options := []csrf.Option{csrf.MaxAge(60)}
	if production {
		options = append(options, csrf.CookieName("appended")) // want `cookie "appended" is set by gorilla/csrf but not declared`
	}
	csrf.Protect(key, options...)(app)

	wrapped(key, "passed")(app) // want `cookie "passed" is set by gorilla/csrf but not declared`
	var protected http.Handler = protection(csrf.Protect(key, named()))(app)
	_ = protected
}

type protection func(http.Handler) http.Handler

func named() csrf.Option {
	return csrf.CookieName("returned") // want `cookie "returned" is set by gorilla/csrf but not declared`
}

func wrapped(key []byte, name string) func(http.Handler) http.Handler {
	return csrf.Protect(key, csrf.CookieName(name))
}

// Guard is given options that nobody can read here.
func Guard(key []byte, options ...csrf.Option) func(http.Handler) http.Handler {
	return csrf.Protect(key, append(options, csrf.Secure(true))...) // want `the name of this cookie, set by gorilla/csrf, is not constant and cannot be checked`
}
