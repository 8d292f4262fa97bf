package charter_test

import (
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

// embed returns what a page of the site shows for some contents.
func (s *site) embed(path string, all ...charter.Embed) string {
	shown, _ := s.draw("GET", path, func(_ http.ResponseWriter, r *http.Request) (shown template.HTML) {
		for _, e := range all {
			shown += s.charter.Embed(r, e)
		}
		return shown
	})
	return shown
}

// a chat is content of the provider "Chat" of declared.
func chat(title string, content template.HTML) charter.Embed {
	return charter.Embed{Category: "chat", Provider: "Chat", Title: title, Content: content}
}

func TestTwoContentsOfOneProviderHaveNamesOfTheirOwn(t *testing.T) {
	s := newSite(t, nil)
	contents := []charter.Embed{
		chat("With sales", "<iframe src=/a></iframe>"),
		chat("With support", "<iframe src=/a></iframe>"),
		chat("", `<iframe src=/b title="With &quot;us&quot;"></iframe>`),
		chat("", `<IFRAME title='With them' src=/b></IFRAME>`),
		chat("", "<iframe src=/c></iframe>"),
		chat("", "<iframe src=/d></iframe>"),
	}
	page := s.embed("/talk", contents...)
	assert.Equal(t, []string{"Chat: With sales", "Chat: With support", `Chat: With "us"`, "Chat: With them", "Chat", "Chat"}, found(page, `aria-label="([^"]*)"`))
	assert.Equal(t, []string{"With sales", "With support", `With "us"`, "With them"}, found(page, `<h3 lang="">([^<]*)</h3>`))
	assert.Equal(t, []string{"With sales", "With support", `With "us"`, "With them"}, found(page, `aria-description="([^"]*)"`), "of the buttons, which say the same")
	ids := found(page, `<section class="charter-placeholder" id="([^"]*)"`)
	require.Len(t, ids, len(contents))
	seen := make(map[string]bool)
	for i, back := range found(page, `name="back" value="([^"]*)"`) {
		assert.Equal(t, "/talk#"+ids[i], back, "a browser without the script comes back to the content")
		assert.False(t, seen[ids[i]], "two of one id")
		seen[ids[i]] = true
	}
	assert.Equal(t, ids, found(s.embed("/talk", contents...), `<section class="charter-placeholder" id="([^"]*)"`), "the same each time")

	s.do("POST", "/cookies/", url.Values{"choice": {"add"}, "allow": {"chat:Chat"}})
	assert.Equal(t, ids, found(s.embed("/talk", contents...), `<div class="charter-content" id="([^"]*)" tabindex="-1">`), "where the browser comes back to")
}

func TestAPlaceholderSaysWhatTheSiteSaysOfTheContent(t *testing.T) {
	s := newSite(t, nil)
	e := chat("A talk", "THE CONTENT")
	e.Ratio, e.Image, e.Link = 16./9, "/still.jpg?a=1&b=2", "https://chat.example/talk"
	page := s.embed("/", e)
	for _, want := range []string{
		"This content comes from Chat. To show it, your browser contacts Chat, which may set cookies.",
		"<ul><li>Talks.</li></ul>",
		`<svg viewBox="0 0 178 100" aria-hidden="true">`,
		`<img src="/still.jpg?a=1&amp;b=2" alt="" loading="lazy">`,
		`<a href="https://chat.example/talk" rel="noopener noreferrer">Open it on the site of Chat</a>`,
		">Allow Chat and show the content</button>",
	} {
		assert.Contains(t, page, want)
	}
	plain := s.embed("/", chat("", "THE CONTENT"))
	for _, not := range []string{"<svg", "<img", "<a ", "<h3"} {
		assert.NotContains(t, plain, not)
	}
	for _, ratio := range []float64{-1, 0, 1e9} {
		e.Ratio = ratio
		assert.NotContains(t, s.embed("/", e), "<svg")
	}
	e.Title, e.Image, e.Link = `"><script>`, `"><script>`, "javascript:alert(1)"
	hostile, _, _ := strings.Cut(s.embed("/", e), "<template")
	assert.NotContains(t, hostile, "<script>")
	assert.NotContains(t, hostile, "javascript:")
}

func TestNothingOfTheContentIsInThePageIfItCannotBeAllowed(t *testing.T) {
	for name, test := range map[string]struct {
		embed charter.Embed
		told  string
	}{
		"a provider that nobody declared": {charter.Embed{Category: "chat", Provider: "Nobody"},
			`charter: Embed: nothing of the provider "Nobody" is declared in the category "chat", so that its placeholder has no button`},
		"another category": {charter.Embed{Category: consent.ThirdParty, Provider: "Chat"},
			`charter: Embed: nothing of the provider "Chat" is declared in the category "third-party", so that its placeholder has no button; the provider "Chat" is declared in the category "chat"`},
		"other capitals": {charter.Embed{Category: "chat", Provider: "CHAT"},
			`charter: Embed: nothing of the provider "CHAT" is declared in the category "chat", so that its placeholder has no button; the provider "Chat" is declared in the category "chat"`},
	} {
		t.Run(name, func(t *testing.T) {
			var failures []error
			s := newSite(t, func(c *charter.Config) {
				c.Failed = func(_ *http.Request, err error) { failures = append(failures, err) }
			})
			test.embed.Content = "THE CONTENT"
			for range 2 {
				page := s.embed("/", test.embed)
				assert.Contains(t, page, "This content comes from "+test.embed.Provider)
				assert.NotContains(t, page, "<button")
				assert.NotContains(t, page, "THE CONTENT")
			}
			require.Len(t, failures, 1, "the developer is told, and the log not flooded")
			assert.EqualError(t, failures[0], test.told)
		})
	}
}

func TestOneClickOnAPlaceholderRefusesNothingElse(t *testing.T) {
	s := newSite(t, nil)
	response := s.do("POST", "/cookies/", url.Values{"choice": {"add"}, "allow": {"statistics:Matomo"}, "back": {"/?page=2#charter-x"}})
	assert.Equal(t, http.StatusSeeOther, response.StatusCode)
	assert.Equal(t, "/?page=2#charter-x", response.Header.Get("Location"))
	assert.Equal(t, "visits _pk_id.1", s.allowed())
	assert.NotEmpty(t, s.asked(), "the banner asks for the rest")
	assert.Equal(t, undecided, s.said())
	assert.Equal(t, []string{"statistics=some", "statistics:Matomo"}, s.chosen(), "the form leaves the rest open")
	assert.NotEmpty(t, found(s.embed("/", chat("", "x")), `(<button)`), "so does another placeholder")

	s.do("POST", "/cookies/", url.Values{"choice": {"add"}, "allow": {"chat:Chat"}})
	assert.Equal(t, "visits _pk_id.1 chat", s.allowed(), "a second click adds to the first")
	assert.NotEmpty(t, s.asked())

	s.do("POST", "/cookies/", url.Values{"choice": {"refuse"}})
	assert.Equal(t, "visits", s.allowed())
	s.do("POST", "/cookies/", url.Values{"choice": {"add"}, "allow": {"chat:Chat"}})
	assert.Equal(t, "visits chat", s.allowed())
	assert.Empty(t, s.asked(), "what was refused before is answered")
}

func TestAPageWithAPlaceholderIsPrivateByItself(t *testing.T) {
	for name, decide := range map[string]url.Values{"placeholder": nil, "content": {"choice": {"accept"}}} {
		s := newSite(t, nil)
		if decide != nil {
			s.do("POST", "/cookies/", decide)
		}
		_, response := s.draw("GET", "/", func(w http.ResponseWriter, r *http.Request) template.HTML {
			return s.charter.Embed(r, chat("", "x"))
		})
		assert.Equal(t, "private", response.Header.Get("Cache-Control"), name)
		assert.Contains(t, strings.Join(response.Header.Values("Vary"), ", "), "Cookie", name)
	}
}

func TestAPlaceholderInAFrameLeadsBackToTheFrame(t *testing.T) {
	s := newSite(t, nil)
	s.headers = map[string]string{"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "same-origin", "Referer": "https://example.org/around"}
	assert.Regexp(t, `name="back" value="/inside#charter-`, s.embed("/inside", chat("", "x")))
}

// placeholders returns the path of the part with these placeholders, each a query.
func placeholders(queries ...url.Values) string {
	all := url.Values{"show": {"placeholders"}, "back": {"/static?page=2"}}
	for _, query := range queries {
		all.Add("for", query.Encode())
	}
	return "/cookies/banner.js?" + all.Encode()
}

func TestTheScriptIsDrawnPlaceholders(t *testing.T) {
	s := newSite(t, nil)
	page := s.part(placeholders(
		url.Values{"category": {"chat"}, "provider": {"Chat"}, "title": {"With sales"}, "ratio": {"2"}, "link": {"https://chat.example/"}},
		url.Values{"category": {"chat"}, "provider": {"Chat"}, "title": {"With sales"}, "ratio": {"wide"}, "link": {"javascript:alert(1)"}},
		url.Values{"category": {"chat"}, "provider": {"Nobody"}, "title": {"<script>"}},
		nil,
	))
	sections := strings.SplitAfter(page, "</section>")
	require.Len(t, sections, 5, "one for each, in their order")
	assert.Contains(t, sections[0], `viewBox="0 0 200 100"`)
	assert.Contains(t, sections[0], `href="https://chat.example/"`)
	assert.Contains(t, sections[0], `name="back" value="/static?page=2"`)
	assert.Contains(t, sections[0], `value="chat:Chat"`)
	assert.NotContains(t, sections[1], "<svg")
	assert.NotContains(t, sections[1], "javascript:")
	assert.NotContains(t, sections[2], "<button")
	assert.NotContains(t, page, "<script>")
	assert.NotContains(t, page, "<link", "the script has the style")
	assert.NotContains(t, page, "<template", "and the content")
	assert.NotEqual(t, found(sections[0], ` id="([^"]*)"`), found(sections[1], ` id="([^"]*)"`))

	broken := s.part("/cookies/banner.js?show=placeholders&for=%25zz&back=//evil.example")
	assert.Equal(t, 1, strings.Count(broken, "<section"))
	assert.NotContains(t, broken, "evil")
	many := make([]url.Values, 500)
	assert.Equal(t, 20, strings.Count(s.part(placeholders(many...)), "<section"), "the script asks for the rest in further requests")
}
