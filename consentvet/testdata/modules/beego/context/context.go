// Package context writes the lines of cookies by itself.
package context

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
)

type Context struct{ ResponseWriter http.ResponseWriter }

func (c *Context) SetCookie(name, value string, others ...any) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s=%s", clean(name), clean(value))
	if len(others) > 0 {
		fmt.Fprintf(&b, "; Max-Age=%d", others[0])
	}
	c.ResponseWriter.Header().Add("Set-Cookie", b.String())
}

var cleaner = strings.NewReplacer("\n", "-", "\r", "-")

func clean(text string) string { return cleaner.Replace(text) }
