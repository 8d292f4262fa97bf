package policy

import (
	"slices"
	"time"

	"github.com/cookiecharter/consent/internal/decision"
)

// Grants are what a decision allows today: the decision, resolved against what
// is declared now. They never change, and are safe for concurrent use.
type Grants struct {
	DecidedAt time.Time // the zero Time if nothing was decided
	Objection bool      // to anonymous statistics
	Reference [16]byte  // under which the visitor's decisions are recorded; zero for none

	answers    []Answer // one for each of Policy.parties
	refusesAll bool     // the decision says yes to nothing, and no to something
	refused    []bool   // of each category that is open again: whether the visitor has refused something in it; nil if in none
}

// An Answer is what holds for one party.
type Answer uint8

const (
	Open     Answer = iota // not given, or for less than what is declared now
	No                     // the visitor refuses
	NoByGPC                // the browser's Global Privacy Control refuses, in place of an answer
	Yes                    // the visitor consents
	Ticked                 // the visitor has saved what the law had presumed
	Alone                  // the visitor consents to this provider, whatever they say about its category
	Presumed               // not given, but the law lets it pass until it is refused
	Reopened               // the visitor has refused, and is asked again, since something has changed
)

// Allows reports whether cookies of the party may pass.
func (a Answer) Allows() bool { return a == Yes || a == Ticked || a == Alone || a == Presumed }

// Undecided returns the grants of a visitor who has decided nothing.
func (p *Policy) Undecided() *Grants { return &Grants{answers: make([]Answer, len(p.parties))} }

// A Presumption is what a law makes of each of [Policy.Parties] for which a visitor
// has not answered: [Open], [Presumed] or [NoByGPC]. The nil Presumption leaves all
// of them open.
type Presumption []Answer

// Presumption returns the one that presumes the same for all of a category; nil if it
// leaves everything open.
func (p *Policy) Presumption(of func(category string) Answer) Presumption {
	presumption := make(Presumption, len(p.parties))
	for i, party := range p.parties {
		presumption[i] = of(party.Category)
	}
	if !slices.ContainsFunc(presumption, func(a Answer) bool { return a != Open }) {
		return nil
	}
	return presumption
}

func (p Presumption) presumes(i int) bool { return p != nil && p[i] == Presumed }

// Resolve returns what a decision allows today. A category that a provider has
// joined since the decision is open again as a whole, and only that one: the
// question has changed there. A yes to one provider alone answered no such
// question, and stands. Under a higher revision all of them are open. An
// objection asks for less than what was declared, and so stands through both.
//
// A box that a law had ticked is no consent (Court of Justice of the European Union,
// C-673/17, Planet49), so that such a yes counts only under a law that presumes it.
func (p *Policy) Resolve(d *decision.Decision, revision uint64, law Presumption) *Grants {
	g := p.Undecided()
	g.Objection, g.Reference = d.Objection, d.Reference
	g.DecidedAt = time.UnixMilli(d.Time.UnixMilli()) // a copy of d.Time would move all of d from its caller's stack to the heap
	g.refusesAll = d.Answers.AllNo()
	for n, category := range p.ranges {
		answers := g.answers[category.from:category.to]
		outdated := d.Revision < revision
		reopened := outdated
		for i := range answers {
			given, known := d.Answers.Of(p.marks[category.from+i])
			switch {
			case !known:
				reopened = true
			case given == decision.No:
				answers[i] = No
			case given == decision.Yes:
				answers[i] = Yes
			case given == decision.Alone && outdated:
			case given == decision.Alone:
				answers[i] = Alone
			case law.presumes(category.from + i):
				answers[i] = Ticked
			}
		}
		if reopened {
			reopen(answers)
			if _, refused := d.Answers.Of(category.mark); refused {
				if g.refused == nil {
					g.refused = make([]bool, len(p.ranges))
				}
				g.refused[n] = true
			}
		}
	}
	return g
}

// reopen takes back the answers to the question about a category.
func reopen(answers []Answer) {
	for i, a := range answers {
		switch a {
		case No:
			answers[i] = Reopened
		case Alone:
		default:
			answers[i] = Open
		}
	}
}

// Presume returns what g allows under a law. What the visitor has said counts under
// every law. Nothing is presumed in a category of which they have refused a part,
// nor if they have refused everything that they were asked for.
func (p *Policy) Presume(g *Grants, by Presumption) *Grants {
	if by == nil {
		return g
	}
	presumed := *g
	presumed.answers = slices.Clone(g.answers)
	for n, category := range p.ranges {
		answers := presumed.answers[category.from:category.to]
		refuses := g.refusesAll || g.refused != nil && g.refused[n] || slices.Contains(answers, Reopened)
		for i, a := range answers {
			if law := by[category.from+i]; a == Open && (law != Presumed || !refuses) {
				answers[i] = law
			}
		}
	}
	return &presumed
}

// Without returns g without the answers that one of the marks stands for.
func (p *Policy) Without(g *Grants, marks []uint32) *Grants {
	if len(marks) == 0 {
		return g
	}
	rest := *g
	rest.answers = slices.Clone(g.answers)
	for i := range rest.answers {
		if slices.Contains(marks, uint32(p.marks[i])) {
			rest.answers[i] = Open
		}
	}
	return &rest
}

// RefusesBeside reports whether the visitor has refused something in the category of
// the party at i, be it declared still or not, or everything.
func (p *Policy) RefusesBeside(g *Grants, i int) bool {
	n := slices.IndexFunc(p.ranges, func(category Scope) bool { return category.from <= i && i < category.to })
	refused := func(a Answer) bool { return a == No || a == Reopened }
	return g.refusesAll || g.refused != nil && g.refused[n] || slices.ContainsFunc(g.Of(p.ranges[n]), refused)
}

// Answers returns the answer for each of [Policy.Parties]. The caller must not
// change them.
func (g *Grants) Answers() []Answer { return g.answers }

// Of returns the answers for what needs consent in a scope.
func (g *Grants) Of(s Scope) []Answer { return g.answers[s.from:s.to] }

// Allows reports whether everything in a scope may pass.
func (g *Grants) Allows(s Scope) bool {
	if s.anonymous && g.Objection {
		return false
	}
	return !slices.ContainsFunc(g.Of(s), func(a Answer) bool { return !a.Allows() })
}

// Consented reports whether everything in a scope that needs consent has it, and
// something does. An objection, which is about the rest, changes nothing.
func (g *Grants) Consented(s Scope) bool {
	return s.from < s.to && g.Allows(Scope{from: s.from, to: s.to})
}

// Decided reports whether the visitor, or Global Privacy Control in their place,
// has answered for everything that needs consent now.
func (g *Grants) Decided() bool {
	return !slices.ContainsFunc(g.answers, func(a Answer) bool { return a == Open || a == Presumed || a == Reopened })
}

// Origins returns the origins whose cookies g lets all pass, each once and
// sorted; nil if there are none.
func (p *Policy) Origins(g *Grants) []string {
	var allowed []string
	for i := range p.origins {
		if o := &p.origins[i]; g.Judge(&o.rule).Passes() {
			allowed = append(allowed, o.source)
		}
	}
	return allowed
}

// A Verdict says whether a cookie may be set, and why.
type Verdict uint8

const (
	Exempt      Verdict = iota // passes for everybody
	NotObjected                // passes, since this visitor has not objected to anonymous statistics
	Consented                  // passes, by consent of this visitor
	Undeclared                 // nobody declared a cookie of this name
	Undecided                  // needs consent, and the visitor has not answered
	Refused                    // needs consent, and the visitor has refused
	Objected                   // the visitor objects to anonymous statistics
)

// Passes reports whether the cookie may be set.
func (v Verdict) Passes() bool { return v <= Consented }

// Personal reports whether the cookie passes for this visitor, and might not for
// another one.
func (v Verdict) Personal() bool { return v == NotObjected || v == Consented }

// Denied reports whether the cookie is declared and the visitor does not allow it.
func (v Verdict) Denied() bool { return !v.Passes() && v != Undeclared }

// ByVisitor reports whether the visitor has refused the cookie, or Global Privacy
// Control has in their place.
func (v Verdict) ByVisitor() bool { return v == Refused || v == Objected }

// Judge returns the verdict on a cookie under a rule. It may be nil, which means
// undeclared. If several providers declare the name, the strictest declaration
// decides, since a browser cannot tell whose cookie it stores.
func (g *Grants) Judge(rule *Rule) Verdict {
	if rule == nil {
		return Undeclared
	}
	verdict := Exempt
	for i := range rule.Declarations {
		switch party := rule.parties[i]; {
		case party == none && rule.Declarations[i].Need != NoObjection:
		case party == none && g.Objection:
			return Objected
		case party == none:
			verdict = max(verdict, NotObjected)
		case g.answers[party].Allows():
			verdict = max(verdict, Consented)
		case g.answers[party] == Open:
			verdict = Undecided // another declaration may be refused
		default:
			return Refused
		}
	}
	return verdict
}

// NeedsNothing reports whether the verdict is [Exempt] whatever a visitor has
// decided.
func (r *Rule) NeedsNothing() bool { return r.needsNothing }

// Reason says in one word why the cookie may not be set; "" if it may.
func (v Verdict) Reason() string {
	switch v {
	case Undeclared:
		return "undeclared"
	case Undecided:
		return "undecided"
	case Refused:
		return "refused"
	case Objected:
		return "objected"
	default:
		return ""
	}
}
