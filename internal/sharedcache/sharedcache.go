// Package sharedcache keeps a response out of caches that serve more than one
// visitor (RFC 9111 section 5.2.2).
package sharedcache

import "strings"

// Private returns the Cache-Control that keeps a response with the given ones
// in private caches only: "private" first, then every directive that does not
// contradict it, as it was written. changed is false where the given ones do
// so already.
func Private(values []string) (value string, changed bool) {
	kept := []string{"private"}
	private := false
	for _, v := range values {
		for directive := range directives(v) {
			switch name, _, qualified := strings.Cut(directive, "="); strings.ToLower(strings.TrimSpace(name)) {
			case "private":
				// private="field" keeps only that field from shared caches.
				private = private || !qualified
				changed = changed || qualified
			case "public", "s-maxage":
				changed = true
			default:
				kept = append(kept, directive)
			}
		}
	}
	return strings.Join(kept, ", "), changed || !private
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

// IsTargeted reports whether a header of this name tells some shared cache
// more than Cache-Control does: the targeted fields of RFC 9213 and those that
// came before it.
func IsTargeted(name string) bool {
	const suffix = "-Cache-Control"
	return len(name) > len(suffix) && strings.EqualFold(name[len(name)-len(suffix):], suffix) ||
		strings.EqualFold(name, "Surrogate-Control") ||
		strings.EqualFold(name, "Edge-Control") ||
		strings.EqualFold(name, "X-Accel-Expires")
}
