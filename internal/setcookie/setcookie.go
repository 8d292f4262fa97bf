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

	// Recent is a line whose Expires lies less than a week in the past, which
	// a browser would store if its clock is late. With "; Max-Age=0" after it, it
	// deletes for every clock.
	Recent

	// Sure is a line that no browser stores, whatever its clock says.
	Sure
)

// maxClockError is how wrong a visitor's clock may plausibly be, two days, and
// how far a time zone may move a date in Firefox, 100 hours.
const maxClockError = 7 * 24 * time.Hour

// maxNames is how many names one line can have: none, the one that is written,
// and the one that a server reads in a nameless cookie.
const maxNames = 3

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

// Earliest returns the earliest time that a browser may take for now when it
// reads a response with these Date fields. Both browsers move an Expires by as
// much as Date lies before their own clock, so that they store a cookie that
// expired in 1970 when the response is dated 1960. If a Date cannot be read for
// certain, that time is before every other.
func Earliest(now time.Time, dates []string) time.Time {
	for _, text := range dates {
		date, err := http.ParseTime(text)
		if err != nil {
			return time.Time{}
		}
		if date.Before(now) {
			now = date
		}
	}
	return now
}

// Read reads line, the value of a Set-Cookie field. It asks now only if a date
// decides; what now returns must be [Earliest] if the response has a Date of its
// own. It allocates nothing.
func Read(line string, now func() time.Time) Reading {
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
	r.Deletion = deletion(attributes, now)
	return r
}

func (r *Reading) add(name string) {
	for _, known := range r.Names() {
		if known == name {
			return
		}
	}
	r.names[r.n] = name
	r.n++
}

// deletion reads the attributes. The last Max-Age and the last Expires count
// (RFC 6265bis section 5.7, step 3), and Max-Age comes before Expires.
func deletion(attributes string, now func() time.Time) Deletion {
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
	switch ago := now().Sub(date); {
	case ago < 0:
		return NoDeletion
	case ago < maxClockError:
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
