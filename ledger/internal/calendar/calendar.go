// Package calendar says in which day, week or month of a place a moment lies.
package calendar

import "time"

// A Span is a stretch of time that a calendar has.
type Span string

const (
	Day   Span = "day"
	Week  Span = "week" // from Monday to Sunday (ISO 8601)
	Month Span = "month"
)

// A Calendar is one of a place. It remembers the last span, in which the next moment lies
// most often. It is not safe for concurrent use.
type Calendar struct {
	Span     Span
	Location *time.Location

	first       time.Time
	from, until int64 // in milliseconds since 1970
}

// Start returns the first moment of the span in which a moment lies, which is given in
// milliseconds since 1970.
func (c *Calendar) Start(at int64) time.Time {
	if c.from <= at && at < c.until {
		return c.first
	}
	year, month, day := time.UnixMilli(at).In(c.Location).Date()
	months, days := 0, 1
	switch c.Span {
	case Week:
		weekday := time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Weekday()
		day, days = day-int(weekday+6)%7, 7 // since Monday
	case Month:
		day, months, days = 1, 1, 0
	}
	c.first = FirstMoment(year, month, day, c.Location)
	c.from = c.first.UnixMilli()
	c.until = FirstMoment(year, month+time.Month(months), day+days, c.Location).UnixMilli()
	return c.first
}

// FirstMoment returns when a day begins somewhere. If the clocks are changed at midnight,
// there is none on that day, or there are two. Day and month may be out of their range, as
// for [time.Date].
func FirstMoment(year int, month time.Month, day int, location *time.Location) time.Time {
	date := time.Date(year, month, day, 0, 0, 0, 0, time.UTC) // with the month and the day as they are called
	t := time.Date(year, month, day, 0, 0, 0, 0, location)
	begun, ended := t.ZoneBounds()
	switch called := shown(t); {
	case called.Before(date): // midnight is left out: the day begins when the clocks are put forward
		return ended
	case called.After(date):
		return begun
	case begun.IsZero():
		return t
	}
	// Before the clocks were put back it may have been midnight already.
	_, offset := begun.Add(-time.Nanosecond).Zone()
	if before := date.Add(-time.Duration(offset) * time.Second).In(location); before.Before(begun) {
		return before
	}
	return t
}

// shown returns what the clocks show, as if they were in UTC.
func shown(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}
