package main

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

func TestTheCharterOfThePortalIsReadFromItsFile(t *testing.T) {
	site, err := newSite()
	require.NoError(t, err)
	get := func(path, accept string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("Accept-Language", accept)
		site.ServeHTTP(w, r)
		return w
	}
	french, english := get("/cookies/", "fr").Body.String(), get("/cookies/", "en").Body.String()
	for name, words := range map[string][2]string{
		"sessionid":           {"Authentification (front et back office)", "Authentication (front and back office)"},
		"django_language":     {"Choix de la langue", "Language choice"},
		"csrftoken":           {"Récupérer des données par des appels d&#39;API.", "Fetch data by API calls."},
		"cookies_preferences": {"Choix des préférences de cookies", "Choice of cookie preferences"},
	} {
		for _, want := range []string{name, "Opendatasoft", words[0]} {
			assert.Contains(t, french, want)
		}
		assert.Contains(t, english, words[1])
	}

	read, err := consent.ReadRegistry(get("/cookies/charter.json", "").Body)
	require.NoError(t, err)
	require.Len(t, read.Cookies(), 4)
	for _, cookie := range read.Cookies() {
		assert.False(t, cookie.NeedsConsent(), cookie.Name)
		assert.NotEmpty(t, cookie.Purpose[language.French], cookie.Name)
	}

	page := get("/", "fr")
	assert.Contains(t, page.Header().Get("Set-Cookie"), "sessionid=", "necessary cookies pass")
	assert.NotContains(t, page.Body.String(), "charter-banner\"", "nobody is asked")
}
