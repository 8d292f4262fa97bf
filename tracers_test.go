package consent_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"crypto/sha256"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

func TestNothingIsInventedOfACookieThatIsDeclaredAsSomethingElse(t *testing.T) {
	declared := consent.MustRegistry(append(site(),
		consent.Cookie{Kind: consent.LocalStorage, Provider: "AdCo", Name: "ad segments; a=b", Purpose: text("x"), Category: consent.ThirdParty},
		consent.Cookie{Kind: consent.LocalStorage, Provider: "AdCo", Name: "profile", Purpose: text("x"), Category: consent.Necessary},
		consent.Cookie{Kind: consent.SessionStorage, Provider: "AdCo", Name: "profile", Purpose: text("x"), Category: consent.Necessary},
		consent.Cookie{Kind: consent.IndexedDB, Provider: "Maps", Name: "tiles", Purpose: text("x"), Category: consent.Necessary},
		consent.Cookie{Kind: consent.Other, Provider: "Pixel", Name: "pixel", Purpose: text("x"), Category: consent.Advertising},
	)...)
	mw := middleware(t, func(c *consent.Config) { c.Registry = declared })
	assert.Equal(t, exempt, passed(t, mw, ""), "a cookie is what its own declaration says")
	assert.Empty(t, names(serve(t, mw, decide(t, mw, consent.AcceptAll()), set("tiles=1", "pixel=1"))), "a database is no cookie")
	assert.Empty(t, declared.Lookup("tiles"))

	serve(t, mw, decide(t, mw, consent.RefuseAll().WithProviders(consent.Advertising, "Pixel")), nothing(func(prefs consent.Preferences) {
		assert.True(t, prefs.Allows(consent.Advertising), "consent is asked for what is no cookie")
		assert.False(t, prefs.Allows(consent.ThirdParty))
	}))
}

func TestNothingIsInventedInADeclarationOfAnotherKind(t *testing.T) {
	for what, test := range map[string]struct {
		change func(*consent.Cookie)
		want   []string
	}{
		"a lifetime":     {func(c *consent.Cookie) { c.Lifetime = 1e12 }, nil},
		"origins":        {func(c *consent.Cookie) { c.Origins = []string{"https://a.example"} }, nil},
		"a long name":    {func(c *consent.Cookie) { c.Name = "a b; c=d,é" }, nil},
		"a domain":       {func(c *consent.Cookie) { c.Domain = "example.com" }, []string{"Kind"}},
		"a path":         {func(c *consent.Cookie) { c.Path = "/" }, []string{"Kind"}},
		"no script":      {func(c *consent.Cookie) { c.HttpOnly = true }, []string{"HttpOnly"}},
		"another place":  {func(c *consent.Cookie) { c.Also = []consent.Place{{Path: "/a"}} }, []string{"Kind"}},
		"no such kind":   {func(c *consent.Cookie) { c.Kind = 9 }, []string{"Kind"}},
		"no name":        {func(c *consent.Cookie) { c.Name = "" }, []string{"Name"}},
		"to be written":  {func(c *consent.Cookie) { c.Purpose = text("TODO: say what for") }, []string{"Purpose"}},
		"of whom":        {func(c *consent.Cookie) { c.Provider = "TODO" }, []string{"Provider"}},
		"what it is for": {func(c *consent.Cookie) { c.Category = "TODO" }, []string{"Category"}},
		"which service":  {func(c *consent.Cookie) { c.Service = text("TODO") }, []string{"Service"}},
	} {
		c := consent.Cookie{Kind: consent.IndexedDB, Provider: "Maps", Name: "tiles", Purpose: text("x"), Category: consent.FirstParty}
		test.change(&c)
		_, err := consent.NewRegistry(c)
		assert.Equal(t, test.want, fields(err), what)
	}
}

func TestNothingIsInventedInTheNamesOfKinds(t *testing.T) {
	for kind, want := range map[consent.Kind]string{
		consent.HTTPCookie: "cookie", consent.LocalStorage: "localStorage", consent.SessionStorage: "sessionStorage",
		consent.IndexedDB: "indexedDB", consent.CacheStorage: "cacheStorage", consent.Other: "other", 9: "Kind(9)",
	} {
		assert.Equal(t, want, kind.String())
	}
}

// A decision holds 31 bits of a hash for each provider. Two of 2^31 share them once in
// some 50,000 names.
func TestNothingIsInventedOfTwoProvidersThatADecisionCannotTellApart(t *testing.T) {
	first := map[uint32]string{}
	for i := 0; ; i++ {
		name := fmt.Sprintf("Provider %d", i)
		sum := sha256.Sum256([]byte("statistics\x00" + name))
		mark := binary.BigEndian.Uint32(sum[:]) &^ 1
		other, same := first[mark]
		first[mark] = name
		if !same {
			continue
		}
		cookie := consent.Cookie{Name: "a", Purpose: text("x"), Category: consent.Statistics}
		twin := cookie
		twin.Name, cookie.Provider, twin.Provider = "b", other, name
		_, err := consent.NewRegistry(cookie, twin)
		require.Equal(t, []string{"Provider"}, fields(err))
		assert.ErrorContains(t, err, fmt.Sprintf("%q", other))
		assert.ErrorContains(t, err, fmt.Sprintf("%q", name))
		return
	}
}

func TestNothingIsLostOfWhoIsBehindAProvider(t *testing.T) {
	declared := consent.MustRegistry(site()...)
	adCo := consent.Provider{Name: "AdCo", LegalName: "AdCo Ltd", Country: "IE", Policy: "https://adco.example/privacy"}
	with, err := declared.WithProviders(adCo, consent.Provider{Name: "Matomo"})
	require.NoError(t, err)
	assert.Equal(t, []consent.Provider{adCo, {Name: "Matomo"}}, with.Providers())
	assert.Empty(t, declared.Providers(), "the registry itself does not change")
	assert.Contains(t, string(with.Notice(language.English, language.English, nil).Content()), `"providers":[{"name":"AdCo","legalName":"AdCo Ltd","country":"IE","policy":"https://adco.example/privacy"},{"name":"Matomo"}]`)
	assert.NotContains(t, string(declared.Notice(language.English, language.English, nil).Content()), "providers")

	for what, test := range map[string]struct {
		given consent.Provider
		want  string
	}{
		"nobody":        {consent.Provider{Name: "Nobody"}, "Name"},
		"twice":         {consent.Provider{Name: "AdCo"}, "Name"},
		"a long code":   {consent.Provider{Name: "Forum", Country: "IRL"}, "Country"},
		"a small one":   {consent.Provider{Name: "Forum", Country: "ie"}, "Country"},
		"a path":        {consent.Provider{Name: "Forum", Policy: "/privacy"}, "Policy"},
		"a script":      {consent.Provider{Name: "Forum", Policy: "javascript:alert(1)"}, "Policy"},
		"no address":    {consent.Provider{Name: "Forum", Policy: "https://%zz"}, "Policy"},
		"another thing": {consent.Provider{Name: "Forum", Policy: "mailto:a@b.example"}, "Policy"},
	} {
		_, err := declared.WithProviders(adCo, test.given)
		mistake := new(consent.FieldError)
		if assert.True(t, errors.As(err, &mistake), what) {
			assert.Equal(t, test.want, mistake.Field, what)
			assert.Equal(t, test.given.Name, mistake.Provider, what)
			assert.Equal(t, 1, mistake.Index, what)
			assert.ErrorContains(t, err, fmt.Sprintf("provider %q (number 2): %s: ", test.given.Name, test.want), what)
		}
	}
}

func ExampleKind() {
	cookies, err := consent.NewRegistry(consent.Cookie{
		Kind: consent.LocalStorage, Provider: "Example", Name: "recently-seen", Category: consent.Personalisation,
		Purpose: consent.Text{language.English: "Remembers the articles that you have looked at."},
	})
	fmt.Println(cookies.Cookies()[0].Kind, err)
	// Output: localStorage <nil>
}

func ExampleProvider() {
	cookies := consent.MustRegistry(consent.Cookie{
		Provider: "Vimeo", Name: "vuid", Category: consent.EmbeddedMedia,
		Purpose: consent.Text{language.English: "Counts who has watched a film."},
	})
	cookies, err := cookies.WithProviders(consent.Provider{
		Name: "Vimeo", LegalName: "Vimeo.com, Inc.", Country: "US", Policy: "https://vimeo.com/privacy",
	})
	fmt.Println(cookies.Providers()[0].LegalName, err)
	// Output: Vimeo.com, Inc. <nil>
}

func TestNothingIsInventedByMust(t *testing.T) {
	registry := consent.MustRegistry(site()...)
	named := consent.Must(registry.WithProviders(consent.Provider{Name: "AdCo", LegalName: "AdCo SA"}))
	assert.Equal(t, "AdCo SA", named.Providers()[0].LegalName)
	assert.PanicsWithError(t, `consent: provider "Nobody" (number 1): Name: no cookie of "Nobody" is declared`, func() {
		consent.Must(registry.WithProviders(consent.Provider{Name: "Nobody"}))
	})
}
