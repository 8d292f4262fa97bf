package consenttest

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/internal/pattern"
)

// problem describes what is wrong with the cookie of an event. It is empty for the
// events of a site without mistakes, such as a removed cookie that was refused.
func (s *Site) problem(e consent.Event) string {
	name := fmt.Sprintf("cookie %q", e.Cookie)
	if e.Cookie == "" {
		name = "a cookie without a name"
	}
	switch e.Reason {
	case consent.ReasonUndeclared:
		return name + s.notDeclared(e.Cookie)
	case consent.ReasonUnreadable:
		return "a Set-Cookie line cannot be read, or not by every browser"
	case consent.ReasonInTrailer:
		return name + " is set in a trailer, where no browser looks for it"
	case consent.ReasonOutlivesDeclared:
		return fmt.Sprintf("%s is kept %s, but declared %s", name, span(e.Attributes.Lifetime),
			s.declared(e.Cookie, func(c consent.Cookie) string { return span(c.Lifetime) }))
	case consent.ReasonOtherDomain:
		return fmt.Sprintf("%s has %s, but is declared with %s", name, attribute("Domain", e.Attributes.Domain),
			s.declaredPlaces(e.Cookie, func(p consent.Place) string { return attribute("Domain", p.Domain) }))
	case consent.ReasonOtherPath:
		return fmt.Sprintf("%s has %s, but is declared with %s", name, attribute("Path", e.Attributes.Path),
			s.declaredPlaces(e.Cookie, func(p consent.Place) string { return attribute("Path", cmp.Or(p.Path, "/")) }))
	case consent.ReasonNotHttpOnly:
		return name + " can be read by scripts, but is declared HttpOnly"
	default:
		return ""
	}
}

// notDeclared says that no cookie of this name is declared. What is declared under the
// name may be of another kind, which no response sets.
func (s *Site) notDeclared(cookie string) string {
	for _, c := range s.mw.Registry().Cookies() {
		if pattern.Covers(c.Name, cookie) {
			return fmt.Sprintf(" is not declared as a cookie, but as %v (%s)", c.Kind, c.Provider)
		}
	}
	return " is not declared"
}

// declared returns one property of the cookie's declarations, each with its provider.
func (s *Site) declared(cookie string, property func(consent.Cookie) string) string {
	var all []string
	for _, c := range s.mw.Registry().Lookup(cookie) {
		all = append(all, fmt.Sprintf("%s (%s)", property(c), c.Provider))
	}
	return strings.Join(all, ", ")
}

// declaredPlaces returns one property of each place in which the cookie is declared.
func (s *Site) declaredPlaces(cookie string, property func(consent.Place) string) string {
	return s.declared(cookie, func(c consent.Cookie) string {
		all := []string{property(consent.Place{Domain: c.Domain, Path: c.Path})}
		for _, p := range c.Also {
			if text := property(p); !slices.Contains(all, text) {
				all = append(all, text)
			}
		}
		return strings.Join(all, " or ")
	})
}

// title returns the method and the URL of a request as the test wrote them.
func title(r *http.Request) string { return r.Method + " " + cmp.Or(r.RequestURI, r.URL.String()) }

func span(lifetime time.Duration) string {
	if lifetime == 0 {
		return "until the browser is closed"
	}
	return "for " + lifetime.Round(time.Second).String()
}

func attribute(name, value string) string {
	if value == "" {
		return "no " + name
	}
	return fmt.Sprintf("the %s %q", name, value)
}
