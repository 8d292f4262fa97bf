package charter_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

func TestTheScriptBringsTheBannerForWhoIsAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plain, button := newSite(t, nil), newSite(t, func(c *charter.Config) { c.Button = true })
		hashed := found(plain.get("/"), `<script src="([^"]*)"`)[0]
		brings := func(s *site, want string) http.Header {
			t.Helper()
			response := s.do("GET", "/cookies/script.js", nil)
			script := body(response)
			assert.Equal(t, http.StatusOK, response.StatusCode)
			assert.Equal(t, "text/javascript; charset=utf-8", response.Header.Get("Content-Type"))
			assert.True(t, strings.HasSuffix(script, "})"), "a call with one object")
			assert.Equal(t, want != "", strings.Contains(script, `,"part":{"html":"`))
			assert.NotContains(t, script, "<section", "nothing in it ends a script")
			if want != "" {
				assert.Contains(t, script, `class=\"`+want)
				assert.Contains(t, script, `"css":"[class^=charter-]`)
			}
			return response.Header
		}
		for _, s := range []*site{plain, button} {
			head := brings(s, "charter-banner")
			assert.Equal(t, "private, max-age=300", head.Get("Cache-Control"), "the next page asks by it too")
			assert.Equal(t, "same-origin", head.Get("Cross-Origin-Resource-Policy"))
			assert.Equal(t, []string{"Sec-Fetch-Site", "Cookie, Accept-Language, Sec-GPC"}, head.Values("Vary"))
			assert.Empty(t, head.Get("ETag"))
			s.do("POST", "/cookies/", map[string][]string{"choice": {"refuse"}})
			assert.Equal(t, "private, no-store", brings(s, "charter-done").Get("Cache-Control"))
		}
		brings(button, "charter-button") // after the confirmation, for who closes it
		time.Sleep(time.Minute)
		brings(button, "charter-button")
		head := brings(plain, "")
		assert.Equal(t, "private, no-cache", head.Get("Cache-Control"))
		assert.Equal(t, "Cookie, Accept-Language, Sec-GPC, Sec-Fetch-Site", head.Get("Vary"))
		again := plain.do("GET", "/cookies/script.js", nil, with("If-None-Match", head.Get("ETag")))
		assert.Equal(t, http.StatusNotModified, again.StatusCode)
		assert.Equal(t, plain.get("/cookies/script.js"), plain.get(hashed))

		clear(plain.cookies)
		asked := plain.do("GET", "/cookies/script.js", nil, with("If-None-Match", head.Get("ETag")))
		assert.Equal(t, http.StatusOK, asked.StatusCode, "who has lost the decision is asked, whatever their browser keeps of the script")
		assert.NotContains(t, plain.get(hashed), `"part"`, "under a name for everybody it brings nothing of a visitor")
	})
}

// A browser compares neither the country nor the page, and may not compare cookies.
func TestOnlyAQuestionThatIsTheSameOnEachPageIsAskedAgainWithoutARequest(t *testing.T) {
	for name, test := range map[string]struct {
		change  func(*charter.Config)
		country string
	}{
		"a law that presumes": {nil, "US"},
		"a decision that no script can read": {func(c *charter.Config) {
			hidden, err := consent.NewMiddleware(consent.Config{Registry: consent.MustRegistry(declared()...), Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}, HttpOnly: true})
			require.NoError(t, err)
			c.Middleware = hidden
		}, ""},
		"a language that the site finds out": {func(c *charter.Config) {
			c.LanguageOf = func(*http.Request) language.Tag { return language.French }
		}, ""},
		"accounts": {func(c *charter.Config) {
			kept, err := consent.NewMiddleware(consent.Config{Registry: consent.MustRegistry(declared()...), Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}, Recorder: new(accounts)})
			require.NoError(t, err)
			c.Middleware, c.Account, c.Accounts = kept, func(*http.Request) string { return "" }, new(accounts)
		}, ""},
	} {
		response := newSite(t, test.change).do("GET", "/cookies/script.js", nil, with("Country", test.country))
		assert.Contains(t, body(response), "charter-banner", name)
		assert.Equal(t, "private, no-store", response.Header.Get("Cache-Control"), name)
	}
}

func TestTheScriptTellsAnotherSiteNothingOfTheVisitor(t *testing.T) {
	for from, isOurs := range map[string]bool{"": true, "same-origin": true, "none": true, "same-site": false, "cross-site": false} {
		s := newSite(t, nil)
		response := s.do("GET", "/cookies/script.js", nil, with("Sec-Fetch-Site", from))
		assert.Equal(t, http.StatusOK, response.StatusCode, "it holds what the charter says to everybody")
		assert.Equal(t, isOurs, strings.Contains(body(response), `"part":`), from)
		assert.Contains(t, response.Header.Get("Cache-Control"), "private", from)
		vary := strings.Join(response.Header.Values("Vary"), ", ")
		assert.Contains(t, vary, "Cookie", from)
		assert.Contains(t, vary, "Sec-Fetch-Site", from)
	}
}

func TestTheScriptBringsASheetOfTheSitesOwn(t *testing.T) {
	s := newSite(t, func(c *charter.Config) { c.Style = []byte(".mine{}") })
	assert.Contains(t, s.get("/cookies/script.js"), `"css":".mine{}"`)
	none := newSite(t, func(c *charter.Config) { c.Style = []byte{} })
	assert.NotContains(t, none.get("/cookies/script.js"), `"css"`)
}

func TestThePartsOfAPageAreDrawnForTheScript(t *testing.T) {
	s := newSite(t, nil)
	settings := s.part("/cookies/banner.js?show=settings&back=/list")
	assert.Contains(t, settings, `<dialog class="charter-settings" lang="en" dir="ltr"`)
	assert.Equal(t, []string{"/list"}, found(settings, `name="back" value="([^"]*)"`))
	assert.Contains(t, settings, `<a href="/cookies/">Cookie policy</a>`)
	assert.Contains(t, s.part("/cookies/banner.js?show=working"), "Your choice is being saved…")
	stale := s.part("/cookies/banner.js?show=stale")
	assert.Contains(t, stale, "What you no longer allow stays active on this page")
	assert.Contains(t, stale, "<button type=\"button\" data-charter-reload>Load the page again</button>")
	assert.NotContains(t, s.part("/cookies/banner.js?show=working"), "data-charter-reload")
	assert.Contains(t, s.part("/cookies/banner.js"), "charter-banner")
	assert.Contains(t, s.part("/cookies/banner.js?show=nonsense"), "charter-banner")
	for _, show := range []string{"", "settings", "working", "stale", "unkept", "placeholders"} {
		response := s.do("GET", "/cookies/banner.js?show="+show, nil)
		assert.Equal(t, "private, no-store", response.Header.Get("Cache-Control"), show)
		assert.Equal(t, "same-origin", response.Header.Get("Cross-Origin-Resource-Policy"), show)
		assert.Equal(t, http.StatusForbidden, s.do("GET", "/cookies/banner.js?show="+show, nil, with("Sec-Fetch-Site", "cross-site")).StatusCode, show)
	}
}
