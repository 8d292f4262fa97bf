// Package macaron stands for the framework of this name, as far as its contexts set cookies.
package macaron

import (
	"net/http"
	"net/url"
)

type Context struct{ Resp http.ResponseWriter }

func (c *Context) SetCookie(name, value string, others ...any) {
	cookie := http.Cookie{}
	cookie.Name = name
	cookie.Value = url.QueryEscape(value)
	if len(others) > 0 {
		switch age := others[0].(type) {
		case int:
			cookie.MaxAge = age
		case int64:
			cookie.MaxAge = int(age)
		}
	}
	c.Resp.Header().Add("Set-Cookie", cookie.String())
}

func (c *Context) SetSecureCookie(secret, name, value string, others ...any) {
	c.SetCookie(name, secret+value, others...)
}
