package document

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// The units of lifetimes, the longest first. A month is 30 days and a year is 365, as
// people count who set a cookie for "13 months".
var units = []struct {
	name string
	unit time.Duration
}{
	{"year", 365 * day}, {"month", 30 * day}, {"week", 7 * day}, {"day", day},
	{"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second},
}

const (
	day     = 24 * time.Hour
	session = "session" // no lifetime: until the browser is closed
)

// parseLifetime reads "13 months" or "session". Only seconds may have decimals.
func parseLifetime(s string) (time.Duration, error) {
	if s == session {
		return 0, nil
	}
	number, name, _ := strings.Cut(s, " ")
	for _, u := range units {
		if name != u.name && name != u.name+"s" {
			continue
		}
		if strings.Trim(number, "0123456789") == "" {
			n, err := strconv.ParseInt(number, 10, 64)
			switch {
			case errors.Is(err, strconv.ErrRange) || n > int64(math.MaxInt64/u.unit):
				return 0, fmt.Errorf("%s is longer than 292 years", shortened(s))
			case err == nil && n == 0:
				return 0, fmt.Errorf(`%s is no lifetime; "session" is until the browser is closed`, shortened(s))
			case err == nil:
				return time.Duration(n) * u.unit, nil
			}
		}
		if whole, decimals, _ := strings.Cut(number, "."); u.unit == time.Second && whole != "" && decimals != "" && strings.Trim(whole+decimals, "0123456789") == "" {
			if d, err := time.ParseDuration(number + "s"); err == nil && d > 0 && len(decimals) <= 9 {
				return d, nil
			}
		}
	}
	return 0, fmt.Errorf(`%s is neither "session" nor a number and a unit, such as "13 months", "14 days" or "30 minutes"`, shortened(s))
}

// formatLifetime writes a lifetime in the longest unit of which it is a whole number.
func formatLifetime(d time.Duration) string {
	if d == 0 {
		return session
	}
	for _, u := range units {
		if d%u.unit == 0 {
			return plural(strconv.FormatInt(int64(d/u.unit), 10), u.name)
		}
	}
	decimals := fmt.Sprintf("%d.%09d", d/time.Second, d%time.Second)
	return plural(strings.TrimRight(decimals, "0"), "second")
}

func plural(number, unit string) string {
	if number != "1" {
		unit += "s"
	}
	return number + " " + unit
}
