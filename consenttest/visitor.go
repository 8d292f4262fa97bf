package consenttest

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
)

// A Visitor sends requests to a [Site] and keeps the cookies of the responses, as a
// browser does. Make one with [Site.Undecided] or [Site.Decided]. A visitor is not safe
// for concurrent use; several visitors of one site may send requests concurrently.
type Visitor struct {
	site   *Site
	who    string // for error messages
	jar    *cookiejar.Jar
	answer []*http.Cookie  // the preferences cookie, or none
	given  map[string]bool // the hosts or domains for which the jar got the answer
}

func newVisitor(site *Site, who string, answer []*http.Cookie) *Visitor {
	jar, _ := cookiejar.New(nil) // its error is always nil
	return &Visitor{site: site, who: who, jar: jar, answer: answer, given: make(map[string]bool)}
}

// Do sends a request through the site and returns the response. The request is one of
// [httptest.NewRequest]; the visitor's cookies are added to its own. Redirects are not
// followed.
//
// Do fails the test for each cookie that the site sets, or tries to set, and that is
// not declared or not set as declared. It reports each such cookie once for each
// request, even if several visitors send the request.
//
// The test itself checks the status of the response, and takes from its body a token
// for the next form. A cookie that belongs to the token is one of the visitor's.
//
// Cookies are kept and sent as over https, whatever the request's scheme. Do reads the
// request's body and replaces it, so that the same request can be sent again.
func (v *Visitor) Do(r *http.Request) *http.Response {
	v.site.t.Helper()
	place := &url.URL{Scheme: "https", Host: r.Host, Path: r.URL.Path}
	if !v.bringAnswer(place) {
		v.site.t.Fatalf("consenttest: Config.Domain is %q, so a request to %q brings no decision", v.site.mw.Cookie().Domain, r.Host)
	}
	observed := new(events)
	w := httptest.NewRecorder()
	v.site.handler.ServeHTTP(w, v.request(r, place, observed))
	response := w.Result()
	v.jar.SetCookies(place, response.Cookies())
	for _, e := range v.site.unreported(r, observed.list()) {
		v.site.t.Errorf("%s by %s: %s", title(r), v.who, v.site.problem(e))
	}
	return response
}

// bringAnswer puts the visitor's answer into the jar for this place, unless it was put
// there before: the site may have replaced it since. It reports whether a browser
// would send the answer to this place.
func (v *Visitor) bringAnswer(place *url.URL) bool {
	scope := cmp.Or(v.site.mw.Cookie().Domain, place.Host)
	if len(v.answer) == 0 || v.given[scope] {
		return true
	}
	v.given[scope] = true
	v.jar.SetCookies(place, v.answer)
	own := v.site.mw.Cookie()
	within := &url.URL{Scheme: place.Scheme, Host: place.Host, Path: own.Path}
	return slices.ContainsFunc(v.jar.Cookies(within), func(c *http.Cookie) bool { return c.Name == own.Name })
}

// request returns a copy of r with the visitor's cookies, and with observed in its
// context.
func (v *Visitor) request(r *http.Request, place *url.URL, observed *events) *http.Request {
	v.site.t.Helper()
	sent := r.Clone(context.WithValue(r.Context(), eventsKey{}, observed))
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
