package crawl_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/consentscan/internal/crawl"
)

func zipped(t *testing.T, content string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(content))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.String()
}

// urlset writes a sitemap.
func urlset(paths ...string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">`)
	for _, path := range paths {
		fmt.Fprintf(&b, "<url><loc> HOST%s </loc><lastmod>2026-01-01</lastmod></url>", path)
	}
	return b.String() + "</urlset>"
}

func index(paths ...string) string {
	var b strings.Builder
	b.WriteString(`<sitemapindex>`)
	for _, path := range paths {
		fmt.Fprintf(&b, "<sitemap><loc>HOST%s</loc></sitemap>", path)
	}
	return b.String() + "</sitemapindex>"
}

func TestReadsRobotsAndSitemaps(t *testing.T) {
	many := make([]string, 12000)
	for i := range many {
		many[i] = fmt.Sprintf("/many%d", i)
	}
	nested := map[string]any{"/robots.txt": "Sitemap: HOST/0.xml\n"}
	for i := range 9 {
		nested[fmt.Sprintf("/%d.xml", i)] = index(fmt.Sprintf("/%d.xml", i+1), fmt.Sprintf("/pages%d.xml", i))
		nested[fmt.Sprintf("/pages%d.xml", i)] = urlset(fmt.Sprintf("/p%d", i))
	}
	var wide []string
	for i := range 60 {
		wide = append(wide, fmt.Sprintf("/nowhere%d.xml", i))
	}
	for _, test := range []struct {
		name     string
		files    map[string]any
		o        crawl.Options
		want     []string // after the start, whose links are /linked and /private/linked
		problems []string
	}{
		{"none of them", nil, crawl.Options{}, []string{"/linked", "/private/linked"}, nil},
		{"a sitemap that nobody names, after the links of the first page", map[string]any{"/sitemap.xml": urlset("/b", "/a?x=1&amp;y=2", "/linked", "/file.pdf")}, crawl.Options{}, []string{"/linked", "/private/linked", "/b", "/a?x=1&y=2"}, nil},
		{"robots and its sitemaps", map[string]any{"/robots.txt": "User-agent: *\nDisallow: /private/\nSitemap: HOST/one.xml\nSitemap: /two.xml.gz\n", "/one.xml": urlset("/private/1", "/1"), "/two.xml.gz": zipped(t, strings.ReplaceAll(urlset("/2"), "HOST", "")), "/sitemap.xml": urlset("/3")},
			crawl.Options{}, []string{"/linked", "/1", "/2"}, []string{"robots.txt keeps consentscan away from 2 addresses, such as /private/linked"}},
		{"robots that are ignored", map[string]any{"/robots.txt": "User-agent: *\nDisallow: /\n"}, crawl.Options{IgnoreRobots: true}, []string{"/linked", "/private/linked"}, nil},
		{"robots for us", map[string]any{"/robots.txt": "User-agent: *\nDisallow: /\n\nUser-agent: consentscan\nAllow: /private/linked$\nDisallow: /*link\n"}, crawl.Options{}, []string{"/private/linked"}, []string{"1 addresses, such as /linked"}},
		{"robots that fail", map[string]any{"/robots.txt": 503}, crawl.Options{}, []string{"/linked", "/private/linked"}, []string{"robots.txt cannot be read, and keeps nothing away: 503"}},
		{"robots that are a page", map[string]any{"/robots.txt": "<!doctype html><html><body>Not found</body></html>"}, crawl.Options{}, []string{"/linked", "/private/linked"}, nil},
		{"robots that are too long", map[string]any{"/robots.txt": strings.Repeat("#\n", 600<<10)}, crawl.Options{}, []string{"/linked", "/private/linked"}, []string{"robots.txt cannot be read"}},
		{"an index, and one that goes round in circles", map[string]any{"/sitemap.xml": index("/a.xml", "/sitemap.xml"), "/a.xml": urlset("/a")}, crawl.Options{}, []string{"/linked", "/private/linked", "/a"}, nil},
		{"indexes in indexes", nested, crawl.Options{}, []string{"/linked", "/private/linked", "/p2", "/p1", "/p0"}, []string{"lies in more than 3 others"}},
		{"more sitemaps than are read", map[string]any{"/sitemap.xml": index(wide...)}, crawl.Options{}, []string{"/linked", "/private/linked"}, []string{"there are more than 50"}},
		{"more pages than are kept", map[string]any{"/sitemap.xml": urlset(many...)}, crawl.Options{Pages: 4}, []string{"/linked", "/private/linked", "/many0"}, []string{"pages after the first 10000", "more pages were found"}},
		{"one that is cut off", map[string]any{"/robots.txt": "Sitemap: HOST/s.xml", "/s.xml": strings.Split(urlset("/a", "/b"), "HOST/b")[0]}, crawl.Options{}, []string{"/linked", "/private/linked", "/a"}, []string{"sitemap /s.xml: it ends with a mistake"}},
		{"no XML where a page answers to everything", map[string]any{"/sitemap.xml": "<!doctype html><html><body>Welcome</body></html>"}, crawl.Options{}, []string{"/linked", "/private/linked"}, nil},
		{"a named one that is no sitemap", map[string]any{"/robots.txt": "Sitemap: HOST/s.xml", "/s.xml": "<rss></rss>"}, crawl.Options{}, []string{"/linked", "/private/linked"}, []string{"it is no sitemap: it begins with <rss>"}},
		{"a named one that is not there", map[string]any{"/robots.txt": "Sitemap: HOST/s.xml"}, crawl.Options{}, []string{"/linked", "/private/linked"}, []string{"sitemap /s.xml cannot be read: not there: 404"}},
		{"one on another site", map[string]any{"/robots.txt": "Sitemap: https://example.com/s.xml"}, crawl.Options{}, []string{"/linked", "/private/linked"}, []string{"lies on another site"}},
		{"a list of addresses", map[string]any{"/robots.txt": "Sitemap: HOST/s.txt", "/s.txt": "HOST/a\n\nHOST/b\n"}, crawl.Options{}, []string{"/linked", "/private/linked", "/a", "/b"}, nil},
		{"neither XML nor a list", map[string]any{"/robots.txt": "Sitemap: HOST/s.txt", "/s.txt": "hello\n"}, crawl.Options{}, []string{"/linked", "/private/linked"}, []string{"neither XML nor a list"}},
		{"a small file that unpacks to a large one", map[string]any{"/sitemap.xml": zipped(t, strings.NewReplacer("HOST", "", "</urlset>", strings.Repeat(" ", 11<<20)).Replace(urlset("/a")))}, crawl.Options{}, []string{"/linked", "/private/linked", "/a"}, []string{"more than 10 MB"}},
		{"entities that grow", map[string]any{"/robots.txt": "Sitemap: HOST/s.xml", "/s.xml": `<!DOCTYPE x [<!ENTITY a "aaaa">]><urlset><url><loc>HOST/&a;</loc></url></urlset>`}, crawl.Options{}, []string{"/linked", "/private/linked"}, []string{"it ends with a mistake"}},
		{"elements too deep in each other", map[string]any{"/robots.txt": "Sitemap: HOST/s.xml", "/s.xml": "<urlset>" + strings.Repeat("<a>", 1000)}, crawl.Options{}, []string{"/linked", "/private/linked"}, []string{"too deep"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := files(t, test.files)
			test.o.Start = parse(t, server.URL)
			c := newCrawl(t, test.o)
			c.Load(t.Context(), server.Client())
			var got []string
			for _, address := range walk(c, func(page string) []string {
				if page == server.URL+"/" {
					return []string{"/linked", "/private/linked"}
				}
				return nil
			}) {
				got = append(got, strings.TrimPrefix(address, server.URL))
			}
			assert.Equal(t, append([]string{"/"}, test.want...), got)
			problems := strings.Join(c.Problems(), "\n")
			for _, want := range test.problems {
				assert.Contains(t, problems, want)
			}
			if test.problems == nil {
				assert.Empty(t, problems)
			}
		})
	}
}

func TestAHostThatDoesNotAnswerIsAProblemAndNotTheEnd(t *testing.T) {
	server := files(t, nil)
	server.Close()
	c := newCrawl(t, crawl.Options{Start: parse(t, server.URL)})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	c.Load(ctx, server.Client())
	assert.Contains(t, strings.Join(c.Problems(), "\n"), "robots.txt cannot be read")
	_, ok := c.Next()
	assert.True(t, ok)
}
