package filter

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"

	"github.com/cookiecharter/consent/internal/policy"
	"github.com/cookiecharter/consent/internal/withdrawal"
)

// isPageLoad reports whether the response is a page that the visitor goes to. Browsers
// say so (Fetch Metadata Request Headers, sections 2.1 and 2.2); those that do not are
// taken by the response, or by what they accept.
func (e *edit) isPageLoad() bool {
	header := e.filter.request.Header
	if mode := header["Sec-Fetch-Mode"]; len(mode) > 0 {
		destination := header["Sec-Fetch-Dest"]
		return mode[0] == "navigate" && (len(destination) == 0 || slices.Contains(pages, destination[0]))
	}
	types := e.values("Content-Type")
	if len(types) == 0 { // net/http finds it out only after the head
		types = header["Accept"]
	}
	return slices.ContainsFunc(types, func(t string) bool {
		return len(t) >= len(html) && strings.EqualFold(t[:len(html)], html)
	})
}

const html = "text/html"

// pages are the destinations of a page load.
var pages = []string{"document", "iframe", "frame"}

// expire returns lines that delete what the visitor has refused and the request
// carries. After a decision it also deletes what the request does not carry since it
// lies below another path; later the visitor comes there with it.
func (e *edit) expire(decided bool) []string {
	v := &e.filter.Visitor
	var cookies []withdrawal.Cookie
	for name := range withdrawal.Names(v.Cookies()) {
		switch rule, verdict := v.Verdict(name); {
		case v.IsFormer(name) && !v.Grants().DecidedAt.IsZero():
			cookies = append(cookies, withdrawal.Cookie{Name: name, Path: "/"})
		case e.expires(verdict):
			cookies = appendPlaces(cookies, name, rule.Declarations)
		}
	}
	turn := rand.Uint()
	if decided {
		cookies = append(e.unseen(cookies), cookies...) // first, since the next page brings the other ones again
		turn = 0
	}
	if len(cookies) == 0 {
		return nil
	}
	var lines []string
	if !e.filter.config.ReportOnly {
		lines = withdrawal.Lines(cookies, e.filter.request.Host, v.Secure(), turn)
	}
	e.noteExpired(cookies, lines)
	return lines
}

// expires reports whether a cookie that the request carries is to be deleted. What
// nobody declared may be another application's.
func (e *edit) expires(verdict policy.Verdict) bool {
	return verdict.ByVisitor() ||
		verdict == policy.Undecided && e.filter.config.ExpireUndecided && !e.filter.Visitor.Law().HeldBack
}

// unseen returns what the visitor refuses, and what the browser may have without
// sending it to the path of this request.
func (e *edit) unseen(seen []withdrawal.Cookie) (cookies []withdrawal.Cookie) {
	v := &e.filter.Visitor
	for _, name := range v.Policy().Below() {
		rule, verdict := v.Verdict(name)
		if !verdict.ByVisitor() || slices.ContainsFunc(seen, func(c withdrawal.Cookie) bool { return c.Name == name }) {
			continue
		}
		for _, c := range appendPlaces(nil, name, rule.Declarations) {
			if !liesUnder(requestPath(e.filter.request), c.Path) {
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

// requestPath returns the path that the browser has asked for, which a handler may
// have changed in the URL.
func requestPath(r *http.Request) string {
	if path, _, _ := strings.Cut(r.RequestURI, "?"); strings.HasPrefix(path, "/") {
		return path
	}
	return r.URL.Path
}

// liesUnder reports whether a browser sends a cookie of this path with a request of
// that one (RFC 6265 section 5.1.4).
func liesUnder(request, cookie string) bool {
	return strings.HasPrefix(request, cookie) &&
		(len(request) == len(cookie) || strings.HasSuffix(cookie, "/") || request[len(cookie)] == '/')
}

// noteExpired keeps an event for each cookie that the lines delete. If nothing is
// changed there are no lines, and each cookie counts.
func (e *edit) noteExpired(cookies []withdrawal.Cookie, lines []string) {
	for i, c := range cookies {
		if i > 0 && cookies[i-1].Name == c.Name || e.filter.Visitor.IsPreferences(c.Name) {
			continue
		}
		deletes := func(line string) bool { return strings.HasPrefix(line, c.Name) && line[len(c.Name)] == '=' }
		if e.filter.config.ReportOnly || slices.ContainsFunc(lines, deletes) {
			_, verdict := e.filter.Visitor.Verdict(c.Name)
			e.note(c.Name, Expired, verdict.Reason(), "")
		}
	}
}
