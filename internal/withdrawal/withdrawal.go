// Package withdrawal deletes cookies that a visitor has consented to no
// longer: it reads which ones a request carries and writes the lines that
// expire them.
package withdrawal

import (
	"iter"
	"net/netip"
	"slices"
	"strings"
)

// maxNames bounds how many cookies one response expires. Browsers keep no more
// than 180 for a site (Chromium; Firefox keeps fewer).
const maxNames = 180

// Names yields the name of each cookie in the Cookie header of a request,
// once, 180 at most. It reads what browsers send, which [net/http] in part
// refuses: names hold quotes, spaces and bytes above 0x7F.
func Names(header string) iter.Seq[string] {
	return func(yield func(string) bool) {
		// A list, since a browser sends few: a map of as many costs more.
		var room [16]string
		seen := room[:0]
		for pair := range strings.SplitSeq(header, ";") {
			name, _, _ := strings.Cut(pair, "=")
			name = strings.Trim(name, " \t")
			if name == "" || len(name) > maxName || strings.ContainsFunc(name, isControl) || slices.Contains(seen, name) {
				continue
			}
			if len(seen) == maxNames {
				return
			}
			seen = append(seen, name)
			if !yield(name) {
				return
			}
		}
	}
}

// Without returns a Cookie header without the cookies that hide names; the rest
// stays byte for byte.
func Without(header string, hide func(name string) bool) string {
	var kept strings.Builder
	begun, changed := false, false
	for rest, more := header, true; more; {
		var pair string
		pair, rest, more = strings.Cut(rest, ";")
		name, _, _ := strings.Cut(pair, "=")
		switch {
		case hide(strings.Trim(name, " \t")):
			changed = true
			continue
		case begun:
			kept.WriteByte(';')
		case changed: // the space after the first cookie's ';' goes with it
			pair = strings.TrimPrefix(pair, " ")
		}
		begun = true
		kept.WriteString(pair)
	}
	if !changed {
		return header
	}
	return kept.String()
}

// maxName is what browsers allow for name and value together (RFC 6265bis
// section 5.6), so that no longer name is one of theirs.
const maxName = 4096

func isControl(r rune) bool { return r < ' ' || r == 0x7F }

// Lines returns the Set-Cookie lines that delete the named cookie. A browser
// deletes a cookie only if name, domain and path are those that it was set with
// (RFC 6265 section 5.3, step 11). If the domain is not known, there is a line for
// a cookie of the host alone, one for the host as a domain, and one for each of
// its parent domains; if the path is not known it is "/".
func Lines(name, host, domain, path string) []string {
	if path == "" {
		path = "/"
	}
	line := name + "=; Path=" + path + "; Max-Age=0"
	// Browsers refuse a line that lacks what the prefix of its name asks for, a
	// deletion as well (RFC 6265bis section 5.7; the Http ones are Chromium's).
	switch {
	case hasPrefixFold(name, "__Host-Http-"), hasPrefixFold(name, "__Http-"):
		line += "; Secure; HttpOnly"
	case hasPrefixFold(name, "__Host-"), hasPrefixFold(name, "__Secure-"):
		line += "; Secure"
	}
	if hasPrefixFold(name, "__Host-") {
		return []string{line}
	}
	if domain != "" {
		return []string{line + "; Domain=" + domain}
	}
	lines := []string{line}
	for d := range domains(host) {
		lines = append(lines, line+"; Domain="+d)
	}
	return lines
}

// maxLabels is how deep a parent domain may lie to be tried. A Host header is
// the visitor's to write, and may have a hundred labels.
const maxLabels = 10

// domains yields the host and its parents that have two labels at least, the
// shortest first. A Host that is no domain name has none.
func domains(host string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
			host = host[:i]
		}
		host = strings.TrimSuffix(host, ".")
		if !isDomain(host) {
			return
		}
		labels := 1
		for i := len(host) - 1; i >= 0; i-- {
			if host[i] != '.' {
				continue
			}
			if labels >= 2 && labels <= maxLabels && !yield(host[i+1:]) {
				return
			}
			labels++
		}
		if labels >= 2 {
			yield(host)
		}
	}
}

// isDomain reports whether s can stand in a Domain attribute.
func isDomain(s string) bool {
	if len(s) == 0 || len(s) > 253 || s[0] == '.' || strings.Contains(s, "..") {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	_, err := netip.ParseAddr(s)
	return err != nil
}

// hasPrefixFold reads a prefix in any letter case, as browsers do.
func hasPrefixFold(name, prefix string) bool {
	return len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix)
}
