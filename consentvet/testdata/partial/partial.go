// Package partial declares a cookie of which only a part can be read.
package partial

import (
	"net/http"
	"os"

	"github.com/cookiecharter/consent"
)

var registry = consent.MustRegistry(
	consent.Cookie{Name: "app_" + os.Getenv("SITE")}, // want `the name of this declaration, "app_*", is not constant and cannot be checked`
)

func set(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, &http.Cookie{Name: "app_1"})          // want `cookie "app_1" is set by http.SetCookie but no declaration whose name is constant covers it`
	http.SetCookie(w, &http.Cookie{Name: "app"})            // want `cookie "app" is set by http.SetCookie but not declared`
	http.SetCookie(w, &http.Cookie{Name: "app_" + r.Host})  // want `cookie "app_*" is set by http.SetCookie but no declaration whose name is constant covers it`
	http.SetCookie(w, &http.Cookie{Name: "site_" + r.Host}) // want `cookie "site_*" is set by http.SetCookie but not declared`
}
