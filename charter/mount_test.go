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

// strip takes the last slash off, as chi's StripSlashes and echo's RemoveTrailingSlash do.
func strip(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			r.URL.Path = strings.TrimSuffix(r.URL.Path, "/")
		}
		next.ServeHTTP(w, r)
	})
}

func TestTheCharterIsServedBelowWhatTakesTheLastSlashAway(t *testing.T) {
	s := newSite(t, nil)
	mounted := http.NewServeMux()
	mounted.Handle("/cookies", s.charter.Handler())
	mounted.Handle("/cookies/", s.charter.Handler())
	for name, inner := range map[string]http.Handler{"mounted": mounted, "wrapped": s.charter.Wrap(http.NotFoundHandler())} {
		t.Run(name, func(t *testing.T) {
			s.handler, s.cookies = s.wrap(strip(inner).ServeHTTP), map[string]string{}
			page := s.do("GET", "/cookies/", nil)
			assert.Equal(t, http.StatusOK, page.StatusCode)
			assert.Contains(t, body(page), `action="/cookies/"`)
			assert.Equal(t, http.StatusOK, s.do("GET", "/cookies/script.js", nil).StatusCode)
			decided := s.do("POST", "/cookies/", url.Values{"choice": {"accept"}})
			assert.Equal(t, http.StatusSeeOther, decided.StatusCode)
			assert.Contains(t, decided.Header.Get("Set-Cookie"), consent.CookieName+"=")
		})
	}
}

func TestAPageOfTheSiteWithoutTheSlashStaysTheSites(t *testing.T) {
	s := newSite(t, nil)
	s.handler = s.wrap(s.charter.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("biscuits")) })).ServeHTTP)
	assert.Equal(t, "biscuits", body(s.do("GET", "/cookies", nil)))
	assert.Contains(t, body(s.do("GET", "/cookies/", nil)), "charter-form")
}

// htmx puts the body of a page that it fetches into the present one, whose style and
// Content-Security-Policy are the site's.
func TestABoostedLinkLoadsTheChartersPageAsAWhole(t *testing.T) {
	s := newSite(t, nil)
	boosted := func(r *http.Request) { r.Header.Set("HX-Request", "true"); r.Header.Set("HX-Boosted", "true") }
	page := s.do("GET", "/cookies/?back=/shop", nil, boosted)
	assert.Equal(t, "/cookies/?back=/shop", page.Header.Get("HX-Redirect"))
	assert.Empty(t, body(page))

	page = s.do("GET", "/cookies/", nil)
	assert.Empty(t, page.Header.Get("HX-Redirect"))
	assert.Contains(t, body(page), "charter-form")
	assert.Equal(t, http.StatusSeeOther, s.do("POST", "/cookies/", url.Values{"choice": {"refuse"}}, boosted).StatusCode)
}

func TestABannerThatNobodyCanAnswerIsToldOnce(t *testing.T) {
	for name, test := range map[string]struct {
		mount func(*charter.Charter)
		want  int
	}{
		"nowhere": {func(*charter.Charter) {}, 1},
		"mounted": {func(c *charter.Charter) { c.Handler() }, 0},
		"wrapped": {func(c *charter.Charter) { c.Wrap(http.NotFoundHandler()) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var failures []error
			mw := newMiddleware(t, declared()...)
			c, err := charter.New(charter.Config{
				Middleware: mw, Failed: func(_ *http.Request, err error) { failures = append(failures, err) },
				Categories: map[consent.Category]charter.Category{"chat": {Title: text("Conversation"), About: text("To talk with us.")}},
			})
			require.NoError(t, err)
			test.mount(c)
			handler := mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(c.Banner(r))) }))
			for range 2 {
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
				assert.Contains(t, w.Body.String(), "charter-banner")
			}
			require.Len(t, failures, test.want)
			if test.want > 0 {
				assert.ErrorContains(t, failures[0], `mount site.Handler() at "/cookies/"`)
			}
		})
	}
}
