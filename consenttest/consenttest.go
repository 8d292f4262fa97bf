// Package consenttest lets a site's own tests watch over its cookies. It sends
// requests through the site's handler, as visitors who have answered
// differently, and fails the test where a cookie is set that nobody declared or
// that is not as it was declared:
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
// What a handler tries to set is known to the middleware around it alone: a
// cookie that nobody declared does not leave it. The package therefore makes
// the middleware, of the site's own [consent.Config], and the site brings the
// function that makes its handler with one: newShop above, a
// func(*consent.Middleware) http.Handler that main calls as well. Whatever the
// site needs a middleware for, [consent.Middleware.Save] or package charter,
// has to be made with this one. Whether the handler is wrapped in it already
// makes no difference.
//
// A handler that is wrapped in another middleware, such as one in a global
// variable, keeps from the test what that one removes.
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

// Run sends the requests in their order through the site, as three visitors
// after one another: a new one, who has not decided, one who has refused all,
// and one who has accepted all. It fails t for each cookie that is not declared or not as
// it is declared, and names request, visitor, cookie and what differs. What
// only the visitor who accepts is given, such as statistics, is held against
// its declaration there.
//
// A request that the site refuses, with a status of 400 or more, proves nothing
// of the cookies that it would set, and fails t too. Where that is what should
// happen, or where a form carries a token of the page before it, use [New] and
// [Visitor.Do].
//
// Config and build are those of [New], and each visitor keeps the cookies it is
// given: see [Visitor.Do].
func Run(t testing.TB, config consent.Config, build func(*consent.Middleware) http.Handler, requests ...*http.Request) {
	t.Helper()
	if len(requests) == 0 {
		t.Fatalf("consenttest: no request to send, and so nothing to check")
	}
	site := New(t, config, build)
	undecided, refused, accepted := site.Undecided(), site.Decided(consent.RefuseAll()), site.Decided(consent.AcceptAll())
	refused.who, accepted.who = "a visitor who has refused all", "a visitor who has accepted all"
	told := make(map[string]bool)
	for _, visitor := range []*Visitor{undecided, refused, accepted} {
		for _, r := range requests {
			response := visitor.Do(r)
			refusal := title(r) + response.Status
			if response.StatusCode >= http.StatusBadRequest && !told[refusal] {
				told[refusal] = true
				t.Errorf("%s by %s: the site refuses it with the status %s, which proves nothing of its cookies: "+
					"where that is expected, or where a form carries a token, use New and Do", title(r), visitor.who, strings.TrimSpace(response.Status))
			}
		}
	}
}

// A Site is the handler under test and the middleware that watches it. Make it
// with [New]. For a test that needs no more than a list of requests, there is
// [Run].
type Site struct {
	t        testing.TB
	mw       *consent.Middleware
	handler  http.Handler
	mu       sync.Mutex
	reported map[finding]bool
}

// New makes a middleware of the site's config, and the site of that middleware:
// see "How the site is built" above. The config needs a Registry; without Keys
// it gets one that is random. It is otherwise taken as it is, and what it
// Observes it observes here too. A mistake in the config ends the test.
func New(t testing.TB, config consent.Config, build func(*consent.Middleware) http.Handler) *Site {
	t.Helper()
	if len(config.Keys) == 0 {
		key := make([]byte, 32)
		rand.Read(key)
		config.Keys = [][]byte{key}
	}
	theirs := config.Observe
	config.Observe = func(r *http.Request, e consent.Event) {
		collect(r, e)
		if theirs != nil {
			theirs(r, e)
		}
	}
	mw, err := consent.NewMiddleware(config)
	if err != nil {
		t.Fatalf("consenttest: %v", err)
	}
	return &Site{
		t:        t,
		mw:       mw,
		handler:  mw.Wrap(build(mw)), // what the site has left unwrapped is watched too
		reported: make(map[finding]bool),
	}
}

// Undecided returns a visitor who comes to the site for the first time.
func (s *Site) Undecided() *Visitor { return newVisitor(s, "a new visitor", nil) }

// Decided returns a visitor who has answered this, and whose first request
// brings that answer along. A choice that the registry does not allow for ends
// the test.
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
