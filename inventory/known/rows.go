package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A row is one of the file.
type row struct {
	platform, category, name, domain, retention, controller string
	prefix                                                  bool // the name is only how a name begins
}

var columns = []string{"platform", "category", "name", "domain", "retention", "controller", "wildcard"}

// read returns the rows of a file, or every mistake in it.
func read(file string) ([]row, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.FieldsPerRecord = -1 // counted below, so that one row does not hide the next
	var rows []row
	var mistakes []error
	for first := true; ; first = false {
		fields, err := r.Read()
		if err == io.EOF {
			if len(rows) == 0 && mistakes == nil {
				mistakes = append(mistakes, fmt.Errorf("%s: no row", file))
			}
			return rows, errors.Join(mistakes...)
		}
		if parse, ok := errors.AsType[*csv.ParseError](err); ok {
			mistakes = append(mistakes, fmt.Errorf("%s:%d: %w", file, parse.StartLine, parse.Err))
			continue
		}
		if err != nil {
			return nil, err
		}
		line, _ := r.FieldPos(0)
		wrong := func(reason string, args ...any) {
			mistakes = append(mistakes, fmt.Errorf("%s:%d: %s", file, line, fmt.Sprintf(reason, args...)))
		}
		switch {
		case len(fields) != len(columns):
			wrong("%d fields in place of %d", len(fields), len(columns))
		case first && !slices.Equal(fields, columns):
			wrong("the first line is not %s", strings.Join(columns, ","))
		case !first:
			if r, ok := check(fields, wrong); ok {
				rows = append(rows, r)
			}
		}
	}
}

func check(fields []string, wrong func(string, ...any)) (row, bool) {
	ok := true
	for i, field := range fields {
		if !utf8.ValidString(field) || strings.ContainsFunc(field, unicode.IsControl) {
			wrong("%s %q is not text", columns[i], field)
			ok = false
		}
		// The data holds characters that nobody sees, such as a soft hyphen.
		fields[i] = strings.TrimSpace(strings.Map(func(r rune) rune {
			if unicode.Is(unicode.Cf, r) {
				return -1
			}
			return r
		}, field))
	}
	r := row{fields[0], fields[1], fields[2], fields[3], fields[4], fields[5], fields[6] == "1"}
	if r.name == "" {
		wrong("name is empty")
		ok = false
	}
	if _, known := categories[r.category]; !known {
		wrong("category %q is none of %s", r.category, strings.Join(slices.Sorted(maps.Keys(categories)), ", "))
		ok = false
	}
	if fields[6] != "0" && fields[6] != "1" {
		wrong("wildcard %q is neither 0 nor 1", fields[6])
		ok = false
	}
	// Two rows of the data have these in each other's place.
	if lifetime(r.controller) != "?" && lifetime(r.retention) == "?" {
		r.controller, r.retention = r.retention, r.controller
	}
	return r, ok
}

// provider returns who sets the cookie: its controller, or the platform if the data has
// none.
func (r row) provider() string {
	if r.controller == "" || strings.Contains(strings.ToLower(r.controller), "website") {
		return r.platform
	}
	return r.controller
}

var (
	session = regexp.MustCompile(`^(session|sessions|session cookie|end of session.*|0 days?)$`)
	span    = regexp.MustCompile(`(\d+) ?(second|sec|minute|min|hour|day|week|month|year)s?\b`)
	units   = map[string]time.Duration{
		"second": time.Second, "sec": time.Second, "minute": time.Minute, "min": time.Minute, "hour": time.Hour,
		"day": day, "week": 7 * day, "month": 30 * day, "year": 365 * day,
	}
)

const day = 24 * time.Hour

// lifetime reads free text. If it names several spans of time, the longest counts, so
// that the charter never says less than what is so. If it says that the time may be
// longer still, nothing is known.
func lifetime(text string) string {
	text = strings.ToLower(strings.Join(strings.Fields(text), " "))
	if session.MatchString(text) {
		return "0"
	}
	var longest time.Duration
	for _, found := range span.FindAllStringSubmatch(text, -1) {
		n, err := strconv.Atoi(found[1])
		if err != nil || n > 100*365 {
			return "?"
		}
		longest = max(longest, time.Duration(n)*units[found[2]])
	}
	if longest == 0 || strings.Contains(text, "longer") {
		return "?"
	}
	for _, unit := range []struct {
		letter string
		length time.Duration
	}{{"d", day}, {"h", time.Hour}, {"m", time.Minute}} {
		if longest%unit.length == 0 {
			return strconv.Itoa(int(longest/unit.length)) + unit.letter
		}
	}
	return strconv.Itoa(int(longest/time.Second)) + "s"
}
