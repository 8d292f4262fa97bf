package charter_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

func TestProgramsReadTheCharterInEveryLanguage(t *testing.T) {
	registry, err := consent.MustRegistry(declared()...).WithProviders(consent.Provider{Name: "Matomo", Country: "FR"})
	require.NoError(t, err)
	mw, err := consent.NewMiddleware(consent.Config{Registry: registry, Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}, Revision: 7, Domain: "example.org"})
	require.NoError(t, err)
	s := newSite(t, func(c *charter.Config) {
		c.Middleware = mw
		c.Language = language.French
		c.Languages = fstest.MapFS{"fr.json": {Data: []byte(`{"OwnProvider": "Ce portail"}`)}}
	})
	document := s.get("/cookies/charter.json")
	read, err := consent.ReadRegistry(bytes.NewReader([]byte(document)))
	require.NoError(t, err)
	assert.Equal(t, registry.Providers(), read.Providers())
	cookies := read.Cookies()
	own := cookies[len(cookies)-1]
	assert.Equal(t, registry.Cookies(), cookies[:len(cookies)-1])

	assert.Equal(t, consent.CookieName, own.Name, "the library's own is declared too")
	assert.Equal(t, []any{"Ce portail", consent.Necessary, 180 * 24 * time.Hour, "example.org", "/"}, []any{own.Provider, own.Category, own.Lifetime, own.Domain, own.Path})
	assert.Len(t, own.Purpose, 24)
	assert.Equal(t, "Remembers your choice about cookies.", own.Purpose[language.English])
	assert.NotEmpty(t, own.Service[language.Greek])

	var more struct {
		Revision uint64
		Regimes  []consent.Regime
	}
	require.NoError(t, json.Unmarshal([]byte(document), &more))
	assert.Equal(t, uint64(7), more.Revision)
	assert.Equal(t, []consent.Regime{consent.OptIn, consent.UK, consent.OptOut, consent.NoRegime}, more.Regimes)

	itself := append(declared(), consent.Cookie{Provider: "Site", Name: consent.CookieName, Purpose: text("Remembers."), Category: consent.Necessary})
	read, err = consent.ReadRegistry(bytes.NewReader([]byte(newSite(t, func(c *charter.Config) { c.Middleware = newMiddleware(t, itself...) }).get("/cookies/charter.json"))))
	require.NoError(t, err)
	assert.Equal(t, itself, read.Cookies(), "what the site declares itself stays as it is")
}

func TestEveryCacheMayKeepTheCharterForPrograms(t *testing.T) {
	s := newSite(t, nil)
	s.do("POST", "/cookies/", map[string][]string{"choice": {"accept"}})
	require.NotEmpty(t, s.cookies)
	wrapped := s.wrap(s.charter.Wrap(http.NotFoundHandler()).ServeHTTP)
	for name, visitor := range map[string]func(*http.Request){
		"nobody": func(*http.Request) {},
		"a yes": func(r *http.Request) {
			r.AddCookie(&http.Cookie{Name: consent.CookieName, Value: s.cookies[consent.CookieName]})
		},
		"American": func(r *http.Request) { r.Header.Set("Country", "US"); r.Header.Set("Sec-GPC", "1") },
		"French":   func(r *http.Request) { r.Header.Set("Accept-Language", "fr") },
	} {
		for way, handler := range map[string]http.Handler{"mounted": s.handler, "wrapped": wrapped, "outside": s.charter.Handler()} {
			ask := func(tag string) *httptest.ResponseRecorder {
				r := httptest.NewRequest("GET", "https://example.org/cookies/charter.json", nil)
				visitor(r)
				r.Header.Set("If-None-Match", tag)
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, r)
				return w
			}
			w := ask("")
			assert.Equal(t, http.StatusOK, w.Code, way)
			assert.JSONEq(t, s.get("/cookies/charter.json"), w.Body.String(), "%s: %s", way, name)
			head := w.Result().Header
			assert.Equal(t, "public, max-age=3600", head.Get("Cache-Control"), "%s: %s", way, name)
			assert.Equal(t, "application/json", head.Get("Content-Type"))
			assert.NotContains(t, head, "Vary", "%s: %s", way, name)
			assert.NotContains(t, head, "Set-Cookie", "%s: %s", way, name)
			assert.Equal(t, http.StatusNotModified, ask(head.Get("ETag")).Code, "%s: %s", way, name)
		}
	}
}
