// Package echo stands for the framework of this name, as far as its contexts set cookies.
package echo

import "net/http"

type Context interface {
	Cookie(name string) (*http.Cookie, error)
	SetCookie(cookie *http.Cookie)
}

type HandlerFunc func(Context) error

type MiddlewareFunc func(HandlerFunc) HandlerFunc

type Echo struct{ handlers []HandlerFunc }

func New() *Echo { return new(Echo) }

func (e *Echo) GET(path string, h HandlerFunc) { e.handlers = append(e.handlers, h) }

func (e *Echo) Use(all ...MiddlewareFunc) {
	for i, h := range e.handlers {
		for _, m := range all {
			h = m(h)
		}
		e.handlers[i] = h
	}
}

func (e *Echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, h := range e.handlers {
		_ = h(&context{w, r})
	}
}

type context struct {
	response http.ResponseWriter
	request  *http.Request
}

func (c *context) Cookie(name string) (*http.Cookie, error) { return c.request.Cookie(name) }
func (c *context) SetCookie(cookie *http.Cookie)            { http.SetCookie(c.response, cookie) }
