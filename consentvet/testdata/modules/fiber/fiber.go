// Package fiber stands for the framework of this name, as far as its contexts set cookies.
package fiber

import (
	"time"

	"github.com/valyala/fasthttp"
)

type Cookie struct {
	Name, Value string
	MaxAge      int
	Expires     time.Time
}

type Ctx struct{ fasthttp *fasthttp.RequestCtx }

type Handler = func(*Ctx) error

func (c *Ctx) Cookie(cookie *Cookie) {
	made := fasthttp.AcquireCookie()
	made.SetKey(cookie.Name)
	made.SetValue(cookie.Value)
	made.SetMaxAge(cookie.MaxAge)
	made.SetExpire(cookie.Expires)
	c.fasthttp.Response.Header.SetCookie(made)
}

// With keeps a message for the next page.
func (c *Ctx) With(message string) { c.Cookie(&Cookie{Name: "fiber_flash", Value: message}) }

func (c *Ctx) Set(key, value string) { c.fasthttp.Response.Header.Set(key, value) }

func (c *Ctx) Context() *fasthttp.RequestCtx { return c.fasthttp }
