// Package middleware sets a cookie by itself.
package middleware

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

type CSRFConfig struct {
	CookieName   string
	CookieMaxAge int
}

var DefaultCSRFConfig = CSRFConfig{CookieName: "_csrf", CookieMaxAge: 86400}

func CSRF() echo.MiddlewareFunc { return CSRFWithConfig(DefaultCSRFConfig) }

func CSRFWithConfig(config CSRFConfig) echo.MiddlewareFunc {
	if config.CookieName == "" {
		config.CookieName = DefaultCSRFConfig.CookieName
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			cookie := new(http.Cookie)
			cookie.Name = config.CookieName
			cookie.MaxAge = config.CookieMaxAge
			c.SetCookie(cookie)
			return next(c)
		}
	}
}

// Remember is called by no site here.
func Remember(c echo.Context) { c.SetCookie(&http.Cookie{Name: "remembered"}) }
