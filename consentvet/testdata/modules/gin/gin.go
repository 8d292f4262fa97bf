// Package gin stands for the framework of this name, as far as its contexts set cookies.
package gin

import (
	"net/http"
	"net/url"
)

type Context struct {
	Request *http.Request
	Writer  http.ResponseWriter
}

type HandlerFunc func(*Context)

func (c *Context) SetCookie(name, value string, maxAge int, path, domain string, secure, httpOnly bool) {
	http.SetCookie(c.Writer, &http.Cookie{Name: name, Value: url.QueryEscape(value), MaxAge: maxAge, Path: path, Domain: domain})
}

func (c *Context) Cookie(name string) (string, error) {
	cookie, err := c.Request.Cookie(name)
	if err != nil {
		return "", err
	}
	return cookie.Value, nil
}

func (c *Context) Header(key, value string) { c.Writer.Header().Set(key, value) }
