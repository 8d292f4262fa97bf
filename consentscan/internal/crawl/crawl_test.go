package crawl_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/consentscan/internal/crawl"
)

func parse(t *testing.T, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	require.NoError(t, err)
	return u
}

func newCrawl(t *testing.T, o crawl.Options) *crawl.Crawl {
	t.Helper()
	if o.Start == nil {
		o.Start = parse(t, "https://example.org/")
	}
	c, err := crawl.New(o)
	require.NoError(t, err)
	return c
}

// walk opens all pages of a site whose links are known, and returns their addresses.
func walk(c *crawl.Crawl, links func(string) []string) (walked []string) {
	for {
		page, ok := c.Next()
		if !ok {
			return walked
		}
		walked = append(walked, page.URL)
		c.Add(page.URL, links(page.URL), page.Depth)
	}
}

func linksOf(site map[string][]string) func(string) []string {
	return func(page string) []string { return site[strings.TrimPrefix(page, "https://example.org")] }
}

func paths(addresses []string) (result []string) {
	for _, address := range addresses {
		result = append(result, strings.TrimPrefix(address, "https://example.org"))
	}
	return result
}

func TestOrderIsByDepthThenByTheOrderInThePage(t *testing.T) {
	c := newCrawl(t, crawl.Options{})
	got := paths(walk(c, linksOf(map[string][]string{
		"/": {"/b", "a", "#top", "/b#part"}, "/b": {"/c/", "/a"}, "/a": {"d?x=1", "/c/"}, "/c/": {"../b", "e"},
	})))
	assert.Equal(t, []string{"/", "/b", "/a", "/c/", "/d?x=1", "/c/e"}, got)
	assert.Empty(t, c.Problems())
}

func TestStaysOnTheSite(t *testing.T) {
	start := parse(t, "https://example.org:8443/shop")
	for _, test := range []struct {
		name, href string
		want       string // empty: left out
	}{
		{"a path", "/x", "https://example.org:8443/x"},
		{"the same host in capitals", "https://EXAMPLE.org:8443/x", "https://example.org:8443/x"},
		{"another port", "https://example.org/x", ""},
		{"another scheme", "http://example.org:8443/x", "https://example.org:8443/x"},
		{"another host", "https://example.com:8443/x", ""},
		{"a host below", "https://www.example.org:8443/x", ""},
		{"a host that begins alike", "https://example.org.evil.example:8443/x", ""},
		{"a user who is none of the site's", "https://example.org@evil.example/x", ""},
		{"no scheme of the web", "mailto:x@example.org", ""},
		{"a script", "javascript:alert(1)", ""},
		{"data", "data:text/html,x", ""},
		{"nothing", "  ", ""},
		{"spaces around", " /x\n", "https://example.org:8443/x"},
		{"no address", "http://[::1", ""},
		{"a long one", "/" + strings.Repeat("x", 3000), ""},
		{"a download", "/report.PDF", ""},
		{"a download by a query", "/report.php?file=a.pdf", "https://example.org:8443/report.php?file=a.pdf"},
		{"an archive", "/all.tar.gz?x=1", ""},
		{"a page with a dot", "/v1.2", "https://example.org:8443/v1.2"},
		{"letters that are escaped", "/d%C3%A9j%C3%A0", "https://example.org:8443/d%C3%A9j%C3%A0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := newCrawl(t, crawl.Options{Start: start})
			got := walk(c, func(page string) []string {
				if page == start.String() {
					return []string{test.href}
				}
				return nil
			})
			want := []string{start.String()}
			if test.want != "" {
				want = append(want, test.want)
			}
			assert.Equal(t, want, got)
		})
	}
}

func TestAStartThatMovesTakesItsHostAlong(t *testing.T) {
	for _, test := range []struct {
		start, to string
		mistake   string
		hosts     []string
		pages     []string // of links to both hosts
	}{
		{"http://example.org/", "https://example.org/", "", []string{"example.org"}, []string{"https://example.org/a", "https://example.org/b"}},
		{"https://example.org/", "https://www.example.org/en", "", []string{"example.org", "www.example.org"}, []string{"https://www.example.org/a", "https://www.example.org/b"}},
		{"https://www.example.co.uk/", "https://shop.example.co.uk/", "", []string{"www.example.co.uk", "shop.example.co.uk"}, []string{"https://shop.example.co.uk/a", "https://shop.example.co.uk/b"}},
		{"https://one.co.uk/", "https://two.co.uk/", "another site", []string{"one.co.uk"}, nil},
		{"https://example.org/", "https://example.com/login", "another site", []string{"example.org"}, nil},
		{"http://127.0.0.1:8080/", "https://127.0.0.1:8443/", "", []string{"127.0.0.1:8080", "127.0.0.1:8443"}, []string{"https://127.0.0.1:8443/a", "https://127.0.0.1:8443/b"}},
		{"https://example.org/", "chrome-error://chromewebdata/", "no page", []string{"example.org"}, nil},
	} {
		t.Run(test.start+" to "+test.to, func(t *testing.T) {
			c := newCrawl(t, crawl.Options{Start: parse(t, test.start)})
			_, ok := c.Next()
			require.True(t, ok)
			err := c.Moved(parse(t, test.to))
			assert.Equal(t, test.hosts, c.Hosts())
			if test.mistake != "" {
				require.ErrorContains(t, err, test.mistake)
				return
			}
			require.NoError(t, err)
			c.Add(test.to, []string{"/a", strings.TrimSuffix(test.start, "/") + "/b", test.to}, 0)
			assert.Equal(t, test.pages, walk(c, func(string) []string { return nil }))
		})
	}
}

func TestOptionsChooseThePages(t *testing.T) {
	site := linksOf(map[string][]string{"/": {"/blog/", "/blog/a/b", "/blog", "/shop?sort=price", "/shop?sort=name", "/déjà", "/x.html"}, "/blog/": {"/deep"}, "/deep": {"/deeper"}})
	for _, test := range []struct {
		name string
		o    crawl.Options
		want []string
	}{
		{"include", crawl.Options{Include: []string{"/blog/*"}}, []string{"/", "/blog/", "/blog/a/b"}},
		{"exclude", crawl.Options{Exclude: []string{"/blog*", "/shop"}}, []string{"/", "/d%C3%A9j%C3%A0", "/x.html"}},
		{"both", crawl.Options{Include: []string{"*"}, Exclude: []string{"*/b", "/shop?*price", "/déjà", "*.html"}}, []string{"/", "/blog/", "/blog", "/shop?sort=name", "/deep", "/deeper"}},
		{"as it stands in the address", crawl.Options{Include: []string{"/d%C3%A9*"}}, []string{"/", "/d%C3%A9j%C3%A0"}},
		{"depth", crawl.Options{Depth: 1, Include: []string{"/blog/", "/deep*"}}, []string{"/", "/blog/"}},
		{"pages", crawl.Options{Pages: 2}, []string{"/", "/blog/"}},
		{"one page", crawl.Options{Pages: 1}, []string{"/"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			assert.Equal(t, test.want, paths(walk(newCrawl(t, test.o), site)))
		})
	}
}

func TestEveryMistakeOfTheOptionsIsTold(t *testing.T) {
	_, err := crawl.New(crawl.Options{Start: parse(t, "ftp://x"), Pages: -1, Depth: -2, Include: []string{"blog", "", "/a"}, Exclude: []string{"^/x$"}})
	for _, want := range []string{`start: "ftp://x"`, "pages: -1", "depth: -2", `include: "blog"`, "include: an empty", `exclude: "^/x$"`} {
		require.ErrorContains(t, err, want)
	}
	_, err = crawl.New(crawl.Options{})
	require.ErrorContains(t, err, "start: none")
}

func TestLinksThatLogOutAreLeftOutAndTold(t *testing.T) {
	links := []string{"/logout", "/users/sign_out", "/?action=log-out", "/d%C3%A9connexion", "/account.php?do=Signoff", "/presci", "/logistics", "/checkout", "/esci"}
	site := linksOf(map[string][]string{"/": links})
	c := newCrawl(t, crawl.Options{LoggedIn: true})
	assert.Equal(t, []string{"/", "/presci", "/logistics", "/checkout"}, paths(walk(c, site)))
	require.Len(t, c.Problems(), 1)
	assert.Contains(t, c.Problems()[0], "6 links would log out, such as /logout")
	assert.Len(t, walk(newCrawl(t, crawl.Options{}), site), 1+len(links), "a visitor who has not logged in may follow them")
}

func TestOfTheCharterOnlyItsPage(t *testing.T) {
	c := newCrawl(t, crawl.Options{})
	c.SetCharter("/shop/cookies")
	got := walk(c, linksOf(map[string][]string{"/": {"/shop/cookies/?back=%2F", "/shop/cookies/state.json", "/shop/cookies/banner", "/shop/cookies/#settings", "/shop/cookiesandmilk"}}))
	assert.Equal(t, []string{"/", "/shop/cookies/", "/shop/cookiesandmilk"}, paths(got))
	assert.Empty(t, c.Problems())
}

func TestAnEndlessSiteEnds(t *testing.T) {
	for _, test := range []struct {
		name  string
		links func(page string, n int) []string
		most  int
		told  string
	}{
		{"queries", func(_ string, n int) []string { return []string{fmt.Sprintf("/list?page=%d", n), "/about"} }, 5, "differ from others in their query alone"},
		{"paths that grow", func(page string, _ int) []string { return []string{strings.TrimSuffix(page, "/") + "/next/", "/about"} }, 8, "grows with each link"},
		{"paths that grow by numbers", func(page string, n int) []string {
			return []string{fmt.Sprintf("%s/%d/", strings.TrimSuffix(page, "/"), n)}
		}, 17, "grows with each link"},
		{"new names on each page", func(_ string, n int) []string {
			return []string{fmt.Sprintf("/p%dx%d", n, n*7), fmt.Sprintf("/q%d", n)}
		}, 200, "more pages were found"},
		{"many links on one page", func(_ string, n int) []string {
			var links []string
			for i := range 6000 {
				links = append(links, fmt.Sprintf("/%d/%d", n, i))
			}
			return links
		}, 20, "has 6000 links"},
		{"more links than are kept", func(_ string, n int) []string {
			var links []string
			for i := range 5000 {
				links = append(links, fmt.Sprintf("/%d/%d", n, i))
			}
			return links
		}, 20, "too many to remember"},
	} {
		t.Run(test.name, func(t *testing.T) {
			walked := func() ([]string, []string) {
				c, n := newCrawl(t, crawl.Options{Pages: max(test.most, 20), Depth: 1000}), 0
				return walk(c, func(page string) []string { n++; return test.links(page, n) }), c.Problems()
			}
			got, problems := walked()
			assert.Len(t, got, test.most)
			assert.Contains(t, strings.Join(problems, "\n"), test.told)
			again, _ := walked()
			assert.Equal(t, got, again, "in the same order")
		})
	}
}

func TestACalendarDoesNotUseUpThePages(t *testing.T) {
	c := newCrawl(t, crawl.Options{Pages: 30})
	month := 0
	got := paths(walk(c, func(page string) []string {
		if page == "https://example.org/" {
			var days []string
			for day := range 40 {
				days = append(days, fmt.Sprintf("/calendar/2026/%d", day))
			}
			return append(days, "/about")
		}
		month++
		return []string{fmt.Sprintf("/calendar/%d/1", 2026+month), "/contact"}
	}))
	assert.Len(t, got, 30)
	assert.Equal(t, 11, slices.Index(got, "/about"), "after ten days of the calendar")
	assert.Equal(t, 12, slices.Index(got, "/contact"))
}

func TestAHundredPagesThatDifferInNumbersAreAllLookedAt(t *testing.T) {
	c := newCrawl(t, crawl.Options{})
	var links []string
	for i := range 99 {
		links = append(links, fmt.Sprintf("/page/%d", i))
	}
	assert.Len(t, walk(c, linksOf(map[string][]string{"/": links})), 100)
	assert.Empty(t, c.Problems())
}

func TestRedirectsAreNotOpenedTwice(t *testing.T) {
	c := newCrawl(t, crawl.Options{})
	_, _ = c.Next()
	c.Add("https://example.org/", []string{"/old"}, 0)
	page, _ := c.Next()
	assert.Equal(t, "https://example.org/old", page.URL)
	c.Add("https://example.org/new", []string{"/new", "/other"}, page.Depth)
	page, _ = c.Next()
	assert.Equal(t, crawl.Page{URL: "https://example.org/other", Depth: 2}, page)
}

// files serves files by path; with a number in place of a text, a status.
func files(t *testing.T, contents map[string]any) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch content := contents[r.URL.Path].(type) {
		case string:
			fmt.Fprint(w, strings.ReplaceAll(content, "HOST", "http://"+r.Host))
		case int:
			w.WriteHeader(content)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server
}
