package consent_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
)

// A jarred browser keeps what it is sent, as RFC 6265 says.
type jarred struct {
	t   *testing.T
	jar *cookiejar.Jar
}

func newJarred(t *testing.T) jarred {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return jarred{t, jar}
}

// open loads a page of an application and returns the response.
func (b jarred) open(mw *consent.Middleware, address string, h http.HandlerFunc) *http.Response {
	u, err := url.Parse(address)
	require.NoError(b.t, err)
	r, w := httptest.NewRequest("GET", address, nil), httptest.NewRecorder()
	for _, c := range b.jar.Cookies(u) {
		r.AddCookie(c)
	}
	pageLoad(r)
	through(b.t, mw, h).ServeHTTP(w, r)
	kept := slices.DeleteFunc(w.Result().Cookies(), func(c *http.Cookie) bool { return c.Secure && u.Scheme == "http" })
	b.jar.SetCookies(u, kept)
	return w.Result()
}

// One of two applications on a host takes another name, as the doc of CookieName asks:
// the other one keeps its decision.
func TestNothingIsForgottenOfTheApplicationThatKeepsTheName(t *testing.T) {
	shop := consent.MustRegistry(consent.Cookie{Provider: "Shop", Name: "seen", Purpose: text("x"), Category: consent.FirstParty})
	for what, change := range map[string]func(*consent.Config){
		"another name":          func(*consent.Config) {},
		"another name and path": func(c *consent.Config) { c.CookiePath = "/shop" },
		"and other keys":        func(c *consent.Config) { c.Keys = [][]byte{[]byte(strings.Repeat("s", 32))} },
	} {
		portal := middleware(t, nil)
		mw := middleware(t, func(c *consent.Config) {
			c.Registry, c.CookieName, c.FormerCookieName = shop, "shop_preferences", consent.CookieName
			change(c)
		})
		b := newJarred(t)
		b.open(mw, "https://www.example.com/shop/", func(w http.ResponseWriter, r *http.Request) { mw.Save(w, r, consent.AcceptAll()) })
		b.open(portal, "https://www.example.com/", func(w http.ResponseWriter, r *http.Request) { portal.Save(w, r, consent.RefuseAll()) })
		b.open(mw, "https://www.example.com/shop/", set())
		b.open(portal, "https://www.example.com/", func(_ http.ResponseWriter, r *http.Request) {
			assert.True(t, consent.FromContext(r.Context()).Decided(), what)
		})
	}
}

// Two hosts have shared a decision and go over to a __Host- name, as README recommends:
// the first page on one of them must not take the refusal away from the other one.
func TestNothingIsForgottenOfADecisionThatTwoHostsShareOnTheWayToAHostsName(t *testing.T) {
	before := middleware(t, func(c *consent.Config) { c.Domain = "example.com" })
	after := middleware(t, func(c *consent.Config) {
		c.CookieName, c.FormerCookieName, c.Regime = "__Host-cookies", consent.CookieName, everywhere(consent.OptOut)
	})
	b := newJarred(t)
	b.open(before, "https://www.example.com/", func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, before.Save(w, r, consent.RefuseAll()))
	})
	for _, host := range []string{"www", "shop"} {
		response := b.open(after, "https://"+host+".example.com/", set("profile=1"))
		assert.NotContains(t, names(response), "profile", "refused on both hosts: "+host)
	}
}

// A response that is no page, asked for before a refusal and answered after it, must not
// bring the former consent back under the new name.
func TestNothingIsInventedByAMoveThatOvertakesARefusal(t *testing.T) {
	before := middleware(t, nil)
	after := middleware(t, func(c *consent.Config) { c.CookieName, c.FormerCookieName = "shop_preferences", consent.CookieName })
	yes := decide(t, before, consent.AcceptAll())
	response := serve(t, after, yes, func(w http.ResponseWriter, r *http.Request) { // not a page load: a script, a beacon
		consent.FromContext(r.Context()).Decided()
		set("profile=1")(w, r)
	})
	assert.Equal(t, []string{"profile"}, names(response), "moves with the next page, says the doc of FormerCookieName")
}

func TestNothingElseChangesIfAReportMeetsAFormerName(t *testing.T) {
	before := middleware(t, nil)
	after := middleware(t, func(c *consent.Config) {
		c.CookieName, c.FormerCookieName, c.ReportOnly = "shop_preferences", consent.CookieName, true
	})
	response := load(t, after, "/", decide(t, before, consent.AcceptAll()), set("profile=1"))
	assert.Equal(t, http.Header{"Set-Cookie": {"profile=1"}}, response.Header)
}

// Logout code that overwrites each cookie by an empty one undoes the decision as a
// deletion does.
func TestNothingIsForgottenThatAHandlerOverwrites(t *testing.T) {
	mw := middleware(t, nil)
	for _, line := range []string{
		consent.CookieName + "=",
		consent.CookieName + "=; Path=/",
		consent.CookieName + "=; Max-Age=-", // a deletion in Firefox alone
		consent.CookieName + "=; Expires=Thu, 01 Jan 1970",
		consent.CookieName,
	} {
		assert.Empty(t, serve(t, mw, "", set(line)).Header["Set-Cookie"], line)
	}
}

func TestNothingIsInventedUnderAFormerNameThatIsDeclared(t *testing.T) {
	_, err := consent.NewMiddleware(consent.Config{Registry: consent.MustRegistry(site()...), Keys: [][]byte{key}, FormerCookieName: "profile"})
	assert.Equal(t, []string{"FormerCookieName"}, fields(err))
}

// What is told to Failed must be so.
func TestNothingIsInventedThatFailedIsTold(t *testing.T) {
	for what, test := range map[string]struct {
		change func(*consent.Config)
		make   func(*http.Request)
	}{
		"a health check by address":          {func(c *consent.Config) { c.Domain = "example.com" }, func(r *http.Request) { r.Host = "10.0.3.4:8080" }},
		"a health check without Host":        {func(c *consent.Config) { c.Domain = "example.com" }, func(r *http.Request) { r.Host = "" }},
		"a health check by IPv6":             {func(c *consent.Config) { c.Domain = "example.com" }, func(r *http.Request) { r.Host = "[fd00::1]:8080" }},
		"a page on http in development":      {nil, func(r *http.Request) { r.Header.Set("Origin", "http://localhost:3000") }},
		"localhost with a trailing dot":      {nil, func(r *http.Request) { r.Host = "localhost.:80"; r.Header.Set("Origin", "http://localhost.") }},
		"localhost in upper case":            {nil, func(r *http.Request) { r.Host = "LOCALHOST:80"; r.Header.Set("Origin", "http://localhost") }},
		"an IPv6 loopback without a port":    {nil, func(r *http.Request) { r.Host = "[::1]"; r.Header.Set("Origin", "http://[::1]") }},
		"an IPv6 host with a Domain, a port": {func(c *consent.Config) { c.Domain = "example.com" }, func(r *http.Request) { r.Host = "www.EXAMPLE.com:8443" }},
	} {
		var errs []error
		mw := middleware(t, func(c *consent.Config) {
			told(&errs)(c)
			if test.change != nil {
				test.change(c)
			}
		})
		r := httptest.NewRequest("POST", "https://www.example.com/", nil)
		test.make(r)
		through(t, mw, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Host != "" && !strings.HasPrefix(r.Host, "10.") && !strings.HasPrefix(r.Host, "[fd") {
				assert.NoError(t, mw.Save(w, r, consent.RefuseAll()))
			}
		})).ServeHTTP(httptest.NewRecorder(), r)
		assert.Empty(t, errs, what)
	}
}

// A request that nobody's server has made, as in a site's own tests.
func TestNothingElseChangesForARequestWithoutAURL(t *testing.T) {
	declared := append(site(), consent.Cookie{Provider: "Shop", Name: "seen", Purpose: text("x"), Category: consent.FirstParty, Path: "/shop"})
	mw := middleware(t, func(c *consent.Config) {
		c.Registry, c.Observe = consent.MustRegistry(declared...), func(*http.Request, consent.Event) {}
	})
	for what, do := range map[string]http.HandlerFunc{
		"a refusal": func(w http.ResponseWriter, r *http.Request) { assert.NoError(t, mw.Save(w, r, consent.RefuseAll())) },
		"a line":    set("sessionid=1"),
		"late": func(w http.ResponseWriter, r *http.Request) {
			w.Write(nil)
			consent.FromContext(r.Context()).KeepPrivate()
		},
	} {
		assert.NotPanics(t, func() {
			mw.Wrap(do).ServeHTTP(httptest.NewRecorder(), &http.Request{Method: "GET", Header: http.Header{}})
		}, what)
	}
}

// A page on plain http, such as the one that leads to https: browsers refuse there what
// says Secure, and obey a deletion. The former cookie may go only when the browser has sent
// the new one.
func TestNothingIsForgottenByAMoveThatTheBrowserRefuses(t *testing.T) {
	before := middleware(t, func(c *consent.Config) { c.Insecure = true })
	after := middleware(t, func(c *consent.Config) {
		c.CookieName, c.FormerCookieName, c.Regime = "__Host-cookies", consent.CookieName, everywhere(consent.OptOut)
	})
	b := newJarred(t)
	b.open(before, "https://www.example.com/", func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, before.Save(w, r, consent.RefuseAll()))
	})
	b.open(after, "http://www.example.com/", http.RedirectHandler("https://www.example.com/", http.StatusMovedPermanently).ServeHTTP)
	response := b.open(after, "https://www.example.com/", set("profile=1"))
	assert.NotContains(t, names(response), "profile", "they have refused")
}
