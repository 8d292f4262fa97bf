package consent_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
)

// r.Host = target.Host before a ReverseProxy is what many write: the browser knows the
// host that it has asked for.
func TestRefusingExpiresAtTheHostThatTheBrowserKnows(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("x")) }))
	defer backend.Close()
	target, err := url.Parse(backend.URL)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	mw := middleware(t, nil)
	response := load(t, mw, "/", "profile=1; "+decide(t, mw, consent.RefuseAll()), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = "backend.internal.net"
		proxy.ServeHTTP(w, r)
	}))
	lines := strings.Join(response.Header["Set-Cookie"], "\n")
	assert.Contains(t, lines, "profile=; Path=/; Max-Age=0; Domain=example.com")
	assert.NotContains(t, lines, "internal")
}

// What a handler does to the fields of its request says nothing of the browser.
func TestRefusingExpiresWhateverAHandlerDoesToItsRequest(t *testing.T) {
	mw := middleware(t, nil)
	no := decide(t, mw, consent.RefuseAll())
	for what, change := range map[string]func(*http.Request){
		"all fields are gone": func(r *http.Request) { r.Header = http.Header{} },
		"it is a fetch":       func(r *http.Request) { r.Header.Set("Sec-Fetch-Mode", "cors") },
		"no cookies":          func(r *http.Request) { r.Header.Del("Cookie") },
		"another method":      func(r *http.Request) { r.Method = "POST" },
		"another URI":         func(r *http.Request) { r.RequestURI = ""; r.URL = &url.URL{Path: "*"} },
	} {
		response := load(t, mw, "/", "profile=1; "+no, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			change(r)
			w.Header().Set("Content-Type", "application/json")
		}))
		assert.Equal(t, []string{"profile"}, expired(response), what)
	}
}

// The handler inside of a timeout may still be changing its request's fields when the
// answer of the timeout leaves: bare, nobody reads them. -race tells.
func TestNothingElseChangesForARequestThatAHandlerChangesAfterItsTimeout(t *testing.T) {
	mw := middleware(t, nil)
	no := decide(t, mw, consent.RefuseAll())
	var group sync.WaitGroup
	h := mw.Wrap(http.TimeoutHandler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		defer group.Done()
		for i := range 200000 {
			r.Header.Set(fmt.Sprint("X-", i%50), "1")
		}
	}), time.Millisecond, "late"))
	for range 5 {
		r := httptest.NewRequest("GET", "https://www.example.com/", nil)
		r.Header.Set("Cookie", "profile=1; "+no)
		pageLoad(r)
		group.Add(1)
		h.ServeHTTP(httptest.NewRecorder(), r)
		group.Wait()
	}
}

// Names that a pattern takes in, and what each needs to go.
func TestRefusingExpiresANameWithAPrefixThatAPatternTakesIn(t *testing.T) {
	mw := middleware(t, func(c *consent.Config) {
		c.Registry = consent.MustRegistry(consent.Cookie{Provider: "A", Name: "*_track", Purpose: text("x"), Category: consent.ThirdParty, Path: "/shop", Domain: "example.com"})
	})
	no := decide(t, mw, consent.RefuseAll())
	lines := load(t, mw, "/shop/", "__Host-x_track=1; "+no, set()).Header["Set-Cookie"]
	assert.Contains(t, lines, "__Host-x_track=; Path=/; Max-Age=0; Secure")
}

// A cookie whose name takes more than the budget keeps no other one from going.
func TestRefusingExpiresBesideANameThatIsLongerThanTheBudget(t *testing.T) {
	mw := middleware(t, nil)
	no := decide(t, mw, consent.RefuseAll())
	long := "_pk_id." + strings.Repeat("x", 2500)
	for range 40 { // whatever turn it is
		if !assert.Contains(t, expired(load(t, mw, "/", long+"=1; profile=1; "+no, set())), "profile") {
			break
		}
	}
}

func TestRefusingInTheFormExpiresBesideALongName(t *testing.T) {
	mw := middleware(t, nil)
	long := "_pk_id." + strings.Repeat("x", 2500)
	response := load(t, mw, "/", long+"=1; profile=1; ad_id=1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, mw.Save(w, r, consent.RefuseAll()))
	}))
	assert.Contains(t, expired(response), "profile")
}

// A name with any bytes that browsers send is expired as it is.
func TestRefusingExpiresOddNames(t *testing.T) {
	declared := consent.Cookie{Provider: "A", Name: "odd*", Purpose: text("x"), Category: consent.ThirdParty}
	mw := middleware(t, func(c *consent.Config) { c.Registry = consent.MustRegistry(declared) })
	no := decide(t, mw, consent.RefuseAll())
	for _, name := range []string{`odd"x"`, "odd\xff", "oddé", "odd a", "odd,b", "odd\tb", "odd[]", "odd%3D", "odd:", "odd/", "odd\\", "odd(1)", "odd'"} {
		raw := rawGet(t, mw.Wrap(set("x=1")), "GET / HTTP/1.1\r\nHost: www.example.com\r\nCookie: "+name+"=1; "+no+"\r\nSec-Fetch-Mode: navigate\r\nConnection: close\r\n\r\n")
		assert.Contains(t, raw, "Set-Cookie: "+name+"=; Path=/; Max-Age=0\r\n", "%q", name)
	}
}

// The path that the browser has asked for decides what the request would have carried.
func TestRefusingExpiresWhatLiesBelowAnotherPathWhateverTheURISays(t *testing.T) {
	declared := append(site(), consent.Cookie{Provider: "Shop", Name: "seen", Purpose: text("x"), Category: consent.FirstParty, Path: "/shop"})
	mw := middleware(t, func(c *consent.Config) { c.Registry = consent.MustRegistry(declared...) })
	for _, test := range []struct {
		uri    string
		sends  bool // a browser at this URI sends a cookie of /shop
		change func(*http.Request)
	}{
		{"/shop", true, nil}, {"/shop/", true, nil}, {"/shop/a", true, nil}, {"/shop?x", true, nil},
		{"/shopping", false, nil}, {"/", false, nil}, {"/shop%2Fa", false, nil}, {"/%73hop/a", false, nil}, {"//shop", false, nil},
		{"http://www.example.com/shop/a", true, nil}, {"http://www.example.com/shop%2Fa", false, nil}, {"http://www.example.com/%73hop/a", false, nil},
		{"/cookies", false, func(r *http.Request) { r.URL.Path = "/shop/cookies" }},
		{"/cookies", false, func(r *http.Request) { r.RequestURI = "/shop/cookies" }},
		{"/cookies", false, func(r *http.Request) { r.RequestURI = ""; r.URL.Path = "/shop/" }},
		{"http://www.example.com/cookies", false, func(r *http.Request) { r.URL.Path = "/shop/cookies" }},
	} {
		raw := rawGet(t, mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if test.change != nil {
				test.change(r)
			}
			assert.NoError(t, mw.Save(w, r, consent.RefuseAll()))
		})), "GET "+test.uri+" HTTP/1.1\r\nHost: www.example.com\r\nConnection: close\r\n\r\n")
		assert.Equal(t, !test.sends, strings.Contains(raw, "Set-Cookie: seen=; Path=/shop; Max-Age=0\r\n"), "%s, changed: %v", test.uri, test.change != nil)
	}
}

// A decision of the application inside is not somebody's undeclared cookie.
func TestNothingIsForgottenOfTheMiddlewareInside(t *testing.T) {
	outer := middleware(t, nil)
	inner := middleware(t, func(c *consent.Config) { c.CookieName = "b_preferences" })
	response := load(t, outer, "/", "", through(t, inner, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, inner.Save(w, r, consent.AcceptAll()))
	})))
	assert.Equal(t, []string{"b_preferences"}, names(response))
}

// Of several declarations of a name one is refused and another open: the cookie is
// refused, and goes.
func TestRefusingExpiresWhatIsRefusedInOneDeclarationAndOpenInAnother(t *testing.T) {
	for what, test := range map[string]struct {
		declared, joins consent.Cookie
		choice          consent.Choice
	}{
		"a refusal": {
			consent.Cookie{Provider: "AdCo", Name: "both", Purpose: text("x"), Category: consent.ThirdParty},
			consent.Cookie{Provider: "New", Name: "new", Purpose: text("x"), Category: consent.FirstParty},
			consent.Accept(consent.FirstParty),
		},
		"an objection": {
			consent.Cookie{Provider: "Count", Name: "both", Purpose: text("x"), Category: consent.Statistics, Anonymous: true},
			consent.Cookie{Provider: "New", Name: "new", Purpose: text("x"), Category: consent.FirstParty},
			consent.Accept(consent.FirstParty).WithObjection(),
		},
	} {
		declared := []consent.Cookie{{Provider: "Site", Name: "both", Purpose: text("x"), Category: consent.FirstParty}, test.declared}
		before := middleware(t, func(c *consent.Config) { c.Registry = consent.MustRegistry(declared...) })
		no := decide(t, before, test.choice)
		assert.Equal(t, []string{"both"}, expired(load(t, before, "/", "both=1; "+no, set())), what)
		after := middleware(t, func(c *consent.Config) { c.Registry = consent.MustRegistry(append(declared, test.joins)...) })
		assert.Equal(t, []string{"both"}, expired(load(t, after, "/", "both=1; "+no, set())), what)
	}
}

// Browsers know the path that they have asked for, not the one that a handler has put in
// its place.
func TestNothingIsInventedOfAPathThatAHandlerHasRewritten(t *testing.T) {
	var reasons []consent.Reason
	mw := middleware(t, func(c *consent.Config) {
		c.Registry = consent.MustRegistry(consent.Cookie{Provider: "Shop", Name: "seen", Purpose: text("x"), Category: consent.Necessary, Path: "/shop"})
		c.Observe = func(_ *http.Request, e consent.Event) { reasons = append(reasons, e.Reason) }
	})
	load(t, mw, "/shop/a", "", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.URL.Path = "/a"
		set("seen=1")(w, r)
	}))
	assert.Empty(t, reasons)
}

// What a handler does to its request does not change what the browser has sent.
func TestNothingIsInventedOfARequestThatAHandlerHasRewritten(t *testing.T) {
	mw := middleware(t, nil)
	for what, test := range map[string]struct {
		given, change func(*http.Request)
		want          bool
	}{
		"a proxy's host": {
			func(r *http.Request) { r.Header.Set("Origin", "https://www.example.com") },
			func(r *http.Request) { r.Host = "backend:8080" }, true,
		},
		"another method": {
			func(r *http.Request) { pageLoad(r); r.Header.Set("Sec-Fetch-Site", "cross-site") },
			func(r *http.Request) { r.Method = "GET" }, false,
		},
		"no fields": {
			func(r *http.Request) { pageLoad(r); r.Header.Set("Sec-Fetch-Site", "cross-site") },
			func(r *http.Request) { r.Header = http.Header{} }, false,
		},
	} {
		r := httptest.NewRequest("POST", "https://www.example.com/", nil)
		test.given(r)
		through(t, mw, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			test.change(r)
			assert.Equal(t, test.want, consent.FromContext(r.Context()).ShouldAsk(), what)
		})).ServeHTTP(httptest.NewRecorder(), r)
	}
}
