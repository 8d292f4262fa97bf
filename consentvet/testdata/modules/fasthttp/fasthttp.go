// Package fasthttp stands for the server of this name, as far as its responses set cookies.
package fasthttp

import "time"

type Cookie struct{ key, value string }

func AcquireCookie() *Cookie { return new(Cookie) }

func (c *Cookie) SetKey(key string)       { c.key = key }
func (c *Cookie) SetValue(value string)   { c.value = value }
func (c *Cookie) SetExpire(end time.Time) {}
func (c *Cookie) SetMaxAge(seconds int)   {}

type ResponseHeader struct{ lines []string }

func (h *ResponseHeader) SetCookie(c *Cookie) {
	h.lines = append(h.lines, "Set-Cookie: "+c.key+"="+c.value)
}
func (h *ResponseHeader) Set(key, value string) { h.lines = append(h.lines, key+": "+value) }

type Response struct{ Header ResponseHeader }

type RequestCtx struct{ Response Response }
