// Package scan has visitors walk through a site in every state of consent, and keeps what
// their browsers did: see package seen.
package scan

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/consentscan/internal/banner"
	"github.com/cookiecharter/consent/consentscan/internal/browse"
	"github.com/cookiecharter/consent/consentscan/internal/chrome"
	"github.com/cookiecharter/consent/consentscan/internal/crawl"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

// A Result is what a scan has seen, and what the site declares.
type Result struct {
	*seen.Scan
	// Registry is that of the options, or what the site's charter says; nil: none.
	Registry *consent.Registry
	// Banner tells how visitors have answered, such as "charter" or "klaro".
	Banner string
	// OwnCookies are the names under which another banner than ours keeps the answer.
	OwnCookies []string
}

// Run scans a site. If ctx ends, it returns what was seen until then, with the context's
// error. Any other error says that the site could not be looked at.
func Run(ctx context.Context, options Options) (*Result, error) {
	s, err := newScan(options)
	if err != nil {
		return nil, err
	}
	if s.browser = options.Runs; s.browser == nil {
		if s.browser, err = chrome.Start(ctx, options.Browser); err != nil {
			return nil, err
		}
		defer s.browser.Close()
	}
	s.result.Browser = s.browser.Product
	if err := s.scout(ctx); err != nil {
		return nil, err
	}
	err = s.walkAll(ctx)
	s.finish()
	if err == nil {
		err = ctx.Err()
	}
	return s.result, err
}

// A scan is one run.
type scan struct {
	options Options
	start   *url.URL
	crawl   *crawl.Crawl
	client  *http.Client
	browser *chrome.Browser
	site    *browse.Site
	way     banner.Way
	law     consent.Regime // of a visitor without -opt-out
	hash    func(string) string
	trail   *trail

	mu     sync.Mutex
	result *Result
	looked int
}

func newScan(options Options) (*scan, error) {
	start, err := options.start()
	if err != nil {
		return nil, err
	}
	options.Crawl.Start = start
	options.Crawl.LoggedIn = options.Crawl.LoggedIn || options.Setup.Len() > 0
	c, err := crawl.New(options.Crawl)
	if err = errors.Join(err, options.Banner.Check()); err != nil {
		return nil, err
	}
	if options.Parallel <= 0 {
		options.Parallel = 6
	}
	s := &scan{options: options, start: start, crawl: c, trail: newTrail(), client: newClient(options.Browser.InvalidCertificates),
		result: &Result{Scan: &seen.Scan{Site: options.URL, Started: time.Now()}, Registry: options.Registry}}
	if options.Hash {
		key := []byte(rand.Text())
		s.hash = func(value string) string {
			h := hmac.New(sha256.New, key)
			h.Write([]byte(value))
			return hex.EncodeToString(h.Sum(nil)[:8])
		}
	}
	return s, nil
}

// scout opens the first page to learn which site it is, and how it asks.
func (s *scan) scout(ctx context.Context) error {
	s.site = browse.NewSite(s.start.Hostname(), s.options.Lookup)
	v, err := s.visitor(ctx, "scout", visit{})
	if err != nil {
		return err
	}
	defer v.Close()
	if err := v.Open(ctx, s.start.String()); err != nil {
		return fmt.Errorf("the site cannot be looked at: %w", err)
	}
	address, err := v.Address(ctx)
	if err != nil {
		return err
	}
	shown, err := url.Parse(address)
	if err != nil {
		return err
	}
	if s.options.Setup.Len() == 0 { // else a login may come first, at another host
		if err := s.crawl.Moved(shown); err != nil {
			return err
		}
	}
	s.site = browse.NewSite(shown.Hostname(), s.options.Lookup)
	if len(s.options.States) > 0 {
		return nil // a test of its own site's, which only the browser can reach
	}
	s.crawl.Load(ctx, s.client)
	if err := s.setUp(ctx, v); err != nil {
		return err
	}
	if s.way, err = banner.Find(ctx, v, s.options.Banner); err != nil {
		return err
	}
	s.result.Banner = s.way.Name()
	s.result.OwnCookies = banner.OwnCookies(s.way)
	path, ours := banner.CharterPath(s.way)
	if !ours {
		return nil
	}
	s.crawl.SetCharter(path)
	s.law = regimeOf(ctx, v, path)
	return s.readCharter(ctx, v, path)
}

// setUp does what each visitor does first.
func (s *scan) setUp(ctx context.Context, v *browse.Visitor) error {
	if s.options.Setup.Len() == 0 {
		return nil
	}
	if err := s.options.Setup.Run(ctx, v, s.start); err != nil {
		return fmt.Errorf("setup: %w", err)
	}
	return nil
}

// readCharter asks the site's own charter what it declares, in the visitor's browser, as
// the site may ask for a login.
func (s *scan) readCharter(ctx context.Context, v *browse.Visitor, path string) error {
	if s.options.Registry != nil {
		return nil
	}
	var document string
	if err := v.Eval(ctx, fmt.Sprintf(`fetch(%q).then((r) => r.ok ? r.text() : "")`, path+"charter.json"), &document); err != nil || document == "" {
		// Not by the visitor: what the scout does is no part of the result.
		s.result.Problems = append(s.result.Problems, seen.Problem{Page: path, Text: "charter.json cannot be read: name the declarations by -declarations FILE"})
		return nil
	}
	registry, err := consent.ReadRegistry(strings.NewReader(document))
	if err != nil {
		return fmt.Errorf("%scharter.json: %w", path, err)
	}
	s.result.Registry = registry
	return nil
}

// visitor makes a visitor of this scan.
func (s *scan) visitor(ctx context.Context, stage string, w visit) (*browse.Visitor, error) {
	o := browse.Options{Site: s.site, Headers: w.headers, GPC: w.first.GPC, Hash: s.hash, Timeout: s.options.Timeout}
	if w.cookie != nil {
		o.Jar = append(o.Jar, w.cookie)
	}
	return browse.New(ctx, s.browser, stage, o)
}

// walkAll has all visitors walk, as many at a time as the options say. The first one finds
// the pages, and the others follow.
func (s *scan) walkAll(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	visits := s.plan(ctx)
	for _, w := range visits {
		s.result.Stages = append(s.result.Stages, w.stages()...)
	}
	turn := make(chan struct{}, s.options.Parallel)
	var group sync.WaitGroup
	for i, w := range visits {
		turn <- struct{}{}
		group.Go(func() {
			defer func() { <-turn }()
			w.leads = i == 0
			if err := s.walk(ctx, w); err != nil && ctx.Err() == nil {
				cancel(err) // the browser is gone: no other visitor sees anything
			}
		})
	}
	group.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return nil
}

// finish puts what was seen in an order that is the same in each scan.
func (s *scan) finish() {
	s.result.Took = time.Since(s.result.Started)
	s.result.Hosts = s.crawl.Hosts()
	for _, text := range s.crawl.Problems() {
		s.result.Problems = append(s.result.Problems, seen.Problem{Text: text})
	}
	slices.SortStableFunc(s.result.Events, seen.Compare)
	s.result.Events = slices.CompactFunc(s.result.Events, func(a, b seen.Event) bool { return seen.Compare(a, b) == 0 }) // of several visitors
	slices.SortStableFunc(s.result.Problems, func(a, b seen.Problem) int {
		return strings.Compare(a.Page+a.Text+a.Stage, b.Page+b.Text+b.Stage)
	})
}
