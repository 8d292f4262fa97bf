// Package survey looks at a site that has no declarations yet, and writes a first
// consentproxy.yaml: the cookies that the site sets, those that well-known tags in its pages
// set, and what is known of both. It sees what a site sends, and runs no script.
package survey

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/inventory"
	"github.com/cookiecharter/consent/proxy/site"
)

// Options say what is looked at.
type Options struct {
	// URL is where to begin. Required.
	URL *url.URL

	// Pages is how many pages each visitor sees at most. Zero means 50.
	Pages int

	// Known are declarations to take texts from; nil for none.
	Known *consent.Registry
}

const (
	usualPages = 50
	maxScripts = 40               // of the site's own, that are read
	maxBody    = 2 << 20          // of a page or a script; what follows is not read
	patience   = 15 * time.Second // for one answer
	userAgent  = "consentproxy init"
)

// A Report is what was found.
type Report struct {
	Start    *url.URL
	Pages    int      // that the visitor has seen who keeps cookies
	Name     string   // of the site
	Language string   // of its pages, "" if they do not say
	Hosts    []string // others from which pages load something that is not known
	LeftOut  []string // why something was not looked at
	scripted bool     // scripts of its pages store something
	drafts   []draft
	known    *consent.Registry
}

// Look sees the site as two visitors: one who keeps no cookie, and one who keeps what they
// are given and, if there is a charter of this library already, has accepted everything. It
// fails if the first page cannot be had.
func Look(ctx context.Context, o Options) (*Report, error) {
	w, err := newWalk(o)
	if err != nil {
		return nil, err
	}
	w.charter = w.readCharter(ctx, newVisitor(false))
	for _, visitor := range []*visitor{newVisitor(false), newVisitor(true)} {
		if err := w.send(ctx, visitor); err != nil {
			return nil, err
		}
	}
	drafts, err := w.drafts()
	if err != nil {
		return nil, err
	}
	report := w.report
	report.drafts, report.known = drafts, o.Known
	report.Name = cmp.Or(report.Name, report.Start.Hostname())
	slices.Sort(report.Hosts)
	report.Hosts = slices.Compact(report.Hosts)
	return report, nil
}

// A walk is a look at one site.
type walk struct {
	Options
	found   *inventory.Inventory
	observe http.Handler // reads the Set-Cookie lines of an answer
	robots  robots
	scripts map[string]bool   // of the site's own, that were read
	madeBy  map[string]bool   // the frameworks by which pages are made
	charter *consent.Registry // what the site's own charter declares; nil if there is none
	report  *Report
}

func newWalk(o Options) (*walk, error) {
	o.Pages = cmp.Or(o.Pages, usualPages)
	w := &walk{Options: o, found: inventory.New(nil), scripts: make(map[string]bool), madeBy: make(map[string]bool), report: &Report{Start: o.URL}}
	mw, err := consent.NewMiddleware(consent.Config{
		Registry: consent.MustRegistry(), Keys: [][]byte{site.NewKey()}, ReportOnly: true, Observe: w.found.Observe,
		Failed: func(*http.Request, error) {},
	})
	w.observe = mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Set-Cookie"], _ = r.Context().Value(linesOf{}).([]string)
		w.WriteHeader(http.StatusOK)
	}))
	return w, err
}

// linesOf is the key under which a request has the Set-Cookie lines of its answer.
type linesOf struct{}

// note notes the cookies of an answer.
func (w *walk) note(r *http.Request, lines []string) {
	ctx := context.WithValue(context.Background(), linesOf{}, lines)
	w.observe.ServeHTTP(nowhere{}, r.Clone(ctx))
}

// nowhere is a writer that nobody reads.
type nowhere map[string][]string

func (n nowhere) Header() http.Header       { return http.Header{} }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) WriteHeader(int)             {}

// send has a visitor walk through the site.
func (w *walk) send(ctx context.Context, v *visitor) error {
	if v.keeps {
		w.accept(ctx, v)
	} else {
		w.robots = w.readRobots(ctx, v)
	}
	queue := []*url.URL{w.URL}
	seen := map[string]bool{w.URL.RequestURI(): true}
	for pages := 0; len(queue) > 0 && pages < w.Pages && ctx.Err() == nil; pages++ {
		next := queue[0]
		queue = queue[1:]
		p, err := w.open(ctx, v, next)
		if err != nil && pages == 0 {
			return fmt.Errorf("%s: %w", next, err)
		} else if err != nil {
			w.leave("%s: %v", next, err)
			continue
		}
		if p == nil {
			continue // no page
		}
		if v.keeps {
			w.report.Pages++
		}
		w.read(ctx, v, p)
		for _, link := range p.links {
			key := link.RequestURI()
			if seen[key] || len(seen) > 20*w.Pages || !w.mayOpen(link) {
				continue
			}
			seen[key] = true
			queue = append(queue, link)
		}
		if pages+1 == w.Pages && len(queue) > 0 && v.keeps {
			w.leave("%d pages were seen, and there are more", w.Pages)
		}
	}
	return ctx.Err()
}

// leave notes why something was not looked at.
func (w *walk) leave(reason string, args ...any) {
	const most = 20
	text := fmt.Sprintf(reason, args...)
	if len(w.report.LeftOut) < most && !slices.Contains(w.report.LeftOut, text) {
		w.report.LeftOut = append(w.report.LeftOut, text)
	}
}

// mayOpen reports whether a link leads to a page of the site that a visitor without an
// account would open, and that robots may.
func (w *walk) mayOpen(link *url.URL) bool {
	if link.Host != w.URL.Host || link.Scheme != w.URL.Scheme || w.charter != nil && strings.HasPrefix(link.Path, charterPath) {
		return false
	}
	path := strings.ToLower(link.Path)
	for _, word := range []string{"logout", "signout", "sign_out", "log-out", "deconnexion", "delete", "remove"} {
		if strings.Contains(path, word) {
			return false
		}
	}
	if !w.robots.allow(link.RequestURI()) {
		w.leave("%s: robots.txt asks to leave it out", link)
		return false
	}
	return true
}

// charterPath is where a site has a charter of this library, if it has one.
const charterPath = "/cookies/"

func (w *walk) readCharter(ctx context.Context, v *visitor) *consent.Registry {
	document, err := v.get(ctx, w.URL.ResolveReference(&url.URL{Path: charterPath + "charter.json"}))
	if err != nil {
		return nil
	}
	registry, err := consent.ReadRegistry(bytes.NewReader(document))
	if err != nil {
		return nil // something else lies there
	}
	return registry
}

// accept accepts everything, if the site has a charter.
func (w *walk) accept(ctx context.Context, v *visitor) {
	if w.charter == nil {
		return
	}
	charter := w.URL.ResolveReference(&url.URL{Path: charterPath})
	form := url.Values{"choice": {"accept"}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, charter.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", charter.Scheme+"://"+charter.Host)
	if response, err := v.do(r); err == nil {
		response.Body.Close()
	}
}
