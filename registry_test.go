package consent_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

func TestNothingIsInventedInPlaceOfAMistakenDeclaration(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*consent.Cookie)
		fields []string
	}{
		"no provider":                  {func(c *consent.Cookie) { c.Provider = " " }, []string{"Provider"}},
		"a provider between spaces":    {func(c *consent.Cookie) { c.Provider = "AdCo " }, []string{"Provider"}},
		"a provider that is not text":  {func(c *consent.Cookie) { c.Provider = "Ad\x00Co" }, []string{"Provider"}},
		"a provider in no encoding":    {func(c *consent.Cookie) { c.Provider = "Ad\xffCo" }, []string{"Provider"}},
		"an endless name":              {func(c *consent.Cookie) { c.Name = strings.Repeat("n", 4097) }, []string{"Name"}},
		"a label that ends in '-'":     {func(c *consent.Cookie) { c.Domain = "a-.org" }, []string{"Domain"}},
		"an endless path":              {func(c *consent.Cookie) { c.Path = "/" + strings.Repeat("p", 1024) }, []string{"Path"}},
		"a __host- cookie elsewhere":   {func(c *consent.Cookie) { c.Name, c.Path = "__host-a", "/a" }, []string{"Path"}},
		"a service that says nothing":  {func(c *consent.Cookie) { c.Service = consent.Text{language.French: "", language.English: "x"} }, []string{"Service"}},
		"no purpose":                   {func(c *consent.Cookie) { c.Purpose = nil }, []string{"Purpose"}},
		"two purposes of no words":     {func(c *consent.Cookie) { c.Purpose = consent.Text{language.French: "", language.English: " "} }, []string{"Purpose", "Purpose"}},
		"a purpose that says nothing":  {func(c *consent.Cookie) { c.Purpose = consent.Text{language.French: "\n"} }, []string{"Purpose"}},
		"no name":                      {func(c *consent.Cookie) { c.Name = "" }, []string{"Name"}},
		"a space in the name":          {func(c *consent.Cookie) { c.Name = "a b" }, []string{"Name"}},
		"a semicolon in the name":      {func(c *consent.Cookie) { c.Name = "a;b" }, []string{"Name"}},
		"an equals sign in the name":   {func(c *consent.Cookie) { c.Name = "a=b" }, []string{"Name"}},
		"a control character in it":    {func(c *consent.Cookie) { c.Name = "a\x00b" }, []string{"Name"}},
		"DEL in the name":              {func(c *consent.Cookie) { c.Name = "a\x7Fb" }, []string{"Name"}},
		"a comma in the name":          {func(c *consent.Cookie) { c.Name = "a,b" }, []string{"Name"}},
		"two stars":                    {func(c *consent.Cookie) { c.Name = "a*b*" }, []string{"Name"}},
		"a space and two stars":        {func(c *consent.Cookie) { c.Name = "a *b*" }, []string{"Name", "Name"}},
		"no category":                  {func(c *consent.Cookie) { c.Category = "" }, []string{"Category"}},
		"an upper-case category":       {func(c *consent.Cookie) { c.Category = "Statistics" }, []string{"Category"}},
		"a category with a '`'":        {func(c *consent.Cookie) { c.Category = "a`" }, []string{"Category"}},
		"a category with a '{'":        {func(c *consent.Cookie) { c.Category = "a{" }, []string{"Category"}},
		"a category with a '/'":        {func(c *consent.Cookie) { c.Category = "a/" }, []string{"Category"}},
		"a category with a ':'":        {func(c *consent.Cookie) { c.Category = "a:" }, []string{"Category"}},
		"a category in two words":      {func(c *consent.Cookie) { c.Category = "my own" }, []string{"Category"}},
		"an endless category":          {func(c *consent.Cookie) { c.Category = consent.Category(strings.Repeat("c", 65)) }, []string{"Category"}},
		"anonymous advertising":        {func(c *consent.Cookie) { c.Anonymous = true }, []string{"Anonymous"}},
		"a lifetime without a unit":    {func(c *consent.Cookie) { c.Lifetime = 13 * 30 }, []string{"Lifetime"}},
		"a negative lifetime":          {func(c *consent.Cookie) { c.Lifetime = -time.Second }, []string{"Lifetime"}},
		"a domain with a scheme":       {func(c *consent.Cookie) { c.Domain = "https://example.org" }, []string{"Domain"}},
		"a domain with a port":         {func(c *consent.Cookie) { c.Domain = "example.org:80" }, []string{"Domain"}},
		"a domain that is an address":  {func(c *consent.Cookie) { c.Domain = "127.0.0.1" }, []string{"Domain"}},
		"a domain with an empty label": {func(c *consent.Cookie) { c.Domain = "a..org" }, []string{"Domain"}},
		"a domain that is a dot":       {func(c *consent.Cookie) { c.Domain = "." }, []string{"Domain"}},
		"an endless domain":            {func(c *consent.Cookie) { c.Domain = strings.Repeat("a.", 130) + "org" }, []string{"Domain"}},
		"a relative path":              {func(c *consent.Cookie) { c.Path = "shop" }, []string{"Path"}},
		"a path with a semicolon":      {func(c *consent.Cookie) { c.Path = "/a;b" }, []string{"Path"}},
		"a __Host- cookie elsewhere":   {func(c *consent.Cookie) { c.Name, c.Domain, c.Path = "__Host-a", "example.org", "/a" }, []string{"Domain", "Path"}},
		"a __Host- cookie of no name":  {func(c *consent.Cookie) { c.Name, c.Domain = "__Host-", "example.org" }, []string{"Domain"}},
		"a category to choose":         {func(c *consent.Cookie) { c.Category = "TODO: which?" }, []string{"Category"}},
		"the library's own, optional":  {func(c *consent.Cookie) { c.Name = consent.CookieName }, []string{"Category"}},
		"everything at once": {func(c *consent.Cookie) { *c = consent.Cookie{Lifetime: -1, Anonymous: true, Domain: "/", Path: "x"} },
			[]string{"Provider", "Purpose", "Name", "Category", "Anonymous", "Lifetime", "Domain", "Path"}},
	} {
		t.Run(name, func(t *testing.T) {
			good := consent.Cookie{Provider: "AdCo", Name: "good", Purpose: text("Advertises."), Category: consent.ThirdParty}
			bad := good
			bad.Name = "bad"
			test.change(&bad)
			_, err := consent.NewRegistry(good, bad)
			require.Error(t, err)
			assert.Equal(t, test.fields, fields(err))
			for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
				var mistake *consent.FieldError
				require.True(t, errors.As(e, &mistake))
				assert.Equal(t, 1, mistake.Index)
				assert.Equal(t, bad.Name, mistake.Cookie)
				assert.Contains(t, e.Error(), mistake.Field)
				assert.Contains(t, e.Error(), "number 2")
			}
			assert.Panics(t, func() { consent.MustRegistry(good, bad) })
		})
	}
}

func TestNothingIsLostOfANameThatBrowsersStore(t *testing.T) {
	for _, name := range []string{"a", "_pk_id*", "*", "*_id", `"quoted"`, "naïve", "\xff", "a[b]", "{a:b}", "__Host-a", "__Secure-*", "__Host-", consent.CookieName, strings.Repeat("n", 4096)} {
		_, err := consent.NewRegistry(consent.Cookie{
			Provider: "Site", Name: name, Purpose: text("x"), Category: consent.Necessary,
			Path: "/", Lifetime: time.Hour,
		})
		assert.NoError(t, err, name)
	}
	for _, path := range []string{"", "/"} {
		_, err := consent.NewRegistry(consent.Cookie{Provider: "Site", Name: "__Host-a", Purpose: text("x"), Category: consent.Necessary, Path: path})
		assert.NoError(t, err, path)
	}
	for _, domain := range []string{"example.org", ".example.org", "localhost", "a-b.xn--bcher-kva.example", "under_score.org"} {
		_, err := consent.NewRegistry(consent.Cookie{Provider: "Site", Name: "a", Purpose: text("x"), Category: "my-own-2", Domain: domain})
		assert.NoError(t, err, domain)
	}
	for _, category := range []consent.Category{"a", "z", "0", "9", "-", consent.Category(strings.Repeat("c", 64))} {
		_, err := consent.NewRegistry(consent.Cookie{Provider: "Site", Name: "a", Purpose: text("x"), Category: category})
		assert.NoError(t, err, category)
	}
}

func TestNothingIsInventedWhereANameIsDeclaredTwice(t *testing.T) {
	site := consent.Cookie{Provider: "Site", Name: "a*", Purpose: text("x"), Category: consent.Necessary}
	other := site
	other.Provider = "Other"
	again := site
	again.Category = consent.FirstParty

	_, err := consent.NewRegistry(site, other)
	require.NoError(t, err)
	_, err = consent.NewRegistry(site, other, again)
	assert.ErrorContains(t, err, `cookie "a*" (number 3): Name: declared twice by the provider "Site", first as number 1`)
	_, err = consent.NewRegistry(consent.Cookie{}, consent.Cookie{})
	once := []string{"Provider", "Purpose", "Name", "Category"}
	assert.Equal(t, append(once, once...), fields(err), "what has no name yet is not declared twice")
	assert.ErrorContains(t, err, `consent: cookie "" (number 1): Provider: is empty`)
}

func TestNothingLeaksPastTheMostSpecificDeclaration(t *testing.T) {
	declare := func(name, provider string) consent.Cookie {
		return consent.Cookie{Provider: provider, Name: name, Purpose: text("x"), Category: consent.FirstParty}
	}
	registry := consent.MustRegistry(declare("_ga", "exact"), declare("_ga*", "loose"), declare("_ga_*", "close"), declare("_ga_*", "second"))
	for name, want := range map[string][]string{
		"_ga": {"exact"}, "_gat": {"loose"}, "_ga_X": {"close", "second"}, "_g": nil, "_GA": nil,
	} {
		var got []string
		for _, c := range registry.Lookup(name) {
			got = append(got, c.Provider)
		}
		assert.Equal(t, want, got, name)
	}
}

func TestNothingLeaksSinceOnlyStatisticsCanBeAnonymous(t *testing.T) {
	for _, category := range []consent.Category{consent.Necessary, consent.Statistics, consent.FirstParty, consent.ThirdParty, "comfort", ""} {
		c := consent.Cookie{Category: category}
		assert.Equal(t, category != consent.Necessary, c.NeedsConsent(), category)
		c.Anonymous = true // which a registry refuses of all others
		assert.Equal(t, category != consent.Necessary && category != consent.Statistics, c.NeedsConsent(), category)
	}
}

func TestNothingElseChangesARegistry(t *testing.T) {
	declared := func() []consent.Cookie {
		cookies := site()
		cookies[0].Origins = []string{"https://example.org"}
		cookies[0].Service = text("Sign-in")
		return cookies
	}
	cookies := declared()
	registry := consent.MustRegistry(cookies...)
	change := func(c consent.Cookie) {
		c.Service[language.English], c.Purpose[language.English], c.Origins[0] = "changed", "changed", "changed"
	}
	change(cookies[0])
	change(registry.Cookies()[0])
	change(registry.Lookup("sessionid")[0])
	assert.Equal(t, declared(), registry.Cookies())
}

func TestNothingIsInventedInTheLanguageOfAText(t *testing.T) {
	french, english, german, serbian := language.French, language.English, language.German, language.Make("sr-Latn")
	full := consent.Text{french: "fr", english: "en", german: "de", serbian: "sr"}
	for _, test := range []struct {
		text    consent.Text
		site    language.Tag
		visitor []language.Tag
		want    string
	}{
		{full, french, []language.Tag{german}, "de"},
		{full, french, []language.Tag{language.Make("de-AT")}, "de"},
		{full, french, []language.Tag{language.Japanese, english}, "en"},
		{full, french, []language.Tag{language.Japanese}, "fr"},
		{full, french, nil, "fr"},
		{full, language.Make("fr-CA"), []language.Tag{language.Japanese}, "fr"},
		{full, language.Japanese, []language.Tag{language.Japanese}, "de"},
		{full, language.Und, nil, "de"},
		{full, language.Und, []language.Tag{language.Und}, "de"},
		{consent.Text{serbian: "sr"}, french, []language.Tag{english}, "sr"},
		{consent.Text{english: "en", language.TraditionalChinese: "zh"}, english, []language.Tag{language.SimplifiedChinese}, "zh"}, // better than nothing
		{consent.Text{}, french, []language.Tag{english}, ""},
		{nil, french, nil, ""},
	} {
		for range 20 { // the order of a map must not matter
			got, tag := test.text.In(test.site, test.visitor...)
			assert.Equal(t, test.want, got, "%v for %v", test.site, test.visitor)
			assert.Equal(t, test.text[tag], got)
		}
	}
}
