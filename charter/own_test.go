package charter_test

import (
	"bytes"
	"encoding/json"
	"html/template"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

func TestASiteChangesSentences(t *testing.T) {
	s := newSite(t, func(c *charter.Config) {
		c.Languages = fstest.MapFS{"en.json": {Data: []byte(`{"Refuse": "No, thanks", "Categories": {"statistics": {"Title": "Audience", "For": "to count you"}}}`)}}
	})
	page := s.get("/")
	assert.Contains(t, page, "No, thanks")
	assert.Contains(t, page, "Accept all", "what the file leaves out stays")
	assert.Contains(t, page, "to count you, to show content of other sites")
	assert.Contains(t, s.get("/cookies/"), "They measure how the site is used")
	assert.Contains(t, s.get("/cookies/"), "<legend>Audience</legend>")
}

func TestALanguageThatIsAddedSpeaksInItsDirection(t *testing.T) {
	english, err := os.ReadFile("languages/en.json")
	require.NoError(t, err)
	forms := regexp.MustCompile(`"one": ("\{n\}[^"]*"), "other"`).ReplaceAll(english, []byte(`"zero": $1, "one": $1, "two": $1, "few": $1, "many": $1, "other"`))
	s := newSite(t, func(c *charter.Config) {
		c.Languages = fstest.MapFS{"ar.json": {Data: bytes.Replace(forms, []byte("Reject all"), []byte("رفض الكل"), 1)}}
	})
	s.accept = "ar"
	assert.Contains(t, s.get("/"), `lang="ar" dir="rtl"`)
	assert.Contains(t, s.get("/"), "رفض الكل")
	assert.Contains(t, s.get("/cookies/"), `<html lang="ar" dir="rtl">`)
	s.accept = "de"
	assert.Contains(t, s.get("/"), `lang="de" dir="ltr"`)
}

func TestMistakesInASitesOwnLanguagesAreNamed(t *testing.T) {
	mw, err := consent.NewMiddleware(consent.Config{Registry: consent.MustRegistry(declared()[:1]...), Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}})
	require.NoError(t, err)
	for file, want := range map[string]string{
		`{"Refuse": "Ne"}`:                  "Accept is missing",
		`{"Nonsense": "x"}`:                 "Nonsense",
		`{`:                                 "eo.json",
		`{"Ask": "Sen {purposes} {x}", "a"`: "eo.json",
	} {
		_, err := charter.New(charter.Config{Middleware: mw, Languages: fstest.MapFS{"eo.json": {Data: []byte(file)}}})
		assert.ErrorContains(t, err, want, file)
		assert.ErrorContains(t, err, "Config.Languages")
	}
	for file, want := range map[string]string{
		`{"Units": {"hours": {"one": "{n} heure"}}}`:         "Units.hours",
		`{"Categories": {"statistic": {"Title": "Mesure"}}}`: "Categories.statistic",
	} {
		_, err := charter.New(charter.Config{Middleware: mw, Languages: fstest.MapFS{"fr.json": {Data: []byte(file)}}})
		assert.ErrorContains(t, err, want, "of a language that is there already")
	}
}

func TestAPurposeOfTheLibraryNeedsNoTextOfTheSite(t *testing.T) {
	ad := consent.Cookie{Provider: "Ad & Co", Name: "ad", Purpose: text("x"), Category: consent.Advertising}
	const about = "They choose advertisements by what you look at here and on other sites"
	for name, test := range map[string]struct {
		change                func(*charter.Config)
		title, purpose, about string
	}{
		"the library's": {func(*charter.Config) {}, "Advertising", sells, about},
		"by Categories": {func(c *charter.Config) {
			c.Categories = map[consent.Category]charter.Category{consent.Advertising: {Title: text("Adverts")}}
		}, "Adverts", "for “Adverts”", about},
		"by Categories, with what it is for": {func(c *charter.Config) {
			c.Categories = map[consent.Category]charter.Category{consent.Advertising: {Title: text("Adverts"), For: text("to pay for this site")}}
		}, "Adverts", "to pay for this site", about},
		"by Languages": {func(c *charter.Config) {
			c.Languages = fstest.MapFS{"en.json": {Data: []byte(`{"Categories": {"advertising": {"About": "They pay for this site."}}}`)}}
		}, "Advertising", sells, "They pay for this site."},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(c *charter.Config) {
				c.Middleware, c.Categories = newMiddleware(t, ad), nil
				test.change(c)
			})
			assert.Equal(t, []string{asksFirst + test.purpose + anyTime}, s.asked())
			page := s.get("/cookies/")
			assert.Equal(t, []string{"Necessary", test.title}, found(page, `<legend>(.*?)</legend>`), "and no other purpose")
			assert.Contains(t, page, test.about)
			assert.Contains(t, page, `<h2 id="kind-advertising">`+test.title+`</h2>`)
		})
	}
}

func TestALanguageThatIsAddedNeedsNoPurposeThatNobodySees(t *testing.T) {
	english, err := os.ReadFile("languages/en.json")
	require.NoError(t, err)
	purposes := regexp.MustCompile(`,\n    "(audience|personal|advert|social|embed|chat|appear)[a-z-]*": \{"Title"[^}]*\}`)
	require.Len(t, purposes.FindAll(english, -1), 7)
	config := charter.Config{Languages: fstest.MapFS{"eo.json": {Data: purposes.ReplaceAll(english, nil)}}}
	config.Middleware = newMiddleware(t, declared()[:5]...)
	_, err = charter.New(config)
	assert.NoError(t, err)
	config.Middleware = newMiddleware(t, byPurpose()[5])
	_, err = charter.New(config)
	assert.ErrorContains(t, err, "Categories.advertising.About is missing")
	assert.NotContains(t, err.Error(), "chat")
}

func TestLanguagesInAFolderAreAMistake(t *testing.T) {
	mw, err := consent.NewMiddleware(consent.Config{Registry: consent.MustRegistry(), Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}})
	require.NoError(t, err)
	_, err = charter.New(charter.Config{Middleware: mw, Languages: fstest.MapFS{"lang/en.json": {Data: []byte(`{}`)}}})
	assert.ErrorContains(t, err, "fs.Sub")
}

func TestASiteReplacesTemplatesOneByOne(t *testing.T) {
	s := newSite(t, func(c *charter.Config) {
		c.Templates = template.Must(template.New("link").Parse(`<a class="mine" href="{{.Path}}">Biscuits</a>`))
	})
	page := s.get("/")
	assert.Contains(t, page, `<a class="mine" href="/cookies/">Biscuits</a>`)
	assert.Contains(t, page, "charter-banner", "the others stay")

	s = newSite(t, func(c *charter.Config) {
		c.Templates = template.Must(template.New("banner").Parse(`{{if not .Decided}}<form action="{{.Path}}?from={{.Back}}">{{.Words.Refuse}}</form>{{end}}`))
	})
	assert.Contains(t, s.get("/"), `<form action="/cookies/?from=%2f">Reject all</form>`)

	s = newSite(t, func(c *charter.Config) {
		c.Templates = template.Must(template.New("text").Parse(`<i>{{.Text}}</i>`))
	})
	assert.Contains(t, s.get("/cookies/"), "<i>Counts visits.</i>", "the others use it")

	s = newSite(t, func(c *charter.Config) {
		c.Templates = template.Must(template.New("link").Parse(`half{{if eq .Back "/?untried"}}{{.Nonsense}}{{end}}`))
	})
	assert.Contains(t, s.get("/"), "half")
	page = s.get("/?untried")
	assert.NotContains(t, page, "half", "one that fails for a view that nobody has tried gives way to the library's own")
	assert.Contains(t, page, "Cookie settings")

	mw, err := consent.NewMiddleware(consent.Config{Registry: consent.MustRegistry(declared()[:1]...), Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}})
	require.NoError(t, err)
	_, err = charter.New(charter.Config{Middleware: mw, Templates: template.Must(template.New("banner").Parse(`{{if .Decided}}{{.Nonsense}}{{end}}`))})
	assert.ErrorContains(t, err, "Config.Templates")
	_, err = charter.New(charter.Config{Middleware: mw, Templates: template.Must(template.New("bannner").Parse("x"))})
	assert.ErrorContains(t, err, "bannner", "a name that is misspelt")
	_, err = charter.New(charter.Config{Middleware: mw, Path: "x", Templates: template.Must(template.Must(template.New("banner").Parse("{{.No}}")).New("link").Parse("{{.Neither}}"))})
	for _, want := range []string{"Config.Path", "No", "Neither"} {
		assert.ErrorContains(t, err, want, "every mistake at once")
	}
}

func TestASitesTablesAreDrawnInEveryLanguage(t *testing.T) {
	s := newSite(t, func(c *charter.Config) {
		c.Templates = template.Must(template.New("tables").Parse(`<p>own tables</p>`))
	})
	for _, accept := range []string{"bg", "en", "sv"} {
		s.accept = accept
		assert.Contains(t, s.get("/cookies/"), "<p>own tables</p>", accept)
	}
}

func TestASiteBringsItsOwnStyleOrNone(t *testing.T) {
	s := newSite(t, func(c *charter.Config) { c.Style = []byte{} })
	assert.NotContains(t, s.get("/"), "stylesheet")
	s = newSite(t, func(c *charter.Config) { c.Style = append(charter.DefaultStyle(), ".mine{}"...) })
	assert.Regexp(t, `charter-banner[^$]*\.mine\{\}$`, s.get("/cookies/style.css"))
}

func TestThePageSaysWhatItMayLoadUnlessTheSiteDoes(t *testing.T) {
	s := newSite(t, nil)
	const own = "Content-Security-Policy"
	assert.Contains(t, s.do("GET", "/cookies/", nil).Header.Get(own), "frame-ancestors 'none'")
	w := httptest.NewRecorder()
	w.Header().Set(own, "default-src 'self'")
	s.handler.ServeHTTP(w, httptest.NewRequest("GET", "/cookies/", nil))
	assert.Equal(t, []string{"default-src 'self'"}, w.Result().Header.Values(own))
}

func TestThereIsNoScriptWhereItCannotReadTheDecision(t *testing.T) {
	for hidden, want := range map[bool]bool{true: false, false: true} {
		mw, err := consent.NewMiddleware(consent.Config{Registry: consent.MustRegistry(), Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}, HttpOnly: hidden})
		require.NoError(t, err)
		c, err := charter.New(charter.Config{Middleware: mw})
		require.NoError(t, err)
		assert.Equal(t, want, c.Script(nil) != "")
	}
}

func TestAPlaceholderSaysWhoWouldBeContactedAndAllowsThem(t *testing.T) {
	s := newSite(t, nil)
	show := func() string {
		r := httptest.NewRequest("GET", "https://example.org/talk?x=1", nil)
		for name, value := range s.cookies {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
		var shown template.HTML
		s.wrap(func(_ http.ResponseWriter, r *http.Request) {
			shown = s.charter.Placeholder(r, "chat", "Chat", "<p>the chat</p>")
		}).ServeHTTP(httptest.NewRecorder(), r)
		return string(shown)
	}
	before := show()
	assert.Contains(t, before, "This content comes from Chat.")
	assert.Contains(t, before, "Talks.", "why")
	assert.Contains(t, before, `<template data-consent="chat" data-provider="Chat"><p>the chat</p></template>`)
	id := found(before, `id="(charter-[a-z0-9]+)"`)
	require.Len(t, id, 1)
	assert.Contains(t, before, `name="back" value="/talk?x=1#`+id[0]+`"`, "back to the content")

	s.do("POST", "/cookies/", url.Values{"choice": {"save"}, "allow": {"statistics:Matomo"}, "object": {"1"}})
	assert.Contains(t, show(), "<template", "another decision does not show it")
	s.do("POST", "/cookies/", url.Values{"choice": {"add"}, "allow": {"chat:Chat"}})
	assert.Equal(t, "_pk_id.1 chat", s.allowed(), "the other answers stay, an objection too")
	assert.Equal(t, `<div class="charter-content" id="`+id[0]+`" tabindex="-1"><p>the chat</p></div>`, show())
}

func TestTheScriptsFormIsAnsweredWithoutContent(t *testing.T) {
	s := newSite(t, nil)
	response := s.do("POST", "/cookies/", url.Values{"choice": {"accept"}, "stay": {""}})
	assert.Equal(t, http.StatusNoContent, response.StatusCode)
	assert.NotEmpty(t, response.Cookies())
}

func TestTheBannersScriptIsForThisSite(t *testing.T) {
	s := newSite(t, nil)
	other := s.do("GET", "/cookies/banner.js", nil, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") })
	assert.Equal(t, http.StatusForbidden, other.StatusCode)
	own := s.get("/cookies/banner.js?back=%2F%3Cb%3E")
	assert.Contains(t, own, `document.currentScript.drawn={"html":"\u003csection`)
	assert.NotContains(t, own, "<")
}

func TestADecisionThatNoBrowserKeepsIsToldOnce(t *testing.T) {
	var failures []error
	s := newSite(t, func(c *charter.Config) {
		c.Failed = func(_ *http.Request, err error) { failures = append(failures, err) }
	})
	const said = "Your browser did not keep your choice"
	s.do("POST", "/cookies/", url.Values{"choice": {"refuse"}})
	assert.Contains(t, s.get("/cookies/banner.js?show=unkept&back=%2F"), "Your choice is saved.", "it came late, and was kept")
	assert.Empty(t, failures)

	clear(s.cookies)
	for range 3 {
		banner := s.get("/cookies/banner.js?show=unkept&back=%2F")
		assert.Contains(t, banner, said)
		assert.NotContains(t, banner, `class=\"charter-banner`, "nobody is asked again at once")
	}
	assert.Contains(t, s.get("/cookies/banner.js?back=%2F"), `class=\"charter-banner`, "but on the next page")
	require.Len(t, failures, 1, "whatever visitors send")
	assert.ErrorIs(t, failures[0], consent.ErrNotKept)

	other := newSite(t, func(c *charter.Config) {
		c.Templates = template.Must(template.New("banner").Parse(`{{if .Note}}{{.Note}}{{else}}<p>own</p>{{end}}`))
	})
	assert.Contains(t, other.get("/cookies/banner.js?show=unkept&back=%2F"), said)
}

func TestASiteSaysSinceWhenItHonorsGPC(t *testing.T) {
	const path = "/.well-known/gpc.json"
	app := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	ask := func(h http.Handler) *http.Response {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		return w.Result()
	}
	s := newSite(t, func(c *charter.Config) { c.GPCSince = time.Date(2026, 11, 9, 0, 0, 0, 0, time.UTC) })
	for name, handler := range map[string]http.Handler{"wrapped": s.charter.Wrap(app), "mounted": s.charter.Handler()} {
		response := ask(handler)
		assert.Equal(t, http.StatusOK, response.StatusCode, name)
		assert.Equal(t, "application/json", response.Header.Get("Content-Type"), name)
		var content map[string]any
		require.NoError(t, json.NewDecoder(response.Body).Decode(&content), name)
		assert.Equal(t, map[string]any{"gpc": true, "lastUpdate": "2026-11-09"}, content, name)
	}
	silent := newSite(t, nil)
	assert.Equal(t, http.StatusTeapot, ask(silent.charter.Wrap(app)).StatusCode, "others are the site's own")
	assert.Equal(t, http.StatusNotFound, ask(silent.charter.Handler()).StatusCode)
}

func TestTheCharterGoesByTheNameAndThePathOfTheSitesOwnDecision(t *testing.T) {
	mw, err := consent.NewMiddleware(consent.Config{
		Registry: consent.MustRegistry(declared()[:5]...), Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}, CookieName: "shop.choice", CookiePath: "/shop",
	})
	require.NoError(t, err)
	s := newSite(t, func(c *charter.Config) { c.Middleware = mw })
	handler := mw.Wrap(s.charter.Wrap(http.NotFoundHandler()))
	get := func(path string) string {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		return w.Body.String()
	}
	assert.Contains(t, get("/shop/cookies/"), `<code translate="no">shop.choice</code>`, "below the path of the cookie, which browsers send nowhere else")
	assert.Contains(t, get("/shop/cookies/"), "Remembers your choice about cookies.")
	assert.NotContains(t, get("/shop/cookies/"), consent.CookieName)
	assert.Contains(t, get("/shop/cookies/script.js"), `"cookie":"shop.choice"`)
	assert.NotContains(t, get("/shop/cookies/script.js"), consent.CookieName)
	_, err = charter.New(charter.Config{Middleware: mw, Path: "/cookies/"})
	assert.ErrorContains(t, err, `Config.Path: "/cookies/" does not lie below "/shop/"`)
}

func TestAResponseThatShowsSomethingOfItsVisitorIsPrivate(t *testing.T) {
	show := func(s *site, headers map[string]string, what func(*http.Request) template.HTML) http.Header {
		r := httptest.NewRequest("GET", "/", nil)
		for name, value := range headers {
			r.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		s.wrap(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "public, max-age=60")
			w.Write([]byte(what(r)))
		}).ServeHTTP(w, r)
		return w.Result().Header
	}
	s := newSite(t, nil)
	spoken := newSite(t, func(c *charter.Config) { c.LanguageOf = func(*http.Request) language.Tag { return language.French } })
	banner := func(s *site) func(*http.Request) template.HTML { return s.charter.Banner }
	placeholder := func(r *http.Request) template.HTML { return s.charter.Placeholder(r, "chat", "Chat", "the chat") }
	for name, test := range map[string]struct {
		site    *site
		headers map[string]string
		what    func(*http.Request) template.HTML
		vary    []string // nil if the response stays as it was
	}{
		"a banner":                        {s, nil, banner(s), []string{"Cookie", "Sec-GPC", "Accept-Language"}},
		"in the language of the site":     {spoken, nil, banner(spoken), []string{"Cookie", "Sec-GPC"}},
		"a banner that asks nobody":       {s, lawless, banner(s), []string{"Cookie", "Sec-GPC", "Accept-Language"}},
		"a placeholder":                   {s, nil, placeholder, []string{"Cookie", "Sec-GPC", "Accept-Language"}},
		"content that the visitor allows": {s, american, placeholder, []string{"Cookie", "Sec-GPC", "Accept-Language"}},
		"the head":                        {s, nil, s.charter.Head, []string{"Cookie", "Sec-GPC"}},
		"a link that tells of GPC":        {s, private, s.charter.Link, []string{"Cookie", "Sec-GPC", "Accept-Language"}},
		"a link":                          {s, nil, s.charter.Link, nil},
		"the script":                      {s, private, s.charter.Script, nil},
	} {
		t.Run(name, func(t *testing.T) {
			head := show(test.site, test.headers, test.what)
			if test.vary == nil {
				assert.Equal(t, "public, max-age=60", head.Get("Cache-Control"))
				return
			}
			assert.Contains(t, head.Get("Cache-Control"), "private")
			assert.NotContains(t, head.Get("Cache-Control"), "public")
			assert.ElementsMatch(t, test.vary, strings.Split(strings.Join(head.Values("Vary"), ", "), ", "))
		})
	}
}
