// Package surf guards forms by github.com/justinas/nosurf.
package surf

import (
	"net/http"
	"os"

	"github.com/justinas/nosurf"

	"github.com/cookiecharter/consent"
)

var registry = consent.MustRegistry(consent.Cookie{Name: "declared"})

type server struct{ guard *nosurf.CSRFHandler }

func guard(app http.Handler) {
	unnamed := nosurf.New(app) // want `cookie "csrf_token" is set by justinas/nosurf but not declared (and 3 more places)`
	unnamed.ExemptPath("/hook")
	nosurf.NewPure(app)

	rooted := nosurf.New(app)
	rooted.SetBaseCookie(http.Cookie{Path: "/"})
	empty := nosurf.New(app)
	empty.SetBaseCookie(http.Cookie{})

	declared := nosurf.New(app)
	declared.SetBaseCookie(http.Cookie{Name: "declared", Path: "/"})

	s := server{guard: nosurf.New(app)}
	s.guard.SetBaseCookie(http.Cookie{
		Path: "/",
		Name: "named", // want `cookie "named" is set by justinas/nosurf but not declared`
	})

	variable := nosurf.New(app)
	base := http.Cookie{Path: "/"}
	base.Name = "assigned" // want `cookie "assigned" is set by justinas/nosurf but not declared`
	variable.SetBaseCookie(base)

	configure(nosurf.New(app), "configured") // want `cookie "configured" is set by justinas/nosurf but not declared`

	computed := nosurf.New(app) // want `the name of this cookie, set by justinas/nosurf, is not constant and cannot be checked`
	computed.SetBaseCookie(parsed(os.Getenv("COOKIE")))
	late := nosurf.New(app)
	late.SetBaseCookie(http.Cookie{Name: os.Getenv("NAME")}) // want `the name of this cookie, set by justinas/nosurf, is not constant and cannot be checked`
}

func configure(h *nosurf.CSRFHandler, name string) { h.SetBaseCookie(cookie(name)) }

func cookie(name string) http.Cookie { return http.Cookie{Name: name} }

func parsed(line string) http.Cookie {
	c, _ := http.ParseSetCookie(line)
	return *c
}
