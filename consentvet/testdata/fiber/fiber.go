// Package fiber sets cookies by the context of fiber, whose server is not net/http's.
package fiber

import (
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/session"

	"github.com/cookiecharter/consent"
)

var registry = consent.MustRegistry(consent.Cookie{Name: "declared"})

var sessions = session.New() // want `the name of this cookie, set by github.com/gofiber/fiber/v2/session, is not constant and cannot be checked`

func home(c *fiber.Ctx) error {
	c.Cookie(&fiber.Cookie{Name: "declared", Value: "1"})
	c.Cookie(&fiber.Cookie{
		Name:  "token", // want `cookie "token" is set by github.com/gofiber/fiber/v2 but not declared`
		Value: "1",
	})
	c.Cookie(&fiber.Cookie{Name: "gone", Expires: time.Now().Add(-time.Hour)})
	c.Cookie(&fiber.Cookie{Name: "aged", MaxAge: -1})
	c.Set("Set-Cookie", "lang=fr; Path=/") // want `cookie "lang" is set by github.com/gofiber/fiber/v2 but not declared`
	c.With("saved")                        // want `cookie "fiber_flash" is set by github.com/gofiber/fiber/v2 but not declared`
	sessions.Save(c)
	return nil
}
