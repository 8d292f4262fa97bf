package crawl

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/temoto/robotstxt"
	"golang.org/x/net/html/charset"
)

const (
	// agent is who robots.txt may speak to.
	agent = "consentscan"

	maxRobots      = 512 << 10 // bytes (RFC 9309 section 2.5 asks for 500 KiB at least)
	maxSitemap     = 10 << 20  // bytes, unpacked
	maxSitemaps    = 50
	maxNesting     = 3
	maxSitemapURLs = 10000
)

// Load reads robots.txt, and the sitemaps that it names, or /sitemap.xml. What cannot be
// read is told by [Crawl.Problems], and keeps nothing away. Call it before the first
// [Crawl.Add].
func (c *Crawl) Load(ctx context.Context, client *http.Client) {
	locations := c.loadRobots(ctx, client)
	declared := len(locations) > 0
	if !declared {
		locations = []string{"/sitemap.xml"}
	}
	l := sitemapLoader{c: c, client: client, known: make(map[string]bool)}
	for _, location := range locations {
		l.load(ctx, location, 0, declared)
	}
}

// errAbsent is that of a file that is not there.
var errAbsent = errors.New("not there")

func (c *Crawl) loadRobots(ctx context.Context, client *http.Client) (sitemaps []string) {
	body, err := get(ctx, client, c.at("/robots.txt"), maxRobots)
	if errors.Is(err, errAbsent) {
		return nil
	}
	if err != nil {
		c.problem("robots.txt cannot be read, and keeps nothing away: %v", err)
		return nil
	}
	data, err := robotstxt.FromBytes(body)
	if err != nil {
		c.problem("robots.txt has mistakes, and keeps nothing away: %s", oneLine(err))
		return nil
	}
	c.robots = data.FindGroup(agent)
	return data.Sitemaps
}

func (c *Crawl) at(path string) string { return c.origin.JoinPath(path).String() }

// get returns the content of a file of the site, which is unpacked if it is gzip.
func get(ctx context.Context, client *http.Client, address string, most int64) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", agent)
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	switch {
	case response.StatusCode >= 400 && response.StatusCode < 500:
		return nil, fmt.Errorf("%w: %s", errAbsent, response.Status)
	case response.StatusCode != http.StatusOK:
		return nil, errors.New(response.Status)
	}
	content := bufio.NewReader(response.Body)
	var body io.Reader = content
	if magic, _ := content.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		if body, err = gzip.NewReader(content); err != nil {
			return nil, err
		}
	}
	read, err := io.ReadAll(io.LimitReader(body, most+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(read)) > most:
		return read[:most], fmt.Errorf("it has more than %d MB", most>>20)
	}
	return read, nil
}

// A sitemapLoader reads sitemaps and the indexes of several.
type sitemapLoader struct {
	c      *Crawl
	client *http.Client
	known  map[string]bool
	told   bool
}

// load reads one file. A file that nobody has declared need not be there, or be a sitemap.
func (l *sitemapLoader) load(ctx context.Context, location string, nesting int, declared bool) {
	u, err := l.c.origin.Parse(strings.TrimSpace(location))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || len(location) > maxAddress {
		l.c.problem("sitemap %q is no address", shorten(location))
		return
	}
	name := shorten(u.RequestURI())
	switch {
	case l.known[u.String()]:
		return
	case !l.c.isRelated(u):
		l.c.problem("sitemap %s lies on another site, and is left out", shorten(u.Redacted()))
		return
	case nesting > maxNesting:
		l.c.problem("sitemap %s is left out: it lies in more than %d others", name, maxNesting)
		return
	case len(l.known) == maxSitemaps:
		if !l.told {
			l.c.problem("sitemap %s and further ones are left out: there are more than %d", name, maxSitemaps)
		}
		l.told = true
		return
	}
	l.known[u.String()] = true
	body, err := get(ctx, l.client, u.String(), maxSitemap)
	if errors.Is(err, errAbsent) && !declared {
		return
	}
	if err != nil {
		l.c.problem("sitemap %s cannot be read: %s", name, oneLine(err))
		if len(body) == 0 {
			return
		}
	}
	pages, nested, err := readSitemap(body)
	if err != nil && declared {
		l.c.problem("sitemap %s: %s", name, oneLine(err))
	}
	if room := maxSitemapURLs - len(l.c.sitemap); len(pages) > room {
		l.c.problem("sitemap %s: pages after the first %d are left out", name, maxSitemapURLs)
		pages = pages[:room]
	}
	l.c.sitemap = append(l.c.sitemap, pages...)
	for _, location := range nested {
		l.load(ctx, location, nesting+1, true)
	}
}

// readSitemap returns the pages and the further sitemaps that one names. What comes before
// a mistake is returned with it.
func readSitemap(body []byte) (pages, nested []string, err error) {
	if trimmed := bytes.TrimLeft(body, "\ufeff \t\r\n"); len(trimmed) == 0 || trimmed[0] != '<' {
		return readTextSitemap(trimmed)
	}
	decoder := xml.NewDecoder(bytes.NewReader(body))
	decoder.CharsetReader = charset.NewReaderLabel
	var parents []string
	isSitemap := false
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return pages, nested, nil
		}
		if err != nil {
			return pages, nested, fmt.Errorf("it ends with a mistake: %w", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if len(parents) == 0 {
				if isSitemap = token.Name.Local == "urlset" || token.Name.Local == "sitemapindex"; !isSitemap {
					return nil, nil, fmt.Errorf("it is no sitemap: it begins with <%.50s>", token.Name.Local)
				}
			}
			if parents = append(parents, token.Name.Local); len(parents) > 20 {
				return pages, nested, errors.New("its elements lie too deep in each other")
			}
		case xml.EndElement:
			parents = parents[:len(parents)-1]
		case xml.CharData:
			location := strings.TrimSpace(string(token))
			if len(parents) != 3 || parents[2] != "loc" || location == "" {
				continue
			}
			switch parents[1] {
			case "url":
				pages = append(pages, location)
			case "sitemap":
				nested = append(nested, location)
			}
		}
	}
}

// readTextSitemap reads a list of addresses, one on each line.
func readTextSitemap(body []byte) (pages, nested []string, err error) {
	for line := range strings.Lines(string(body)) {
		line = strings.TrimSpace(line)
		u, err := url.Parse(line)
		switch {
		case line == "":
		case err != nil || u.Scheme != "http" && u.Scheme != "https":
			return pages, nil, errors.New("it is no sitemap: neither XML nor a list of addresses")
		default:
			pages = append(pages, line)
		}
	}
	return pages, nil, nil
}

// oneLine keeps what a site has written from filling a report.
func oneLine(err error) string {
	return shorten(strings.Join(strings.Fields(err.Error()), " "))
}
