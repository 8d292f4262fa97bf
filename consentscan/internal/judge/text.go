package judge

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// maxQuoted is how many bytes of a name, an address or a reason that the site sends stand
// in a sentence.
const maxQuoted = 120

// clip shortens what the site sends.
func clip(s string) string {
	s = strings.ToValidUTF8(s, "�")
	if len(s) <= maxQuoted {
		return s
	}
	return strings.ToValidUTF8(s[:maxQuoted], "") + "…"
}

// quote returns what the site sends so that nothing in it ends a line or colours a terminal.
func quote(s string) string { return strconv.Quote(clip(s)) }

// plain is quote without the quotes, for addresses.
func plain(s string) string {
	q := quote(s)
	return q[1 : len(q)-1]
}

// span returns a lifetime in words, rounded.
func span(d time.Duration) string {
	if d == 0 {
		return "until the browser is closed"
	}
	n, unit := round(d)
	name := map[time.Duration]string{24 * time.Hour: "day", time.Hour: "hour", time.Minute: "minute", time.Second: "second"}[unit]
	if n != 1 {
		name += "s"
	}
	return fmt.Sprintf("for %d %s", n, name)
}

// round returns a lifetime in the largest unit of which it has two, as a number that is
// the same for two that differ by the clock.
func round(d time.Duration) (n int64, unit time.Duration) {
	for _, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute} {
		if n := int64((d + unit/2) / unit); d >= 2*unit-clockError/2 {
			return n, unit
		}
	}
	return int64((d + time.Second/2) / time.Second), time.Second
}
