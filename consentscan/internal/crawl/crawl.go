// Package crawl chooses the pages of a site that are looked at: links and the sitemap
// within the host, as robots.txt allows, in an order that is the same each time.
package crawl

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/temoto/robotstxt"
)

// Options say which pages are looked at. Only Start is required.
type Options struct {
	// Start is the first page, with http or https. It is looked at whatever else is said.
	Start *url.URL
	// Pages is how many are looked at, at most. Zero means 100.
	Pages int
	// Depth is how many links a page may be away from the start. Those of a sitemap are
	// one away. Zero means 5; one page alone is Pages: 1.
	Depth int
	// Include and Exclude are patterns. A page is looked at if it fits one of Include, or
	// if there is none, and if it fits none of Exclude. A pattern is compared with the
	// whole path, and with the query too if it has a "?". A "*" stands for any run of
	// characters, "/" too: "/blog/*".
	Include, Exclude []string
	// IgnoreRobots looks at pages from which robots.txt keeps others away.
	IgnoreRobots bool
	// LoggedIn leaves out links that would end a visit: see [IsLogout].
	LoggedIn bool
}

// A Page is one to look at.
type Page struct {
	// URL has no fragment.
	URL string
	// Depth is how many links it is away from the start.
	Depth int
}

const (
	defaultPages, defaultDepth = 100, 5

	// maxVariants is how many addresses that differ in their query alone are looked at.
	maxVariants = 3
	// maxAlike is how many addresses that differ in numbers alone come before all others
	// have had their turn, so that a calendar does not use up the pages.
	maxAlike = 10
	// maxSegments and maxRepeats end paths that grow with each link.
	maxSegments, maxRepeats = 16, 3
	maxAddress              = 2048
	maxLinks                = 5000  // of a page
	maxQueued               = 20000 // of the site
)

// A Crawl hands out pages. It is for one goroutine.
type Crawl struct {
	o                Options
	include, exclude []pattern

	origin  *url.URL        // scheme and host, to which all pages of the site are taken
	hosts   map[string]bool // those that are the site, in lower case, with a port if it is no default
	charter string          // path

	robots  *robotstxt.Group
	sitemap []string // waits until the links of the first page are known

	queue    [][]Page // by depth
	late     []Page
	queued   int
	handed   int
	known    map[string]bool
	variants map[string]int // by path
	alike    map[string]int // by path without its numbers

	begun    bool
	problems []string
	left     map[reason]*leftOut
}

// New returns a crawl that begins with the start. The error has every mistake, each with
// the name of its option.
func New(o Options) (*Crawl, error) {
	var mistakes []error
	mistake := func(format string, args ...any) { mistakes = append(mistakes, fmt.Errorf(format, args...)) }
	switch {
	case o.Start == nil:
		mistake("start: none")
	case o.Start.Scheme != "http" && o.Start.Scheme != "https" || o.Start.Hostname() == "":
		mistake("start: %q is no address with http or https and a host", o.Start.Redacted())
	}
	if o.Pages < 0 {
		mistake("pages: %d is less than 1", o.Pages)
	}
	if o.Depth < 0 {
		mistake("depth: %d is less than 1", o.Depth)
	}
	c := &Crawl{
		o: o, known: make(map[string]bool), variants: make(map[string]int), alike: make(map[string]int),
		left: make(map[reason]*leftOut),
	}
	var err error
	if c.include, err = parsePatterns("include", o.Include); err != nil {
		mistakes = append(mistakes, err)
	}
	if c.exclude, err = parsePatterns("exclude", o.Exclude); err != nil {
		mistakes = append(mistakes, err)
	}
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	if c.o.Pages == 0 {
		c.o.Pages = defaultPages
	}
	if c.o.Depth == 0 {
		c.o.Depth = defaultDepth
	}
	c.queue = make([][]Page, c.o.Depth+1)
	c.settleOn(o.Start)
	c.hosts = map[string]bool{hostOf(o.Start): true}
	start := *o.Start
	start.Fragment, start.RawFragment = "", ""
	if start.Path == "" {
		start.Path = "/"
	}
	c.known[keyOf(&start)] = true
	c.variants[start.Path]++
	c.push(Page{URL: start.String()})
	return c, nil
}

func (c *Crawl) settleOn(u *url.URL) {
	c.origin = &url.URL{Scheme: u.Scheme, User: c.o.Start.User, Host: u.Host}
}

// Moved is told where the start has led to. Its host is the site from then on, like the
// first: with or without "www.", with https, or another of the same registrable domain. An
// error says that it is another site, which is not looked at.
func (c *Crawl) Moved(to *url.URL) error {
	if to.Scheme != "http" && to.Scheme != "https" || to.Hostname() == "" {
		return fmt.Errorf("%s leads to %q, which is no page", c.o.Start.Redacted(), to.Redacted())
	}
	if !c.isRelated(to) {
		return fmt.Errorf("%s leads to %s, which is another site: start there", c.o.Start.Redacted(), to.Redacted())
	}
	c.hosts[hostOf(to)] = true
	c.settleOn(to)
	return nil
}

// Hosts returns those that count as the site, the first one first; with a port if it is
// not the default.
func (c *Crawl) Hosts() []string {
	first := hostOf(c.o.Start)
	hosts := []string{first}
	if present := hostOf(c.origin); present != first {
		hosts = append(hosts, present)
	}
	return hosts
}

// SetCharter names the path of the charter, such as "/cookies/". Of what lies below it only
// its page is looked at.
func (c *Crawl) SetCharter(path string) { c.charter = strings.TrimSuffix(path, "/") + "/" }

// Next returns the next page: those with fewer links from the start first, in the order of
// the pages that link to them. It returns false if there is none, or if as many have been
// handed out as the options say.
func (c *Crawl) Next() (Page, bool) {
	if c.handed > 0 && !c.begun {
		c.begin() // the start has no links, or could not be looked at
	}
	if c.handed == c.o.Pages {
		return Page{}, false
	}
	for depth, waiting := range c.queue {
		if len(waiting) > 0 {
			c.queue[depth] = waiting[1:]
			c.handed++
			c.queued--
			return waiting[0], true
		}
	}
	if len(c.late) > 0 {
		page := c.late[0]
		c.late = c.late[1:]
		c.handed++
		c.queued--
		return page, true
	}
	return Page{}, false
}

func (c *Crawl) push(p Page) {
	c.queue[p.Depth] = append(c.queue[p.Depth], p)
	c.queued++
}

// Add takes the links of a page, in their order. The page is the address at which the
// browser has come out, depth that of the [Page].
func (c *Crawl) Add(page string, hrefs []string, depth int) {
	base, err := url.Parse(page)
	if err != nil {
		c.problem("%.200q is no address of a page", page)
		return
	}
	if u, ok := c.canonical(base); ok {
		c.known[keyOf(u)] = true // a redirect has led here
	}
	if len(hrefs) > maxLinks {
		c.problem("%s has %d links: those after the first %d are left out", base.Path, len(hrefs), maxLinks)
		hrefs = hrefs[:maxLinks]
	}
	for _, href := range hrefs {
		c.consider(base, href, depth+1)
	}
	if !c.begun {
		c.begin()
	}
}

// begin adds the sitemap, once the links of the first page are there.
func (c *Crawl) begin() {
	c.begun = true
	for _, address := range c.sitemap {
		c.consider(c.origin, address, 1)
	}
	c.sitemap = nil
}

func (c *Crawl) consider(base *url.URL, href string, depth int) {
	href = strings.TrimSpace(href)
	if href == "" || len(href) > maxAddress {
		return
	}
	parsed, err := base.Parse(href)
	if err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" {
		return
	}
	u, ok := c.canonical(parsed)
	if !ok || isDownload(u.Path) {
		return
	}
	key := keyOf(u)
	if c.known[key] {
		return
	}
	if why := c.refuses(u); why != 0 {
		c.leave(why, u)
		return
	}
	switch {
	case depth > c.o.Depth:
		c.leave(tooDeep, u)
		return
	case c.queued >= maxQueued:
		c.leave(tooMany, u)
		return
	case c.variants[u.Path] >= maxVariants:
		c.leave(variant, u)
		return
	}
	c.known[key] = true
	c.variants[u.Path]++
	page := Page{URL: u.String(), Depth: depth}
	shape := shapeOf(u.Path)
	if c.alike[shape]++; c.alike[shape] > maxAlike {
		c.late = append(c.late, page)
		c.queued++
		return
	}
	c.push(page)
}

// refuses returns why the options, robots.txt or the path itself keep a page out.
func (c *Crawl) refuses(u *url.URL) reason {
	if c.charter != "" && strings.HasPrefix(u.Path, c.charter) {
		if u.Path != c.charter || u.RawQuery != "" {
			return charterOwn
		}
	}
	switch {
	case isEndless(u.Path):
		return endless
	case c.o.LoggedIn && IsLogout(u):
		return logout
	case len(c.include) > 0 && !matchesAny(c.include, u), matchesAny(c.exclude, u):
		return unwanted
	case !c.o.IgnoreRobots && c.robots != nil && !c.robots.Test(u.RequestURI()):
		return forbidden
	}
	return 0
}
