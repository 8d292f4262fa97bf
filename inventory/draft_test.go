package inventory_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/inventory"
)

func TestADraftHoldsWhatIsKnownOfTheName(t *testing.T) {
	c, err := inventory.Draft(consent.HTTPCookie, "_ga_X1", &consent.Attributes{Domain: "shop.example", Path: "/", Lifetime: time.Hour})
	require.NoError(t, err)
	assert.Equal(t, "_ga_*", c.Name)
	assert.Equal(t, "Google", c.Provider)
	assert.Equal(t, consent.Statistics, c.Category)
	assert.Equal(t, "shop.example", c.Domain)
	assert.Equal(t, time.Hour, c.Lifetime)
	_, err = consent.NewRegistry(c)
	assert.Error(t, err, "its purpose says TODO")

	c, err = inventory.Draft(consent.LocalStorage, "nobody knows", nil)
	require.NoError(t, err)
	assert.Equal(t, "nobody knows", c.Name)
	assert.Equal(t, consent.Category("TODO"), c.Category)

	_, err = inventory.Draft(consent.HTTPCookie, "a*b", nil)
	assert.ErrorContains(t, err, "any run of characters")
}

func TestTheSourceOfADeclarationStandsByItself(t *testing.T) {
	c, err := inventory.Draft(consent.LocalStorage, "theme", nil)
	require.NoError(t, err)
	assert.Equal(t, `consent.Cookie{
	Kind:     consent.LocalStorage,
	Provider: "TODO: who sets it and answers for it",
	Name:     "theme",
	Purpose:  consent.Text{language.English: "TODO: what it is for, in words for visitors"},
	Category: "TODO",
},`, inventory.Source(c, false))
	c.Kind = consent.HTTPCookie
	assert.Contains(t, inventory.Source(c, true), "consent.Cookie{ // consentvet: set elsewhere\n\tProvider:")
}

func TestEachTODOOfADraftIsAMistakeThatNamesItsCookie(t *testing.T) {
	c, err := inventory.Draft(consent.HTTPCookie, "_ga", nil)
	require.NoError(t, err)
	_, err = consent.NewRegistry(c)
	assert.ErrorContains(t, err, `"_ga"`)
	assert.ErrorContains(t, err, "Purpose")
	assert.NotContains(t, inventory.Source(c, false), "// TODO", "a comment is forgotten")
}

func TestADraftOfAHostHoldsWhatIsKnownOfIt(t *testing.T) {
	for host, want := range map[string]struct {
		provider string
		category consent.Category
	}{
		"www.googletagmanager.com":      {"Google", consent.Statistics},
		"region1.google-analytics.com":  {"Google", consent.Statistics},
		"stats.g.doubleclick.net":       {"Google", consent.Advertising},
		"www.googleadservices.com":      {"Google", consent.Advertising},
		"pagead2.googlesyndication.com": {"Google", consent.Advertising},
		"analytics.google.com":          {"Google", consent.Statistics},
		"WWW.YouTube-nocookie.com:443":  {"Google", consent.EmbeddedMedia},
		"www.youtube.com":               {"Google", consent.EmbeddedMedia},
		"player.vimeo.com":              {"Vimeo", consent.EmbeddedMedia},
		"connect.facebook.net":          {"Facebook", consent.Advertising},
		"bat.bing.com":                  {"Microsoft", consent.Advertising},
		"www.clarity.ms":                {"Microsoft", consent.Statistics},
		"analytics.tiktok.com":          {"TikTok", consent.Advertising},
		"notyoutube.com":                {"TODO: who sets it and answers for it", "TODO"},
		"com":                           {"TODO: who sets it and answers for it", "TODO"},
	} {
		c, err := inventory.Draft(consent.Other, host, nil)
		require.NoError(t, err)
		assert.Equal(t, want.provider, c.Provider, host)
		assert.Equal(t, want.category, c.Category, host)
		assert.Equal(t, host, c.Name)
	}
}

func TestAHostThatIsWellKnownIsDraftedWithItsProvider(t *testing.T) {
	found := inventory.New(nil)
	found.Add(inventory.Observation{Origin: "https://www.googletagmanager.com", Page: "/"})
	source := shown(t, found, "as=go")
	assert.Contains(t, source, "// It is a host of a well-known service.\n")
	assert.Contains(t, source, `Provider: "Google",`)
	assert.Contains(t, source, "after a check of what the site takes from this well-known host")
	assert.Contains(t, source, `Category: consent.Statistics,`)
}
