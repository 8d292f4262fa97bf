// Package echo sets cookies by the context of echo, which is an interface.
package echo

import (
	"net/http"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/cookiecharter/consent"
)

var registry = consent.MustRegistry(consent.Cookie{Name: "declared"})

func serve() http.Handler {
	e := echo.New()
	e.GET("/", home)
	e.Use(middleware.CSRF()) // want `cookie "_csrf" is set by github.com/labstack/echo/v4 but not declared`
	return e
}

func home(c echo.Context) error {
	c.SetCookie(&http.Cookie{Name: "declared"})
	cookie := new(http.Cookie)
	cookie.Name = "user" // want `cookie "user" is set by github.com/labstack/echo/v4 but not declared`
	c.SetCookie(cookie)
	old, err := c.Cookie("old")
	if err == nil {
		old.MaxAge = -1
		c.SetCookie(old)
	}
	kept, _ := c.Cookie("kept") // want `cookie "kept" is set by github.com/labstack/echo/v4 but not declared`
	c.SetCookie(kept)
	return nil
}
