package consent_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent"
)

// load serves a page to a browser with these cookies, and returns the response.
func load(t testing.TB, mw *consent.Middleware, path, cookies string, h http.Handler) *http.Response {
	r, w := httptest.NewRequest("GET", "https://www.example.com"+path, nil), httptest.NewRecorder()
	r.Header.Set("Cookie", cookies)
	pageLoad(r)
	through(t, mw, h).ServeHTTP(w, r)
	return w.Result()
}

// expired returns the names of the cookies that a response deletes, each once.
func expired(response *http.Response) (names []string) {
	for _, c := range response.Cookies() {
		if c.MaxAge < 0 && (len(names) == 0 || names[len(names)-1] != c.Name) {
			names = append(names, c.Name)
		}
	}
	return names
}

func TestRefusingExpiresWhatComesBackWithEveryPage(t *testing.T) {
	mw := middleware(t, nil)
	no, yes := decide(t, mw, consent.RefuseAll().WithObjection()), decide(t, mw, consent.AcceptAll())
	const cookies = "sessionid=1; profile=1; _pk_id.1=1; visits=1; nobody=1; "

	response := load(t, mw, "/", cookies+no, set("sessionid=2"))
	assert.Equal(t, []string{"profile", "_pk_id.1", "visits"}, expired(response))
	assert.Equal(t, "sessionid=2", response.Header["Set-Cookie"][0])
	assert.Equal(t, "private", response.Header.Get("Cache-Control"))
	assert.Equal(t, []string{"profile"}, expired(load(t, mw, "/", "profile=1; "+no, http.RedirectHandler("/a", http.StatusFound))), "a page that leads elsewhere")

	untouched := http.Header{"Set-Cookie": {"sessionid=2"}}
	assert.Equal(t, untouched, load(t, mw, "/", cookies+yes, set("sessionid=2")).Header)
	assert.Equal(t, untouched, load(t, mw, "/", cookies, set("sessionid=2")).Header, "what was not answered stays")
	assert.Equal(t, untouched, serve(t, mw, cookies+no, set("sessionid=2")).Header, "no page")
	only := middleware(t, reportOnly)
	assert.Equal(t, untouched, load(t, only, "/", cookies+no, set("sessionid=2")).Header)
}

func TestRefusingExpiresWhatGPCRefuses(t *testing.T) {
	mw := middleware(t, func(c *consent.Config) { c.Regime = everywhere(consent.OptOut) })
	ask := func(change func(*http.Request)) *http.Response {
		r, w := httptest.NewRequest("GET", "https://www.example.com/", nil), httptest.NewRecorder()
		r.Header.Set("Cookie", "ad_id=1; profile=1")
		r.Header.Set("Sec-GPC", "1")
		pageLoad(r)
		change(r)
		through(t, mw, set()).ServeHTTP(w, r)
		return w.Result()
	}
	assert.Equal(t, []string{"ad_id"}, expired(ask(func(*http.Request) {})))
	assert.Empty(t, expired(ask(func(r *http.Request) { r.Header.Set("Sec-Fetch-Dest", "iframe") })), "a decision may have been held back")
}

func TestRefusingExpiresWhatWasNotAnsweredIfTheSiteSaysSo(t *testing.T) {
	mw := middleware(t, func(c *consent.Config) { c.ExpireUndecided = true })
	assert.Equal(t, []string{"profile"}, expired(load(t, mw, "/", "profile=1; sessionid=1; visits=1; nobody=1", set())))
	assert.Empty(t, expired(load(t, mw, "/", "profile=1; "+decide(t, mw, consent.AcceptAll()), set())))
	r, w := httptest.NewRequest("POST", "https://www.example.com/paid", nil), httptest.NewRecorder()
	pageLoad(r)
	r.Header.Set("Cookie", "profile=1")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	through(t, mw, set()).ServeHTTP(w, r)
	assert.Empty(t, expired(w.Result()), "a decision may have been held back")
}

// The form lies under another path than the shop, so that its request carries no
// cookie of the shop.
func TestRefusingExpiresWhatLiesBelowAnotherPath(t *testing.T) {
	declared := append(site(),
		consent.Cookie{Provider: "Shop", Name: "seen", Purpose: text("x"), Category: consent.FirstParty, Path: "/shop", Domain: "example.com"},
		consent.Cookie{Provider: "Shop", Name: "token", Purpose: text("x"), Category: consent.FirstParty, Also: []consent.Place{{Path: "/me"}}, Domain: "example.com"},
		consent.Cookie{Provider: "Shop", Name: "seen_*", Purpose: text("x"), Category: consent.FirstParty, Path: "/shop"},
	)
	mw := middleware(t, func(c *consent.Config) { c.Registry = consent.MustRegistry(declared...); c.Insecure = true })
	saving := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { assert.NoError(t, mw.Save(w, r, consent.RefuseAll())) })

	const seen, token = "seen=; Path=/shop; Max-Age=0; Domain=example.com", "token=; Path=/me; Max-Age=0"
	lines := load(t, mw, "/cookies/", "", saving).Header["Set-Cookie"]
	assert.Equal(t, []string{seen, token, token + "; Domain=example.com", token + "; Domain=www.example.com"}, lines[1:])
	assert.Equal(t, []string{token, token + "; Domain=example.com", token + "; Domain=www.example.com"},
		load(t, mw, "/shop/basket", "", saving).Header["Set-Cookie"][1:], "what the browser would have sent")

	no := decide(t, mw, consent.RefuseAll())
	assert.Equal(t, []string{"seen_1"}, expired(load(t, mw, "/shop/", "seen_1=1; "+no, set())), "a pattern is met there")
	assert.Equal(t, []string{"token=; Path=/; Max-Age=0; Domain=example.com", token, token + "; Domain=example.com", token + "; Domain=www.example.com"},
		load(t, mw, "/", "token=1; "+no, set()).Header["Set-Cookie"], "in each of its places")
}

func TestNothingIsInventedOfACookieInSeveralPlaces(t *testing.T) {
	var reasons []consent.Reason
	mw := middleware(t, func(c *consent.Config) {
		c.Registry = consent.MustRegistry(consent.Cookie{
			Provider: "Site", Name: "csrf", Purpose: text("x"), Category: consent.Necessary,
			Also: []consent.Place{{Path: "/me"}, {Path: "/me", Domain: "example.com"}},
		})
		c.Observe = func(_ *http.Request, e consent.Event) { reasons = append(reasons, e.Reason) }
	})
	serve(t, mw, "", set("csrf=1; Path=/", "csrf=1; Path=/me", "csrf=1; Path=/me; Domain=.example.com"))
	assert.Empty(t, reasons)
	serve(t, mw, "", set("csrf=1; Path=/you"))
	assert.Contains(t, reasons, consent.ReasonOtherPath)

	_, err := consent.NewRegistry(consent.Cookie{
		Provider: "Site", Name: "__Host-csrf", Purpose: text("x"), Category: consent.Necessary,
		Also: []consent.Place{{Path: "x"}, {Domain: "a b"}, {Path: "/"}, {}},
	})
	assert.Equal(t, []string{"Also[0].Path", "Also[0].Path", "Also[1].Domain", "Also[1].Domain", "Also[2]", "Also[3]"}, fields(err))
}

func TestRefusingIsToldToObserveWithEachPage(t *testing.T) {
	var events []consent.Event
	mw := middleware(t, func(c *consent.Config) {
		c.Observe = func(_ *http.Request, e consent.Event) { events = append(events, e) }
	})
	no := decide(t, mw, consent.RefuseAll())
	for range 2 { // it comes back if its path is not the declared one
		events = nil
		load(t, mw, "/", "profile=1; "+no, set())
		assert.Equal(t, []consent.Event{{Cookie: "profile", Outcome: consent.OutcomeExpired, Reason: consent.ReasonRefused}}, events)
	}
}

// An application that is wrapped twice deletes once, within one budget.
func TestRefusingExpiresOnceThroughTheSameMiddlewareTwice(t *testing.T) {
	mw := middleware(t, nil)
	response := load(t, mw, "/", "profile=1; "+decide(t, mw, consent.RefuseAll()), through(t, mw, set("sessionid=1")))
	assert.Equal(t, 1, strings.Count(strings.Join(response.Header["Set-Cookie"], "\n"), "profile=; Path=/; Max-Age=0\n"))
}
