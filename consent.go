// Package consent keeps cookies that need consent away from visitors who have
// not given it.
//
// A site declares each of its cookies once, as a [Cookie] in a [Registry], and
// wraps its [net/http.Handler] in a [Middleware]. From then on the middleware reads
// the visitor's decision from the signed cookie "cookies_preferences", and
// removes from each response the Set-Cookie lines that the decision does not
// allow. A handler saves a decision, a [Choice], with [Middleware.Save], and asks
// what is allowed, the [Preferences], with [FromContext].
//
// A missing decision gives no consent, and neither does one that is forged,
// expired or older than what is declared now. Cookies that nobody declared are
// removed as well, unless [Config.AllowUndeclared] is set. A server cannot remove
// what a script sets in the browser: see [Preferences.Allows] for the scripts that
// a page embeds.
//
// Package charter, in the folder of that name, draws what a visitor sees: the
// banner, the form, and the charter. That is the French word for a site's cookie
// policy page, which lists the declarations. Package ledger keeps proof of the
// decisions: see [Config.Recorder].
package consent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cookiecharter/consent/internal/policy"
)

// CookieName is the name of the cookie that carries the visitor's decision. It
// is necessary by nature, needs no declaration and always passes.
const CookieName = "cookies_preferences"

// A Choice is what a visitor answers. It covers everything that is declared:
// what it does not accept, it refuses. Begin with [AcceptAll], [RefuseAll] or
// [Accept]; the zero Choice is RefuseAll. The one that [Add] returns answers for
// some providers alone. A Choice never changes.
type Choice struct {
	adds       bool // leaves everything as it is that it does not accept
	all        bool
	categories []Category
	providers  []policy.Party
	objection  bool
	asked      *asked // under which law the question was put; nil means the request's
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

// Add returns the choice that accepts these providers of one category and leaves
// everything else as it is: what the visitor has answered stands, and what they have
// not been asked for stays open. It is for a button next to one video or one map, a
// click on which says nothing about anything else. The consent stands if another
// provider joins the category.
func Add(category Category, providers ...string) Choice {
	return Choice{adds: true}.WithProviders(category, providers...)
}

// WithProviders returns c, accepting also these providers of one category.
func (c Choice) WithProviders(category Category, providers ...string) Choice {
	c.providers = slices.Clone(c.providers)
	for _, p := range providers {
		c.providers = append(c.providers, party(category, p))
	}
	return c
}

// WithObjection returns c, objecting also to statistics that are declared
// anonymous. They need no consent, but a visitor may refuse them (Regulation
// (EU) 2016/679, article 21); from then on they are removed.
func (c Choice) WithObjection() Choice {
	c.objection = true
	return c
}

// An asked is the law under which a question was put.
type asked struct {
	regime Regime
	gpc    bool // the browser sent "Sec-GPC: 1"
}

// WithRegime returns c as an answer to a question that was put under a regime, which may be
// another one than the request's: a page stays open while its visitor travels. gpc says that
// the browser sent "Sec-GPC: 1" when the question was put. A record names that regime. What it
// presumes may have been ticked already, so that a yes for it counts only under a regime that
// presumes as much, whatever the visitor has answered elsewhere since then; one that they had
// given by themselves stays what it is. No refusal depends on it, so that who names a wrong
// regime gains nothing over others. An unknown regime changes nothing.
func (c Choice) WithRegime(r Regime, gpc bool) Choice {
	if int(r) < len(regimeNames) {
		c.asked = &asked{r, gpc}
	}
	return c
}

// WithEvidence returns c with what a record of it is to say about how it came
// about. It changes nothing else.
func (c Choice) WithEvidence(e Evidence) Choice {
	c.evidence = e
	return c
}

func (c Choice) accepts(p policy.Party) bool {
	return c.all || slices.Contains(c.categories, Category(p.Category)) || slices.Contains(c.providers, p)
}

// check returns a ChoiceError for each thing in c that nothing is declared for.
func (c Choice) check(p *policy.Policy) error {
	var mistakes []error
	for _, category := range c.categories {
		if _, declared := p.Category(string(category)); !declared && !category.builtIn() {
			mistakes = append(mistakes, &ChoiceError{Category: category})
		}
	}
	for _, chosen := range c.providers {
		if _, declared := p.Provider(chosen); !declared {
			mistakes = append(mistakes, &ChoiceError{Category: Category(chosen.Category), Provider: chosen.Provider})
		}
	}
	return errors.Join(mistakes...)
}

// A ChoiceError names what a [Choice] accepts although nothing is declared
// there: a category, or a provider of one. It usually means that somebody has
// tampered with a form, or that the declarations changed after it was drawn.
type ChoiceError struct {
	Category Category
	Provider string // "" if nobody declared the category itself
}

// Error names the category, and the provider if the mistake is one.
func (e *ChoiceError) Error() string {
	if e.Provider == "" {
		return fmt.Sprintf("consent: choice: no cookie is declared in the category %q", string(e.Category))
	}
	return fmt.Sprintf("consent: choice: no cookie of the provider %q is declared in the category %q", e.Provider, string(e.Category))
}

// Preferences say what the visitor of one request allows. They follow a
// [Middleware.Save] during the request, and are safe for concurrent use. The
// zero Preferences know no registry and answer as strictly as can be: the
// category [Necessary] is allowed and the library's own cookie is; nothing
// else, and nothing is decided.
type Preferences struct{ visit *visit }

// FromContext returns the preferences of the visitor whose request the context
// belongs to. For a context that did not come through [Middleware.Wrap] they
// are the strictest: the zero Preferences.
func FromContext(ctx context.Context) Preferences {
	return Preferences{visitIn(ctx)}
}

// policy returns what the answers are about; outside of Wrap, nothing.
func (p Preferences) policy() *policy.Policy {
	if p.visit == nil {
		return new(policy.Policy)
	}
	return p.visit.visitor().Policy()
}

// grants returns what the visitor allows; outside of Wrap, nothing.
func (p Preferences) grants() *policy.Grants {
	if p.visit == nil {
		return new(policy.Grants)
	}
	return p.visit.visitor().Grants()
}

// Allows reports whether the visitor allows every provider of the category. The
// answer is true for [Necessary], and false for a category in which nothing is
// declared. Ask it before a page embeds a script or a pixel that sets cookies
// of its own. For one cookie ask [Preferences.AllowsCookie]: if several providers
// declare its name, each has a say.
func (p Preferences) Allows(category Category) bool {
	if category == Necessary {
		return true
	}
	scope, declared := p.policy().Category(string(category))
	return declared && p.grants().Allows(scope)
}

// AllowsProvider reports whether the visitor allows what one provider declares
// in the category. The answer is false for a provider that declares nothing
// there.
func (p Preferences) AllowsProvider(category Category, provider string) bool {
	scope, declared := p.policy().Provider(party(category, provider))
	return declared && p.grants().Allows(scope)
}

// Consented reports whether the visitor has consented to what one provider
// declares in the category and needs consent for. Unlike
// [Preferences.AllowsProvider] it does not count what is exempt, nor an objection
// to that; the answer is false for a provider that asks for nothing there.
func (p Preferences) Consented(category Category, provider string) bool {
	scope, _ := p.policy().Provider(party(category, provider))
	return p.grants().Consented(scope)
}

// AllowsCookie reports whether a cookie of this name would pass the middleware
// if [Config.ReportOnly] were not set.
func (p Preferences) AllowsCookie(name string) bool {
	if p.visit == nil {
		return name == CookieName
	}
	return p.visit.filter.Passes(name)
}

// Decided reports whether the visitor has answered for everything that needs consent
// now. Whether to ask is [Preferences.ShouldAsk].
func (p Preferences) Decided() bool {
	return p.visit != nil && p.grants().Decided()
}

// ShouldAsk reports whether a page is to ask the visitor: they have not answered for
// everything, the regime asks them, and the browser has not held back a decision that
// they may have taken before, as it does in a frame of another site and with a form
// that another site posts (see [Config.Framed]).
func (p Preferences) ShouldAsk() bool {
	if p.visit == nil || p.Regime() == NoRegime || p.Decided() {
		return false
	}
	m := p.visit.middleware()
	return m.framed || !p.DecidedAt().IsZero() || !m.holdsBack(p.visit.filter.Came())
}

// Regime returns the law that [Config.Regime] has found for the request.
func (p Preferences) Regime() Regime {
	if p.visit == nil {
		return OptIn
	}
	return Regime(p.visit.visitor().Law().Regime)
}

// Presumed reports whether something that needs consent in the category is allowed
// although the visitor has not answered for it, because the [Regime] lets it. Do not
// record it as an answer: under an opt-in law it is none.
func (p Preferences) Presumed(category Category) bool {
	scope, _ := p.policy().Category(string(category))
	return slices.Contains(p.grants().Of(scope), policy.Presumed)
}

// KeepPrivate says that the response shows something that depends on the visitor's
// decision, so that no shared cache may give it to somebody else: whatever the
// handler says, it leaves with "Cache-Control: private", and its Vary names the Cookie
// field, Sec-GPC if there is a [Config.Regime], and the other fields of the request
// that it depends on. Call it before the first byte of the response. The charter's
// functions and [Preferences.Origins] call it by themselves.
func (p Preferences) KeepPrivate(fields ...string) {
	if p.visit == nil {
		return
	}
	m := p.visit.middleware()
	depends := append(make([]string, 0, 2+len(fields)), "Cookie")
	if m.regime != nil {
		depends = append(depends, "Sec-GPC")
	}
	if p.visit.visitor().Show(append(depends, fields...)) {
		m.mistakes.tell(&p.visit.request, ErrShownTooLate)
	}
}

// RefusedByGPC reports whether the browser's Global Privacy Control refuses something
// in place of an answer that the visitor has not given: see [OptOut].
func (p Preferences) RefusedByGPC() bool {
	return slices.Contains(p.grants().Answers(), policy.NoByGPC)
}

// Origins returns the [Cookie.Origins] that are allowed, each once and sorted: the
// sources that a page's Content-Security-Policy may name, so that the browser
// itself contacts no other. An origin that several declarations name, by
// "https://*." too, is allowed if each of them is. If none is, the answer is empty. The
// response is kept out of shared caches: see [Preferences.KeepPrivate].
func (p Preferences) Origins() []string {
	p.KeepPrivate()
	return p.policy().Origins(p.grants())
}

// HasObjected reports whether the visitor objects to anonymous statistics.
func (p Preferences) HasObjected() bool {
	return p.grants().Objection
}

// DecidedAt returns when the visitor took the decision that stands, in whole
// milliseconds; the zero Time if there is none. A decision that does not cover
// what is declared any more has its time all the same.
func (p Preferences) DecidedAt() time.Time {
	return p.grants().DecidedAt
}

// Reference returns the reference under which the visitor's decisions are
// recorded; the zero Reference if they are not.
func (p Preferences) Reference() Reference {
	return p.grants().Reference
}
