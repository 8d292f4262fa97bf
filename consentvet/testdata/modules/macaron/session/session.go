// Package session keeps sessions by a cookie. If the site gives no name, the environment does.
package session

import (
	"net/http"
	"os"

	"gopkg.in/macaron.v1"
)

type Options struct{ CookieName string }

func Sessioner(options Options) func(*macaron.Context) {
	if options.CookieName == "" {
		options.CookieName = os.Getenv("SESSION_COOKIE")
	}
	return func(c *macaron.Context) {
		http.SetCookie(c.Resp, &http.Cookie{Name: options.CookieName})
	}
}
