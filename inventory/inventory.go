// Package inventory finds the cookies of a running site that nobody has declared,
// and writes their declarations.
//
// An [Inventory] gets the cookies that the site sets from [consent.Config.Observe]. It
// reads in the requests' Cookie header which ones browsers send, so that it finds those
// that scripts set as well:
//
//	found := inventory.New(cookies)
//	mw, err := consent.NewMiddleware(consent.Config{
//		Registry:   cookies,
//		Keys:       keys,
//		ReportOnly: true, // nothing changes while you look
//		Observe:    found.Observe,
//	})
//	mux.Handle("/debug/cookies", found.Handler()) // where you develop
//	http.ListenAndServe(addr, mw.Wrap(found.Wrap(mux)))
//
// What scripts store elsewhere than in cookies, only the browser knows. If the pages, where
// you develop, hold this script, it tells the inventory: the names of local storage,
// session storage, IndexedDB and caches, never a value.
//
//	<script src="/debug/cookies?as=js" defer></script>
//
// It looks each name up among some two thousand names of well-known cookies, facts
// from the Open Cookie Database (jkwakman/Open-Cookie-Database, Apache-2.0), and among
// the names that some Go libraries give by default.
package inventory

import (
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/internal/withdrawal"
)

// An Inventory collects the names of cookies that nobody declared: where and how
// often each was seen, when first and last, and with which attributes; never a
// value. Names that differ in nothing but a number, a GUID, or what else looks
// random, become one pattern as soon as there are three of them, or one if the
// pattern is known; never one that a declared cookie matches.
//
// It remembers the 1,024 names and patterns that it sees most, from responses, and
// as many from requests, which anybody may fill with whatever they like, and 256 of each
// storage of the browsers that tell of theirs: see [Inventory.Handler], and of the
// hosts that [Inventory.Add] is told of; less than
// 16 MB, however many names there are. All of it is in memory: each process has its
// own, until it restarts. It is safe for concurrent use. Make it with [New].
type Inventory struct {
	declared *declared
	site     string // the name of the package that made it

	mu        sync.Mutex
	since     time.Time
	responses table
	requests  table
	faults    map[faultKey]*sighting
	storages  []table             // in the order of the variable storages
	others    table               // of no kind that browsers tell of
	contacts  map[string]*contact // by host
}

// A faultKey is what the middleware said of a cookie other than that nobody
// declared it. The cookie is the declaration that covers it, or a name.
type faultKey struct {
	cookie string
	reason consent.Reason
}

// New makes an inventory of what registry does not declare. A nil registry
// declares nothing.
func New(registry *consent.Registry) *Inventory {
	d := newDeclared(registry, consent.HTTPCookie)
	pc, _, _, _ := runtime.Caller(1)
	inv := &Inventory{
		site:      packageOf(pc),
		declared:  d,
		since:     time.Now(),
		responses: newTable(d, maxNames),
		requests:  newTable(d, maxNames),
		faults:    make(map[faultKey]*sighting),
		others:    newTable(newDeclared(registry, consent.Other), maxStored),
		contacts:  make(map[string]*contact),
	}
	for _, kind := range storages {
		inv.storages = append(inv.storages, newTable(newDeclared(registry, kind), maxStored))
	}
	return inv
}

// Observe notes an event of the middleware, if it is about a cookie that nobody
// declared, one that is not as it was declared, or a line that no browser reads.
// What was refused, or not decided yet, is as it should be. It is for
// [consent.Config.Observe]; if that has another use as well, have a function
// there that calls both.
func (inv *Inventory) Observe(r *http.Request, e consent.Event) {
	switch e.Reason {
	case consent.ReasonUndeclared:
		if e.Cookie == "" {
			inv.fault(r, e)
			return
		}
		inv.mu.Lock()
		defer inv.mu.Unlock()
		if s := inv.responses.find(e.Cookie); s != nil {
			s.line(r, e)
		}
	case consent.ReasonOutlivesDeclared, consent.ReasonOtherDomain, consent.ReasonOtherPath, consent.ReasonNotHttpOnly, consent.ReasonUnreadable, consent.ReasonInTrailer:
		inv.fault(r, e)
	}
}

// Wrap returns a handler that serves as next does, and notes which cookies each
// request carries that nobody declared. Those that the site does not set either
// come from scripts, or from another server of the same domain.
func (inv *Inventory) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if cookies := r.Header["Cookie"]; len(cookies) > 0 {
			inv.sent(strings.Join(cookies, "; "), r.URL.Path)
		}
		next.ServeHTTP(w, r)
	})
}

func (inv *Inventory) sent(cookies string, path string) {
	// What has no '=' is the value of a cookie without a name.
	cookies = strings.Join(slices.DeleteFunc(strings.Split(cookies, ";"), func(pair string) bool { return !strings.Contains(pair, "=") }), ";")
	now := time.Now()
	inv.mu.Lock()
	defer inv.mu.Unlock()
	for name := range withdrawal.Names(cookies) {
		if inv.declared.by(name) != "" {
			continue
		}
		if s := inv.requests.find(name); s != nil {
			s.sent++
			s.sentTo.add(path)
			s.at(now)
		}
	}
}

// fault notes an event about a cookie that is declared, that has no name, or that
// no browser looks for where it came.
func (inv *Inventory) fault(r *http.Request, e consent.Event) {
	inv.mu.Lock()
	defer inv.mu.Unlock()
	cookie := inv.declared.by(e.Cookie)
	if cookie == "" {
		cookie = e.Cookie
	}
	key := faultKey{cookie, e.Reason}
	s := inv.faults[key]
	if s == nil {
		if len(inv.faults) == maxNames || len(cookie) > maxName {
			inv.responses.forgotten++
			return
		}
		key.cookie = strings.Clone(cookie)
		s = &sighting{name: key.cookie}
		inv.faults[key] = s
	}
	s.line(r, e)
}

// line notes one Set-Cookie line.
func (s *sighting) line(r *http.Request, e consent.Event) {
	s.set++
	s.setOn.add(r.URL.Path)
	s.at(time.Now())
	a := e.Attributes
	if a.Path == "" {
		a.Path = defaultPath(r.URL.Path)
	}
	s.with(a, 1)
}

// defaultPath is the path of a cookie whose line has none (RFC 6265 section
// 5.1.4).
func defaultPath(path string) string {
	i := strings.LastIndexByte(path, '/')
	if i <= 0 {
		return "/"
	}
	return path[:i]
}
