// Package drive visits an example as a browser would: over a real connection,
// with a jar for the cookies, by the buttons of the banner.
package drive

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Visit looks at a page of a site before and after each answer, and returns the
// visitor. The page sets two cookies: a necessary one, and one that it asks for.
func Visit(t *testing.T, client *http.Client, page, necessary, asked string) *Visitor {
	t.Helper()
	v := New(t, client)

	before := v.Get(page)
	assert.Equal(t, http.StatusOK, before.StatusCode)
	assert.True(t, before.Sets(necessary), "%s is necessary", necessary)
	assert.False(t, before.Sets(asked), "%s has no consent yet", asked)
	assert.True(t, before.Asks(), "nothing is decided yet")

	accepted := v.Decide(page, "accept")
	assert.Equal(t, page, accepted.Request.URL.String(), "a decision leads back")
	assert.False(t, accepted.Asks())
	after := v.Get(page)
	assert.True(t, after.Sets(necessary))
	assert.True(t, after.Sets(asked), "%s has consent", asked)
	assert.True(t, v.Keeps(page, asked))

	v.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	withdrawn := v.Decide(page, "refuse")
	v.CheckRedirect = nil
	assert.Equal(t, http.StatusSeeOther, withdrawn.StatusCode)
	assert.True(t, withdrawn.Expires(asked), "%s is withdrawn", asked)
	assert.False(t, withdrawn.Expires(necessary))
	assert.False(t, v.Keeps(page, asked))
	assert.True(t, v.Keeps(page, necessary))

	again := v.Get(page)
	assert.True(t, again.Sets(necessary))
	assert.False(t, again.Sets(asked), "%s is refused", asked)
	assert.False(t, again.Asks(), "a refusal is an answer")
	return v
}

// Serve serves a handler on a socket of its own until the test ends.
func Serve(t *testing.T, site http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(site)
	t.Cleanup(server.Close)
	return server
}

// A Visitor is a browser without JavaScript.
type Visitor struct {
	*http.Client
	t *testing.T
}

// New returns a visitor who connects as client does, with a jar of their own.
func New(t *testing.T, client *http.Client) *Visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &Visitor{t: t, Client: &http.Client{Transport: client.Transport, Jar: jar, Timeout: time.Minute}}
}

// Get fetches a page.
func (v *Visitor) Get(page string) *Answer {
	v.t.Helper()
	request, err := http.NewRequest("GET", page, nil)
	require.NoError(v.t, err)
	return v.Send(request)
}

// Post sends a form to a page of the same site.
func (v *Visitor) Post(page string, form url.Values) *Answer {
	v.t.Helper()
	request, err := http.NewRequest("POST", page, strings.NewReader(form.Encode()))
	require.NoError(v.t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", request.URL.Scheme+"://"+request.URL.Host)
	request.Header.Set("Referer", page)
	return v.Send(request)
}

// Decide presses a button of the banner on a page: "accept" or "refuse".
func (v *Visitor) Decide(page, choice string) *Answer {
	v.t.Helper()
	u, err := url.Parse(page)
	require.NoError(v.t, err)
	return v.Post(u.ResolveReference(&url.URL{Path: "/cookies/"}).String(), url.Values{"choice": {choice}, "back": {u.RequestURI()}})
}

// Send sends a request and reads the answer to its end.
func (v *Visitor) Send(request *http.Request) *Answer {
	v.t.Helper()
	response, err := v.Do(request)
	require.NoError(v.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(v.t, err)
	return &Answer{response, string(body)}
}

// Keeps reports whether the visitor has a cookie for a page.
func (v *Visitor) Keeps(page, name string) bool {
	v.t.Helper()
	u, err := url.Parse(page)
	require.NoError(v.t, err)
	for _, c := range v.Jar.Cookies(u) {
		if c.Name == name {
			return true
		}
	}
	return false
}

// An Answer is a response, read to its end.
type Answer struct {
	*http.Response
	Text string
}

// Asks reports whether the page holds the banner.
func (a *Answer) Asks() bool { return strings.Contains(a.Text, `name="choice" value="accept"`) }

// Sets reports whether the answer sets a cookie to something.
func (a *Answer) Sets(name string) bool { return has(a.Cookies(), name, false) }

// Expires reports whether the answer deletes a cookie.
func (a *Answer) Expires(name string) bool { return has(a.Cookies(), name, true) }

func has(cookies []*http.Cookie, name string, deleted bool) bool {
	for _, c := range cookies {
		if c.Name == name && (c.MaxAge < 0) == deleted {
			return true
		}
	}
	return false
}
