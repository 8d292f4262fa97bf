package charter_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/internal/cases"
)

// Three things are decided twice, by the server in Go and by the scripts of a page: what a
// decision allows, which declaration a name belongs to, and what a line of document.cookie
// does. Each has one file of cases, through which the tests of both go: decisions.json here,
// names.json of internal/pattern, and lines.txt of internal/setcookie. The tests of dev/browser
// take all three to a page.

func TestADecisionAllowsOnTheServerWhatTheCasesSay(t *testing.T) {
	all := cases.ReadDecisions(t, "testdata/decisions.json")
	for _, of := range all.Cases {
		mw, err := consent.NewMiddleware(all.Config(of))
		require.NoError(t, err)
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Cookie", all.Header(t, of))
		if of.GPC {
			r.Header.Set("Sec-GPC", "1")
		}
		mw.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			prefs, allowed := consent.FromContext(r.Context()), []string{}
			for i, name := range all.Names() {
				assert.Equal(t, prefs.AllowsProvider(all.Declared[i].Category, all.Declared[i].Provider), prefs.AllowsCookie(name), "%s: %s", of.Name, name)
				if prefs.AllowsCookie(name) {
					allowed = append(allowed, name)
				}
			}
			assert.ElementsMatch(t, of.Allowed, allowed, of.Name)
			assert.Equal(t, of.Decided, prefs.Decided(), of.Name)
		})).ServeHTTP(httptest.NewRecorder(), r)
	}
}
