// Package declarations declares cookies that nothing sets.
package declarations

import (
	"net/http"
	"os"
	"time"

	"github.com/cookiecharter/consent"
)

var registry = consent.MustRegistry(
	consent.Cookie{Provider: "A", Name: "set"},
	consent.Cookie{Provider: "A", Name: "unset", Lifetime: time.Hour}, // want `cookie "unset" is declared but nothing sets it`
	consent.Cookie{Provider: "B", Name: "unset"},                      // want `cookie "unset" is declared but nothing sets it`
	consent.Cookie{
		Provider: "A",
		Name:     "_ga*",
	},
	consent.Cookie{Name: "_pk*"}, // want `cookie "_pk*" is declared but nothing sets it`
	// The more specific one counts, as in the library.
	consent.Cookie{Name: "_ga_extra*"}, // want `cookie "_ga_extra*" is declared but nothing sets it`
	consent.Cookie{Name: "exact"},
	consent.Cookie{Name: "exact*"}, // want `cookie "exact*" is declared but nothing sets it`
	consent.Cookie{Name: "part_1"},

	consent.Cookie{Name: "by script"}, // consentvet: set elsewhere
	consent.Cookie{ // consentvet: set elsewhere, by the front end
		Name: "above",
	},
	consent.Cookie{
		Name: "beside", //consentvet: set elsewhere
	},
	consent.Cookie{
		Name: "below",
	}, /* consentvet: set elsewhere */
	// consentvet: set elsewhere
	consent.Cookie{Name: "unmarked"}, // want `cookie "unmarked" is declared but nothing sets it`

	consent.Cookie{Name: "vimeo", Origins: []string{"https://player.vimeo.com"}},
	consent.Cookie{Name: "nowhere", Origins: nil}, // want `cookie "nowhere" is declared but nothing sets it`
	consent.Cookie{Name: consent.CookieName},
	consent.Cookie{Name: os.Getenv("COOKIE")}, // want `the name of this declaration is not constant and cannot be checked`
)

func necessary(name string, origins ...string) consent.Cookie {
	return consent.Cookie{Provider: "A", Name: name, Category: consent.Necessary, Origins: origins}
}

func scripted(name string) consent.Cookie {
	return consent.Cookie{ // consentvet: set elsewhere, by scripts
		Name: name,
	}
}

func more() []consent.Cookie {
	cookies := []consent.Cookie{
		{Name: "listed"},     // want `cookie "listed" is declared but nothing sets it`
		{Name: "marked"},     // consentvet: set elsewhere
		necessary("helped"),  // want `cookie "helped" is declared but nothing sets it`
		necessary("excused"), // consentvet: set elsewhere
		scripted("by a tag"),
		scripted("by another"),
		necessary(
			"excused over lines",
		), // consentvet: set elsewhere
		necessary("embedded", "https://maps.example.com"),
	}
	for _, name := range []string{
		"looped", // want `cookie "looped" is declared but nothing sets it`
	} {
		cookies = append(cookies, consent.Cookie{Name: name})
	}
	for _, row := range []struct{ name string }{
		{name: "tabled"}, // want `cookie "tabled" is declared but nothing sets it`
		{name: "spared"}, // consentvet: set elsewhere
	} {
		cookies = append(cookies, consent.Cookie{Name: row.name})
	}
	for _, name := range []string{
		"bare", // want `cookie "bare" is declared but nothing sets it`
		"free", // consentvet: set elsewhere
	} {
		cookies = append(cookies, consent.Cookie{Name: name})
	}
	c := consent.Cookie{Provider: "A"}
	c.Name = "assigned" // want `cookie "assigned" is declared but nothing sets it`
	return append(cookies, c)
}

func set(w http.ResponseWriter, r *http.Request) {
	for _, name := range []string{"set", "_ga_1", "_ga", "exact"} {
		http.SetCookie(w, &http.Cookie{Name: name})
	}
	http.SetCookie(w, &http.Cookie{Name: "part_" + r.Host}) // want `the name of this cookie, "part_*", set by http.SetCookie, is not constant and may be one that is not declared`
}
