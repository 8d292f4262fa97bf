package main

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/examples/internal/drive"
)

var tokenField = regexp.MustCompile(`name="gorilla.csrf.Token" value="([^"]+)"`)

func TestSessionsWorkAndOnlyTheNecessaryOnesBeforeADecision(t *testing.T) {
	site, err := newSite()
	require.NoError(t, err)
	server := drive.Serve(t, site)
	page := server.URL + "/"
	visitor := drive.Visit(t, server.Client(), page, "session", "seen")

	assert.True(t, visitor.Keeps(page, "_gorilla_csrf"))
	home := visitor.Get(page)
	require.Contains(t, home.Text, "Hello </h1>")
	require.Contains(t, home.Text, "Seen before: 0", "refused, and so forgotten")

	refused := visitor.Post(page+"sign-in", url.Values{"name": {"Mallory"}})
	assert.Equal(t, http.StatusForbidden, refused.StatusCode, "a form without its token")
	token := tokenField.FindStringSubmatch(home.Text)
	require.NotNil(t, token)
	home = visitor.Post(page+"sign-in", url.Values{"name": {"<Ada>"}, "gorilla.csrf.Token": {html.UnescapeString(token[1])}})
	assert.Equal(t, page, home.Request.URL.String(), "the sign-in leads back")
	assert.Contains(t, home.Text, "Hello &lt;Ada&gt;</h1>")

	for choice, seen := range map[string]string{"accept": "Seen before: 2", "refuse": "Seen before: 0"} {
		visitor.Decide(page, choice) // leads back to the page: seen once
		visitor.Get(page)
		home = visitor.Get(page)
		assert.Contains(t, home.Text, "Hello &lt;Ada&gt;</h1>", choice)
		assert.Contains(t, home.Text, seen, choice)
	}
}

func TestACSRFTokenComesWithItsCookieBeforeADecision(t *testing.T) {
	site, err := newSite()
	require.NoError(t, err)
	server := drive.Serve(t, site)
	visitor := drive.New(t, server.Client())
	home := visitor.Get(server.URL + "/")
	assert.True(t, home.Asks())
	assert.True(t, home.Sets("_gorilla_csrf"))
	token := tokenField.FindStringSubmatch(home.Text)
	require.NotNil(t, token)
	home = visitor.Post(server.URL+"/sign-in", url.Values{"name": {"Ada"}, "gorilla.csrf.Token": {html.UnescapeString(token[1])}})
	assert.Contains(t, home.Text, "Hello Ada</h1>")
}
