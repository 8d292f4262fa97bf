package main

import (
	"errors"
	"fmt"
	"time"
	_ "time/tzdata" // for -tz, on machines without the files

	"github.com/cookiecharter/consent/ledger/internal/calendar"
)

// A day is a flag that holds a day, as midnight in UTC.
type day struct{ time.Time }

func (d *day) String() string {
	if d.IsZero() {
		return ""
	}
	return d.Format(time.DateOnly)
}

func (d *day) Set(s string) (err error) {
	if d.Time, err = time.Parse(time.DateOnly, s); err != nil {
		return errors.New("a day is written 2026-03-31")
	}
	return nil
}

// A zone is a flag that holds a time zone. The zero zone is UTC.
type zone struct{ *time.Location }

// utc is the zone of what knows no other.
var utc = new(zone)

func (z *zone) String() string {
	if z.Location == nil {
		return "UTC"
	}
	return z.Location.String()
}

func (z *zone) Set(s string) (err error) {
	if s == "" || s == "Local" { // which time.LoadLocation takes for UTC, and for whatever this machine has
		return fmt.Errorf("a zone is written Europe/Paris, not %q", s)
	}
	z.Location, err = time.LoadLocation(s)
	return err
}

// begin returns the first moment of a day there; the zero time of the zero day.
func (z *zone) begin(d day) time.Time {
	if d.IsZero() || z.Location == nil {
		return d.Time
	}
	year, month, date := d.Date()
	return calendar.FirstMoment(year, month, date, z.Location)
}
