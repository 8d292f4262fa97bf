// Package flash is a helper of a site that lies in another module.
package flash

import "github.com/gin-gonic/gin"

const cookieName = "flash"

// Set sets a cookie that the site does not name.
func Set(c *gin.Context, message string) { c.SetCookie(cookieName, message, 60, "/", "", true, true) }

// Named sets one that it names.
func Named(c *gin.Context, name string) { write(c, "flash_"+name) }

func write(c *gin.Context, name string) { c.SetCookie(name, "1", 60, "/", "", true, true) }

// Unused is called by no site here.
func Unused(c *gin.Context) { c.SetCookie("unused", "1", 60, "/", "", true, true) }
