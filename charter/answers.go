package charter

import (
	"cmp"
	"html/template"
	"slices"

	"github.com/cookiecharter/consent"
)

// statusFor returns the sentences that say what the visitor has decided, and what holds
// without a decision. decided is what it says of one.
func (l *localized) statusFor(prefs consent.Preferences, v view, decided template.HTML) template.HTML {
	status := template.HTML(template.HTMLEscapeString(l.words.Undecided))
	if v.Decided && !prefs.DecidedAt().IsZero() {
		status = decided
	}
	add := func(sentence string) { status += " " + template.HTML(template.HTMLEscapeString(sentence)) }
	if prefs.HasObjected() {
		add(l.words.Objected)
	}
	if v.Presumed != "" {
		add(l.presumedSays)
	}
	if prefs.RefusedByGPC() {
		add(l.saysGPC(l.refusedByGPC(prefs.Allows)))
	} else if v.GPC != "" {
		add(v.GPC)
	}
	return status
}

// decided returns the sentences with the day of the decision and the providers that it
// allows.
func (l *localized) decided(prefs consent.Preferences) template.HTML {
	return l.words.dated(l.words.Decided, prefs.DecidedAt()) + " " + template.HTML(template.HTMLEscapeString(l.allowed(prefs)))
}

// allowed returns the sentence that names the providers that the visitor has
// consented to.
func (l *localized) allowed(prefs consent.Preferences) string {
	return cmp.Or(l.words.naming(l.words.Allowed, allowedIn(l.groups, prefs)), l.words.Nothing)
}

const (
	unanswered reply = iota
	refused
	allowed
)

// allowedIn returns the names of the providers of some groups that the visitor has
// consented to.
func allowedIn(groups []group, prefs consent.Preferences) []string {
	var names []string
	for _, g := range groups {
		for _, p := range g.Providers {
			if prefs.Consented(g.Category, p.Name) && !slices.Contains(names, p.Name) {
				names = append(names, p.Name)
			}
		}
	}
	return names
}

// A reply is a visitor's answer for one provider.
type reply uint8

// groupsFor returns the groups with the answers of one visitor. Nothing is chosen before
// for who has not answered, but what the law allows until they refuse.
func (l *localized) groupsFor(prefs consent.Preferences) []group {
	return l.groupsBy(func(category consent.Category, provider string) reply { return replyIn(prefs, category, provider) }, prefs.HasObjected())
}

// replyIn returns what a visitor has answered for one provider.
func replyIn(prefs consent.Preferences, category consent.Category, provider string) reply {
	switch {
	case prefs.Consented(category, provider):
		return allowed
	case prefs.Decided():
		return refused
	default:
		return unanswered
	}
}

// groupsBy returns the groups with these answers.
func (l *localized) groupsBy(replied func(consent.Category, string) reply, hasObjected bool) []group {
	groups := slices.Clone(l.groups)
	for i := range groups {
		g := &groups[i]
		g.HasObjected = hasObjected
		g.Providers = slices.Clone(g.Providers)
		count := make(map[reply]int)
		for j := range g.Providers {
			p := &g.Providers[j]
			got := replied(g.Category, p.Name)
			p.Allowed = got == allowed
			count[got]++
		}
		switch len(g.Providers) {
		case 0:
		case count[allowed]:
			g.Answer = "allow"
		case count[refused]:
			g.Answer = "refuse"
		default:
			if count[allowed] > 0 {
				g.Answer = "some"
			}
		}
	}
	return groups
}
