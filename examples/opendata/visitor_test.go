package main

import (
	"context"
	"html"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/ledger"
)

// A visitor is a browser without JavaScript.
type visitor struct {
	*testing.T
	*http.Client
	site     string
	language string // that the browser asks for
}

func visit(t *testing.T, language string) visitor {
	t.Helper()
	handler, err := newSite(newBooks(t))
	require.NoError(t, err)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return visitor{t, &http.Client{Jar: jar}, server.URL, language}
}

// another is another browser, on the same site.
func (v visitor) another() visitor {
	v.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(v, err)
	v.Client = &http.Client{Jar: jar}
	return v
}

// newBooks opens a ledger for one test.
func newBooks(t *testing.T) *ledger.Ledger {
	t.Helper()
	books, err := ledger.Open(context.Background(), filepath.Join(t.TempDir(), "opendata.db"), ledger.Config{})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, books.Close(context.Background())) })
	return books
}

// An answer is a response, read to its end.
type answer struct {
	*http.Response
	body string // without character references
}

// says reports whether the answer holds a text.
func (a answer) says(text string) bool { return strings.Contains(a.body, text) }

func (v visitor) get(path string) answer {
	v.Helper()
	request, err := http.NewRequest("GET", v.site+path, nil)
	require.NoError(v, err)
	return v.send(request)
}

func (v visitor) post(path string, form url.Values) answer {
	v.Helper()
	return v.send(v.form(path, form))
}

var ofAccount = regexp.MustCompile(`name="account" value="([^"]+)"`)

// decide posts the form as a page has drawn it.
func (v visitor) decide(form url.Values) {
	v.Helper()
	posted := maps.Clone(form)
	if of := ofAccount.FindStringSubmatch(v.get("/cookies/").body); of != nil {
		posted.Set("account", of[1])
	}
	v.post("/cookies/", posted)
}

func (v visitor) form(path string, form url.Values) *http.Request {
	v.Helper()
	request, err := http.NewRequest("POST", v.site+path, strings.NewReader(form.Encode()))
	require.NoError(v, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return request
}

func (v visitor) send(request *http.Request) answer {
	v.Helper()
	request.Header.Set("Accept-Language", v.language)
	response, err := v.Do(request)
	require.NoError(v, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(v, err)
	return answer{response, html.UnescapeString(string(body))}
}

// allows reports whether the site sets that cookie.
func (v visitor) allows(name string) bool {
	v.Helper()
	return slices.ContainsFunc(v.get("/").Cookies(), func(c *http.Cookie) bool { return c.Name == name && c.MaxAge >= 0 })
}

// jar returns the cookies that the browser keeps.
func (v visitor) jar() map[string]string {
	v.Helper()
	u, err := url.Parse(v.site)
	require.NoError(v, err)
	kept := make(map[string]string)
	for _, c := range v.Jar.Cookies(u) {
		kept[c.Name] = c.Value
	}
	return kept
}

// keeps returns the names of the cookies that the browser keeps.
func (v visitor) keeps() string {
	v.Helper()
	var names []string
	for name := range v.jar() {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

var (
	tag       = regexp.MustCompile(`<[^>]*>`)
	space     = regexp.MustCompile(`\s+`)
	listItem  = regexp.MustCompile(`(?s)<li.*?</li>`)
	aboutUser = regexp.MustCompile(`(?s)<section class="(panel|choice)".*?</section>`)
)

// lists returns what a visitor reads in the items of the panel and of the
// choice.
func (a answer) lists() (panel, choice []string) {
	for _, section := range aboutUser.FindAllStringSubmatch(a.body, -1) {
		var items []string
		for _, item := range listItem.FindAllString(section[0], -1) {
			items = append(items, strings.TrimSpace(space.ReplaceAllString(tag.ReplaceAllString(item, ""), " ")))
		}
		if section[1] == "panel" {
			panel = items
		} else {
			choice = items
		}
	}
	return panel, choice
}
