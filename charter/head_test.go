package charter_test

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

// under returns what draws under these Content-Security-Policies.
func under(policies []string, draw func(*http.Request) template.HTML) func(http.ResponseWriter, *http.Request) template.HTML {
	return func(w http.ResponseWriter, r *http.Request) template.HTML {
		for _, policy := range policies {
			w.Header().Add("Content-Security-Policy", policy)
		}
		return draw(r)
	}
}

func withNonce(c *charter.Config) { c.Nonce = func(*http.Request) string { return "r4nd0m" } }

func TestTheStyleStandsInThePageIfItsPolicyAllowsIt(t *testing.T) {
	const inline, link = true, false
	for name, test := range map[string]struct {
		policies []string // HASH stands for StyleHash
		nonce    bool
		want     bool
	}{
		"no policy":                               {nil, false, inline},
		"one for scripts alone":                   {[]string{"script-src 'none'"}, false, inline},
		"one for attributes alone":                {[]string{"style-src-attr 'none'"}, false, inline},
		"default-src":                             {[]string{"default-src 'self'"}, false, link},
		"style-src":                               {[]string{"style-src 'self'"}, false, link},
		"an empty style-src":                      {[]string{"style-src"}, false, link},
		"in capitals":                             {[]string{"STYLE-SRC 'self'"}, false, link},
		"style-src before default-src":            {[]string{"default-src 'none'; style-src 'unsafe-inline'"}, false, inline},
		"style-src-elem before style-src":         {[]string{"style-src 'unsafe-inline'; style-src-elem 'self'"}, false, link},
		"style-src-elem that allows it":           {[]string{"style-src 'none'; style-src-elem 'unsafe-inline'"}, false, inline},
		"the first of two of one name":            {[]string{"style-src 'self'; style-src 'unsafe-inline'"}, false, link},
		"unsafe-inline":                           {[]string{"style-src 'self' 'unsafe-inline'"}, false, inline},
		"unsafe-inline of default-src":            {[]string{"default-src 'self' 'unsafe-inline'"}, false, inline},
		"unsafe-inline that a hash puts out":      {[]string{"style-src 'unsafe-inline' 'sha256-AAAA'"}, false, link},
		"unsafe-inline that a nonce puts out":     {[]string{"style-src 'unsafe-inline' 'nonce-x'"}, false, link},
		"that a nonce in capitals puts out":       {[]string{"style-src 'unsafe-inline' 'NONCE-x'"}, false, link},
		"the nonce":                               {[]string{"style-src 'nonce-r4nd0m'"}, true, inline},
		"the nonce of default-src":                {[]string{"default-src 'nonce-r4nd0m'"}, true, inline},
		"another nonce":                           {[]string{"style-src 'nonce-other'"}, true, link},
		"a nonce that the site does not give":     {[]string{"style-src 'nonce-'"}, false, link},
		"the hash":                                {[]string{"style-src HASH"}, false, inline},
		"the hash next to unsafe-inline":          {[]string{"style-src 'unsafe-inline' HASH"}, false, inline},
		"another hash":                            {[]string{"style-src 'sha256-AAAA'"}, false, link},
		"two policies that allow it":              {[]string{"style-src 'unsafe-inline'", "default-src HASH"}, false, inline},
		"two policies, the second of which bars":  {[]string{"style-src 'unsafe-inline'", "style-src 'self'"}, false, link},
		"two policies in one line":                {[]string{"style-src 'unsafe-inline', default-src 'self'"}, false, link},
		"two policies in one line that allow it":  {[]string{"script-src 'self', style-src HASH"}, false, inline},
		"upgrade-insecure-requests and no source": {[]string{"upgrade-insecure-requests; ; frame-ancestors 'none'"}, false, inline},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(c *charter.Config) {
				if test.nonce {
					withNonce(c)
				}
			})
			for i := range test.policies {
				test.policies[i] = strings.ReplaceAll(test.policies[i], "HASH", s.charter.StyleHash())
			}
			head, _ := s.draw("GET", "/", under(test.policies, s.charter.Head))
			nonce := ""
			if test.nonce {
				nonce = ` nonce="r4nd0m"`
			}
			if test.want == inline {
				assert.True(t, strings.HasPrefix(head, "<style"+nonce+">") && strings.Contains(head, ".charter-banner"), "%.100s", head)
				assert.NotContains(t, head, "<link")
			} else {
				assert.Regexp(t, `^<link rel="stylesheet" href="/cookies/style-[^"]+\.css"`+nonce+`>$`, head)
			}
		})
	}
}

func TestTheHashIsThatOfTheStyleInThePage(t *testing.T) {
	for name, change := range map[string]func(*charter.Config){
		"the library's":        nil,
		"with some of its own": func(c *charter.Config) { c.Style = append(charter.DefaultStyle(), ".mine{}"...) },
	} {
		s := newSite(t, change)
		head, _ := s.draw("GET", "/", under(nil, s.charter.Head))
		style := found(head, `(?s)^<style>(.*)</style>$`)
		require.Len(t, style, 1, name)
		sum := sha256.Sum256([]byte(strings.TrimSuffix(strings.TrimPrefix(head, "<style>"), "</style>")))
		assert.Equal(t, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'", s.charter.StyleHash(), name)
		assert.Equal(t, change != nil, strings.Contains(style[0], ".mine{}"), name)
	}
	for name, style := range map[string]string{
		"a sheet of the site's own":    ".mine{}",
		"one that would end the style": string(charter.DefaultStyle()) + `.mine{content:"</STYLE><script>"}`,
	} {
		s := newSite(t, func(c *charter.Config) { c.Style = []byte(style) })
		assert.Empty(t, s.charter.StyleHash(), name)
		head, _ := s.draw("GET", "/", under(nil, s.charter.Head))
		assert.Regexp(t, `^<link rel="stylesheet" href="/cookies/style-[^"]+\.css">$`, head, name)
	}
}

func TestTheHeadIsEmptyIfThereIsNothingToShow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		head := func(s *site) string {
			head, response := s.draw("GET", "/", under(nil, s.charter.Head))
			assert.Contains(t, response.Header.Get("Cache-Control"), "private", "what it is depends on the visitor")
			return head
		}
		plain, button := newSite(t, nil), newSite(t, func(c *charter.Config) { c.Button = true })
		for _, s := range []*site{plain, button} {
			assert.NotEmpty(t, head(s))
			s.do("POST", "/cookies/", map[string][]string{"choice": {"refuse"}})
			assert.NotEmpty(t, head(s), "for the confirmation")
		}
		assert.Regexp(t, `(?s)class="charter-done".*</dialog>\s*<a class="charter-button"`, button.get("/"), "who closes the confirmation finds the button")
		assert.NotContains(t, plain.get("/"), `class="charter-button"`)
		time.Sleep(time.Minute)
		assert.Empty(t, head(plain))
		assert.NotEmpty(t, head(button))
		assert.Contains(t, button.get("/"), `class="charter-button" href="/cookies/#settings"`)
		assert.NotContains(t, plain.get("/"), "charter-button")
	})
}

func TestTheScriptUsesFetchIfThePolicyIsKnownToAllowIt(t *testing.T) {
	for name, test := range map[string]struct {
		policies []string
		want     bool
	}{
		"no policy":                              {nil, true},
		"one for scripts alone":                  {[]string{"script-src 'self'"}, true},
		"default-src":                            {[]string{"default-src 'self'"}, true},
		"default-src that bars":                  {[]string{"default-src 'none'"}, false},
		"connect-src":                            {[]string{"default-src 'none'; connect-src 'self'"}, true},
		"any":                                    {[]string{"connect-src *"}, true},
		"connect-src that bars":                  {[]string{"default-src 'self'; connect-src https://api.example"}, false},
		"two policies, the second of which bars": {[]string{"connect-src 'self'", "default-src 'none'"}, false},
		"two policies in one line":               {[]string{"connect-src 'self', connect-src 'none'"}, false},
	} {
		s := newSite(t, nil)
		tag, _ := s.draw("GET", "/", under(test.policies, s.charter.Script))
		assert.Equal(t, test.want, strings.Contains(tag, " data-fetch"), name)
		assert.NotContains(t, tag, "data-post", name)
	}
	s := newSite(t, nil)
	assert.NotContains(t, s.charter.Script(httptest.NewRequest("GET", "/", nil)), "data-fetch", "outside of Wrap there is no telling")
	assert.NotContains(t, s.charter.Script(nil), "data-fetch")
}

func TestTheScriptIsToldOfAPageThatCannotBeLoadedAgain(t *testing.T) {
	s := newSite(t, nil)
	for method, want := range map[string]bool{"GET": false, "HEAD": false, "POST": true, "PUT": true} {
		var tag template.HTML
		s.draw(method, "/", under(nil, func(r *http.Request) template.HTML {
			tag = s.charter.Script(r)
			return ""
		}))
		assert.Equal(t, want, strings.Contains(string(tag), " data-post"), method)
	}
}

// tags returns the tags that a policy may ask a nonce of.
func tags(page string) []string {
	return regexp.MustCompile(`<(?:script|style|link)\b[^>]*>`).FindAllString(page, -1)
}

func TestEachTagHasTheNonceOfThePolicy(t *testing.T) {
	stored := func(c *charter.Config) {
		c.Middleware = newMiddleware(t, append(declared(), consent.Cookie{Kind: consent.LocalStorage, Provider: "AdCo", Name: "ad", Purpose: text("x"), Category: consent.ThirdParty})...)
	}
	for nonce, written := range map[string]string{"r4nd0m": ` nonce="r4nd0m"`, `"><script>`: ` nonce="&#34;&gt;&lt;script&gt;"`, "": ""} {
		s := newSite(t, func(c *charter.Config) {
			stored(c)
			c.Nonce = func(*http.Request) string { return nonce }
		})
		placeholder := func(r *http.Request) template.HTML { return s.charter.Placeholder(r, "chat", "Chat", "the chat") }
		link := []string{"style-src 'self'"}
		for name, test := range map[string]struct {
			draw func(http.ResponseWriter, *http.Request) template.HTML
			tags int
		}{
			"style in the page": {under(nil, s.charter.Head), 1},
			"linked style":      {under(link, s.charter.Head), 1},
			"script":            {under(nil, s.charter.Script), 1},
			"placeholder":       {under(nil, placeholder), 1},
			"banner":            {under(nil, s.charter.Banner), 0},
			"link":              {under(nil, s.charter.Link), 0},
			"the charter's page, under the site's own policy": {func(w http.ResponseWriter, r *http.Request) template.HTML {
				w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+nonce+"'; script-src 'nonce-"+nonce+"'; form-action 'self'")
				s.charter.Handler().ServeHTTP(w, r)
				return ""
			}, 2},
		} {
			page, _ := s.draw("GET", "/cookies/", test.draw)
			assert.Len(t, tags(page), test.tags, name)
			for _, tag := range tags(page) {
				if written == "" {
					assert.NotContains(t, tag, "nonce", name)
				} else {
					assert.Regexp(t, regexp.QuoteMeta(written)+"[ >]", tag, name)
				}
			}
		}
	}
}

func TestWhatTheScriptLoadsNeedsNoNonce(t *testing.T) {
	s := newSite(t, withNonce)
	for _, show := range []string{"", "settings", "working", "stale", "unkept", "placeholders&for=" + "category%3Dchat%26provider%3DChat"} {
		part := s.get("/cookies/banner.js?back=/&show=" + show)
		assert.NotRegexp(t, `\\u003c(script|style|link)`, part, show)
		assert.Regexp(t, `"css":"[^"]*\.charter-banner`, part, show)
	}
}
