// Package consenttest checks a site's cookies in the site's own tests. It sends
// requests through the site's handler, as visitors with different decisions, and
// fails the test for each cookie that is not declared, or is not set as declared:
//
//	func TestCookies(t *testing.T) {
//		consenttest.Run(t, consent.Config{Registry: cookies}, newShop,
//			httptest.NewRequest("GET", "/", nil),
//			httptest.NewRequest("POST", "/basket?article=7", nil),
//		)
//	}
//
// # How the site is built
//
// Only the middleware sees every cookie that a handler tries to set: it removes an
// undeclared cookie from the response. This package therefore makes the middleware,
// from the site's own [consent.Config], and the test passes the function that makes
// the site's handler with a given middleware: newShop above, a
// func(*consent.Middleware) http.Handler that main calls as well. Whatever else needs
// a middleware, such as package charter or a call of [consent.Middleware.Save], has
// to use this one. The handler may or may not be wrapped in it already.
//
// # What it cannot see
//
// A response sets cookies alone. What scripts store in a browser, and whatever is declared
// with another [consent.Kind] than [consent.HTTPCookie], shows in no response: it is not
// checked, and is no declaration of a cookie of the same name.
//
// If a handler is wrapped in a second middleware, such as a global variable, the test
// does not see the cookies that the second one removes.
package consenttest

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/cookiecharter/consent"
)

// Run sends the requests in order through the site, as three visitors one after the
// other: a new one, one who has refused all, and one who has accepted all. It fails t
// for each cookie that is not declared or not set as declared, and names the request,
// the visitor, the cookie and the difference. The lifetime, domain and path of a cookie
// that needs consent are checked for the visitor who has accepted all.
//
// A response with a status of 400 or more proves nothing about the cookies of that
// page, so it fails t too. If such a status is expected, or if a form needs a token
// from an earlier page, use [New] and [Visitor.Do] instead.
//
// For config and build see [New]. Each visitor keeps cookies: see [Visitor.Do].
func Run(t testing.TB, config consent.Config, build func(*consent.Middleware) http.Handler, requests ...*http.Request) {
	t.Helper()
	if len(requests) == 0 {
		t.Fatalf("consenttest: no request to send, and so nothing to check")
	}
	site := New(t, config, build)
	undecided, refused, accepted := site.Undecided(), site.Decided(consent.RefuseAll()), site.Decided(consent.AcceptAll())
	refused.who, accepted.who = "a visitor who has refused all", "a visitor who has accepted all"
	reported := make(map[string]bool) // once for the three visitors
	for _, visitor := range []*Visitor{undecided, refused, accepted} {
		for _, r := range requests {
			response := visitor.Do(r)
			refusal := title(r) + response.Status
			if response.StatusCode >= http.StatusBadRequest && !reported[refusal] {
				reported[refusal] = true
				t.Errorf("%s by %s: the site refuses it with the status %s, which proves nothing about its cookies: "+
					"if that is expected, or if a form carries a token, use New and Do", title(r), visitor.who, strings.TrimSpace(response.Status))
			}
		}
	}
}

// A Site is a handler under test with its middleware. Make it with [New]. If a list of
// requests is enough for a test, use [Run] instead.
type Site struct {
	t        testing.TB
	mw       *consent.Middleware
	handler  http.Handler
	mu       sync.Mutex
	reported map[finding]bool
}

// New makes a middleware from the site's config, and calls build with it: see "How the
// site is built" above. Config.Registry is required. If Config.Keys is empty, the key
// is random. The rest of the config applies unchanged; Config.Observe, if not nil, is
// called as usual. A mistake in the config ends the test.
func New(t testing.TB, config consent.Config, build func(*consent.Middleware) http.Handler) *Site {
	t.Helper()
	if len(config.Keys) == 0 {
		key := make([]byte, 32)
		rand.Read(key)
		config.Keys = [][]byte{key}
	}
	observe := config.Observe
	config.Observe = func(r *http.Request, e consent.Event) {
		collect(r, e)
		if observe != nil {
			observe(r, e)
		}
	}
	mw, err := consent.NewMiddleware(config)
	if err != nil {
		t.Fatalf("consenttest: %v", err)
	}
	return &Site{
		t:        t,
		mw:       mw,
		handler:  mw.Wrap(build(mw)), // wrapping twice does no harm, not wrapping would miss cookies
		reported: make(map[finding]bool),
	}
}

// Undecided returns a visitor who has not decided and has no cookies.
func (s *Site) Undecided() *Visitor { return newVisitor(s, "a new visitor", nil) }

// Decided returns a visitor who has made this choice: the first request to each host
// sends it. A choice that names no declared category or provider ends the test.
func (s *Site) Decided(choice consent.Choice) *Visitor {
	s.t.Helper()
	var err error
	w := httptest.NewRecorder()
	s.mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err = s.mw.Save(w, r, choice)
	})).ServeHTTP(w, httptest.NewRequest("POST", "/", nil))
	if err != nil {
		s.t.Fatalf("consenttest: %v", err)
	}
	return newVisitor(s, "a visitor who has decided", w.Result().Cookies())
}
