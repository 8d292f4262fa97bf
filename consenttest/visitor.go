package consenttest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"

	"github.com/cookiecharter/consent"
)

// A Visitor sends requests to a [Site] and keeps the cookies that it is given,
// as a browser does. [Site.Undecided] and [Site.Decided] make one. It sends one
// request at a time; several visitors may do so side by side.
type Visitor struct {
	site    *Site
	who     string
	jar     *cookiejar.Jar
	answer  []*http.Cookie  // the preferences cookie, or none
	brought map[string]bool // the hosts that have had the answer
}

func newVisitor(site *Site, who string, answer []*http.Cookie) *Visitor {
	jar, _ := cookiejar.New(nil) // its error is always nil
	return &Visitor{site: site, who: who, jar: jar, answer: answer, brought: make(map[string]bool)}
}

// Do sends a request of [httptest.NewRequest] through the site, with the
// visitor's cookies beside those that it carries, and returns the response. It
// fails the test for each cookie that the site tries to set though nobody
// declared it, or that is not as it was declared; what it has told of one
// request once, it does not tell again. Redirections are not followed.
//
// What the response says is for the test to look at: whether its status is the
// one that is expected, and the token in its body that the next form has to
// carry. A cookie that such a token belongs to travels with the visitor.
//
// Cookies travel as on https, whatever the request's scheme. The request's body
// is read and put back: the same request can be sent again.
func (v *Visitor) Do(r *http.Request) *http.Response {
	v.site.t.Helper()
	place := &url.URL{Scheme: "https", Host: r.Host, Path: r.URL.Path}
	if !v.bring(place) {
		v.site.t.Fatalf("consenttest: the config's Domain is %q, where a request to %q brings no decision", v.site.mw.Cookie().Domain, r.Host)
	}
	seen := new(events)
	w := httptest.NewRecorder()
	v.site.handler.ServeHTTP(w, v.request(r, place, seen))
	response := w.Result()
	v.jar.SetCookies(place, response.Cookies())
	for _, e := range v.site.unreported(r, seen.list()) {
		v.site.t.Errorf("%s by %s: %s", title(r), v.who, v.site.wrong(e))
	}
	return response
}

// bring has the visitor's answer sent to this place too, unless it was before:
// the site may have replaced it since. It reports whether a browser would.
func (v *Visitor) bring(place *url.URL) bool {
	where := v.site.mw.Cookie().Domain
	if where == "" {
		where = place.Host
	}
	if len(v.answer) == 0 || v.brought[where] {
		return true
	}
	v.brought[where] = true
	v.jar.SetCookies(place, v.answer)
	return slices.ContainsFunc(v.jar.Cookies(place), func(c *http.Cookie) bool { return c.Name == consent.CookieName })
}

// request returns r as the site gets it: with the visitor's cookies, and with a
// place for what the middleware observes of it.
func (v *Visitor) request(r *http.Request, place *url.URL, seen *events) *http.Request {
	v.site.t.Helper()
	sent := r.Clone(context.WithValue(r.Context(), eventsKey{}, seen))
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			v.site.t.Fatalf("consenttest: reading the body of %s: %v", title(r), err)
		}
		r.Body, sent.Body = io.NopCloser(bytes.NewReader(body)), io.NopCloser(bytes.NewReader(body))
	}
	for _, c := range v.jar.Cookies(place) {
		sent.AddCookie(c)
	}
	return sent
}
