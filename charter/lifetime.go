package charter

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/feature/plural"

	"github.com/cookiecharter/consent"
)

const day = 24 * time.Hour

// A unit of lifetimes. A month has 30 days and a year 365, as declarations write
// them.
type unit struct {
	name   string
	length time.Duration
}

var units = []unit{{"minute", time.Minute}, {"hour", time.Hour}, {"day", day}, {"month", 30 * day}, {"year", 365 * day}}

// endless returns the lifetime in words of what is declared without one: browsers empty
// the session storage with its tab (HTML Standard, "The sessionStorage getter"), and of
// the other storages nothing, for want of a reason. What is of another kind has a
// lifetime only if the site says so.
func (w *words) endless(kind consent.Kind) string {
	switch kind {
	case consent.HTTPCookie:
		return w.Session
	case consent.SessionStorage:
		return w.Tab
	case consent.Other:
		return ""
	default:
		return w.Deleted
	}
}

// kind returns the name of a kind; "" for cookies, of which the whole page speaks.
func (w *words) kind(kind consent.Kind) string {
	return map[consent.Kind]string{
		consent.LocalStorage: w.LocalStorage, consent.SessionStorage: w.SessionStorage,
		consent.IndexedDB: w.IndexedDB, consent.CacheStorage: w.CacheStorage, consent.Other: w.Other,
	}[kind]
}

// lifetime returns a duration in words: in the largest unit of which it is a whole
// number, or else rounded up, so that no cookie lives longer than the charter says.
func (w *words) lifetime(kind consent.Kind, d time.Duration) string {
	if d == 0 {
		return w.endless(kind)
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
