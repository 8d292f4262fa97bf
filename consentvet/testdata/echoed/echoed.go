// Package echoed gives a middleware of echo another name than its own.
package echoed

import (
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/cookiecharter/consent"
)

var registry = consent.MustRegistry(consent.Cookie{Name: "token"})

func serve(name string) *echo.Echo {
	e := echo.New()
	e.Use(
		middleware.CSRFWithConfig(middleware.CSRFConfig{CookieName: "token"}),
		middleware.CSRFWithConfig(middleware.CSRFConfig{CookieName: "other"}), // want `cookie "other" is set by github.com/labstack/echo/v4/middleware but not declared`
	)
	return e
}
