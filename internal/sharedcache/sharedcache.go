// Package sharedcache keeps a response out of caches that serve more than one
// visitor. Such a cache would give a line that one visitor has consented to to
// another one who has not.
package sharedcache

import (
	"net/http"
	"slices"
	"strings"

	"github.com/cookiecharter/consent/internal/rawhead"
)

// KeepOut changes the header of a response so that only private caches keep it
// (RFC 9111 section 5.2.2.7). Keys may be in any letter case. The new value goes
// into room, if that has some. contradicted says that the header let shared caches
// keep the response.
func KeepOut(h http.Header, room []string) (contradicted bool) {
	var given []string
	for key, values := range h {
		switch {
		case isCacheControl(key) && given == nil:
			given = values
		case isCacheControl(key):
			given = slices.Concat(given, values)
		case isTargeted(key) && !keepsOut(key, values):
			delete(h, key)
			contradicted = true
		}
	}
	value, changed, public := private(given)
	if !changed {
		return contradicted
	}
	if given != nil {
		for key := range h {
			if isCacheControl(key) {
				delete(h, key)
			}
		}
	}
	h["Cache-Control"] = append(room, value)
	return contradicted || public
}

// KeepOutFields is KeepOut for a head that a handler writes by itself.
func KeepOutFields(fields []rawhead.Field) (kept []rawhead.Field, contradicted bool) {
	var given []string
	for _, field := range fields {
		if isCacheControl(field.Name) {
			given = append(given, field.Value)
		}
	}
	value, changed, contradicted := private(given)
	fields = slices.DeleteFunc(fields, func(field rawhead.Field) bool {
		allows := isTargeted(field.Name) && !keepsOut(field.Name, []string{field.Value})
		contradicted = contradicted || allows
		return allows || changed && isCacheControl(field.Name)
	})
	if changed {
		fields = append(fields, rawhead.Field{Name: "Cache-Control", Value: value})
	}
	return fields, contradicted
}

// Allows reports whether a response with these Cache-Control values may be kept by a
// shared cache (RFC 9111 section 3).
func Allows(values []string) bool {
	for _, v := range values {
		for directive := range directives(v) {
			if is, _ := classify(directive); is || strings.EqualFold(directive, "no-store") {
				return false
			}
		}
	}
	return true
}

// contradicts reports whether a value says that shared caches may keep the response.
func contradicts(values []string) bool {
	for _, v := range values {
		for directive := range directives(v) {
			if _, contradicts := classify(directive); contradicts {
				return true
			}
		}
	}
	return false
}

// Vary adds the names of fields that the response depends on to its Vary (RFC 9110
// section 12.5.5).
func Vary(h http.Header, names []string) {
	var given []string
	for key, values := range h {
		if isVary(key) {
			given = append(given, values...)
		}
	}
	if missing := missing(given, names); missing != "" {
		h["Vary"] = append(slices.Clip(h["Vary"]), missing)
	}
}

// VaryFields is Vary for a head that a handler writes by itself.
func VaryFields(fields []rawhead.Field, names []string) []rawhead.Field {
	var given []string
	for _, field := range fields {
		if isVary(field.Name) {
			given = append(given, field.Value)
		}
	}
	if missing := missing(given, names); missing != "" {
		fields = append(fields, rawhead.Field{Name: "Vary", Value: missing})
	}
	return fields
}

func isVary(name string) bool { return strings.EqualFold(name, "Vary") }

// missing returns the names that Vary does not have yet, once each.
func missing(given, names []string) string {
	var seen, added []string
	for _, v := range given {
		for name := range strings.SplitSeq(v, ",") {
			seen = append(seen, strings.ToLower(strings.TrimSpace(name)))
		}
	}
	for _, name := range names {
		if lower := strings.ToLower(name); !slices.Contains(seen, lower) && !slices.Contains(seen, "*") {
			seen, added = append(seen, lower), append(added, name)
		}
	}
	return strings.Join(added, ", ")
}

func isCacheControl(name string) bool { return strings.EqualFold(name, "Cache-Control") }

// private returns the Cache-Control that keeps a response with the given ones
// in private caches only: "private" first, then every directive that does not
// contradict it, as it was written. changed is false if the given ones do so
// already; contradicted is true if one of them let a shared cache keep the response.
func private(values []string) (value string, changed, contradicted bool) {
	if len(values) == 0 {
		return "private", true, false
	}
	isPrivate := false
	for _, v := range values {
		for directive := range directives(v) {
			is, contradicts := classify(directive)
			isPrivate, contradicted = isPrivate || is, contradicted || contradicts
		}
	}
	if isPrivate && !contradicted {
		return "", false, false
	}
	kept := []string{"private"}
	for _, v := range values {
		for directive := range directives(v) {
			if is, contradicts := classify(directive); !is && !contradicts {
				kept = append(kept, directive)
			}
		}
	}
	return strings.Join(kept, ", "), true, contradicted
}

// classify reports whether a directive keeps the whole response in private caches,
// and whether it says otherwise: private="field" does so of that field alone.
func classify(directive string) (isPrivate, contradicts bool) {
	name, _, qualified := strings.Cut(directive, "=")
	switch name = strings.TrimSpace(name); {
	case strings.EqualFold(name, "private"):
		return !qualified, qualified
	default:
		return false, strings.EqualFold(name, "public") || strings.EqualFold(name, "s-maxage")
	}
}

// directives yields what stands between the commas of v, but for those inside
// of a quoted string (RFC 9110 section 5.6.4).
func directives(v string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		quoted, start := false, 0
		for i := 0; i <= len(v); i++ {
			switch {
			case i == len(v) || v[i] == ',' && !quoted:
				if d := strings.Trim(v[start:i], " \t"); d != "" && !yield(d) {
					return
				}
				start = i + 1
			case v[i] == '"':
				quoted = !quoted
			case v[i] == '\\' && quoted:
				i = min(i+1, len(v)-1)
			}
		}
	}
}

// keepsOut reports whether a field that tells some shared cache more than Cache-Control
// does tells it to keep nothing.
func keepsOut(name string, values []string) bool {
	if strings.EqualFold(name, "X-Accel-Expires") { // nginx: in seconds
		return len(values) == 1 && strings.TrimSpace(values[0]) == "0"
	}
	return !Allows(values) && !contradicts(values)
}

// isTargeted reports whether a header of this name tells some shared cache
// more than Cache-Control does: the targeted fields of RFC 9213 and those that
// came before it.
func isTargeted(name string) bool {
	const suffix = "-Cache-Control"
	return len(name) > len(suffix) && strings.EqualFold(name[len(name)-len(suffix):], suffix) ||
		strings.EqualFold(name, "Surrogate-Control") ||
		strings.EqualFold(name, "Edge-Control") ||
		strings.EqualFold(name, "X-Accel-Expires")
}
