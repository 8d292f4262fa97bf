package consenttest

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/cookiecharter/consent"
)

// wrong says what is wrong with the cookie of an event, and nothing where the
// middleware does what it is there for.
func (s *Site) wrong(e consent.Event) string {
	name := fmt.Sprintf("cookie %q", e.Cookie)
	if e.Cookie == "" {
		name = "a cookie without a name"
	}
	switch e.Reason {
	case consent.Undeclared:
		return name + " is not declared"
	case consent.Unreadable:
		return "a Set-Cookie line cannot be read, or not by every browser"
	case consent.InTrailer:
		return name + " is set in a trailer, where no browser looks for it"
	case consent.OutlivesDeclared:
		return fmt.Sprintf("%s is kept %s, but declared %s", name, span(e.Attributes.Lifetime),
			s.declared(e.Cookie, func(c consent.Cookie) string { return span(c.Lifetime) }))
	case consent.OtherDomain:
		return fmt.Sprintf("%s has %s, but is declared with %s", name, attribute("Domain", e.Attributes.Domain),
			s.declared(e.Cookie, func(c consent.Cookie) string { return attribute("Domain", c.Domain) }))
	case consent.OtherPath:
		return fmt.Sprintf("%s has %s, but is declared with %s", name, attribute("Path", e.Attributes.Path),
			s.declared(e.Cookie, func(c consent.Cookie) string { return attribute("Path", cmp.Or(c.Path, "/")) }))
	default:
		return ""
	}
}

// declared returns what each provider that declares the cookie says of it.
func (s *Site) declared(cookie string, says func(consent.Cookie) string) string {
	var all []string
	for _, c := range s.mw.Registry().Lookup(cookie) {
		all = append(all, fmt.Sprintf("%s (%s)", says(c), c.Provider))
	}
	return strings.Join(all, ", ")
}

// title names a request as the test does that has made it.
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
