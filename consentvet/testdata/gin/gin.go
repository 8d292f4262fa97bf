// Package gin sets cookies by the context of gin, and by a helper that lies in another module.
package gin

import (
	"example.com/flash"
	"github.com/gin-gonic/gin"

	"github.com/cookiecharter/consent"
)

var registry = consent.MustRegistry(
	consent.Cookie{Name: "declared"},
	consent.Cookie{Name: "flash_error"},
	consent.Cookie{Name: "in vain"}, // want `cookie "in vain" is declared but nothing whose name is constant sets it`
)

const tokenName = "token"

func home(c *gin.Context) {
	c.SetCookie("declared", "1", 60, "/", "", true, true)
	c.SetCookie("theme", "dark", 60, "/", "", true, true)   // want `cookie "theme" is set by github.com/gin-gonic/gin but not declared (and 1 more place)`
	c.SetCookie(tokenName, "1", 60, "/", "", true, true)    // want `cookie "token" is set by github.com/gin-gonic/gin but not declared`
	c.SetCookie("gone", "", -1, "/", "", true, true)        // a deletion
	c.SetCookie(c.Request.Host, "", 0, "/", "", true, true) // want `the name of this cookie, set by github.com/gin-gonic/gin, is not constant and cannot be checked`
	c.Header("X-Frame-Options", "DENY")
	c.Header("Set-Cookie", "by_header=1; Path=/") // want `cookie "by_header" is set by github.com/gin-gonic/gin but not declared`
	_, _ = c.Cookie("only read")
}

func again(c *gin.Context) {
	c.SetCookie("theme", "light", 60, "/", "", true, true)
	flash.Set(c, "saved") // want `cookie "flash" is set by github.com/gin-gonic/gin but not declared`
	flash.Named(c, "error")
	flash.Named(c, "notice") // want `cookie "flash_notice" is set by github.com/gin-gonic/gin but not declared`
}
