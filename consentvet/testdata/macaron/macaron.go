// Package macaron sets cookies by the context of macaron.
package macaron

import (
	"gopkg.in/macaron.v1"
	"gopkg.in/macaron.v1/session"

	"github.com/cookiecharter/consent"
)

var registry = consent.MustRegistry(consent.Cookie{Name: "declared"})

var keep = session.Sessioner(session.Options{CookieName: "likes"}) // want `cookie "likes" is set by gopkg.in/macaron.v1/session but not declared`

func home(c *macaron.Context) {
	c.SetCookie("declared", "1", 60)
	c.SetCookie("lang", "fr", 1<<31-1, "/")         // want `cookie "lang" is set by gopkg.in/macaron.v1 but not declared`
	c.SetSecureCookie("secret", "who", "1", 60, "") // want `cookie "who" is set by gopkg.in/macaron.v1 but not declared`
	c.SetCookie("gone", "", -1, "/")
}
