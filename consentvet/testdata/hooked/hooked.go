// Package hooked writes the cookies of a session library that leaves it to the site.
package hooked

import (
	"net/http"

	"example.com/hooked"

	"github.com/cookiecharter/consent"
)

var registry = consent.MustRegistry(consent.Cookie{Name: "declared"})

func serve(w http.ResponseWriter) {
	sessions := hooked.New(hooked.Options{}) // want `cookie "hooked" is set by http.SetCookie but not declared`
	sessions.SetHook(func(cookie *http.Cookie, w any) error {
		http.SetCookie(w.(http.ResponseWriter), cookie)
		return nil
	})
	_ = sessions.Start(w)
	http.SetCookie(w, &http.Cookie{Name: "declared"})
}
