package judge

import (
	"slices"

	"github.com/cookiecharter/consent/consentscan/internal/finding"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

// levels are the levels, the gravest first.
var levels = []finding.Level{finding.Error, finding.Warning, finding.Note}

// A causeKey tells one cause from another. One of name and host is of a tracer or a
// contact, the other empty.
type causeKey struct {
	check finding.Check
	id
}

// A cause is a finding in the making.
type cause struct {
	causeKey
	level   finding.Level
	tracer  *tracer  // nil if it is about something else
	contact *contact // as well
	number  int      // of the declaration that was never seen
	events  []*seen.Event
	drifts  []drift
}

// add adds an event to a cause.
func (j *judge) add(check finding.Check, level finding.Level, about id, e *seen.Event) *cause {
	c := j.causeOf(check, level, about)
	c.events = append(c.events, e)
	return c
}

// causeOf returns the cause, which is as grave as the gravest of what shows it.
func (j *judge) causeOf(check finding.Check, level finding.Level, about id) *cause {
	key := causeKey{check, about}
	c := j.causes[key]
	if c == nil {
		c = &cause{causeKey: key, level: level}
		j.causes[key] = c
	}
	if slices.Index(levels, level) < slices.Index(levels, c.level) {
		c.level = level
	}
	return c
}
