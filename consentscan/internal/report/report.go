// Package report writes what a scan has found: for a terminal, for programs, for code
// hosts, and for whoever answers for the site. Names and addresses come from the scanned
// site, and none of them gets to steer what shows a report.
package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/consentscan/internal/finding"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

// A Report is what there is to tell of one scan. [Text], [JSON], [SARIF], [HTML] and
// [Declarations] write it; the same report is the same bytes each time.
type Report struct {
	Scan *seen.Scan
	// Findings are those that [Baseline.Apply] has left, if there is a baseline.
	Findings []finding.Finding
	// Registry is what the site declares; nil: nothing.
	Registry *consent.Registry
	// OwnCookies are further names than [consent.CookieName] under which the site keeps the
	// visitor's answer.
	OwnCookies []string
	// Baselined is how many findings the baseline knows. Gone are those of the baseline
	// that were not found again.
	Baselined int
	Gone      []Known
	// Version is that of the program. Empty: not known.
	Version string
}

// levels are in the order in which findings are shown.
var levels = []finding.Level{finding.Error, finding.Warning, finding.Note}

// sorted returns the findings, the gravest first.
func (r *Report) sorted() []finding.Finding {
	return slices.SortedStableFunc(slices.Values(r.Findings), func(a, b finding.Finding) int {
		return cmp.Or(
			slices.Index(levels, a.Level)-slices.Index(levels, b.Level),
			slices.Index(Checks(), a.Check)-slices.Index(Checks(), b.Check),
			strings.Compare(a.Name, b.Name), strings.Compare(a.Kind, b.Kind), strings.Compare(a.Host, b.Host),
			strings.Compare(a.Fingerprint, b.Fingerprint),
		)
	})
}

// isAnswer reports whether an event is about a cookie in which the site keeps the
// visitor's answer.
func (r *Report) isAnswer(e seen.Event) bool {
	return e.Kind == seen.Cookie && !e.Third && (e.Name == consent.CookieName || slices.Contains(r.OwnCookies, e.Name))
}

// of returns how many findings are of a level.
func (r *Report) of(level finding.Level) (n int) {
	for _, f := range r.Findings {
		if f.Level == level {
			n++
		}
	}
	return n
}

// walked returns how many stages were walked, and how many pages were looked at in them.
func (r *Report) walked() (stages, pages int) {
	for _, s := range r.Scan.Stages {
		if s.Skipped == "" {
			stages++
			pages += len(s.Pages)
		}
	}
	return stages, pages
}
