// Package patterns declares names of which several match, or hardly any.
package patterns

import (
	"net/http"

	"github.com/cookiecharter/consent"
)

var registry = consent.MustRegistry(
	consent.Cookie{Name: "*z"}, // want `cookie "*z" is declared but nothing sets it`
	consent.Cookie{Name: "y*"},
	consent.Cookie{Name: "over*rlap"}, // want `cookie "over*rlap" is declared but nothing sets it`
)

func set(w http.ResponseWriter) {
	http.SetCookie(w, &http.Cookie{Name: "yz"})
	http.SetCookie(w, &http.Cookie{Name: "overlap"}) // want `cookie "overlap" is set by http.SetCookie but not declared`
}
