package report

import (
	"slices"
	"strings"

	"github.com/cookiecharter/consent/consentscan/internal/finding"
)

// A check says in plain words what findings of it are.
type check struct {
	name  finding.Check
	title string
	plain string
	rule  string // the anchor in docs/rules.md, for a finding that names none
}

const (
	home = "https://github.com/cookiecharter/consent"

	// rulesPage is where docs/rules.md is read.
	rulesPage = home + "/blob/main/docs/rules.md"

	before = "before-anything-is-stored-or-read"
	asking = "asking"
	later  = "afterwards"
)

// checks are in the order in which findings of one level are shown.
var checks = []check{
	{finding.StoredWithoutConsent, "Stored without consent",
		"Something that needs the visitor's consent was stored in the browser although the visitor had not given it: before any answer, after a refusal, or after a yes to something else.", before},
	{finding.ContactedWithoutConsent, "Contacted without consent",
		"A page contacted the server of another company before the visitor had allowed what that server is there for. Whoever is contacted learns the visitor's network address and, as a rule, which site they are on.", before},
	{finding.UsedAfterWithdrawal, "Used after a withdrawal",
		"The visitor had withdrawn their consent, or refused, and what depends on it was sent, stored or contacted all the same.", later},
	{finding.LeftBehind, "Left behind after a withdrawal",
		"The visitor had withdrawn their consent, and what was stored by it still lies in the browser.", later},
	{finding.AnswerNotKept, "The answer was not kept",
		"The site asked again, or did not know any more what the visitor had answered.", later},
	{finding.WrongSignal, "A tag was told something else",
		"A page tells the tags of other companies what the visitor allows. What it told was not what the visitor had said, or it came too late.", before},
	{finding.Undeclared, "Not declared",
		"Something was stored in the browser that the site does not declare. Visitors are not told of it, and no answer of theirs covers it.", asking},
	{finding.UndeclaredOrigin, "A host that is not declared",
		"A page contacted the server of somebody else, and no declaration of the site names it. Visitors are not told of it, and no answer of theirs covers it.", asking},
	{finding.NeverOpens, "A gate that never opens",
		"A page holds something back until the visitor allows a category or a provider that the site does not declare. Nobody is asked for it, so that it stays away from every visitor.", asking},
	{finding.DeclaredOtherwise, "Not as declared",
		"What the site tells visitors of it is not so: it is kept for longer, or lies elsewhere than declared, so that a withdrawal may not delete it.", asking},
	{finding.NeverSeen, "Declared and never seen",
		"The site declares something that the scan has not seen. The declaration may be out of date, or the scan did not come to the page that uses it.", asking},
	{finding.BlockedByBrowser, "Refused by the browser",
		"The site sets a cookie that the browser does not take, so that what depends on it does not work there.", before},
}

// Checks returns the names of all checks.
func Checks() []finding.Check {
	names := make([]finding.Check, len(checks))
	for i, c := range checks {
		names[i] = c.name
	}
	return names
}

// checkOf returns what is known of a check.
func checkOf(name finding.Check) check {
	if i := slices.IndexFunc(checks, func(c check) bool { return c.name == name }); i >= 0 {
		return checks[i]
	}
	return check{name: name, title: string(name)}
}

// ruleAddress returns where the rule with this anchor is read.
func ruleAddress(anchor string) string {
	anchor = strings.TrimPrefix(anchor, "#")
	if anchor == "" || strings.Trim(anchor, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return rulesPage
	}
	return rulesPage + "#" + anchor
}

// ruleOf returns the address of the rule that a finding touches.
func ruleOf(f finding.Finding) string {
	if f.Rule != "" {
		return ruleAddress(f.Rule)
	}
	return ruleAddress(checkOf(f.Check).rule)
}
