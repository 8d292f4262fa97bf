package browser

import (
	"slices"
	"strings"
	"testing"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/internal/browsertest"
)

// The scan's visitors come by a name, so that the vendors, at 127.0.0.1, are third parties.
func scanned(address string) string { return strings.Replace(address, "127.0.0.1", "localhost", 1) }

// The recipes of the README together on one page, under each law.
func TestAScanFindsNothingOnAPageWithTheTagsOfVendors(t *testing.T) {
	t.Parallel()
	google, matomo, clarity := newCollector(t), newCollector(t), newCollector(t)
	to := func(provider string, category consent.Category, origin string) consent.Cookie {
		return consent.Cookie{Kind: consent.Other, Provider: provider, Name: "requests", Purpose: english("Sends what is measured."), Category: category, Origins: []string{origin}}
	}
	d := newTaggingOf(t, func(c *consent.Config) {
		c.Registry = consent.MustRegistry(slices.Concat(tagged, []consent.Cookie{
			to("Google", consent.AudienceMeasurement, google.url), to("Matomo", consent.Statistics, matomo.url), to("Microsoft", consent.AudienceMeasurement, clarity.url),
		})...)
	}, map[string]string{"shop": recipe(t, "Google tag", google) + recipe(t, "Matomo", matomo) + recipe(t, "Clarity", clarity)},
		charter.Google(), charter.Matomo().With(map[string][]string{"consent": {"statistics:Matomo"}}), charter.Clarity())
	for _, road := range []string{"/inline/", "/cached/"} {
		browsertest.Scan(t, scanned(d.url)+road+"shop", "-fail-on", "warning", "-pages", "1", "-opt-out", "Country: US")
	}
}

func TestAScanFindsNothingOnPagesThatTurboSwaps(t *testing.T) {
	t.Parallel()
	d := newTurboDemo(t)
	browsertest.Scan(t, scanned(d.url)+"/turbo/a", "-fail-on", "warning", "-include", "/turbo/*")
}
