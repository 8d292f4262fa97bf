// Package consent keeps cookies that need consent away from visitors who have
// not given it.
//
// A site declares each of its cookies once, as a [Cookie] in a [Registry], and
// wraps its [net/http.Handler] in a [Middleware]. From then on the middleware reads
// the visitor's decision from the signed cookie "cookies_preferences", and
// removes from each response the Set-Cookie lines that the decision does not
// allow. A handler records a decision with [Middleware.Save] and asks what is
// allowed with [FromContext].
//
// A decision that is missing gives no consent, and neither does one that is
// forged, expired or older than what is declared now. Cookies that nobody
// declared are removed as well, until [Config.AllowUndeclared] says otherwise.
// What a script sets in the browser, a server cannot remove: see
// [Preferences.Allows] for the scripts that a page embeds.
package consent

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/cookiecharter/consent/internal/decision"
	"github.com/cookiecharter/consent/internal/signature"
)

// CookieName is the name of the cookie that carries the visitor's decision. It
// is necessary by nature, needs no declaration and always passes.
const CookieName = "cookies_preferences"

// A Choice is what a visitor answers. It covers everything that is declared:
// what it does not accept, it refuses. Begin with [AcceptAll], [RefuseAll] or
// [Accept]; the zero Choice is RefuseAll. A Choice never changes.
type Choice struct {
	all        bool
	categories []Category
	providers  []consentKey
	objects    bool
	evidence   Evidence
}

// AcceptAll returns the choice that accepts everything declared.
func AcceptAll() Choice { return Choice{all: true} }

// RefuseAll returns the choice that accepts nothing. Necessary cookies and
// anonymous statistics are not a matter of consent and pass all the same; see
// [Choice.WithObjection] for the latter.
func RefuseAll() Choice { return Choice{} }

// Accept returns the choice that accepts every provider of these categories
// and nothing else.
func Accept(categories ...Category) Choice {
	return Choice{categories: slices.Clone(categories)}
}

// WithProviders returns c, accepting also these providers of one category.
func (c Choice) WithProviders(category Category, providers ...string) Choice {
	c.providers = slices.Clone(c.providers)
	for _, p := range providers {
		c.providers = append(c.providers, consentKey{category, p})
	}
	return c
}

// WithObjection returns c, objecting also to statistics that are declared
// anonymous. They need no consent, but a visitor may refuse them (Regulation
// (EU) 2016/679, article 21); from then on they are removed.
func (c Choice) WithObjection() Choice {
	c.objects = true
	return c
}

func (c Choice) accepts(key consentKey) bool {
	return c.all || slices.Contains(c.categories, key.category) || slices.Contains(c.providers, key)
}

// check returns a ChoiceError for each thing in c that nothing is declared for.
func (c Choice) check(r *Registry) error {
	var mistakes []error
	for _, category := range c.categories {
		if _, declared := r.categories[category]; !declared && !category.builtIn() {
			mistakes = append(mistakes, &ChoiceError{Category: category})
		}
	}
	for _, key := range c.providers {
		if _, declared := r.providers[key]; !declared {
			mistakes = append(mistakes, &ChoiceError{Category: key.category, Provider: key.provider})
		}
	}
	return errors.Join(mistakes...)
}

// A ChoiceError names what a [Choice] accepts although nothing is declared
// there: a category, or a provider of one. It usually means that a form was
// tampered with, or drawn before the declarations changed.
type ChoiceError struct {
	Category Category
	Provider string // "" where the category itself is unknown
}

// Error names the category, and the provider where the mistake is one.
func (e *ChoiceError) Error() string {
	if e.Provider == "" {
		return fmt.Sprintf("consent: choice: no cookie is declared in the category %q", string(e.Category))
	}
	return fmt.Sprintf("consent: choice: no cookie of the provider %q is declared in the category %q", e.Provider, string(e.Category))
}

// Preferences answer what the visitor of one request allows. They follow a
// [Middleware.Save] during the request, and are safe for concurrent use. The
// zero Preferences know no registry and answer as strictly as can be: the
// category [Necessary] is allowed and the library's own cookie is; nothing
// else, and nothing is decided.
type Preferences struct{ f *filter }

// registry returns what the answers are about; outside of Wrap, nothing.
func (p Preferences) registry() *Registry {
	if p.f == nil {
		return new(Registry)
	}
	return p.f.mw.registry
}

// standing returns what the visitor has decided; outside of Wrap, nothing.
func (p Preferences) standing() *standing {
	if p.f == nil {
		return new(standing)
	}
	return p.f.standing()
}

// Allows reports whether the visitor allows every provider of the category. The
// answer is true for [Necessary], and false for a category in which nothing is
// declared. Ask it before a page embeds a script or a pixel that sets cookies
// of its own. For one cookie ask [Preferences.AllowsCookie]: where several
// providers declare its name, each has a say.
func (p Preferences) Allows(category Category) bool {
	if category == Necessary {
		return true
	}
	span, declared := p.registry().categories[category]
	return declared && p.standing().allows(span)
}

// AllowsProvider reports whether the visitor allows what one provider declares
// in the category. The answer is false for a provider that declares nothing
// there.
func (p Preferences) AllowsProvider(category Category, provider string) bool {
	span, declared := p.registry().providers[consentKey{category, provider}]
	return declared && p.standing().allows(span)
}

// Consented reports whether the visitor has consented to what one provider
// declares in the category and needs consent for. Unlike
// [Preferences.AllowsProvider] it leaves aside what is exempt, and with it an
// objection; the answer is false for a provider that asks for nothing there.
func (p Preferences) Consented(category Category, provider string) bool {
	span := p.registry().providers[consentKey{category, provider}]
	return span.from < span.to && p.standing().allows(consentSpan{from: span.from, to: span.to})
}

// AllowsCookie reports whether a cookie of this name would pass the middleware,
// were it not for [Config.ReportOnly].
func (p Preferences) AllowsCookie(name string) bool {
	if p.f == nil {
		return name == CookieName
	}
	reason, _ := p.f.judgeName(name)
	return reason == "" || reason == Undeclared && p.f.mw.allowUndeclared
}

// Decided reports whether the visitor has answered for everything that needs
// consent now, so that there is nothing to ask.
func (p Preferences) Decided() bool {
	return p.f != nil && !slices.ContainsFunc(p.f.standing().answers, func(a answer) bool { return a == open || a == presumed })
}

// OptOut reports whether [Config.OptOut] holds for the request: what the visitor
// has not refused is allowed.
func (p Preferences) OptOut() bool {
	return p.standing().optOut
}

// Presumed reports whether what needs consent in the category is allowed although
// the visitor has not answered for it, because [Config.OptOut] holds. Do not
// record it as an answer: where the law is opt-in, it is none.
func (p Preferences) Presumed(category Category) bool {
	span := p.registry().categories[category]
	return slices.Contains(p.standing().answers[span.from:span.to], presumed)
}

// RefusedBySignal reports whether the browser's Global Privacy Control stands in
// for an answer about third parties that the visitor has not given: see
// [Config.OptOut].
func (p Preferences) RefusedBySignal() bool {
	return p.standing().signal
}

// Origins returns the [Cookie.Origins] that are allowed, each once and sorted: the
// sources that a page's Content-Security-Policy may name, so that the browser
// itself contacts no other. An origin that several declarations name, "https://*."
// included, is allowed where each of them is. Where none is, the answer is empty.
func (p Preferences) Origins() []string {
	var origins []string
	for _, o := range p.registry().origins {
		if reason, _ := p.standing().judge(&o.rule); reason == "" {
			origins = append(origins, o.source)
		}
	}
	return origins
}

// Objects reports whether the visitor objects to anonymous statistics.
func (p Preferences) Objects() bool {
	return p.standing().objects
}

// DecidedAt returns when the visitor took the decision that stands, in whole
// milliseconds; the zero Time where none does. A decision that no longer
// covers what is declared has its time all the same.
func (p Preferences) DecidedAt() time.Time {
	return p.standing().at
}

// Reference returns the reference under which the visitor's decisions are
// recorded; the zero Reference where none is.
func (p Preferences) Reference() Reference {
	return p.standing().reference
}

// A standing is a decision held against what is declared now.
type standing struct {
	at        time.Time
	objects   bool
	reference Reference
	answers   []answer   // one for each of Registry.consents
	room      [16]answer // for the answers where they are few, in the same allocation
	optOut    bool       // what is not refused is allowed
	signal    bool       // Global Privacy Control has refused something in the visitor's place
	line      string     // carries a decision of this very request; "" for one that came with it
}

type answer uint8

const (
	open answer = iota // not given, or for less than what is declared now
	refused
	accepted
	presumed // open, where what is not refused is allowed: see Config.OptOut
)

func (a answer) allows() bool { return a == accepted || a == presumed }

// allows reports whether all that is declared in the span may pass.
func (s *standing) allows(span consentSpan) bool {
	if span.anonymous && s.objects {
		return false
	}
	for _, a := range s.answers[span.from:span.to] {
		if !a.allows() {
			return false
		}
	}
	return true
}

// judge returns why a cookie under rule may not pass, "" where it may, and
// whether it passes because consent was given. Of several declarations the
// strictest rules.
func (s *standing) judge(rule *rule) (reason Reason, consented bool) {
	for _, d := range rule.declarations {
		if reason := s.judgeOne(d); reason != "" {
			return reason, false
		}
		consented = consented || d.consent != exempt
	}
	return "", consented
}

func (s *standing) judgeOne(d declaration) Reason {
	switch {
	case d.consent == exempt && d.Anonymous && s.objects:
		return Objected
	case d.consent == exempt || s.answers[d.consent].allows():
		return ""
	case s.answers[d.consent] == refused:
		return Refused
	default:
		return Undecided
	}
}

// undecided is the standing of a visitor without a decision.
func (r *Registry) undecided() *standing {
	s := new(standing)
	s.answers = append(s.room[:0], make([]answer, len(r.consents))...)
	return s
}

// presume answers in the visitor's place what is open, where the law is opt-out:
// all is allowed but, under Global Privacy Control, third parties.
func (s *standing) presume(r *Registry, signal bool) *standing {
	own := *s
	own.answers = append(own.room[:0], s.answers...)
	own.optOut = true
	third := r.categories[ThirdParty]
	for i, a := range own.answers {
		switch {
		case a != open:
		case signal && third.from <= i && i < third.to:
			own.answers[i], own.signal = refused, true
		default:
			own.answers[i] = presumed
		}
	}
	return &own
}

// weigh holds a decision against the registry. A category that a provider has
// joined since is open again as a whole, and only that one; under a new
// revision all are. An objection asks for less, and stands through both.
func (m *Middleware) weigh(d *decision.Decision) *standing {
	s := m.registry.undecided()
	s.at, s.objects, s.reference = d.Time, d.Objects, d.Reference
	if d.Revision < m.revision {
		return s
	}
	for _, span := range m.registry.spans {
		answers := s.answers[span.from:span.to]
		for i := range answers {
			yes, known := d.Answers.Of(m.registry.marks[span.from+i])
			if !known {
				clear(answers)
				break
			}
			answers[i] = refused
			if yes {
				answers[i] = accepted
			}
		}
	}
	return s
}

// decision makes what travels of a record: the answers alone, for what is
// declared now.
func (m *Middleware) decision(record Record) *decision.Decision {
	var yes, no []decision.Mark
	for _, a := range record.Answers {
		span := m.registry.providers[consentKey{a.Category, a.Provider}]
		for _, mark := range m.registry.marks[span.from:span.to] {
			if a.Allowed {
				yes = append(yes, mark)
			} else {
				no = append(no, mark)
			}
		}
	}
	return &decision.Decision{
		Revision:  record.Revision,
		Time:      record.Time,
		Objects:   record.Objects,
		Reference: record.Reference,
		Answers:   decision.MakeAnswers(yes, no),
	}
}

// sign returns the Set-Cookie line that carries d.
func (m *Middleware) sign(d *decision.Decision) (string, error) {
	value, err := m.signer.Sign(d.Append(nil))
	if err != nil {
		// The only error of a signer: see NewMiddleware, which meets it first.
		return "", fmt.Errorf("%d providers that need consent are more than a cookie has room for; declare fewer, or several under one name", len(m.registry.consents))
	}
	cookie := m.cookie
	cookie.Value = value
	cookie.MaxAge -= max(0, int(time.Since(d.Time)/time.Second))
	return cookie.String(), nil
}

// maxChecked is how many preferences cookies of one request have their
// signature checked. A browser sends more than one where they were set for
// several paths or domains, or where another site of the same domain plants
// some.
const maxChecked = 6

// maxAhead is how far the clocks of a site's servers may be apart.
const maxAhead = 5 * time.Minute

// read returns what the newest valid decision in the Cookie header of a request
// amounts to.
func (m *Middleware) read(header string) *standing {
	values := claims(header)
	if values[0] == "" {
		return m.undecided
	}
	newest, now := m.undecided, time.Now()
	for _, value := range values {
		if value == "" {
			break
		}
		m.signer.Verify(value, now, func(payload []byte) bool {
			d, err := decision.Parse(payload)
			if err != nil || d.Time.Sub(now) >= maxAhead || now.Sub(d.Time) >= m.lifetime() {
				return false
			}
			if d.Time.After(newest.at) {
				newest = m.weigh(&d)
			}
			return true
		})
	}
	return newest
}

// claims returns the preferences cookies in a Cookie header, each once, from the
// beginning of the array: where there are too many, those that claim to be the
// newest.
func claims(header string) (values [maxChecked]string) {
	n := 0
	for value := range preferencesCookies(header) {
		switch {
		case value == "" || slices.Contains(values[:n], value):
		case n == maxChecked:
			return newestClaims(header)
		default:
			values[n] = value
			n++
		}
	}
	return values
}

// newestClaims goes by a claim that only decides what is checked: one that is
// false can keep a decision from being found, and invent none.
func newestClaims(header string) (values [maxChecked]string) {
	var dates [maxChecked]int64
	latest := time.Now().Add(maxAhead).Unix()
	for value := range preferencesCookies(header) {
		date := signature.ClaimedDate(value)
		if date > latest || slices.Contains(values[:], value) {
			continue // of the former no server has signed any yet
		}
		for i := range values {
			if date > dates[i] {
				copy(values[i+1:], values[i:])
				copy(dates[i+1:], dates[i:])
				values[i], dates[i] = value, date
				break
			}
		}
	}
	return values
}

// preferencesCookies yields the value of each preferences cookie in a Cookie header.
func preferencesCookies(header string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for pair := range strings.SplitSeq(header, ";") {
			name, value, _ := strings.Cut(strings.Trim(pair, " \t"), "=")
			if name == CookieName && !yield(value) {
				return
			}
		}
	}
}
