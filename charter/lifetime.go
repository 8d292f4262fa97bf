package charter

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/feature/plural"
)

const day = 24 * time.Hour

// A unit of lifetimes. A month has 30 days and a year 365, as declarations write
// them.
type unit struct {
	name   string
	length time.Duration
}

var units = []unit{{"minute", time.Minute}, {"hour", time.Hour}, {"day", day}, {"month", 30 * day}, {"year", 365 * day}}

// lifetime returns a duration in words: in the largest unit of which it is a whole
// number, or else rounded up, so that no cookie lives longer than the charter says.
func (w *words) lifetime(d time.Duration) string {
	if d == 0 {
		return w.Session
	}
	for _, unit := range slices.Backward(units[1:]) {
		if d%unit.length == 0 {
			return w.count(unit.name, int(d/unit.length))
		}
	}
	switch {
	case d > day:
		return w.count("day", int((d+day-1)/day))
	case d > time.Hour:
		return w.count("hour", int((d+time.Hour-1)/time.Hour))
	default:
		return w.count("minute", int((d+time.Minute-1)/time.Minute))
	}
}

// count returns a number of units in words, in the plural form of the language.
func (w *words) count(unit string, n int) string {
	form := w.Units[unit][formNames[plural.Cardinal.MatchPlural(w.tag, n, 0, 0, 0, 0)]]
	return strings.ReplaceAll(form, "{n}", fmt.Sprint(n))
}

var formNames = map[plural.Form]string{
	plural.Zero: "zero", plural.One: "one", plural.Two: "two", plural.Few: "few", plural.Many: "many", plural.Other: "other",
}
