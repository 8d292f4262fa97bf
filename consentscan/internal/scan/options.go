package scan

import (
	"context"
	"net/url"
	"time"

	"github.com/chromedp/cdproto/network"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/consentscan/internal/banner"
	"github.com/cookiecharter/consent/consentscan/internal/chrome"
	"github.com/cookiecharter/consent/consentscan/internal/crawl"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
	"github.com/cookiecharter/consent/consentscan/internal/steps"
)

// Options are what is scanned. Only URL is required.
type Options struct {
	// URL is the first page.
	URL string
	// Registry is what the site declares. Nil: it is read from the site's charter, if it
	// has ours.
	Registry *consent.Registry
	// Crawl says which pages are looked at; its Start is URL.
	Crawl crawl.Options
	// Pages, if there are any, are looked at in place of a crawl: paths, or addresses of
	// the site.
	Pages []string
	// Banner says how visitors answer, if that is not found.
	Banner banner.Options
	// Setup is what each visitor does first, such as to log in.
	Setup steps.Steps
	// OptOut are the header fields by which the site takes a visitor for one under a law
	// that lets everything pass until they refuse. Empty: no such visitor comes.
	OptOut map[string]string
	// States, if there are any, are the stages in place of those that are found: see
	// [State].
	States []State
	// Browser is how the browser is started. If one Runs already, the scan uses that, and
	// leaves it running.
	Browser chrome.Options
	Runs    *chrome.Browser
	// Timeout is how long one page may take, 15 seconds if zero.
	Timeout time.Duration
	// Parallel is how many visitors walk at the same time, 6 if zero: most of the time a
	// visitor waits.
	Parallel int
	// Hash says that a hash is kept of each value.
	Hash bool
	// Pictures says that each stage is pictured.
	Pictures bool
	// Lookup follows CNAME records; nil: no host is asked for.
	Lookup func(ctx context.Context, host string) (string, error)
	// Progress is called for each page that was looked at, from several goroutines.
	Progress func(Progress)
}

// A State is a stage whose decision the visitor brings along, as a cookie.
type State struct {
	Stage   seen.Stage
	Cookie  *network.CookieParam // nil: the visitor has not answered
	Headers map[string]string
	// Then is the state that the same visitor is in afterwards. Nil: none.
	Then *State
}

// Progress is how far a scan has come.
type Progress struct {
	Stage, Page string
	// Looked is how many pages were looked at, of all stages; Known how many are known to
	// be looked at, which grows.
	Looked, Known int

	browser *chrome.Browser
}

// Memory returns how many bytes the browser holds at this time: see [chrome.Browser.Memory].
func (p Progress) Memory() int64 { return p.browser.Memory() }

func (o *Options) start() (*url.URL, error) {
	return url.Parse(o.URL)
}
