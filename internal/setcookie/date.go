package setcookie

import (
	"strings"
	"time"
)

// parseDate reads a cookie-date (RFC 6265 section 5.1.1) if Chromium and Firefox
// are known to read the same: a time, a day, a month by its name and a
// year, in any order, between words that say nothing, such as the day of the
// week. What follows the four is nothing to one browser and a time zone to
// the other. It refuses every other date, which some browser may not
// understand, or not as a date of the past.
func parseDate(s string) (time.Time, bool) {
	var d date
	for s = openQuote(strings.TrimLeft(s, blanks)); ; {
		token := s[:tokenLength(s)]
		if s = s[len(token):]; !d.take(token) {
			return time.Time{}, false
		}
		if d.complete() {
			return d.time(token, s)
		}
		if joined(token, s) && d.hasDay && !d.hasYear {
			s = s[1:]
			continue
		}
		var ok bool
		if s, ok = cutBlanks(s); !ok {
			return time.Time{}, false
		}
	}
}

// A date is what the tokens read so far hold.
type date struct {
	hour, minute, second, day, month, year int
	hasTime, hasDay, hasMonth, hasYear     bool
}

func (d *date) complete() bool { return d.hasTime && d.hasDay && d.hasMonth && d.hasYear }

// take reports whether a token is something that may come next.
func (d *date) take(token string) bool {
	switch digits := countDigits(token); {
	case token == "":
		return false
	case digits == 0:
		return d.takeWord(token)
	case digits < len(token):
		return d.takeTime(token)
	case digits <= 2 && !d.hasDay:
		d.day, d.hasDay = number(token), true
		return true
	case (digits == 4 || digits == 2 && d.hasMonth) && !d.hasYear:
		d.year, d.hasYear = number(token), true
		return true
	default:
		return false
	}
}

// takeTime reads hours, minutes and seconds with a colon between each.
func (d *date) takeTime(token string) bool {
	var fields [3]int
	again := d.hasTime
	for i := range fields {
		digits := countDigits(token)
		if digits < 1 || digits > 3 {
			return false
		}
		fields[i] = number(token[:digits])
		token = token[digits:]
		if i < 2 {
			if token == "" || token[0] != ':' {
				return false
			}
			token = token[1:]
		}
	}
	d.hour, d.minute, d.second, d.hasTime = fields[0], fields[1], fields[2], true
	return token == "" && !again
}

// months are three letters each.
const months = "janfebmaraprmayjunjulaugsepoctnovdec"

// takeWord reads the three letters that a month begins with, and ignores other
// words.
func (d *date) takeWord(word string) bool {
	if !isLetters(word) {
		return false
	}
	month := monthOf(word)
	if month == 0 {
		return true
	}
	again := d.hasMonth
	d.month, d.hasMonth = month, true
	return !again
}

// monthOf returns the month whose three letters a word begins with, or 0.
func monthOf(word string) int {
	for i := 0; i < len(months); i += 3 {
		if len(word) >= 3 && strings.EqualFold(word[:3], months[i:i+3]) {
			return i/3 + 1
		}
	}
	return 0
}

// time holds the fields against the calendar. last is the token that completed
// them, and rest what follows it.
func (d *date) time(last, rest string) (time.Time, bool) {
	if rest != "" && !strings.Contains(blanks+quotes+".", rest[:1]) && !(isTime(last) && isZone(rest)) {
		return time.Time{}, false
	}
	if strings.Contains(rest, "++") {
		return time.Time{}, false // tokens of one byte each; of a thousand Firefox reads none
	}
	switch {
	case d.year >= 70 && d.year <= 99:
		d.year += 1900
	case d.year >= 0 && d.year <= 69:
		d.year += 2000
	}
	if d.hour > 23 || d.minute > 59 || d.second > 59 {
		return time.Time{}, false
	}
	t := time.Date(d.year, time.Month(d.month), d.day, d.hour, d.minute, d.second, 0, time.UTC)
	if t.Day() != d.day { // no such day in the month
		return time.Time{}, false
	}
	return t, true
}

// tokenLength returns how many bytes s begins with that are of one token: a
// word, a number or a time.
func tokenLength(s string) int {
	n := 0
	for n < len(s) && (isWordByte(s[n]) || s[n] == ':') {
		n++
	}
	return n
}

const blanks = " ,"

// quotes are what some sites write around a date, or a second '=' before it.
const quotes = `"'=`

// openQuote cuts off the quotes before a date. Firefox takes them for a part of
// the first word, so that this must be one that says nothing.
func openQuote(s string) string {
	rest := strings.TrimLeft(s, quotes+blanks)
	word := rest[:tokenLength(rest)]
	if word != "" && isLetters(word) && monthOf(word) == 0 {
		return rest
	}
	return s
}

// joined reports whether a '-' or '/' joins a day to a month by its name, or
// that to a year, as in "06-Nov-1994". In any other place Firefox takes a '-'
// for the sign of a number, and a '/' for a part of what stands before it.
func joined(token, rest string) bool {
	if rest == "" || rest[0] != '-' && rest[0] != '/' {
		return false
	}
	next := rest[1:][:tokenLength(rest[1:])]
	if isDigit(token[0]) {
		return !isTime(token) && monthOf(next) != 0
	}
	if rest[0] == '-' && token[len(token)-1] >= 0x80 { // not a letter to Firefox
		return false
	}
	return monthOf(token) != 0 && next != "" && countDigits(next) == len(next)
}

// cutBlanks cuts off what stands between two tokens; there is always some. A
// '.' may end a word.
func cutBlanks(s string) (rest string, ok bool) {
	s = strings.TrimPrefix(s, ".")
	rest = strings.TrimLeft(s, blanks)
	return rest, len(rest) < len(s)
}

func isTime(token string) bool { return strings.Contains(token, ":") }

// isZone reports whether s begins with an offset, as in "08:49:37+0100".
func isZone(s string) bool {
	return len(s) > 1 && (s[0] == '+' || s[0] == '-') && isDigit(s[1])
}

func isLetters(s string) bool {
	for i := range len(s) {
		if !isWordByte(s[i]) || isDigit(s[i]) {
			return false
		}
	}
	return true
}

// isWordByte reports whether c is a letter or a digit; bytes above 0x7F are the
// letters of other languages, as in "Sáb, 01 Jan 1970".
func isWordByte(c byte) bool {
	return c >= 0x80 || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || isDigit(c)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func countDigits(s string) int {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}

func number(digits string) int {
	n := 0
	for i := range len(digits) {
		n = 10*n + int(digits[i]-'0')
	}
	return n
}
