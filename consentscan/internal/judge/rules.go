package judge

import (
	"slices"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/consentscan/internal/finding"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

// A citation is of docs/rules.md: the anchor of its section, and what its row cites.
type citation struct{ anchor, source string }

// The sections of docs/rules.md.
const (
	before    = "before-anything-is-stored-or-read"
	whichLaw  = "which-law"
	asking    = "asking"
	afterward = "afterwards"
)

var (
	storing     = citation{before, "ePrivacy art. 5(3); 091 art. 2; EDPB § 90"}
	reading     = citation{before, "ePrivacy art. 5(3)"}
	anything    = citation{before, "ePrivacy art. 5(3); 091 art. 1"}
	tagCode     = citation{before, "ePrivacy art. 5(3); Verwaltungsgericht Hannover, 19 March 2025, 10 A 5385/22"}
	objecting   = citation{before, "GDPR art. 21(1) and (5)"}
	uk          = citation{whichLaw, "Privacy and Electronic Communications Regulations 2003, schedule A1, paragraphs 5 and 6"}
	optOut      = citation{whichLaw, "GPC, \"Legal Effects\"; California, 11 CCR § 7025"}
	clearAct    = citation{asking, "GDPR art. 4(11); EDPB §§ 79 and 86; 091 art. 2; 092 § 9"}
	purposes    = citation{asking, "GDPR art. 4(11); EDPB § 64; 092 art. 2"}
	byName      = citation{asking, "EDPB §§ 64–65; 092 art. 2"}
	whatIsSo    = citation{asking, "ePrivacy art. 5(3); Court of Justice of the European Union, C-673/17, Planet49"}
	withdrawing = citation{afterward, "EDPB § 117; 092 art. 3"}
	keepingIt   = citation{afterward, "092 §§ 38–39"}
)

// rule returns the rule that a cause touches.
func (j *judge) rule(c *cause, about subject) (anchor, source string) {
	cited := j.citation(c, about)
	return cited.anchor, cited.source
}

func (j *judge) citation(c *cause, about subject) citation {
	switch c.check {
	case finding.StoredWithoutConsent, finding.ContactedWithoutConsent:
		return j.withoutConsent(c, about)
	case finding.UsedAfterWithdrawal:
		return withdrawing
	case finding.LeftBehind:
		if !slices.ContainsFunc(c.events, func(e *seen.Event) bool { return j.stage(e).Earlier != "" }) {
			return reading // a refusal that is no withdrawal
		}
		return withdrawing
	case finding.Undeclared:
		return purposes
	case finding.UndeclaredOrigin:
		return byName
	case finding.AnswerNotKept:
		return keepingIt
	case finding.WrongSignal:
		return clearAct
	case finding.BlockedByBrowser:
		if slices.Contains(j.own, c.name) {
			return keepingIt
		}
		return whatIsSo
	default:
		return whatIsSo
	}
}

// withoutConsent returns the rule for what was stored or contacted: that of the weakest law
// only if no stage was under a stricter one.
func (j *judge) withoutConsent(c *cause, about subject) citation {
	weakest := consent.NoRegime
	for _, e := range c.events {
		weakest = min(weakest, j.stage(e).Regime)
	}
	switch {
	case about.anonymous():
		return objecting
	case weakest == consent.UK:
		return uk
	case weakest > consent.UK:
		return optOut
	case c.contact != nil && slices.ContainsFunc(c.events, func(e *seen.Event) bool { return e.Transport == seen.Script }):
		return tagCode
	case c.contact != nil, c.kind != seen.Cookie:
		return anything
	default:
		return storing
	}
}
