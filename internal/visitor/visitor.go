// Package visitor is the one who has sent a request: what they have decided. It
// is read from their cookie once, and only if somebody asks, and it changes if
// they decide anew before the head of the response has left.
package visitor

import (
	"sync"
	"sync/atomic"

	"github.com/cookiecharter/consent/internal/account"
	"github.com/cookiecharter/consent/internal/decision"
	"github.com/cookiecharter/consent/internal/policy"
	"github.com/cookiecharter/consent/internal/preference"
)

// A Site is what all its visitors share. It never changes, but for sites that are found
// to lie inside of it.
type Site struct {
	Owner any // whoever has made the site

	inside sync.Map // by the name of its cookie, a site whose handlers lie inside of this one's

	policy   *policy.Policy
	cookie   *preference.Cookie
	account  string // the name of the cookie that remembers who is signed in
	revision uint64
	laws     [Regimes][2]unanswered // by regime, without and with Global Privacy Control
}

// Regimes is how many regimes a site can number, from 0.
const Regimes = 4

// unanswered is what a law makes of a visitor without a decision.
type unanswered struct {
	presumption policy.Presumption
	grants      *policy.Grants // the same for everybody
}

// NewSite returns the site of this policy, whose decisions travel in this cookie.
// presumption says what a law makes of a category that nobody has answered for.
func NewSite(p *policy.Policy, cookie *preference.Cookie, revision uint64, presumption func(l Law, category string) policy.Answer) *Site {
	s := &Site{policy: p, cookie: cookie, account: account.Name(cookie.Name()), revision: revision}
	for regime := range uint8(Regimes) {
		for i, gpc := range [2]bool{false, true} {
			by := p.Presumption(func(category string) policy.Answer {
				return presumption(Law{Regime: regime, GPC: gpc}, category)
			})
			s.laws[regime][i] = unanswered{by, p.Presume(p.Undecided(), by)}
		}
	}
	return s
}

// HeaderKey is the key under which the context of a request has the header of the
// response, a [net/http.Header]: what a page draws may depend on what its head says.
type HeaderKey struct{}

// A Law is what holds for a visitor by the law of their country and by what their
// browser sends.
type Law struct {
	Regime   uint8 // as the site numbers them; under 0 nothing is presumed
	GPC      bool  // the browser sends Global Privacy Control
	HeldBack bool  // the browser may not have sent the decision, although it has one
}

// Contains notes that the handlers of another site lie inside of this one's, so that
// its decisions pass here.
func (s *Site) Contains(inside *Site) {
	s.inside.LoadOrStore(inside.cookie.Name(), true)
	s.inside.LoadOrStore(inside.account, true)
}

func (s *Site) under(l Law) unanswered {
	if l.GPC {
		return s.laws[l.Regime][1]
	}
	return s.laws[l.Regime][0]
}

// A Visitor is who has sent one request. It is made ready by [Visitor.Init], in a
// struct of the caller's, and is safe for concurrent use.
type Visitor struct {
	site    *Site
	cookies string
	outside *Visitor

	grants atomic.Pointer[policy.Grants] // nil until somebody asks
	said   atomic.Pointer[said]          // by handlers; nil for nothing

	mu    sync.Mutex    // orders what sets grants and said, and the end of the head
	law   Law           // never changes
	state atomic.Uint32 // of the response: the bits below
}

// What has become of the response.
const (
	headSent   = 1 << iota // the final head has left, or may have, so that nothing can be decided; set under mu
	committed              // that head has left for certain
	returned               // the handler has, so that nothing is filtered any more
	shared                 // the head lets shared caches keep the response
	private                // something in it is for this visitor alone
	cleaned                // a writer inside has sent what expires refused cookies
	handedOver             // the browser has another user than before, so that what is open is expired too
)

func (v *Visitor) is(bit uint32) bool { return v.state.Load()&bit != 0 }

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

// Site returns the site that the visitor goes to.
func (v *Visitor) Site() *Site { return v.site }

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
	switch {
	case found:
		return v.Resolve(&d)
	case v.law.HeldBack: // what they have said is not known, so that nothing is presumed
		return v.site.under(Law{}).grants
	default:
		return v.site.under(v.law).grants
	}
}

// Resolve returns what a decision allows under the law of this request.
func (v *Visitor) Resolve(d *decision.Decision) *policy.Grants {
	p := v.site.policy
	g := p.Resolve(d, v.site.revision, v.site.laws[v.law.Regime][0].presumption)
	return p.Presume(g, v.site.under(v.law).presumption)
}

// Undecided returns what a visitor allows who has decided nothing, under the law of this
// request.
func (v *Visitor) Undecided() *policy.Grants { return v.site.under(v.law).grants }

// IsPreferences reports whether name is that of the cookie with the decision.
func (v *Visitor) IsPreferences(name string) bool { return name == v.site.cookie.Name() }

// IsAccount reports whether name is that of the cookie that remembers who is signed in.
func (v *Visitor) IsAccount(name string) bool { return name == v.site.account }

// IsFormer reports whether the cookie with the decision once had this name.
func (v *Visitor) IsFormer(name string) bool {
	return name != "" && name == v.site.cookie.Former()
}

// Secure reports whether the site is on https, so that browsers take a line that
// says Secure.
func (v *Visitor) Secure() bool { return v.site.cookie.Attributes().Secure }

// Verdict returns the rule for a cookie of this name, nil if nobody declared it,
// and whether it may be set.
func (v *Visitor) Verdict(name string) (*policy.Rule, policy.Verdict) {
	rule := v.site.policy.Match(name)
	switch {
	case v.IsPreferences(name) || v.IsFormer(name) || v.IsAccount(name):
		return rule, policy.Consented // it carries this visitor's own decision
	case rule == nil:
		if _, inside := v.site.inside.Load(name); inside {
			return nil, policy.Consented
		}
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
	return v.takeAll(v.Resolve(d), d, line), nil
}

// Forget makes v a visitor who has decided nothing, from now on and in this response. sent
// is true, and nothing has changed, if the head of the response has left.
func (v *Visitor) Forget() (sent bool) {
	return v.takeAll(v.Undecided(), new(decision.Decision), v.site.cookie.Deletion())
}

func (v *Visitor) takeAll(g *policy.Grants, d *decision.Decision, line string) (sent bool) {
	if v.take(g, d, line) {
		return true
	}
	for outer := v.outside; outer != nil; outer = outer.outside {
		outer.take(g, d, "") // the line leaves once
	}
	return false
}

func (v *Visitor) take(g *policy.Grants, d *decision.Decision, line string) (sent bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.is(headSent) {
		return true
	}
	v.grants.Store(g)
	v.saying(func(s *said) { s.taken, s.line = d, line })
	return false
}

// Decision returns the decision of which the answers are; found is false if there is none.
func (v *Visitor) Decision() (d decision.Decision, found bool) {
	for at := v; at != nil; at = at.outside {
		if taken := at.heard().taken; taken != nil {
			return *taken, !taken.Time.IsZero()
		}
	}
	return v.site.cookie.Newest(v.cookies, nil)
}

// HandOver says that the browser has another user than before. What the earlier one had
// allowed and nobody has answered for now is expired as what is refused is.
func (v *Visitor) HandOver() { v.state.Or(handedOver) }

// IsHandedOver reports whether the browser has another user than before.
func (v *Visitor) IsHandedOver() bool { return v.is(handedOver) }

// KeepPrivate says that something in the response is for this visitor alone, whatever a
// handler says of it later.
func (v *Visitor) KeepPrivate() {
	for ; v != nil && !v.is(private); v = v.outside {
		v.state.Or(private)
	}
}

// IsPrivate reports whether something in the response is for this visitor alone.
func (v *Visitor) IsPrivate() bool { return v.is(private) }

// ShareHead says that the final head lets shared caches keep the response.
func (v *Visitor) ShareHead() { v.state.Or(shared) }

// Commit says that the final head has left for certain.
func (v *Visitor) Commit() { v.state.Or(committed) }

// HeadSent reports whether the final head has left, or may have, so that nothing
// can be decided any more.
func (v *Visitor) HeadSent() bool { return v.is(headSent) }

// Return says that the handler has returned, and that nothing which it does from now
// on is filtered.
func (v *Visitor) Return() { v.state.Or(returned | headSent) }

// HasReturned reports whether the handler has.
func (v *Visitor) HasReturned() bool { return v.is(returned) }

// News are what the final head carries for the browser, once.
type News struct {
	Line  string // with the decision; "" if the browser has it already
	Side  string // with what it is to remember of an account; "" for nothing
	Clean bool   // nobody inside has sent what expires refused cookies
}

// SendHead marks the final head as sent, before any of its lines is judged: from
// here on no decision changes the answers. first is false if the head comes by again,
// and there are no news then.
func (v *Visitor) SendHead() (news News, first bool) {
	if v.is(headSent) {
		return News{}, false // without the lock, since a held head comes by again
	}
	v.mu.Lock()
	if first = v.state.Or(headSent)&headSent == 0; first {
		if s := v.said.Load(); s != nil {
			news.Line, news.Side = s.line, s.side
		}
		news.Clean = !v.is(cleaned)
	}
	v.mu.Unlock() // not deferred: every head comes by here, and a defer takes 10 ns of it
	for outer := v.outside; first && outer != nil; outer = outer.outside {
		outer.state.Or(cleaned)
	}
	return news, first
}
