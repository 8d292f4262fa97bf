package charter_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

func TestAPostThatMayBeAnotherSitesIsNotSaved(t *testing.T) {
	const bare, form = "bare", "form"
	for name, test := range map[string]struct {
		site, origin string // Sec-Fetch-Site and Origin
		want         string // empty if the decision is saved
	}{
		"of this site":                               {"same-origin", "https://example.org", ""},
		"by the visitor's own hand":                  {"none", "", ""},
		"of an old browser":                          {"", "https://example.org", ""},
		"of a program":                               {"", "", ""},
		"of this site, without its name":             {"same-origin", "null", ""},
		"of nobody knows whom":                       {"", "null", form},
		"of a port that a proxy has taken off Host":  {"", "https://example.org:8443", ""},
		"of this site in capitals":                   {"", "https://EXAMPLE.org", ""},
		"of another site":                            {"cross-site", "https://evil.example", bare},
		"of another site, without its name":          {"cross-site", "null", bare},
		"of another subdomain":                       {"same-site", "https://www.example.org", bare},
		"of another site in an old browser":          {"", "https://evil.example", bare},
		"of another subdomain in an old browser":     {"", "https://www.example.org", bare},
		"of a site that begins the same":             {"", "https://example.org.evil.example", bare},
		"of a broken origin":                         {"", "://", bare},
		"of an extension, which has no host of ours": {"", "moz-extension://abc", bare},
	} {
		t.Run(name, func(t *testing.T) {
			var failures []error
			s := newSite(t, func(c *charter.Config) {
				c.Failed = func(_ *http.Request, err error) { failures = append(failures, err) }
			})
			response := s.do("POST", "/cookies/", url.Values{"choice": {"accept"}, "back": {"/evil"}}, func(r *http.Request) {
				for header, value := range map[string]string{"Sec-Fetch-Site": test.site, "Origin": test.origin} {
					if value != "" {
						r.Header.Set(header, value)
					}
				}
			})
			page := body(response)
			switch test.want {
			case "":
				assert.Equal(t, http.StatusSeeOther, response.StatusCode)
				assert.NotEmpty(t, s.cookies)
				assert.Empty(t, failures)
				return
			case form:
				assert.Contains(t, page, `<p role="status">Your browser did not say from which site your choice came, so it was not saved. Please choose again here.</p>`)
				assert.Contains(t, page, `class="charter-form"`)
				assert.Contains(t, page, `name="back" value="/cookies/"`, "whoever posted may have chosen another")
				assert.Empty(t, chosenIn(page), "and what was posted")
				assert.Len(t, failures, 1)
			default:
				assert.NotContains(t, page, "<")
				assert.Empty(t, failures, "another site could make a site log without end")
			}
			assert.Equal(t, http.StatusForbidden, response.StatusCode)
			assert.Empty(t, s.cookies)
			assert.Equal(t, "visits", s.allowed())
		})
	}
}

func TestTheFormThatComesAgainIsPostedWithAnOrigin(t *testing.T) {
	var failures []error
	s := newSite(t, func(c *charter.Config) {
		c.Failed = func(_ *http.Request, err error) { failures = append(failures, err) }
	})
	s.do("POST", "/cookies/", url.Values{"choice": {"save"}, "category:chat": {"allow"}})
	outer := s.handler
	s.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Referrer-Policy", "no-referrer") // as of a whole site
		outer.ServeHTTP(w, r)
	})
	for range 3 {
		response := s.do("POST", "/cookies/", url.Values{"choice": {"accept"}}, with("Origin", "null"))
		assert.Equal(t, http.StatusForbidden, response.StatusCode)
		assert.Equal(t, []string{"same-origin"}, response.Header.Values("Referrer-Policy"), "or the browser would hide the origin again")
		assert.Equal(t, []string{"statistics=refuse", "third-party=refuse", "chat=allow"}, chosenIn(body(response)), "the decision stands")
	}
	require.Len(t, failures, 1, "whatever visitors send")
	assert.ErrorContains(t, failures[0], "Referrer-Policy: no-referrer")
	assert.ErrorContains(t, failures[0], `Origin is "null", Host is "example.org"`)

	assert.Equal(t, []string{"no-referrer"}, s.do("GET", "/cookies/", nil).Header.Values("Referrer-Policy"), "elsewhere the site's own stands")
	s.handler = outer
	assert.Equal(t, []string{"same-origin"}, s.do("GET", "/cookies/", nil).Header.Values("Referrer-Policy"))
}

func TestTheScriptIsToldInOneSentenceWhyAChoiceIsNotSaved(t *testing.T) {
	s := newSite(t, func(c *charter.Config) { c.Failed = func(*http.Request, error) {} })
	s.accept = "de"
	response := s.do("POST", "/cookies/", url.Values{"choice": {"accept"}, "stay": {""}}, with("Origin", "null"), with("Accept", "text/plain"))
	assert.Equal(t, http.StatusForbidden, response.StatusCode)
	assert.Equal(t, "text/plain; charset=utf-8", response.Header.Get("Content-Type"))
	said := body(response)
	assert.NotContains(t, said, "<")
	s.accept = "en"
	assert.NotEqual(t, said, body(s.do("POST", "/cookies/", url.Values{"choice": {"accept"}}, with("Origin", "null"), with("Accept", "text/plain"))), "in the visitor's language")
}

func TestWithoutAScriptAVisitorIsToldThatTheBrowserKeepsNothing(t *testing.T) {
	var failures []error
	s := newSite(t, func(c *charter.Config) {
		c.Failed = func(_ *http.Request, err error) { failures = append(failures, err) }
	})
	form := url.Values{"choice": {"refuse"}, "back": {"/?page=2&a=b#c"}}
	asDocument := with("Sec-Fetch-Dest", "document")
	response := s.do("POST", "/cookies/", form, asDocument)
	assert.Equal(t, http.StatusSeeOther, response.StatusCode)
	to := response.Header.Get("Location")
	assert.Equal(t, "/cookies/?kept&back=%2F%3Fpage%3D2%26a%3Db%23c#settings", to)
	to = strings.TrimSuffix(to, "#settings") // which a browser does not send

	kept := s.do("GET", to, nil)
	assert.Equal(t, http.StatusSeeOther, kept.StatusCode)
	assert.Equal(t, "/?page=2&a=b#c", kept.Header.Get("Location"), "one that does goes on")
	assert.Empty(t, failures)

	clear(s.cookies)
	for range 3 {
		response := s.do("GET", to, nil)
		assert.Equal(t, http.StatusOK, response.StatusCode)
		assert.Contains(t, body(response), `<p role="status">Your browser did not keep your choice`)
	}
	require.Len(t, failures, 1)
	assert.ErrorIs(t, failures[0], consent.ErrNotKept)

	assert.Equal(t, "/cookies/?kept&back=#settings", s.do("POST", "/cookies/", url.Values{"choice": {"refuse"}, "back": {"//evil.example"}}, asDocument).Header.Get("Location"))
	clear(s.cookies)
	for name, change := range map[string]func(*http.Request){
		"a browser with some cookie":         func(r *http.Request) { asDocument(r); r.AddCookie(&http.Cookie{Name: "sessionid", Value: "1"}) },
		"a browser that does not say enough": func(*http.Request) {},
		"a frame":                            with("Sec-Fetch-Dest", "iframe"),
	} {
		assert.Equal(t, "/?page=2&a=b#c", s.do("POST", "/cookies/", form, change).Header.Get("Location"), name)
		clear(s.cookies)
	}
	assert.Equal(t, http.StatusNoContent, s.do("POST", "/cookies/", url.Values{"choice": {"refuse"}, "stay": {""}}, asDocument).StatusCode, "the script looks by itself")
	for back, want := range map[string]string{"//evil.example": "/cookies/#", "/list": "/list#"} {
		assert.Equal(t, want, s.do("GET", "/cookies/?kept&back="+back, nil).Header.Get("Location"), "the page has no #settings")
	}
}

func TestAVisitorWhoseBrowserKeepsTheDecisionGoesOnBehindAPrefix(t *testing.T) {
	s := newSite(t, func(c *charter.Config) { c.Prefix = "/shop" })
	to := s.do("POST", "/cookies/", url.Values{"choice": {"refuse"}, "back": {"/shop/list"}}, with("Sec-Fetch-Dest", "document")).Header.Get("Location")
	assert.Equal(t, "/shop/cookies/?kept&back=%2Fshop%2Flist#settings", to)
	handler := http.StripPrefix("/shop", s.handler)
	r := httptest.NewRequest("GET", strings.TrimSuffix(to, "#settings"), nil)
	r.AddCookie(&http.Cookie{Name: consent.CookieName, Value: s.cookies[consent.CookieName]})
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	assert.Equal(t, "/shop/list#", w.Result().Header.Get("Location"))
}
