package main

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
)

func TestThePortalWorksForThoseWhoRefuse(t *testing.T) {
	v := visit(t, "en")
	v.post("/cookies/", refuse)
	assert.True(t, v.post("/sign-in", url.Values{"name": {" Ada & Co "}}).says("<strong>Ada & Co</strong>"))
	assert.Contains(t, v.keeps(), "sessionid")
	assert.True(t, v.get("/").says("Signed in as"))
	assert.True(t, v.post("/language", url.Values{"language": {"fr"}}).says("Connecté en tant que"))
	assert.False(t, v.post("/sign-out", nil).says("Ada"))
	assert.NotContains(t, v.keeps(), "sessionid")
}

func TestASessionIsSomebodysOwn(t *testing.T) {
	v := visit(t, "en")
	v.post("/sign-in", url.Values{"name": {"Ada"}})
	v.Jar, _ = cookiejar.New(nil)
	assert.False(t, v.get("/").says("Ada"))
}

func TestTheAPIAsksForItsToken(t *testing.T) {
	for _, test := range []struct {
		name         string
		visited      bool
		form, header string
		status       int
		want         string
	}{
		{"without a visit", false, "", "", 403, "csrftoken: missing or wrong"},
		{"without a token", true, "", "", 403, "csrftoken: missing or wrong"},
		{"with a guess", true, "guess", "", 403, "csrftoken: missing or wrong"},
		{"with a guess in the header", true, "{token}", "guess", 403, "csrftoken: missing or wrong"},
		{"with the token in the form", true, "{token}", "", 200, `"title": "Air quality"`},
		{"with the token in the header", true, "", "{token}", 200, `"title": "Air quality"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := visit(t, "en")
			if test.visited {
				v.get("/")
			}
			token := strings.NewReplacer("{token}", v.jar()["csrftoken"])
			request := v.form("/api/datasets", url.Values{"csrftoken": {token.Replace(test.form)}})
			if test.header != "" {
				request.Header.Set("X-CSRFToken", token.Replace(test.header))
			}
			answer := v.send(request)
			assert.Equal(t, test.status, answer.StatusCode)
			assert.Contains(t, answer.body, test.want)
		})
	}
}

func TestBadFormsAreRefusedWithAWord(t *testing.T) {
	v := visit(t, "en")
	long := strings.Repeat("x", maxForm)
	for _, test := range []struct {
		path   string
		form   url.Values
		status int
		want   string
	}{
		{"/cookies/", nil, 400, "choice"},
		{"/cookies/", save("third-party:Nobody"), 400, `"Nobody"`},
		{"/cookies/", url.Values{"choice": {"accept"}, "x": {long}}, 413, "too large"},
		{"/language", url.Values{"language": {"xx"}}, 400, "language"},
		{"/language", url.Values{"language": {""}}, 400, "language"},
		{"/sign-in", url.Values{"name": {" "}}, 400, "name"},
		{"/sign-in", url.Values{"name": {strings.Repeat("x", 101)}}, 400, "name"},
		{"/sign-in", url.Values{"name": {long}}, 413, "too large"},
	} {
		answer := v.post(test.path, test.form)
		assert.Equal(t, test.status, answer.StatusCode, "%s %.40v", test.path, test.form)
		assert.Contains(t, answer.body, test.want)
		assert.Empty(t, v.keeps())
	}
}

func TestNoOtherSitePostsForAVisitor(t *testing.T) {
	v := visit(t, "en")
	for path, form := range map[string]url.Values{
		"/cookies/": accept,
		"/language": {"language": {"en"}},
		"/sign-in":  {"name": {"Mallory"}},
		"/sign-out": nil,
	} {
		request := v.form(path, form)
		request.Header.Set("Origin", "https://evil.example")
		answer := v.send(request)
		assert.Equal(t, http.StatusForbidden, answer.StatusCode, path)
		assert.True(t, answer.says("cross-origin"), path)
		assert.Empty(t, v.keeps(), path)
	}
}

func TestEveryPageLoadsOnlyWhatThePortalServes(t *testing.T) {
	v := visit(t, "en")
	named := regexp.MustCompile(`(?:href|src|action)="([^"]*)"`)
	for _, path := range []string{"/", "/cookies/", "/atlas/"} {
		page := v.get(path)
		policy := page.Header.Get("Content-Security-Policy")
		assert.Contains(t, policy, "default-src 'none'; style-src 'self'; ", path)
		assert.NotContains(t, policy, "unsafe", path)
		assert.NotRegexp(t, `<style|style="|<script>| on[a-z]+="`, page.body, path)
		for _, name := range named.FindAllStringSubmatch(page.body, -1) {
			if strings.HasPrefix(name[1], "#") {
				continue
			}
			assert.Regexp(t, `^/([^/]|$)`, name[1], "on this site")
			assert.NotEqual(t, http.StatusNotFound, v.get(name[1]).StatusCode, name[1])
		}
	}
	assert.Equal(t, "image/svg+xml", v.get("/favicon.ico").Header.Get("Content-Type"))
}

func TestNoSentenceIsMissingOrIdle(t *testing.T) {
	said := make(map[string]bool)
	for _, name := range []string{"home.html", "panel.go", "view.go"} {
		source, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, call := range regexp.MustCompile(`(?:Say |say\(|why :?= )"([^"]*)"`).FindAllSubmatch(source, -1) {
			said[string(call[1])] = true
			assert.Contains(t, words, string(call[1]))
		}
	}
	for _, reason := range []consent.Reason{consent.ReasonUndeclared, consent.ReasonUndecided, consent.ReasonRefused, consent.ReasonObjected} {
		said[string(reason)] = true
		assert.Contains(t, words, string(reason))
	}
	for key, sentence := range words {
		assert.True(t, said[key], "%q is never said", key)
		for _, tag := range spoken {
			assert.NotEmpty(t, sentence[tag], key)
		}
	}
}
