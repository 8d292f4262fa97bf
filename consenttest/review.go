package consenttest

import (
	"fmt"
	"testing"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/internal/pattern"
)

// Review fails t for declarations that are valid and may be a mistake all the same:
//
//   - a provider that needs consent, and of which visitors can read neither the legal
//     name nor the privacy policy: see [consent.Registry.WithProviders];
//   - a pattern that covers a name for which something else is declared: the one is
//     [consent.Necessary], or exempt from consent, and the other is not. The name is
//     judged by its own declaration; what else the pattern covers, perhaps by an
//     oversight, is not.
//
// It sends no request, so that it can stand next to [Run] in every test of a site.
func Review(t testing.TB, registry *consent.Registry) {
	t.Helper()
	cookies := registry.Cookies()
	for _, provider := range unknown(registry, cookies) {
		t.Errorf("consenttest: visitors who are asked for their consent to %q read neither its legal name nor its privacy policy: see Registry.WithProviders", provider)
	}
	for _, wide := range cookies {
		for _, c := range cookies {
			if wide.Kind == c.Kind && c.Kind != consent.Other && wide.Name != c.Name && pattern.Covers(wide.Name, c.Name) && need(wide) != need(c) {
				t.Errorf("consenttest: the pattern %s also covers %s: is it too wide?", described(wide), described(c))
			}
		}
	}
}

// unknown returns the providers that need consent and have no details, each once.
func unknown(registry *consent.Registry, cookies []consent.Cookie) (names []string) {
	known := make(map[string]bool)
	for _, p := range registry.Providers() {
		known[p.Name] = p.LegalName != "" || p.Policy != ""
	}
	for _, c := range cookies {
		if c.NeedsConsent() && !known[c.Provider] {
			known[c.Provider] = true
			names = append(names, c.Provider)
		}
	}
	return names
}

// need returns what the law makes of a declaration.
func need(c consent.Cookie) string {
	switch {
	case c.Category == consent.Necessary:
		return "necessary"
	case c.NeedsConsent():
		return "consent"
	default:
		return "no objection"
	}
}

func described(c consent.Cookie) string {
	kind := ""
	if c.Kind != consent.HTTPCookie {
		kind = c.Kind.String() + ", "
	}
	return fmt.Sprintf("%q (%s%s, %s)", c.Name, kind, c.Category, c.Provider)
}
