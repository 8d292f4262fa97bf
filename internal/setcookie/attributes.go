package setcookie

import (
	"strconv"
	"strings"
	"time"
)

// Attributes are what a line says apart from name and value, as browsers read it
// (RFC 6265bis section 5.6): of an attribute that stands twice the last one,
// and none with a value of more than 1,024 bytes.
type Attributes struct {
	Domain      string        // without the dot that may begin it; "" for the host alone
	Path        string        // "" for the default, which the request's path gives
	Lifetime    time.Duration // zero until the browser is closed
	Secure      bool
	HttpOnly    bool
	Partitioned bool
	SameSite    string // as it is written
}

// ReadAttributes reads the attributes of line, the value of a Set-Cookie field.
// now is what Expires is counted from.
func ReadAttributes(line string, now time.Time) Attributes {
	var a Attributes
	maxAge, expires := "", ""
	_, rest, _ := cut(line, ';')
	for rest != "" {
		var name, value string
		name, value, rest = cutAttribute(rest)
		if len(value) > maxAttribute {
			continue
		}
		switch strings.ToLower(name) {
		case "domain":
			a.Domain = strings.ToLower(strings.TrimPrefix(value, "."))
		case "path":
			a.Path = ""
			if strings.HasPrefix(value, "/") {
				a.Path = value
			}
		case "max-age":
			maxAge = value
		case "expires":
			expires = value
		case "secure":
			a.Secure = true
		case "httponly":
			a.HttpOnly = true
		case "partitioned":
			a.Partitioned = true
		case "samesite":
			a.SameSite = value
		}
	}
	a.Lifetime = lifetime(maxAge, expires, now)
	return a
}

// longest is what a number of seconds is cut to that no Duration holds.
const longest = 100 * 365 * 24 * time.Hour

func lifetime(maxAge, expires string, now time.Time) time.Duration {
	if _, ok := readMaxAge(maxAge); ok {
		seconds, err := strconv.ParseInt(maxAge, 10, 64)
		if err != nil || seconds > int64(longest/time.Second) {
			return longest
		}
		return max(0, time.Duration(seconds)*time.Second)
	}
	if date, ok := parseDate(expires); ok {
		return min(longest, max(0, date.Sub(now)))
	}
	return 0
}

// cutAttribute cuts the first attribute off those that follow a pair.
func cutAttribute(attributes string) (name, value, rest string) {
	attribute, rest, _ := cut(attributes, ';')
	name, value, _ = cut(attribute, '=')
	return trim(name), trim(value), rest
}
