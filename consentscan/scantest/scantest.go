// Package scantest opens a site in a real browser, in the site's own tests, and fails for
// each thing that is not as the site declares it:
//
//	func TestInABrowser(t *testing.T) {
//		mw, shop := newShop() // as main does
//		scantest.Run(t, shop, scantest.Options{Middleware: mw})
//	}
//
// The visitors bring their decisions along, signed by the site's own middleware, so that
// no banner has to be found and every state can be tested: by default a new visitor, one
// who has refused everything, one who has accepted everything and then refuses, and one for
// each category alone. Package consenttest does the same without a browser, and sees what a
// server sets; a browser also sees what scripts do.
//
// It needs a Chromium, on Linux or macOS; without one the test is skipped, or fails if the
// environment says CI=true.
package scantest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/consentscan/internal/chrome"
	"github.com/cookiecharter/consent/consentscan/internal/crawl"
	"github.com/cookiecharter/consent/consentscan/internal/finding"
	"github.com/cookiecharter/consent/consentscan/internal/judge"
	"github.com/cookiecharter/consent/consentscan/internal/scan"
)

// Options say what is tested. Only Middleware is required.
type Options struct {
	// Middleware is the one that the handler is wrapped in. Its registry is what the site
	// declares, and its keys sign the visitors' decisions.
	Middleware *consent.Middleware
	// URL is the address that the browser shows, by default "http://localhost". Its host
	// leads to the handler and nowhere else. With https it has a certificate that the
	// browser takes for valid. No other host can be reached.
	URL string
	// Pages are the paths that are opened. Empty: the site is walked from "/", by its
	// links, 20 pages at most.
	Pages []string
	// States are the visitors: see [States]. Empty: the ones that the package names.
	States []State
	// Timeout is how long a page may take to come to rest, 15 seconds if zero.
	Timeout time.Duration
}

// A State is a visitor in one state of consent. The zero State has not answered.
type State struct {
	// Name is told with a failure. Empty: the place in the list.
	Name string
	// Answered says that the visitor has made Choice.
	Answered bool
	Choice   consent.Choice
	// Header goes with each request, such as the country for a site's Regime.
	Header map[string]string
	// GPC says that the browser sends Sec-GPC.
	GPC bool
	// Then, if it is not nil, is a second choice, which the visitor makes after the pages
	// were walked, and walks them again with.
	Then *consent.Choice
}

// Run opens handler, which is wrapped in the middleware, in a browser, and fails t for each
// finding, with what to write to mend it. What is only worth a look is logged.
func Run(t testing.TB, handler http.Handler, options Options) {
	t.Helper()
	if options.Middleware == nil {
		t.Fatal("scantest: Options.Middleware is nil")
	}
	site, err := serve(t, handler, options.URL)
	if err != nil {
		t.Fatalf("scantest: Options.URL: %v", err)
	}
	o := scan.Options{
		URL: site.address, Registry: options.Middleware.Registry(), Pages: options.Pages, Timeout: options.Timeout,
		Crawl:   crawl.Options{Pages: 20, IgnoreRobots: true},
		Browser: chrome.Options{Args: site.flags, InvalidCertificates: site.secure},
	}
	if o.States, err = site.states(options); err != nil {
		t.Fatalf("scantest: Options.States: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	result, err := scan.Run(ctx, o)
	switch {
	case errors.Is(err, chrome.ErrNoBrowser) && os.Getenv("CI") != "true":
		t.Skipf("scantest: %v", err)
	case err != nil:
		t.Fatalf("scantest: %v", err)
	}
	for _, p := range result.Problems {
		t.Errorf("%s %s: %s", p.Stage, p.Page, p.Text)
	}
	for _, f := range judge.Judge(result.Scan, result.Registry, judge.Options{OwnCookies: site.own}) {
		tell := t.Errorf
		if f.Level == finding.Note {
			tell = t.Logf
		}
		tell("%s", text(f))
	}
}

func text(f finding.Finding) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", f.Check, f.Message)
	if len(f.Stages) > 0 { // what was never seen has none
		fmt.Fprintf(&b, "\n\tfor: %s", strings.Join(f.Stages, ", "))
	}
	for _, p := range f.Places[:min(len(f.Places), 3)] {
		fmt.Fprintf(&b, "\n\ton %s: %s", p.Page, p.How)
	}
	fmt.Fprintf(&b, "\n\tmend: %s", strings.ReplaceAll(f.Mend, "\n", "\n\t"))
	return b.String()
}

// Subsets returns a state for each subset of categories, from none to all of them: every
// state that visitors who answer can be in, if they are those of the site that need consent.
// There are 2 to the power of len(categories).
func Subsets(categories ...consent.Category) []State {
	states := make([]State, 0, 1<<len(categories))
	for bits := range 1 << len(categories) {
		var allowed []consent.Category
		for i, c := range categories {
			if bits>>i&1 == 1 {
				allowed = append(allowed, c)
			}
		}
		name := "refused"
		if len(allowed) > 0 {
			name = "only " + join(allowed)
		}
		states = append(states, State{Name: name, Answered: true, Choice: consent.Accept(allowed...)})
	}
	return states
}

func join(categories []consent.Category) string {
	names := make([]string, len(categories))
	for i, c := range categories {
		names[i] = string(c)
	}
	return strings.Join(names, ", ")
}

// States returns those of a site that declares registry which [Run] takes by default.
func States(registry *consent.Registry) []State {
	refuse := consent.RefuseAll()
	states := []State{
		{Name: "new"},
		{Name: "refused", Answered: true, Choice: refuse},
		{Name: "accepted", Answered: true, Choice: consent.AcceptAll(), Then: &refuse},
	}
	var seen []consent.Category
	for _, c := range registry.Cookies() {
		if c.NeedsConsent() && !slices.Contains(seen, c.Category) {
			seen = append(seen, c.Category)
			states = append(states, State{Name: "only " + string(c.Category), Answered: true, Choice: consent.Accept(c.Category)})
		}
	}
	return states
}
