// Package setcookie reads a Set-Cookie line as browsers do, which is not as
// servers do: [net/http.ParseSetCookie] refuses lines that every browser stores.
//
// What it says of a line holds for Chromium and for Firefox. If they differ, it
// says what lets nothing through by mistake. The facts stand in
// testdata/lines.txt, which a test takes to both browsers.
package setcookie

import (
	"net/http"
	"strings"
	"time"
)

// A Reading is what browsers make of one Set-Cookie line.
type Reading struct {
	// Readable is false if no browser stores the line, or if it is not certain how
	// they read it. Such a line has no names.
	Readable bool

	// Deletion says whether the line deletes a cookie and stores none.
	Deletion Deletion

	names [maxNames]string
	n     int
}

// A Deletion says whether a line only deletes.
type Deletion uint8

const (
	// NoDeletion is a line that some browser stores, or may.
	NoDeletion Deletion = iota

	// Recent is a line whose Expires lies less than a week in the past, or in a past
	// that hangs on how a browser reads the response's Date: one whose clock is late
	// would store it. With "; Max-Age=0" after it, it deletes for every clock.
	Recent

	// Sure is a line that no browser stores, whatever its clock says.
	Sure
)

// maxClockError is how wrong a visitor's clock may plausibly be, two days, and
// how far a time zone may move a date in Firefox, 100 hours.
const maxClockError = 7 * 24 * time.Hour

// maxNames is how many names one line can have: none, the one that is written,
// the one that a server reads in a nameless cookie, and those after commas. Of a
// line with more it is not certain how browsers read it.
const maxNames = 8

// Names returns each name under which some browser stores the line, or under
// which a server reads what the browser then sends. A cookie without a name has
// the name "".
func (r *Reading) Names() []string { return r.names[:r.n] }

// Name returns the name that stands before the '='; "" if none does, so that it
// never holds a value.
func (r *Reading) Name() string { return r.names[0] }

// maxAttribute is how long the value of an attribute may be (RFC 6265bis section
// 5.6, step 6.6); browsers ignore a longer one.
const maxAttribute = 1024

// A Clock is what browsers may take for now when they read a response.
type Clock struct{ Earliest, Latest time.Time }

// maxShift is how far browsers may move a Date: 100 hours for a time zone, and
// twelve for a "PM".
const maxShift = 5 * 24 * time.Hour

// ClockOf returns the Clock for a response with these Date fields. Both browsers
// move an Expires by as much as Date lies before their own clock, so that they
// store a cookie that expired in 1970 when the response is dated 1960. A Date of
// the future counts for nothing, since a proxy may put its own in its place.
func ClockOf(now time.Time, dates []string) Clock {
	if len(dates) == 0 {
		return Clock{now, now}
	}
	clock := dated(now, dates[0])
	for _, text := range dates[1:] { // browsers take the first one, or the first that they can read
		other := dated(now, text)
		clock.Earliest = earlier(clock.Earliest, other.Earliest)
		if other.Latest.After(clock.Latest) {
			clock.Latest = other.Latest
		}
	}
	return clock
}

// dated returns the Clock for a response with this Date.
func dated(now time.Time, text string) Clock {
	if date, err := time.Parse(http.TimeFormat, text); err == nil {
		date = earlier(date, now)
		return Clock{date, date}
	}
	if date, ok := parseDate(text); ok {
		date = earlier(date, now)
		return Clock{date.Add(-maxShift), date}
	}
	return Clock{Latest: now} // some browser may read it, as any time
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// Read reads line, the value of a Set-Cookie field. It asks for the clock only if
// a date decides. It allocates nothing.
func Read(line string, clock func() Clock) Reading {
	// Browsers drop a line with a control character anywhere in it (RFC 6265bis
	// section 5.6, step 1).
	if hasControl(line) {
		return Reading{}
	}
	pair, attributes, _ := cut(line, ';')
	name, value, named := cut(pair, '=')
	name, value = trim(name), trim(value)
	if name == "" && value == "" {
		return Reading{}
	}
	r := Reading{Readable: true}
	switch {
	case !named:
		// Chromium: a value without a name. Firefox: a name without a value.
		r.add("")
		r.add(name)
	case name == "":
		r.add("")
		sent, _, _ := cut(value, '=')
		r.add(trim(sent))
	default:
		r.add(name)
	}
	switch {
	case r.addFolded(line):
		if r.n > maxNames {
			return Reading{}
		}
	case quotesSemicolon(line):
		// To Safari it is a part of the value (WebKit's results of the platform test
		// cookies/value/value.html), as it is in RFC 2109: what follows may not count.
	default:
		r.Deletion = deletion(attributes, clock)
	}
	return r
}

// add adds a name. It counts those for which there is no room.
func (r *Reading) add(name string) {
	for _, known := range r.names[:min(r.n, maxNames)] {
		if known == name {
			return
		}
	}
	if r.n < maxNames {
		r.names[r.n] = name
	}
	r.n++
}

// addFolded adds the names of the cookies that stand after a comma, and reports
// whether there are any. RFC 2109 (section 4.2.2) made the field a list, proxies
// still write several fields as one, and Safari read them until it took over RFC
// 6265. To it, as to them, a blank follows the comma: "a=b,c=d" is one cookie,
// which sites set on purpose.
func (r *Reading) addFolded(line string) bool {
	folded := false
	for i := 0; ; i++ {
		comma := strings.IndexByte(line[i:], ',')
		if comma < 0 {
			return folded
		}
		i += comma
		name, ok := foldedName(line[i+1:])
		if !ok {
			continue
		}
		if !folded { // then another cookie ends here, which may have no '='
			first, _, _ := cut(line[:i], ';')
			first, _, _ = cut(first, '=')
			r.add(trim(first))
			folded = true
		}
		r.add(name)
	}
}

// foldedName returns the token that s begins with, if a blank is before it and a
// '=' after it. A date has none: what follows its comma is two words, or more.
func foldedName(s string) (name string, ok bool) {
	rest := strings.TrimLeft(s, " \t")
	n := 0
	for n < len(rest) && isTokenByte(rest[n]) {
		n++
	}
	after := strings.TrimLeft(rest[n:], " \t")
	return rest[:n], len(rest) < len(s) && n > 0 && strings.HasPrefix(after, "=")
}

// quotesSemicolon reports whether a ';' stands between quotes, or after one that
// nothing closes.
func quotesSemicolon(line string) bool {
	for {
		_, rest, opened := cut(line, '"')
		if !opened {
			return false
		}
		quoted, after, _ := cut(rest, '"')
		if strings.IndexByte(quoted, ';') >= 0 {
			return true
		}
		line = after
	}
}

// isTokenByte reports whether c may stand in a token (RFC 9110 section 5.6.2), as
// a name is for RFC 2109, or is above 0x7F.
func isTokenByte(c byte) bool {
	return isWordByte(c) || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

// deletion reads the attributes. The last Max-Age and the last Expires count
// (RFC 6265bis section 5.7, step 3), and Max-Age comes before Expires.
func deletion(attributes string, clock func() Clock) Deletion {
	maxAge, expires := "", ""
	for attributes != "" {
		var name, value string
		name, value, attributes = cutAttribute(attributes)
		switch {
		case len(name) != len("Max-Age") || len(value) > maxAttribute:
			// Neither of the two, which are of one length.
		case strings.EqualFold(name, "Max-Age"):
			maxAge = value
		case strings.EqualFold(name, "Expires"):
			expires = value
		}
	}
	if deletes, ok := readMaxAge(maxAge); ok {
		if deletes {
			return Sure
		}
		return NoDeletion
	}
	if expires == "" {
		return NoDeletion
	}
	date, ok := parseDate(expires)
	if !ok {
		return NoDeletion
	}
	switch now := clock(); {
	case date.After(now.Latest):
		return NoDeletion
	case now.Earliest.Sub(date) < maxClockError:
		return Recent
	default:
		return Sure
	}
}

// readMaxAge reads a whole number of any length: an optional sign, then digits.
// Browsers take anything else for no Max-Age at all, or differ, as they do with a
// '+': to Firefox "+5" is none, so that an Expires deletes, and to Chromium it is
// five seconds.
func readMaxAge(s string) (deletes, ok bool) {
	digits := strings.TrimLeft(s, "+-")
	if len(s)-len(digits) > 1 || digits == "" {
		return false, false
	}
	zero := true
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return false, false
		}
		zero = zero && digits[i] == '0'
	}
	if zero && s[0] == '+' {
		return false, false
	}
	return zero || s[0] == '-', true
}

// cut is strings.Cut for a separator of one byte, which takes a third longer (96 to
// 70 ns for the attributes of a usual line): every line comes by here.
func cut(s string, separator byte) (before, after string, found bool) {
	if i := strings.IndexByte(s, separator); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

// trim cuts off spaces and tabs, and no other white space, as browsers do. It is
// strings.Trim(s, " \t"), which takes five times as long (118 to 23 ns for the eight
// names and values of a usual line), since that makes a set of the characters anew.
func trim(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}
