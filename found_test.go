package consent_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
)

func TestNothingIsForgottenOfOptOutWithinTheResponse(t *testing.T) {
	l := &ledger{}
	american := func(c *consent.Config) {
		c.OptOut, c.Recorder = func(*http.Request) bool { return true }, l
	}
	before := middleware(t, func(c *consent.Config) { american(c); c.Registry = consent.MustRegistry(site()[:3]...) })
	_, err := save(t, before, "", consent.AcceptAll())
	require.NoError(t, err)
	mw := middleware(t, american)
	response := serve(mw, "", func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, mw.Restore(w, r, l.kept[0]))
		prefs := consent.FromContext(r.Context())
		assert.True(t, prefs.OptOut() && prefs.Presumed(consent.FirstParty))
		set("profile=1")(w, r)
	})
	assert.Equal(t, "profile=1", response.Header["Set-Cookie"][0])
	serve(mw, "", func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, mw.Save(w, r, consent.RefuseAll()))
		prefs := consent.FromContext(r.Context())
		assert.True(t, prefs.OptOut() && prefs.Decided())
		assert.False(t, prefs.Allows(consent.FirstParty))
	})
}

func TestNothingIsForgottenBetweenTheSameMiddlewareTwice(t *testing.T) {
	mw := middleware(t, nil)
	for _, test := range []struct {
		cookies string
		choice  consent.Choice
		allows  bool
	}{
		{"", consent.AcceptAll(), true},
		{decide(t, mw, consent.AcceptAll()), consent.RefuseAll(), false},
	} {
		response := serve(mw, test.cookies, func(w http.ResponseWriter, r *http.Request) {
			assert.NoError(t, mw.Save(w, r, test.choice))
			mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				assert.Equal(t, test.allows, consent.FromContext(r.Context()).Allows(consent.FirstParty))
				set("profile=1")(w, r)
			})).ServeHTTP(w, r)
		})
		var names []string
		for _, c := range response.Cookies() {
			names = append(names, c.Name)
		}
		if test.allows {
			assert.Equal(t, []string{"profile", consent.CookieName}, names)
		} else {
			assert.Equal(t, []string{consent.CookieName}, names)
		}
	}
}
