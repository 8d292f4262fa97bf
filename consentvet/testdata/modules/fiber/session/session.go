// Package session keeps sessions by a cookie whose name is a part of a text.
package session

import (
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

type Config struct{ KeyLookup, name string }

var ConfigDefault = Config{KeyLookup: "cookie:session_id"}

type Store struct{ config Config }

func New(configs ...Config) *Store {
	config := ConfigDefault
	if len(configs) > 0 {
		config = configs[0]
	}
	if config.KeyLookup == "" {
		config.KeyLookup = ConfigDefault.KeyLookup
	}
	parts := strings.Split(config.KeyLookup, ":")
	config.name = parts[1]
	return &Store{config}
}

func (s *Store) Save(c *fiber.Ctx) {
	cookie := fasthttp.AcquireCookie()
	cookie.SetKey(s.config.name)
	c.Context().Response.Header.SetCookie(cookie)
}
