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
