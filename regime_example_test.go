package consent_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

// The CDN in front writes the visitor's country into each request.
func ExampleByCountry() {
	mw, err := consent.NewMiddleware(consent.Config{
		Registry: consent.MustRegistry(consent.Cookie{
			Provider: "Matomo", Name: "_pk_id*", Category: consent.Statistics,
			Purpose: consent.Text{language.English: "Recognises a visitor who comes back."},
		}),
		Keys: [][]byte{key},
		Regime: consent.ByCountry("CF-IPCountry", map[string]consent.Regime{
			"GB": consent.UK,
			"US": consent.OptOut,
		}),
	})
	if err != nil {
		panic(err)
	}
	app := mw.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		prefs := consent.FromContext(r.Context())
		fmt.Println(r.Header.Get("CF-IPCountry"), prefs.Regime(), prefs.Allows(consent.Statistics))
	}))
	for _, country := range []string{"FR", "GB", "US"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("CF-IPCountry", country)
		app.ServeHTTP(httptest.NewRecorder(), r)
	}
	// Output:
	// FR opt-in false
	// GB uk true
	// US opt-out true
}

func ExampleRegime() {
	fmt.Println(consent.Regime(0), consent.UK, consent.OptOut, consent.NoRegime)
	// Output: opt-in uk opt-out none
}

// gorilla/csrf sets its cookie for the page's folder, so that a browser may keep
// several.
func ExamplePlace() {
	cookies, err := consent.NewRegistry(consent.Cookie{
		Provider: "Example", Name: "_gorilla_csrf", Category: consent.Necessary,
		Purpose: consent.Text{language.English: "Makes sure that a form is the site's own."},
		Also:    []consent.Place{{Path: "/me"}},
	})
	fmt.Println(len(cookies.Cookies()), err)
	// Output: 1 <nil>
}
