package charter_test

import (
	"bytes"
	"html/template"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

func TestTheBannerStandsWhereTheSiteSays(t *testing.T) {
	for layout, want := range map[charter.Layout]string{
		"": "bar", charter.BottomBar: "bar", charter.TopBar: "top-bar", charter.BottomBox: "box", charter.TopBox: "top-box", charter.Card: "card",
	} {
		s := newSite(t, func(c *charter.Config) { c.Layout = layout })
		assert.Contains(t, s.get("/"), `<section class="charter-banner charter-`+want+`"`)
	}
	for _, layout := range []charter.Layout{"left", "Bar", "bar top-bar", `"><script>`} {
		_, err := charter.New(charter.Config{Middleware: newMiddleware(t, declared()[:5]...), Layout: layout})
		assert.ErrorContains(t, err, "Config.Layout", layout)
	}
}

func TestThePageSaysWhoseItIsAndSinceWhen(t *testing.T) {
	s := newSite(t, func(c *charter.Config) {
		c.Name, c.PolicyURL = `Ville de "Valombre"`, "/privacy?a=1&b=2"
		c.Updated = time.Date(2026, 3, 1, 23, 30, 0, 0, time.FixedZone("", -3600))
	})
	page := s.get("/cookies/")
	for _, want := range []string{
		`<title>Cookie policy – Ville de &#34;Valombre&#34;</title>`,
		`>Ville de &#34;Valombre&#34;</a></header>`,
		`<p class="charter-lead">Ville de &#34;Valombre&#34; uses the cookies listed on this page`,
		`<a href="/privacy?a=1&amp;b=2">Privacy policy</a>`,
		`Last changed on <time datetime="2026-03-02T00:30:00Z">2 March 2026</time>.`,
	} {
		assert.Contains(t, page, want)
	}
	assert.Contains(t, s.asked()[0], `Ville de "Valombre" needs some cookies to work.`)

	page = newSite(t, nil).get("/cookies/")
	assert.Contains(t, page, `<title>Cookie policy</title>`)
	assert.Contains(t, page, `>example.org</a></header>`, "the host stands for a name")
	assert.Contains(t, page, "This site uses the cookies listed on this page")
	assert.NotContains(t, page, "charter-meta")
	assert.NotContains(t, page, "Last changed")
}

func TestThePolicyOfTheSiteIsAnAddress(t *testing.T) {
	mw := newMiddleware(t, declared()[:5]...)
	for address, isGood := range map[string]bool{
		"": true, "/privacy": true, "/privacy#cookies": true, "https://example.org/privacy": true,
		"privacy": false, "http://example.org/privacy": false, "//example.org/privacy": false, "https:privacy": false, "https://": false,
		"javascript:alert(1)": false, "mailto:me@example.org": false, "https://exa mple.org": false, "/a b": false,
	} {
		_, err := charter.New(charter.Config{Middleware: mw, PolicyURL: address})
		if isGood {
			assert.NoError(t, err, address)
		} else {
			assert.ErrorContains(t, err, "Config.PolicyURL", address)
		}
	}
}

// behind returns a client of a site that a proxy serves below "/shop", which it takes off.
func behind(t *testing.T, site http.Handler) (*http.Client, string) {
	t.Helper()
	app := httptest.NewServer(site)
	t.Cleanup(app.Close)
	to, err := url.Parse(app.URL)
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/shop/", http.StripPrefix("/shop", &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
	}}))
	proxy := httptest.NewServer(mux)
	t.Cleanup(proxy.Close)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, proxy.URL
}

func TestASiteLiesBehindAPrefixThatAProxyTakesOff(t *testing.T) {
	for name, cookiePath := range map[string]string{"a cookie of the host": "/", "a cookie of the prefix": "/shop"} {
		t.Run(name, func(t *testing.T) {
			mw, err := consent.NewMiddleware(consent.Config{
				Registry: consent.MustRegistry(declared()[:5]...), Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}, CookiePath: cookiePath,
			})
			require.NoError(t, err)
			s := newSite(t, func(c *charter.Config) {
				c.Middleware, c.Prefix, c.Name = mw, "/shop", "Shop"
				c.Style = []byte(".mine{}") // a file
			})
			client, address := behind(t, s.handler)
			get := func(path string) string {
				response, err := client.Get(address + path)
				require.NoError(t, err)
				defer response.Body.Close()
				require.Equal(t, http.StatusOK, response.StatusCode, path)
				return body(response)
			}
			page := get("/shop/?page=2")
			assert.Equal(t, []string{"/shop/cookies/"}, found(page, `<form method="post" action="([^"]*)"`))
			assert.Equal(t, []string{"/shop/?page=2"}, found(page, `name="back" value="([^"]*)"`))
			for _, file := range append(found(page, `<link rel="stylesheet" href="([^"]*)"`), found(page, `<script src="([^"]*)"`)...) {
				get(file)
			}
			assert.Contains(t, get("/shop/cookies/script.js"), `"path":"/shop/cookies/"`)
			for _, link := range found(page, `<a class="charter-link" href="([^"#]*)`) {
				form := get(link)
				assert.Contains(t, form, `class="charter-form" method="post" action="/shop/cookies/"`)
				assert.Contains(t, form, `name="back" value="/shop/cookies/"`)
			}
			for back, want := range map[string]string{"/shop/?page=2": "/shop/?page=2", "": "/shop/cookies/", "//evil.example": "/shop/cookies/"} {
				response, err := client.PostForm(address+"/shop/cookies/", url.Values{"choice": {"accept"}, "back": {back}})
				require.NoError(t, err)
				response.Body.Close()
				assert.Equal(t, want, response.Header.Get("Location"))
				assert.Contains(t, get(want), "Your choice is saved.", "the browser sends the decision there")
			}
			assert.Contains(t, get("/shop/prefs"), "plausible")
		})
	}
}

func TestAPrefixMayBeTakenOffInTheProcess(t *testing.T) {
	s := newSite(t, func(c *charter.Config) { c.Prefix = "/shop" })
	handler := http.StripPrefix("/shop", s.handler)
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest("GET", "/shop/?page=2", nil))
	assert.Equal(t, []string{"/shop/?page=2"}, found(w.Body.String(), `name="back" value="([^"]*)"`))
}

func TestAPrefixFitsThePathOfTheCookie(t *testing.T) {
	for name, test := range map[string]struct {
		prefix, cookiePath, path string
		want                     string // where browsers see the charter
		mistakes                 []string
	}{
		"none":                         {"", "/", "", "/cookies/", nil},
		"the path of the cookie alone": {"", "/shop", "", "/shop/cookies/", nil},
		"a prefix alone":               {"/shop", "/", "", "/shop/cookies/", nil},
		"the same":                     {"/shop", "/shop", "", "/shop/cookies/", nil},
		"the same with a slash":        {"/shop", "/shop/", "", "/shop/cookies/", nil},
		"a cookie of a part of it":     {"/shop", "/shop/en", "", "/shop/en/cookies/", nil},
		"a prefix inside of it":        {"/shop/en", "/shop", "", "/shop/en/cookies/", nil},
		"with a path":                  {"/shop", "/shop", "/privacy/", "/shop/privacy/", nil},
		"a cookie of elsewhere":        {"/shop", "/blog", "", "", []string{`Config.Path: "/shop/cookies/" does not lie below "/blog/"`}},
		"a path beside the cookie":     {"/shop", "/shop/en", "/cookies/", "", []string{`Config.Path: "/shop/cookies/" does not lie below "/shop/en/"`}},
		"a name that begins the same":  {"/shopping", "/shop", "", "", []string{"Config.Path"}},
		"a slash at the end":           {"/shop/", "/", "", "", []string{"Config.Prefix"}},
		"no slash at the beginning":    {"shop", "/", "", "", []string{"Config.Prefix"}},
		"nothing but a slash":          {"/", "/", "", "", []string{"Config.Prefix"}},
		"another host":                 {"//evil.example", "/", "", "", []string{"Config.Prefix"}},
		"dots":                         {"/../shop", "/", "", "", []string{"Config.Prefix"}},
		"an escape":                    {"/a%20b", "/", "", "", []string{"Config.Prefix"}},
		"with other mistakes":          {"shop", "/", "cookies", "", []string{"Config.Prefix", "Config.Path"}},
	} {
		t.Run(name, func(t *testing.T) {
			mw, err := consent.NewMiddleware(consent.Config{
				Registry: consent.MustRegistry(declared()[:5]...), Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}, CookiePath: test.cookiePath,
			})
			require.NoError(t, err)
			c, err := charter.New(charter.Config{Middleware: mw, Prefix: test.prefix, Path: test.path})
			for _, mistake := range test.mistakes {
				assert.ErrorContains(t, err, mistake)
			}
			if test.mistakes == nil {
				require.NoError(t, err)
				assert.Equal(t, []string{test.want}, found(string(c.Link(httptest.NewRequest("GET", "/", nil))), `href="([^"#]*)`))
			}
		})
	}
}

func TestTheWayBackIsAPageThatAnswersAGet(t *testing.T) {
	for name, test := range map[string]struct {
		method, path   string
		dest, referrer string
		want           string // empty for the charter's own page
	}{
		"a page":                          {"GET", "/list?page=2", "document", "https://example.org/", "/list?page=2"},
		"a page of an old browser":        {"GET", "/list?page=2", "", "https://example.org/", "/list?page=2"},
		"its head":                        {"HEAD", "/list?page=2", "", "", "/list?page=2"},
		"the answer to a post":            {"POST", "/order", "document", "https://example.org/basket", ""},
		"the same in an old browser":      {"POST", "/order", "", "https://example.org/basket", ""},
		"the answer to a PUT":             {"PUT", "/order", "", "", ""},
		"a fragment":                      {"GET", "/fragment", "empty", "https://example.org/list?page=2", "/list?page=2"},
		"a fragment that a post asks for": {"POST", "/fragment", "empty", "https://example.org/list?page=2", "/list?page=2"},
		"a fragment with the host alone":  {"GET", "/fragment", "empty", "https://example.org", "/"},
		"a fragment in capitals":          {"GET", "/fragment", "empty", "https://EXAMPLE.org/list", "/list"},
		"a fragment without a page":       {"GET", "/fragment", "empty", "", ""},
		"a fragment of another site":      {"GET", "/fragment", "empty", "https://evil.example/list", ""},
		"a fragment of a broken page":     {"GET", "/fragment", "empty", "https://example.org/%zz", ""},
		"a fragment of a strange page":    {"GET", "/fragment", "empty", "https://example.org//evil.example", ""},
	} {
		for _, prefix := range []string{"", "/shop"} {
			t.Run(name+prefix, func(t *testing.T) {
				s := newSite(t, func(c *charter.Config) { c.Prefix = prefix })
				var banner template.HTML
				s.draw(test.method, test.path, func(_ http.ResponseWriter, r *http.Request) template.HTML {
					banner = s.charter.Banner(r)
					return banner
				}, func(r *http.Request) {
					if test.dest != "" {
						r.Header.Set("Sec-Fetch-Dest", test.dest)
						r.Header.Set("Sec-Fetch-Site", "same-origin")
					}
					r.Header.Set("Referer", test.referrer)
				})
				want := test.want
				if want != "" && test.dest != "empty" { // else the browser has named the page as it knows it
					want = prefix + want
				}
				assert.Equal(t, []string{want}, found(string(banner), `name="back" value="([^"]*)"`))
				response := s.do("POST", "/cookies/", url.Values{"choice": {"refuse"}, "back": {want}})
				if want == "" {
					want = prefix + "/cookies/"
				}
				assert.Equal(t, want, response.Header.Get("Location"))
			})
		}
	}
}
