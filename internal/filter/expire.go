package filter

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"

	"github.com/cookiecharter/consent/internal/attribute"
	"github.com/cookiecharter/consent/internal/policy"
	"github.com/cookiecharter/consent/internal/withdrawal"
)

// A load says whether a request is for a page that the visitor goes to. It is looked at
// when the request comes, since its header is the handler's then: it may change it, and
// from another goroutine too.
type load uint8

const (
	noPage    load = iota // or there is nothing to delete
	page                  // the browser says so
	likely                // an old browser accepts HTML, unless the response is something else
	byContent             // an old browser does not say: the response does
)

// loadOf goes by what browsers say (Fetch Metadata Request Headers, sections 2.1 and 2.2).
func loadOf(header http.Header) load {
	if mode := header["Sec-Fetch-Mode"]; len(mode) > 0 {
		destination := header["Sec-Fetch-Dest"]
		if mode[0] == "navigate" && (len(destination) == 0 || slices.Contains(pages, destination[0])) {
			return page
		}
		return noPage
	}
	if slices.ContainsFunc(header["Accept"], isHTML) {
		return likely
	}
	return byContent
}

// pages are the destinations of a page load.
var pages = []string{"document", "iframe", "frame"}

func isHTML(t string) bool {
	const html = "text/html"
	return len(t) >= len(html) && strings.EqualFold(t[:len(html)], html)
}

// isPageLoad reports whether the response is a page that the visitor goes to.
func (e *edit) isPageLoad() bool {
	switch e.filter.load {
	case page:
		return true
	case noPage:
		return false
	}
	types := e.values("Content-Type")
	if len(types) == 0 { // net/http finds it out only after the head
		return e.filter.load == likely
	}
	return slices.ContainsFunc(types, isHTML)
}

// expire returns lines that delete what the visitor has refused and the request
// carries. After a decision it also deletes what the request does not carry since it
// lies below another path; later the visitor comes there with it.
func (e *edit) expire(decided bool) []string {
	v := &e.filter.Visitor
	var cookies []withdrawal.Cookie
	for name := range withdrawal.Names(v.Cookies()) {
		if rule, verdict := v.Verdict(name); e.expires(verdict) {
			cookies = appendPlaces(cookies, name, rule.Declarations)
		}
	}
	if decided {
		cookies = append(e.unseen(cookies), cookies...) // first, since the next page brings the other ones again
	}
	if len(cookies) == 0 {
		return nil
	}
	var turn uint
	if !decided {
		turn = rand.Uint()
	}
	var lines []string
	if !e.filter.config.ReportOnly {
		lines = withdrawal.Lines(cookies, e.filter.came.Host, v.Secure(), turn)
	}
	e.noteExpired(cookies, lines)
	return lines
}

// carriesMore reports whether the request carries something that a visitor can refuse. It
// is one look at the Cookie header, so that a page whose visitor carries nothing of the
// kind is not asked for its type (dev/bench, "consented, no cookie": 130 of 660 ns).
func (f *Filter) carriesMore() bool {
	v := &f.Visitor
	for rest, more := v.Cookies(), true; more; {
		var pair string
		pair, rest, more = strings.Cut(rest, ";")
		name, _, _ := strings.Cut(pair, "=")
		name = strings.Trim(name, " \t")
		if v.IsPreferences(name) {
			continue
		}
		if rule := v.Policy().Match(name); rule != nil && !rule.NeedsNothing() {
			return true
		}
	}
	return false
}

// expires reports whether a cookie that the request carries is to be deleted. What
// nobody declared may be another application's.
func (e *edit) expires(verdict policy.Verdict) bool {
	return e.isTakenBack(verdict) ||
		verdict == policy.Undecided && e.filter.config.ExpireUndecided && !e.filter.Visitor.Law().HeldBack
}

// isTakenBack reports whether the visitor has refused a cookie, or may have it from whoever
// used the browser before.
func (e *edit) isTakenBack(verdict policy.Verdict) bool {
	return verdict.ByVisitor() || verdict == policy.Undecided && e.filter.Visitor.IsHandedOver()
}

// unseen returns what the visitor refuses, and what the browser may have without
// sending it to the path of this request.
func (e *edit) unseen(seen []withdrawal.Cookie) (cookies []withdrawal.Cookie) {
	v := &e.filter.Visitor
	for _, name := range v.Policy().Below() {
		rule, verdict := v.Verdict(name)
		if !e.isTakenBack(verdict) || slices.ContainsFunc(seen, func(c withdrawal.Cookie) bool { return c.Name == name }) {
			continue
		}
		for _, c := range appendPlaces(nil, name, rule.Declarations) {
			if !attribute.IsUnder(e.filter.path(), c.Path) {
				cookies = append(cookies, c)
			}
		}
	}
	return cookies
}

// appendPlaces appends a cookie for each place in which one of this name is declared.
func appendPlaces(cookies []withdrawal.Cookie, name string, declarations []policy.Declaration) []withdrawal.Cookie {
	begun := len(cookies)
	for _, d := range declarations {
		for _, place := range d.Places {
			c := withdrawal.Cookie{Name: name, Domain: place.Domain, Path: place.Path}
			if !slices.Contains(cookies[begun:], c) {
				cookies = append(cookies, c)
			}
		}
	}
	return cookies
}

// path returns the path that the browser has asked for, in its own spelling, by which
// it chooses cookies.
func (f *Filter) path() string {
	path, _, _ := strings.Cut(f.came.RequestURI, "?")
	if _, after, absolute := strings.Cut(path, "://"); absolute && !strings.HasPrefix(path, "/") {
		path = "/"
		if i := strings.IndexByte(after, '/'); i >= 0 {
			path = after[i:]
		}
	}
	switch {
	case strings.HasPrefix(path, "/"):
		return path
	case f.came.URL != nil: // a request that no server has read
		return f.came.URL.Path
	default:
		return "/"
	}
}

// noteExpired keeps an event for each cookie that the lines delete. If nothing is
// changed there are no lines, and each cookie counts.
func (e *edit) noteExpired(cookies []withdrawal.Cookie, lines []string) {
	for i, c := range cookies {
		if i > 0 && cookies[i-1].Name == c.Name {
			continue
		}
		deletes := func(line string) bool { return strings.HasPrefix(line, c.Name) && line[len(c.Name)] == '=' }
		if e.filter.config.ReportOnly || slices.ContainsFunc(lines, deletes) {
			_, verdict := e.filter.Visitor.Verdict(c.Name)
			e.note(c.Name, Expired, verdict.Reason(), "")
		}
	}
}
