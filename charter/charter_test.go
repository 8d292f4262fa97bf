package charter_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"html"
	"html/template"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

func text(s string) consent.Text { return consent.Text{language.English: s} }

func declared() []consent.Cookie {
	return []consent.Cookie{
		{Provider: "Site", Name: "sessionid", Service: text("Login"), Purpose: text("Signs you in."), Category: consent.Necessary},
		{Provider: "Site", Name: "visits", Purpose: text("Counts visits."), Category: consent.Statistics, Anonymous: true, Lifetime: 24 * time.Hour},
		{Provider: "Matomo", Name: "_pk_id*", Purpose: consent.Text{language.Arabic: "قياس"}, Category: consent.Statistics, Lifetime: 13 * 30 * 24 * time.Hour},
		{Provider: "Plausible", Name: "plausible", Purpose: text("Counts visitors."), Category: consent.Statistics},
		{Provider: `<b>"Ad" & Co</b>`, Name: "<ad>", Purpose: text("<script>alert(1)</script>"), Category: consent.ThirdParty},
		{Provider: "Chat", Name: "chat", Purpose: text("Talks."), Category: "chat"},
	}
}

// A site is a site with a charter, and one visitor of it.
type site struct {
	*testing.T
	charter *charter.Charter
	handler http.Handler
	wrap    func(http.HandlerFunc) http.Handler
	cookies map[string]string
	accept  string // Accept-Language
	headers map[string]string
}

func newMiddleware(t *testing.T, cookies ...consent.Cookie) *consent.Middleware {
	t.Helper()
	mw, err := makeMiddleware(cookies...)
	require.NoError(t, err)
	return mw
}

func makeMiddleware(cookies ...consent.Cookie) (*consent.Middleware, error) {
	return consent.NewMiddleware(consent.Config{
		Registry: consent.MustRegistry(cookies...),
		Keys:     [][]byte{bytes.Repeat([]byte("k"), 32)},
		Regime:   consent.ByCountry("Country", map[string]consent.Regime{"US": consent.OptOut, "GB": consent.UK, "AQ": consent.NoRegime}),
	})
}

// A parts is what a site is made of.
type parts struct {
	mw      *consent.Middleware
	charter *charter.Charter
}

// usual is the site of all tests that change nothing, since to read the languages takes
// longer than most of these tests. A charter knows nothing of its visitors.
var usual = sync.OnceValues(func() (parts, error) { return makeParts(nil) })

func makeParts(change func(*charter.Config)) (parts, error) {
	mw, err := makeMiddleware(declared()...)
	if err != nil {
		return parts{}, err
	}
	config := charter.Config{
		Middleware: mw,
		Categories: map[consent.Category]charter.Category{"chat": {Title: text("Conversation"), About: text("To talk with us.")}},
	}
	if change != nil {
		change(&config)
	}
	c, err := charter.New(config)
	return parts{config.Middleware, c}, err
}

// newSite returns a visitor of a site of their own, or of the usual one if nothing changes.
func newSite(t *testing.T, change func(*charter.Config)) *site {
	t.Helper()
	from := usual
	if change != nil {
		from = func() (parts, error) { return makeParts(change) }
	}
	made, err := from()
	require.NoError(t, err)
	mw, c := made.mw, made.charter
	mux := http.NewServeMux()
	mux.Handle("/cookies/", c.Handler())
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte(c.Head(r) + c.Script(r) + c.Banner(r) + c.Link(r)))
	})
	mux.HandleFunc("GET /prefs", func(w http.ResponseWriter, r *http.Request) {
		prefs := consent.FromContext(r.Context())
		for _, name := range []string{"visits", "_pk_id.1", "plausible", "<ad>", "chat"} {
			if prefs.AllowsCookie(name) {
				w.Write([]byte(name + " "))
			}
		}
	})
	return &site{T: t, charter: c, handler: mw.Wrap(mux), wrap: func(h http.HandlerFunc) http.Handler { return mw.Wrap(h) }, cookies: map[string]string{}, accept: "en"}
}

func (s *site) do(method, path string, form url.Values, change ...func(*http.Request)) *http.Response {
	s.Helper()
	r := httptest.NewRequest(method, "https://example.org"+path, strings.NewReader(form.Encode()))
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Accept-Language", s.accept)
	return s.send(r, change...)
}

// send sends a request as the visitor, and keeps the cookies of the response.
func (s *site) send(r *http.Request, change ...func(*http.Request)) *http.Response {
	for name, value := range s.headers {
		r.Header.Set(name, value)
	}
	for name, value := range s.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		s.cookies[c.Name] = c.Value
	}
	return w.Result()
}

func (s *site) get(path string) string {
	s.Helper()
	response := s.do("GET", path, nil)
	require.Equal(s, http.StatusOK, response.StatusCode)
	var b bytes.Buffer
	b.ReadFrom(response.Body)
	return b.String()
}

// draw returns what a handler of the site draws for the visitor, and the response.
func (s *site) draw(method, path string, what func(http.ResponseWriter, *http.Request) template.HTML, change ...func(*http.Request)) (string, *http.Response) {
	s.Helper()
	outer := s.handler
	defer func() { s.handler = outer }()
	s.handler = s.wrap(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, string(what(w, r))) })
	response := s.do(method, path, nil, change...)
	return body(response), response
}

// part returns the HTML of a part that the script loads.
func (s *site) part(path string) string {
	s.Helper()
	script, isPart := strings.CutPrefix(s.get(path), "document.currentScript.drawn=")
	require.True(s, isPart)
	var drawn struct{ HTML string }
	require.NoError(s, json.Unmarshal([]byte(script), &drawn))
	return drawn.HTML
}

// body returns the content of a response.
func body(response *http.Response) string {
	content, _ := io.ReadAll(response.Body) // of a recorder, which never fails
	return string(content)
}

// with sets a header of a request.
func with(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func (s *site) allowed() string { return strings.TrimSpace(s.get("/prefs")) }

func TestRefusingTakesOneClickAsAcceptingDoes(t *testing.T) {
	for choice, want := range map[string]string{"refuse": "visits", "accept": "visits _pk_id.1 plausible <ad> chat"} {
		s := newSite(t, nil)
		page := s.get("/")
		assert.Contains(t, page, `<button name="choice" value="`+choice+`">`)
		response := s.do("POST", "/cookies/", url.Values{"choice": {choice}, "back": {"/?page=2"}})
		assert.Equal(t, http.StatusSeeOther, response.StatusCode)
		assert.Equal(t, "/?page=2", response.Header.Get("Location"))
		assert.Equal(t, want, s.allowed())
	}
}

func TestTheBannerAsksUntilEverythingIsDecided(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t, nil)
		assert.Contains(t, s.get("/"), "to measure how it is used, to show content of other sites, such as videos and for “Conversation”", "the purposes are named before the choice")
		assert.Contains(t, s.get("/"), "data-nosnippet", "no search engine quotes the banner in place of the page")
		s.do("POST", "/cookies/", url.Values{"choice": {"refuse"}})
		assert.Contains(t, s.get("/"), "Your choice is saved.")
		assert.NotContains(t, s.get("/"), `class="charter-banner`)
		time.Sleep(time.Minute)
		assert.NotContains(t, s.get("/"), "<dialog")
		assert.Contains(t, s.get("/"), `href="/cookies/#settings"`, "the link stays")
	})
}

func TestTheFormAllowsProvidersOneByOne(t *testing.T) {
	s := newSite(t, nil)
	page := s.get("/cookies/")
	assert.Empty(t, chosenIn(page), "nothing is chosen beforehand")
	assert.Contains(t, page, "You have not decided yet.")

	s.do("POST", "/cookies/", url.Values{"choice": {"save"}, "allow": {"statistics:Matomo", "chat:Chat"}})
	assert.Equal(t, "visits _pk_id.1 chat", s.allowed())
	page = s.get("/cookies/")
	assert.Equal(t, []string{"statistics=some", "statistics:Matomo", "third-party=refuse", "chat=allow"}, chosenIn(page))
	assert.Contains(t, page, "You decided on ")

	s.do("POST", "/cookies/", url.Values{"choice": {"save"}, "allow": {`third-party:<b>"Ad" & Co</b>`}, "object": {"1"}})
	assert.Equal(t, "<ad>", s.allowed())
	assert.Regexp(t, `name="object" value="1" checked`, s.get("/cookies/"))
	s.do("POST", "/cookies/", url.Values{"choice": {"refuse"}})
	assert.Equal(t, "", s.allowed(), "refusing keeps an objection")
}

func TestTheCharterListsEveryCookieAndItsOwn(t *testing.T) {
	page := newSite(t, nil).get("/cookies/")
	for _, want := range []string{"sessionid", "_pk_id*", "Login", "13 months", "1 day", "until the browser is closed", "6 months", consent.CookieName, "This site", "Always active"} {
		assert.Contains(t, page, want)
	}
	assert.Contains(t, page, `<span lang="ar" dir="rtl">قياس</span>`, "a text that falls back says its language")
	assert.Contains(t, page, "&lt;script&gt;alert(1)&lt;/script&gt;")
	assert.NotContains(t, page, "<script>")
	assert.NotContains(t, page, "style=")
	assert.Contains(t, page, html.EscapeString(`<b>"Ad" & Co</b>`))
}

func TestNothingIsInventedFromABrokenForm(t *testing.T) {
	for name, test := range map[string]struct {
		form   url.Values
		change func(*http.Request)
		status int
		says   string
	}{
		"no choice":            {url.Values{"allow": {"statistics:Matomo"}}, nil, 400, "choice"},
		"an unknown choice":    {url.Values{"choice": {"ACCEPT"}}, nil, 400, "choice"},
		"an unknown provider":  {url.Values{"choice": {"save"}, "allow": {"statistics:Matomo", "statistics:Nobody"}}, nil, 400, `"Nobody"`},
		"an unknown category":  {url.Values{"choice": {"save"}, "allow": {"nonsense:Matomo"}}, nil, 400, `"nonsense"`},
		"nobody to add":        {url.Values{"choice": {"add"}}, nil, 400, "allow"},
		"no provider":          {url.Values{"choice": {"save"}, "allow": {"statistics"}}, nil, 400, "statistics"},
		"a bad escape":         {url.Values{"choice": {"accept"}}, func(r *http.Request) { r.URL.RawQuery = "%zz" }, 400, ""},
		"a form of 17 KB":      {url.Values{"choice": {"accept"}, "x": {strings.Repeat("x", 17<<10)}}, nil, 413, ""},
		"another site":         {url.Values{"choice": {"accept"}}, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403, ""},
		"a choice in the URL":  {url.Values{}, func(r *http.Request) { r.URL.RawQuery = "choice=accept" }, 400, ""},
		"another kind of body": {url.Values{"choice": {"accept"}}, func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, 400, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, nil)
			s.do("POST", "/cookies/", url.Values{"choice": {"save"}, "allow": {"chat:Chat"}})
			before := s.cookies[consent.CookieName]
			change := test.change
			if change == nil {
				change = func(*http.Request) {}
			}
			response := s.do("POST", "/cookies/", test.form, change)
			var body bytes.Buffer
			body.ReadFrom(response.Body)
			assert.Equal(t, test.status, response.StatusCode)
			assert.Contains(t, body.String(), test.says)
			assert.Equal(t, before, s.cookies[consent.CookieName], "the old decision stands")
		})
	}
}

func TestAFormCostsNoMoreThanItsLength(t *testing.T) {
	const size = 16 << 10
	fill := func(next func(i int) string) string {
		var b strings.Builder
		b.WriteString("choice=save")
		for i := 0; b.Len() < size-40; i++ {
			b.WriteString("&allow=" + next(i))
		}
		return b.String()
	}
	for name, test := range map[string]struct {
		form   string
		status int
	}{
		"nothing, again and again":      {fill(func(int) string { return "" }), 400},
		"a provider, again and again":   {fill(func(int) string { return "chat:Chat" }), 303},
		"two providers, in turns":       {fill(func(i int) string { return []string{"chat:Chat", "statistics:Matomo"}[i%2] }), 303},
		"as many that nobody declared":  {fill(func(i int) string { return "chat:" + strconv.Itoa(i) }), 400},
		"as many categories":            {fill(func(i int) string { return strconv.Itoa(i) + ":" }), 400},
		"added to what stands":          {strings.Replace(fill(func(int) string { return "chat:Chat" }), "save", "add", 1), 303},
		"one that nobody reads":         {"choice=refuse" + strings.Repeat("&x=1", size/4-10), 303},
		"a decision that allows it all": {"choice=accept" + strings.Repeat("&allow=chat:Chat", size/16-10), 303},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, nil)
			post := func() int {
				r := httptest.NewRequest("POST", "https://example.org/cookies/", strings.NewReader(test.form))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				w := httptest.NewRecorder()
				s.handler.ServeHTTP(w, r)
				return w.Code
			}
			assert.Equal(t, test.status, post())
			least := uint64(math.MaxUint64)
			for range 3 {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				post()
				runtime.ReadMemStats(&after)
				least = min(least, after.TotalAlloc-before.TotalAlloc)
			}
			assert.Less(t, least, uint64(512<<10), "bytes")
		})
	}
}

func TestTheWayBackIsAPathOfThisSite(t *testing.T) {
	for back, want := range map[string]string{
		"/":                             "/",
		"/a/b?c=d&e=%2F%2Ff":            "/a/b?c=d&e=%2F%2Ff",
		"/%C3%A9":                       "/%C3%A9",
		"":                              "/cookies/",
		"//evil.example":                "/cookies/",
		`/\evil.example`:                "/cookies/",
		`\\evil.example`:                "/cookies/",
		"///evil.example":               "/cookies/",
		"/%2F/evil.example":             "/cookies/",
		"/%5Cevil.example":              "/cookies/",
		"/\t/evil.example":              "/cookies/",
		"/\r\nSet-Cookie: a=b":          "/cookies/",
		"https://evil.example":          "/cookies/",
		"javascript:alert(1)":           "/cookies/",
		"evil":                          "/cookies/",
		" /x":                           "/cookies/",
		"/%zz":                          "/cookies/",
		"/é":                            "/cookies/",
		"/" + strings.Repeat("x", 3000): "/cookies/",
	} {
		response := newSite(t, nil).do("POST", "/cookies/", url.Values{"choice": {"refuse"}, "back": {back}})
		assert.Equal(t, http.StatusSeeOther, response.StatusCode, back)
		assert.Equal(t, want, response.Header.Get("Location"), back)
	}
}

func TestPagesThatKnowTheVisitorAreNotForACache(t *testing.T) {
	s := newSite(t, nil)
	page := s.do("GET", "/cookies/", nil)
	assert.Equal(t, "private, no-store", page.Header.Get("Cache-Control"))
	assert.Equal(t, "Cookie, Accept-Language, Sec-GPC", page.Header.Get("Vary"))
	name := regexp.MustCompile(`href="(/cookies/style-[^"]+\.css)"`).FindStringSubmatch(s.get("/cookies/"))
	require.NotNil(t, name)
	style := s.do("GET", name[1], nil)
	assert.Equal(t, "public, max-age=31536000, immutable", style.Header.Get("Cache-Control"))
	for _, other := range []string{"style-other.css", "script-other.js"} {
		response := s.do("GET", "/cookies/"+other, nil)
		assert.Equal(t, http.StatusOK, response.StatusCode, "%s: for a page of another version of the site", other)
		assert.Equal(t, "public, no-cache", response.Header.Get("Cache-Control"), other)
	}
	assert.Equal(t, 404, s.do("GET", "/cookies/other.js", nil).StatusCode)
	first := s.do("GET", "/cookies/style.css", nil)
	assert.Equal(t, "public, no-cache", first.Header.Get("Cache-Control"), "for pages that no template writes")
	again := s.do("GET", "/cookies/style.css", nil, func(r *http.Request) { r.Header.Set("If-None-Match", first.Header.Get("ETag")) })
	assert.Equal(t, http.StatusNotModified, again.StatusCode)
}

func TestABannerWeighsLittle(t *testing.T) {
	s := newSite(t, nil)
	weigh := func(content string) int {
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
		z.Write([]byte(content))
		z.Close()
		return b.Len()
	}
	page := s.get("/")
	script := weigh(s.get(regexp.MustCompile(`/cookies/script-[^"]+`).FindString(page)))
	style := weigh(s.get("/cookies/style.css"))
	t.Logf("%d bytes with the style of the banner, %d the script, %d the whole style", weigh(page), script, style)
	assert.Less(t, weigh(page), 2200, "the style of the banner is in it")
	assert.Less(t, script, 4250, "of which some is what this site declares")
	assert.Less(t, style, 3150, "only for the settings, placeholders and the charter's page")
}

func TestTheVisitorIsSpokenToInTheirLanguage(t *testing.T) {
	for _, test := range []struct {
		accept  string
		site    language.Tag
		setting language.Tag
		want    string
	}{
		{"de-AT,de;q=0.9,en;q=0.5", language.Und, language.Und, "de"},
		{"ja, fr;q=0.5", language.Und, language.Und, "fr"},
		{"ja", language.French, language.Und, "fr"},
		{"", language.German, language.Und, "de"},
		{"garbage;;q=", language.Und, language.Und, "en"},
		{"de", language.Und, language.French, "fr"},
	} {
		s := newSite(t, func(c *charter.Config) {
			c.Language = test.site
			c.LanguageOf = func(*http.Request) language.Tag { return test.setting }
		})
		s.accept = test.accept
		assert.Contains(t, s.get("/cookies/"), `<html lang="`+test.want+`"`, test.accept)
	}
}

func TestASlipInACategoryIsNamedWithTheCategoryThatIsLikeIt(t *testing.T) {
	for category, want := range map[consent.Category]string{
		"embeded-media": `Config.Categories["embeded-media"]: is no category of the library; perhaps "embedded-media". One of the site's own needs a Title and an About`,
		"games":         `Config.Categories["games"]: is no category of the library; there are necessary, statistics, first-party, third-party, audience-measurement, `,
	} {
		mw := newMiddleware(t, append(declared(), consent.Cookie{Provider: "Shop", Name: "game", Purpose: text("Plays."), Category: category})...)
		_, err := charter.New(charter.Config{Middleware: mw})
		assert.ErrorContains(t, err, want)
	}
}

func TestMistakesInAConfigComeTogether(t *testing.T) {
	mw := newMiddleware(t, append(declared(), consent.Cookie{Provider: "Shop", Name: "game", Purpose: text("Plays."), Category: "games"})...)
	_, err := charter.New(charter.Config{Middleware: mw, Path: "//evil/", Language: language.Japanese})
	require.Error(t, err)
	for _, field := range []string{"Config.Path", "Config.Language", `Config.Categories["games"]`} {
		assert.ErrorContains(t, err, field)
	}
	_, err = charter.New(charter.Config{Path: "cookies"})
	assert.ErrorContains(t, err, "Config.Path")
	assert.ErrorContains(t, err, "Config.Middleware")
	for _, path := range []string{"/a?b/", "/{x}/", "/a/../b/", "/a//", "/a b/", "/a"} {
		_, err = charter.New(charter.Config{Middleware: mw, Path: path})
		assert.ErrorContains(t, err, "Config.Path", path)
	}
}

// A ServeMux lets nobody mount the charter next to some of these patterns.
func TestTheCharterStandsInFrontOfAnySite(t *testing.T) {
	mw := newMiddleware(t, declared()[:5]...)
	c, err := charter.New(charter.Config{Middleware: mw})
	require.NoError(t, err)
	mux := func(patterns ...string) http.Handler {
		mux := http.NewServeMux()
		for _, pattern := range patterns {
			mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "the site's "+r.URL.Path) })
		}
		return mux
	}
	for name, app := range map[string]http.Handler{
		"/":                         mux("/"),
		"GET /":                     mux("GET /", "POST /"),
		"GET /{path...}":            mux("GET /{path...}", "POST /{path...}"),
		"GET /{lang}/{page}":        mux("GET /{lang}/{page}", "/"),
		"GET /{lang}/{$}":           mux("GET /{lang}/{$}", "/"),
		"of a host":                 mux("example.com/", "/"),
		"without a ServeMux":        http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "the site's "+r.URL.Path) }),
		"that has its own /cookies": mux("GET /cookies", "/cookies.txt", "/"),
	} {
		t.Run(name, func(t *testing.T) {
			handler := mw.Wrap(c.Wrap(app))
			ask := func(method, path string) *httptest.ResponseRecorder {
				w := httptest.NewRecorder()
				r := httptest.NewRequest(method, path, strings.NewReader("choice=refuse"))
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				handler.ServeHTTP(w, r)
				return w
			}
			assert.Contains(t, ask("GET", "/cookies/").Body.String(), `class="charter-form"`)
			assert.Equal(t, http.StatusSeeOther, ask("POST", "/cookies/").Code)
			assert.Equal(t, "text/css; charset=utf-8", ask("GET", "/cookies/style.css").Header().Get("Content-Type"))
			assert.Equal(t, http.StatusNotFound, ask("GET", "/cookies/elsewhere").Code, "what lies below the path is the charter's")
			for _, path := range []string{"/", "/en/home", "/cookies", "/cookies.txt", "/en/cookies/", "//cookies/"} {
				if w := ask("GET", path); w.Code == http.StatusOK {
					assert.Equal(t, "the site's "+path, w.Body.String())
				} else {
					assert.NotContains(t, w.Body.String(), "charter-form", path)
				}
			}
			assert.Equal(t, "the site's /en/home", ask("GET", "/en/home").Body.String())
		})
	}
}

func TestAHandlerThatIsMountedElsewhereSaysWhereItBelongs(t *testing.T) {
	c, err := charter.New(charter.Config{Middleware: newMiddleware(t)})
	require.NoError(t, err)
	w := httptest.NewRecorder()
	c.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/privacy/", nil))
	assert.Equal(t, http.StatusNotFound, w.Code)
	assert.Contains(t, w.Body.String(), `serves "/cookies/", as Config.Path says, not "/privacy/"`)
	w = httptest.NewRecorder()
	c.Handler().ServeHTTP(w, httptest.NewRequest("PUT", "/cookies/", nil))
	assert.Equal(t, http.StatusMethodNotAllowed, w.Code)
}

func TestAPageOutsideOfWrapTellsTheSite(t *testing.T) {
	var failures []error
	c, err := charter.New(charter.Config{Middleware: newMiddleware(t), Failed: func(_ *http.Request, err error) { failures = append(failures, err) }})
	require.NoError(t, err)
	for _, method := range []string{"GET", "POST"} {
		r := httptest.NewRequest(method, "/cookies/", strings.NewReader("choice=accept"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		c.Handler().ServeHTTP(httptest.NewRecorder(), r)
	}
	require.Len(t, failures, 2)
	assert.ErrorIs(t, failures[0], consent.ErrOutside)
	assert.ErrorIs(t, failures[1], consent.ErrOutside)
}

func TestRefusingTakesAnObjectionAlong(t *testing.T) {
	s := newSite(t, nil)
	s.do("POST", "/cookies/", url.Values{"choice": {"refuse"}, "object": {"1"}})
	assert.NotContains(t, s.get("/prefs"), "visits", "the box was ticked, and then the strongest button pressed")

	// A form that has no such box takes nothing back.
	without := newSite(t, func(c *charter.Config) {
		c.Middleware = newMiddleware(t, slices.DeleteFunc(declared(), func(c consent.Cookie) bool { return c.Anonymous })...)
	})
	without.cookies = s.cookies
	require.NotContains(t, without.get("/cookies/"), `name="object"`)
	without.do("POST", "/cookies/", url.Values{"choice": {"save"}, "allow": {"chat:Chat"}})
	assert.Equal(t, "chat ", s.get("/prefs"))
	s.do("POST", "/cookies/", url.Values{"choice": {"save"}})
	assert.Contains(t, s.get("/prefs"), "visits", "one that has it does")
}

func TestWhatIsNoLanguageSpoilsNoOther(t *testing.T) {
	for _, accept := range []string{"zz, de", "tok, de;q=0.8", "de, c;q=0.1", "de, en-US.UTF-8;q=0.1", "de;q=1.0,fr;q=foo", "en;q=0, de",
		"de," + strings.Repeat("zz,", 300_000)} {
		s := newSite(t, nil)
		s.accept = accept
		assert.Contains(t, s.get("/cookies/"), `<html lang="de"`, "%.40s", accept)
	}
	for _, accept := range []string{strings.Repeat("x", 5000), strings.Repeat("zz,", 400) + "de"} {
		s := newSite(t, nil)
		s.accept = accept
		assert.Contains(t, s.get("/cookies/"), `<html lang="en"`, "beyond a kilobyte nothing is read")
	}
}

func TestAVisitorComesBackToThePageAsTheBrowserKnowsIt(t *testing.T) {
	s := newSite(t, nil)
	page := s.wrap(http.StripPrefix("/shop", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(s.charter.Banner(r)))
	})).ServeHTTP)
	w := httptest.NewRecorder()
	page.ServeHTTP(w, httptest.NewRequest("GET", "/shop/basket?a=1", nil))
	assert.Contains(t, w.Body.String(), `name="back" value="/shop/basket?a=1"`)

	for back, want := range map[string]string{
		"/web/https://example.org/page": "/web/https://example.org/page",
		"/a//b?c":                       "/a//b?c",
		"/.//evil.org":                  "/cookies/",
		"/../evil.org":                  "/cookies/",
	} {
		response := s.do("POST", "/cookies/", url.Values{"choice": {"refuse"}, "back": {back}})
		assert.Equal(t, http.StatusSeeOther, response.StatusCode)
		assert.Equal(t, want, response.Header.Get("Location"))
	}
}

func TestABannerForOthersIsInNoCache(t *testing.T) {
	s := newSite(t, nil)
	response := s.do("GET", "/cookies/banner.js", nil, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") })
	assert.Equal(t, http.StatusForbidden, response.StatusCode)
	assert.Equal(t, "private, no-store", response.Header.Get("Cache-Control"))
}

func TestTheScriptHoldsWhatIsDeclared(t *testing.T) {
	cookies := append(declared(), consent.Cookie{Provider: "__proto__", Name: "odd", Purpose: text("x"), Category: consent.ThirdParty})
	script := newSite(t, func(c *charter.Config) { c.Middleware = newMiddleware(t, cookies...) }).get("/cookies/script.js")
	assert.NotRegexp(t, `Date(\.now|\(\))|new Date[^(]`, script, "a visitor's clock may be wrong")
	assert.Contains(t, script, `["__proto__"]:`, "a provider of this name must not vanish from those that are asked for")
	assert.NotContains(t, script, `"__proto__":`)
}

func TestAnEmptyStyleIsLinkedNowhere(t *testing.T) {
	s := newSite(t, func(c *charter.Config) { c.Style = []byte{} })
	assert.NotContains(t, s.get("/cookies/"), "stylesheet")
}

func TestAPathMayBeAnyWord(t *testing.T) {
	c, err := charter.New(charter.Config{Middleware: newMiddleware(t, declared()[:5]...), Path: "/somewhere/"})
	require.NoError(t, err)
	assert.Contains(t, string(c.Banner(httptest.NewRequest("GET", "/page", nil))), `action="/somewhere/"`)
}

func TestAnObjectorIsOfferedNoButtonThatDoesNothing(t *testing.T) {
	s := newSite(t, nil)
	var placeholder string
	s.do("POST", "/cookies/", url.Values{"choice": {"save"}, "object": {"1"}})
	r := httptest.NewRequest("GET", "/", nil)
	r.AddCookie(&http.Cookie{Name: consent.CookieName, Value: s.cookies[consent.CookieName]})
	s.wrap(func(_ http.ResponseWriter, r *http.Request) {
		placeholder = string(s.charter.Placeholder(r, consent.Statistics, "Site", "PLAYER"))
	}).ServeHTTP(httptest.NewRecorder(), r)
	assert.Contains(t, placeholder, "This content comes from Site.")
	assert.NotContains(t, placeholder, "<button")
}

func TestAFrenchColumnHasASpaceBeforeItsColon(t *testing.T) {
	s := newSite(t, nil)
	page := s.do("GET", "/cookies/", nil, with("Accept-Language", "fr"))
	assert.Contains(t, body(page), `<html lang="fr"`)
	assert.Regexp(t, `\.charter-table:lang\(fr\) td:before\{content:attr\(data-column\) "\x{a0}: "`, string(charter.DefaultStyle()))
}
