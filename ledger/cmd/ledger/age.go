package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// An age is a flag that holds a time before today, by the calendar.
type age struct{ years, months, days int }

// maxAge bounds each number, so that no year is out of the calendar's reach.
const maxAge = 100_000

func (a *age) isZero() bool { return *a == age{} }

func (a *age) String() string {
	switch {
	case a.years > 0:
		return fmt.Sprint(a.years, "y")
	case a.months > 0:
		return fmt.Sprint(a.months, "mo")
	case a.days > 0:
		return fmt.Sprint(a.days, "d")
	}
	return ""
}

func (a *age) Set(s string) error {
	digits := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyz")
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || n > maxAge || digits[0] == '+' {
		return errors.New("an age is written 13mo, 400d or 2y")
	}
	switch s[len(digits):] {
	case "y":
		*a = age{years: n}
	case "mo":
		*a = age{months: n}
	case "d":
		*a = age{days: n}
	default:
		return errors.New("an age is written 13mo, 400d or 2y")
	}
	return nil
}

// before returns the beginning of the day of that age, in UTC. If that month has no such day,
// it is the month's last: a month before 31 March is 28 February.
func (a *age) before(now time.Time) time.Time {
	year, month, day := now.UTC().Date()
	first := time.Date(year-a.years, month-time.Month(a.months), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(day, last)-1-a.days)
}
