package charter

import (
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/cookiecharter/consent"
)

// A question is what a banner asks, with the banner itself.
type question struct {
	ask        template.HTML
	presumed   string                   // the categories that are allowed without an answer, separated by spaces
	law        law                      // under which visitors share it who have answered nothing
	banner     [3]string                // the rendered banner, around view.At and view.Back; empty if it is rendered for each request
	categories []consent.ScreenCategory // that it names
}

// newQuestion fills {presumed} in a sentence with the purposes of the categories that
// need consent and are presumed, and {purposes} with those of the others. It adds the
// sentence about what Global Privacy Control refuses, unless that is nothing.
func (l *localized) newQuestion(ask string, refused []group, presumed func(consent.Category) bool) question {
	var purposes, others []text
	var categories []string
	for _, g := range l.groups {
		switch {
		case g.Exempt():
		case presumed(g.Category):
			purposes = append(purposes, g.For)
			categories = append(categories, string(g.Category))
		default:
			others = append(others, g.For)
		}
	}
	if len(others) == 0 && ask == l.words.AskUK {
		ask = l.words.AskOptOut
	}
	if len(refused) > 0 {
		ask += " " + l.saysGPC(refused)
	}
	site := text{Text: l.site}
	settings := text{Text: l.words.Settings}
	fill := func(show func(text) string) string {
		return strings.NewReplacer(
			"{site}", show(site), "{settings}", show(settings),
			"{presumed}", l.words.listOf(purposes, show), "{purposes}", l.words.listOf(others, show),
		).Replace(ask)
	}
	q := question{presumed: strings.Join(categories, " ")}
	for _, g := range l.groups {
		isPresumed := presumed(g.Category)
		if !g.Exempt() && (isPresumed && strings.Contains(ask, "{presumed}") || !isPresumed && strings.Contains(ask, "{purposes}") || slices.ContainsFunc(refused, func(r group) bool { return r.Category == g.Category })) {
			q.categories = append(q.categories, consent.ScreenCategory{Category: g.Category})
		}
	}
	ask = template.HTMLEscapeString(ask)
	q.ask = template.HTML(fill(text.html))
	return q
}

// shared returns the questions to visitors who have answered nothing.
func (l *localized) shared() []*question {
	return []*question{&l.optIn, &l.uk, &l.optOut, &l.optOutGPC}
}

// questionFor returns the question to a visitor who has not decided everything.
func (l *localized) questionFor(prefs consent.Preferences) question {
	regime, isFirst := prefs.Regime(), prefs.DecidedAt().IsZero()
	switch {
	case !slices.ContainsFunc(l.groups, func(g group) bool { return prefs.Presumed(g.Category) }):
		return l.optIn // the law presumes nothing, or nothing of this visitor
	case isFirst && regime == consent.UK:
		return l.uk
	case isFirst && prefs.RefusedByGPC():
		return l.optOutGPC
	case isFirst:
		return l.optOut
	// Some answers stand, so only the rest is presumed: the question is the
	// visitor's own, and has no banner yet.
	case regime == consent.UK:
		return l.newQuestion(l.words.AskUK, nil, prefs.Presumed)
	case prefs.RefusedByGPC():
		return l.newQuestion(l.words.AskOptOut, l.refusedByGPC(prefs.Allows), prefs.Presumed)
	default:
		return l.newQuestion(l.words.AskOptOut, nil, prefs.Presumed)
	}
}

// refusedByGPC returns what Global Privacy Control refuses, but for the categories that
// the visitor allows.
func (l *localized) refusedByGPC(allows func(consent.Category) bool) []group {
	return slices.DeleteFunc(slices.Clone(l.gpcGroups), func(g group) bool { return allows(g.Category) })
}

// saysGPC returns the sentence that names the categories that Global Privacy Control
// refuses.
func (l *localized) saysGPC(refused []group) string {
	titles := make([]text, len(refused))
	for i, g := range refused {
		titles[i] = g.Title
	}
	return strings.ReplaceAll(l.words.GPC, "{refused}", l.words.listOf(titles, text.plain))
}

// gpc returns what has become of the opt-out request that the browser sends with r. It
// is shown after a decision too (California Code of Regulations, title 11, section
// 7025(c)(6)).
func (l *localized) gpc(r *http.Request, prefs consent.Preferences, list func(names []string) string) string {
	if prefs.Regime() != consent.OptOut || !sendsGPC(r) {
		return ""
	}
	if names := allowedIn(l.gpcGroups, prefs); len(names) > 0 {
		return strings.ReplaceAll(l.words.GPCExcept, "{providers}", list(names))
	}
	return l.words.GPCHonored
}

func sendsGPC(r *http.Request) bool { return slices.Contains(r.Header["Sec-Gpc"], "1") }
