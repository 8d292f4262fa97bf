package filter

import (
	"strings"
	"time"

	"github.com/cookiecharter/consent/internal/attribute"
	"github.com/cookiecharter/consent/internal/policy"
	"github.com/cookiecharter/consent/internal/setcookie"
)

// An Event is what became of one cookie in one head.
type Event struct {
	Cookie     string // "" if it has no name
	Outcome    string
	Reason     string // of a verdict, or one of those below
	Attributes setcookie.Attributes
}

// The outcomes of an Event.
const (
	Removed = "removed"
	Expired = "expired"
	Passed  = "passed"
)

// The reasons that are no verdict's.
const (
	Unreadable       = "unreadable"
	InTrailer        = "trailer"
	OwnCookie        = "own"
	OutlivesDeclared = "lifetime"
	OtherDomain      = "domain"
	OtherPath        = "path"
	NotHttpOnly      = "httponly"
)

// note keeps an event for observe. line is the one that would have set the cookie,
// or did; "" if it was expired.
func (e *edit) note(cookie, outcome, reason, line string) {
	if e.filter.config.Observe == nil {
		return
	}
	event := Event{Cookie: cookie, Outcome: outcome, Reason: reason}
	if line != "" {
		event.Attributes = setcookie.ReadAttributes(line, time.Now())
	}
	e.events = append(e.events, event)
}

// observe hands the events on. It comes last, when the head is as it may leave:
// whatever Observe does, a panic included, nothing leaks.
func (e *edit) observe() {
	for _, event := range e.events {
		e.filter.config.Observe(e.filter.request, event)
	}
}

// noteDrift keeps an event for each thing in which a declared cookie that passes
// is not as it was declared.
func (e *edit) noteDrift(rule *policy.Rule, name, line string) {
	if e.filter.config.Observe == nil || !e.first {
		return
	}
	a := setcookie.ReadAttributes(line, time.Now())
	if a.Path == "" {
		a.Path = attribute.DefaultPath(e.filter.path())
	}
	for _, reason := range drift(rule, a) {
		e.note(name, Passed, reason, line)
	}
}

// drift returns everything in which a cookie with these attributes is not as its
// rule says; nothing if it is as one of several declarations says, in one of its places.
func drift(rule *policy.Rule, a setcookie.Attributes) (reasons []string) {
	for _, d := range rule.Declarations {
		for _, place := range d.Places {
			if reasons = driftFrom(&d, place, a); len(reasons) == 0 {
				return nil
			}
		}
	}
	return reasons
}

// clockError is how much an Expires may lie after a lifetime that was counted
// from a moment ago.
const clockError = time.Minute

func driftFrom(d *policy.Declaration, place policy.Place, a setcookie.Attributes) (reasons []string) {
	if a.Lifetime > d.Lifetime+clockError {
		reasons = append(reasons, OutlivesDeclared)
	}
	if place.Domain != "" && !strings.EqualFold(strings.TrimPrefix(place.Domain, "."), a.Domain) {
		reasons = append(reasons, OtherDomain)
	}
	if a.Path != place.Path {
		reasons = append(reasons, OtherPath)
	}
	if d.HttpOnly && !a.HttpOnly {
		reasons = append(reasons, NotHttpOnly)
	}
	return reasons
}
