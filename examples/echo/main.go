// Command echo shows the middleware around an echo instance, which is a handler:
// so it also stands outside of the HTTPErrorHandler.
package main

import (
	"crypto/rand"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v5"
	"github.com/labstack/echo/v5/middleware"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

var cookies = consent.MustRegistry(
	consent.Cookie{
		Provider: "Example",
		Name:     "theme",
		Purpose:  consent.Text{language.English: "Remembers whether you read on light or on dark."},
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
	site, err := newSite()
	if err != nil {
		log.Fatal(err)
	}
	log.Println("open http://localhost:8080 in a browser: what is removed is written here; Ctrl-C ends it")
	log.Fatal(http.ListenAndServe("localhost:8080", site))
}

func newSite() (http.Handler, error) {
	key := make([]byte, 32) // in production: from your secrets, the same in every process
	rand.Read(key)
	mw, err := consent.NewMiddleware(consent.Config{Registry: cookies, Keys: [][]byte{key}, Insecure: true, Observe: consent.LogTo(slog.Default(), 0)}) // Insecure: for http
	if err != nil {
		return nil, err
	}
	site, err := charter.New(charter.Config{Middleware: mw})
	if err != nil {
		return nil, err
	}

	e := echo.New()
	e.Use(middleware.Recover(), measure)
	e.Any("/cookies/*", echo.WrapHandler(site.Handler()))
	e.GET("/", func(c *echo.Context) error {
		c.SetCookie(&http.Cookie{Name: "theme", Value: "dark"})
		c.Response().Header().Set("Cache-Control", "private, no-store")
		r := c.Request()
		counted := consent.FromContext(c.Request().Context()).Allows(consent.Statistics)
		return c.HTML(http.StatusOK, fmt.Sprintf("<!doctype html><title>echo</title>%s%s<h1>Counted: %t</h1>%s", site.Head(r), site.Banner(r), counted, site.Link(r)))
	})
	handler := mw.Wrap(e) // for http.ListenAndServe or echo.StartConfig
	return handler, nil
}

// measure sets a cookie on every response, whether the visitor agrees or not.
func measure(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c *echo.Context) error {
		c.SetCookie(&http.Cookie{Name: "_pk_id.1.1fff", Value: "b2", MaxAge: 86400})
		return next(c)
	}
}
