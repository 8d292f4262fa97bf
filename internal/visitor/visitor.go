// Package visitor is the one who has sent a request: what they have decided. It
// is read from their cookie once, and only if somebody asks, and it changes if
// they decide anew before the head of the response has left.
package visitor

import (
	"sync"
	"sync/atomic"

	"github.com/cookiecharter/consent/internal/decision"
	"github.com/cookiecharter/consent/internal/policy"
	"github.com/cookiecharter/consent/internal/preference"
)

// A Site is what all its visitors share. It never changes.
type Site struct {
	policy       *policy.Policy
	cookie       *preference.Cookie
	revision     uint64
	refusedByGPC string
	undecided    *policy.Grants // the same for everybody without a decision
}

// NewSite returns the site of this policy, whose decisions travel in this
// cookie. Global Privacy Control refuses one category of it.
func NewSite(p *policy.Policy, cookie *preference.Cookie, revision uint64, refusedByGPC string) *Site {
	return &Site{policy: p, cookie: cookie, revision: revision, refusedByGPC: refusedByGPC, undecided: p.Undecided()}
}

// A Law is what holds for a visitor by the law of their country and by what
// their browser asks for.
type Law struct {
	OptOut bool // what needs consent may pass until it is refused
	GPC    bool // the browser sends Global Privacy Control
}

// A Visitor is who has sent one request. It is made ready by [Visitor.Init], in a
// struct of the caller's, and is safe for concurrent use.
type Visitor struct {
	site    *Site
	cookies string
	outside *Visitor

	grants atomic.Pointer[policy.Grants] // nil until somebody asks

	mu       sync.Mutex  // orders what sets grants, and the end of the head
	law      Law         // never changes; it stands here to fill a word with headSent
	headSent atomic.Bool // the final head has left, or may have; set under mu
	news     *News       // for that head; nil if there are none
}

// News are what the final head carries for the browser: lines that delete what the
// visitor refuses, and their decision.
type News struct {
	Line string // carries the decision; "" if it was not taken during this request
}

// Init makes v the visitor whose request carries these cookies. If a handler is
// wrapped twice for the same site, outside is the visitor of the outer one, and
// has the last word on all of this: the handler in between may have changed the
// request, or have saved a decision that the request does not know. Else it is nil.
func (v *Visitor) Init(site *Site, cookies string, law Law, outside *Visitor) {
	if outside != nil {
		cookies, law = outside.cookies, outside.law
	}
	v.site, v.cookies, v.law, v.outside = site, cookies, law, outside
}

// Of reports whether the visitor is one of this site.
func (v *Visitor) Of(site *Site) bool { return v.site == site }

// Policy returns what the site has declared.
func (v *Visitor) Policy() *policy.Policy { return v.site.policy }

// Cookies returns the Cookie header of the request, as it came.
func (v *Visitor) Cookies() string { return v.cookies }

// Law returns the law that holds for the visitor.
func (v *Visitor) Law() Law { return v.law }

// Grants returns what the visitor allows now.
func (v *Visitor) Grants() *policy.Grants {
	if g := v.grants.Load(); g != nil {
		return g
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.grants.Load() == nil {
		v.grants.Store(v.read())
	}
	return v.grants.Load()
}

// read returns what the request says of the visitor's decision.
func (v *Visitor) read() *policy.Grants {
	if v.outside != nil {
		return v.outside.Grants()
	}
	var room [128]byte // for the answers of some 20 providers, on the stack
	d, found := v.site.cookie.Newest(v.cookies, room[:0])
	if !found {
		return v.underLaw(v.site.undecided)
	}
	return v.underLaw(v.site.policy.Resolve(&d, v.site.revision))
}

func (v *Visitor) underLaw(g *policy.Grants) *policy.Grants {
	switch {
	case !v.law.OptOut: // under opt-in Global Privacy Control asks for nothing that is not so already
		return g
	case v.law.GPC:
		return v.site.policy.Presume(g, v.site.refusedByGPC)
	default:
		return v.site.policy.Presume(g, "")
	}
}

// IsPreferences reports whether name is that of the cookie with the decision.
func (v *Visitor) IsPreferences(name string) bool { return name == v.site.cookie.Name() }

// Verdict returns the rule for a cookie of this name, nil if nobody declared it,
// and whether it may be set.
func (v *Visitor) Verdict(name string) (*policy.Rule, policy.Verdict) {
	rule := v.site.policy.Match(name)
	switch {
	case v.IsPreferences(name):
		return rule, policy.Consented // it carries this visitor's own decision
	case rule == nil:
		return nil, policy.Undeclared
	case rule.NeedsNothing(): // so that no signature has to be checked
		return rule, policy.Exempt
	default:
		return rule, v.Grants().Judge(rule)
	}
}

// Decide makes d the visitor's decision, from now on and in this response. The
// line that the browser will send back and the answers that hold until then come
// from the same decision, so that this response already goes by what the next
// request will say. sent is true, and nothing has changed, if the head of the
// response has left. The error says that d is longer than a cookie may be.
func (v *Visitor) Decide(d *decision.Decision) (sent bool, err error) {
	line, err := v.site.cookie.Line(d)
	if err != nil {
		return false, err
	}
	g := v.underLaw(v.site.policy.Resolve(d, v.site.revision))
	if v.take(g, &News{line}) {
		return true, nil
	}
	for outer := v.outside; outer != nil; outer = outer.outside {
		outer.take(g, nil) // the line leaves once
	}
	return false, nil
}

func (v *Visitor) take(g *policy.Grants, news *News) (sent bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.headSent.Load() {
		return true
	}
	v.grants.Store(g)
	v.news = news
	return false
}

// ExpireRefused has the final head expire what the visitor refuses, although
// they decide nothing new. sent is true if that head has left.
func (v *Visitor) ExpireRefused() (sent bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.news == nil {
		v.news = new(News)
	}
	return v.headSent.Load()
}

// HeadSent reports whether the final head has left, or may have, so that nothing
// can be decided any more.
func (v *Visitor) HeadSent() bool { return v.headSent.Load() }

// SendHead marks the final head as sent, before any of its lines is judged: from
// here on no decision changes the answers. first is false if the head comes by
// again. The news are for the first head alone, and nil if there are none.
func (v *Visitor) SendHead() (news *News, first bool) {
	if v.headSent.Load() {
		return nil, false // without the lock, since a held head comes by at every Write
	}
	v.mu.Lock()
	if first = !v.headSent.Load(); first {
		v.headSent.Store(true)
		news = v.news
	}
	v.mu.Unlock() // not deferred: every head comes by here, and a defer takes 10 ns of it
	return news, first
}
