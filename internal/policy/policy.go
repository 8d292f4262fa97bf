// Package policy is what a site has declared, compiled once: the rule for each
// name, what belongs to a category or to a provider, and what a visitor's
// decision grants of it today. It is data and functions, and knows no HTTP.
package policy

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cookiecharter/consent/internal/decision"
	"github.com/cookiecharter/consent/internal/origins"
	"github.com/cookiecharter/consent/internal/pattern"
)

// A Declaration is what judging and deleting one declared cookie takes.
type Declaration struct {
	Number   int // among those given, from 0
	Party    Party
	Name     string // a name, or a pattern with one '*'
	Need     Need
	Lifetime time.Duration // zero until the browser is closed
	HttpOnly bool          // it is not as declared without that attribute
	Places   []Place       // in which browsers keep it; at least one
	NoCookie bool          // it lies elsewhere, so that no rule is about a cookie of its name
	Origins  []string      // that a page contacts for the cookie's sake
}

// A Place is where a browser keeps a cookie. With the name it tells one cookie from
// another (RFC 6265 section 5.3, step 11).
type Place struct {
	Domain string // "" if it is not known
	Path   string // never ""
}

// A Party is whom consent is given to: a provider, within a category.
type Party struct{ Category, Provider string }

// A Need is what a cookie waits for.
type Need uint8

const (
	Nothing     Need = iota // it is necessary
	NoObjection             // it is an anonymous statistic, to which a visitor may object
	Consent                 // of its Party
)

// A Policy is compiled by [New], never changes, and is safe for concurrent use.
// The zero Policy declares nothing.
type Policy struct {
	rules   pattern.Set[*Rule]
	below   []string // names that are declared with a path below "/", sorted
	origins []origin // each once, sorted by its source

	// parties are all that need consent, sorted, so that those of one category
	// lie side by side and a Scope can be a range of them. A decision knows each
	// by its mark.
	parties    []Party
	marks      []decision.Mark
	ranges     []Scope // of each category; empty if nothing in it needs consent
	categories map[string]Scope
	providers  map[Party]Scope
}

// A Rule is what is declared for one name, by one provider or by several.
type Rule struct {
	Declarations []Declaration
	parties      []int // of each declaration: its index in Policy.parties, or none
	needsNothing bool  // each declaration is necessary, so that no decision has to be read
}

// none stands in place of an index for a declaration that needs no consent.
const none = -1

// A Scope is a part of what is declared: one category, or one provider in it.
// parties[from:to] is what needs consent in it, which may be nothing.
type Scope struct {
	from, to  int
	anonymous bool // it declares anonymous statistics, so that an objection counts

	mark decision.Mark // of a category: says in a decision that the visitor has refused something in it
}

// An origin is one that declarations name, with the rule of all that may set
// their cookies if a page contacts it.
type origin struct {
	source string
	rule   Rule
}

// New compiles declarations that are valid.
func New(declarations []Declaration) Policy {
	var p Policy
	p.compileParties(declarations)
	p.compileScopes(declarations)
	p.compileRules(declarations)
	p.compileOrigins(declarations)
	return p
}

func (p *Policy) compileParties(declarations []Declaration) {
	for _, d := range declarations {
		if d.Need == Consent {
			p.parties = append(p.parties, d.Party)
		}
	}
	slices.SortFunc(p.parties, func(a, b Party) int {
		return cmp.Or(cmp.Compare(a.Category, b.Category), cmp.Compare(a.Provider, b.Provider))
	})
	p.parties = slices.Compact(p.parties)
	for _, party := range p.parties {
		p.marks = append(p.marks, decision.MarkOf(party.Category, party.Provider))
	}
}

func (p *Policy) compileScopes(declarations []Declaration) {
	p.categories = make(map[string]Scope)
	p.providers = make(map[Party]Scope)
	for i, party := range p.parties {
		p.providers[party] = Scope{from: i, to: i + 1}
		category, begun := p.categories[party.Category]
		if !begun {
			category.from = i
		}
		category.to = i + 1
		p.categories[party.Category] = category
	}
	for _, d := range declarations {
		provider, category := p.providers[d.Party], p.categories[d.Party.Category]
		provider.anonymous = provider.anonymous || d.Need == NoObjection
		category.anonymous = category.anonymous || d.Need == NoObjection
		p.providers[d.Party], p.categories[d.Party.Category] = provider, category
	}
	for _, name := range slices.Sorted(maps.Keys(p.categories)) {
		category := p.categories[name]
		category.mark = decision.MarkOf(name, "")
		p.ranges = append(p.ranges, category)
	}
}

func (p *Policy) compileRules(declarations []Declaration) {
	rules := make(map[string]*Rule, len(declarations))
	for _, d := range declarations {
		if d.NoCookie {
			continue
		}
		rule := rules[d.Name]
		if rule == nil {
			rule = &Rule{needsNothing: true}
			rules[d.Name] = rule
			p.rules.Put(d.Name, rule)
		}
		p.add(rule, d)
		if below := func(place Place) bool { return place.Path != "/" }; !strings.Contains(d.Name, "*") && slices.ContainsFunc(d.Places, below) {
			p.below = append(p.below, d.Name)
		}
	}
	slices.Sort(p.below)
	p.below = slices.Compact(p.below)
}

// Below returns the names, not patterns, of cookies that a browser may keep for a path
// below "/", so that it does not send them with every request. The caller must not
// change it.
func (p *Policy) Below() []string { return p.below }

// add appends a declaration to a rule.
func (p *Policy) add(rule *Rule, d Declaration) {
	party := none
	if d.Need == Consent {
		party = p.providers[d.Party].from
	}
	rule.Declarations = append(rule.Declarations, d)
	rule.parties = append(rule.parties, party)
	rule.needsNothing = rule.needsNothing && d.Need == Nothing
}

func (p *Policy) compileOrigins(declarations []Declaration) {
	var sources []string
	for _, d := range declarations {
		sources = append(sources, d.Origins...)
	}
	slices.Sort(sources)
	for _, source := range slices.Compact(sources) {
		o := origin{source: source}
		for _, d := range declarations {
			// Whoever answers at one origin may set the cookies of each declaration that
			// names it, be it by a wildcard, so that each of these has a say.
			if slices.ContainsFunc(d.Origins, func(other string) bool { return origins.Overlap(source, other) }) {
				p.add(&o.rule, d)
			}
		}
		p.origins = append(p.origins, o)
	}
}

// Match returns the rule for a name; nil if nobody declared it.
func (p *Policy) Match(name string) *Rule {
	rule, _ := p.rules.Match(name)
	return rule
}

// Parties returns all that need consent, by category and then by provider.
// [Grants.Answers] has the same order. The caller must not change it.
func (p *Policy) Parties() []Party { return p.parties }

// Category returns the scope of one category, and whether anything is declared
// in it.
func (p *Policy) Category(name string) (s Scope, declared bool) {
	s, declared = p.categories[name]
	return s, declared
}

// Provider returns the scope of one provider of a category, and whether it
// declares anything there.
func (p *Policy) Provider(party Party) (s Scope, declared bool) {
	s, declared = p.providers[party]
	return s, declared
}

// Index returns where the answer for a party stands in [Grants.Answers], and whether
// the party needs consent.
func (p *Policy) Index(party Party) (i int, needsConsent bool) {
	s := p.providers[party]
	return s.from, s.from < s.to
}

// SameMark returns two parties that a decision cannot tell apart, if there are any.
func (p *Policy) SameMark() (a, b Party, same bool) {
	first := make(map[decision.Mark]int, len(p.marks))
	for i, mark := range p.marks {
		if j, has := first[mark]; has {
			return p.parties[j], p.parties[i], true
		}
		first[mark] = i
	}
	return Party{}, Party{}, false
}

// Mark returns what stands for a party in a decision, and whether the party
// needs consent.
func (p *Policy) Mark(party Party) (m decision.Mark, needsConsent bool) {
	s := p.providers[party]
	if s.from == s.to {
		return 0, false
	}
	return p.marks[s.from], true
}
