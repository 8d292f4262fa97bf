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

// maxNames bounds how many cookies of one request are looked at. Browsers keep no
// more than 180 for a site (Chromium; Firefox keeps fewer).
const maxNames = 180

// fewNames is up to how many names a list is searched faster than a map.
const fewNames = 16

// Names yields the name of each cookie in the Cookie header of a request,
// once, 180 at most. It reads what browsers send, which [net/http] in part
// refuses: names hold quotes, spaces and bytes above 0x7F.
func Names(header string) iter.Seq[string] {
	return func(yield func(string) bool) {
		var room [fewNames]string
		few := room[:0]
		var many map[string]bool // of names beyond those, since a header may repeat them a hundred thousand times
		for pair := range strings.SplitSeq(header, ";") {
			name, _, _ := strings.Cut(pair, "=")
			name = strings.Trim(name, " \t")
			if name == "" || len(name) > maxName || strings.ContainsFunc(name, isControl) || slices.Contains(few, name) || many[name] {
				continue
			}
			switch {
			case len(few)+len(many) == maxNames:
				return
			case len(few) < fewNames:
				few = append(few, name)
			default:
				if many == nil {
					many = make(map[string]bool)
				}
				many[name] = true
			}
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

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7F } // Firefox stores a tab within a name

// A Cookie is one to delete.
type Cookie struct {
	Name   string
	Domain string // "" if it is not known
	Path   string
}

// budget is how many bytes the lines of one response may have. A proxy refuses a head
// that is longer than its buffer, and the answer would be lost with it: nginx has 4 KB
// for all of it by default (proxy_buffer_size), of which the decision takes up to 1 KB.
const budget = 2 << 10

// maxLines bounds the lines of one response, since a proxy also refuses a head with too
// many: Varnish takes 59 by default (http_max_hdr), and sites and proxies have some 30 of
// their own.
const maxLines = 24

// overhead is what a line takes in a head besides itself.
const overhead = len("Set-Cookie: \r\n")

// Lines returns Set-Cookie lines that delete cookies at a host. If those for all of them
// are more than 24, or than 2 KB, some are left for the next response, and turn says
// which: an even one prefers the likely domains of every cookie, an odd one all domains
// of some; what is left of it says with which cookie to begin. So that a cookie that
// cannot be deleted keeps no other one from it, each response takes another turn.
func Lines(cookies []Cookie, host string, secure bool, turn uint) []string {
	p := plan{cookies: cookies, host: host, secure: secure}
	if lines, all := p.byCookie(0); all {
		return lines
	}
	first := int(turn / 2 % uint(len(cookies)))
	if turn%2 == 0 {
		return p.byDomain(first)
	}
	lines, _ := p.byCookie(first)
	return lines
}

type plan struct {
	cookies []Cookie
	host    string
	secure  bool // the browser takes lines that say so
}

// A batch is what one response takes of the lines.
type batch struct {
	lines []string
	size  int
	left  bool // something found no room
}

// add takes a line if there is room for it. One that is too long keeps no other one out:
// a name may have 4 KB.
func (b *batch) add(line string) bool {
	if len(b.lines) == maxLines || b.size+len(line)+overhead > budget {
		b.left = true
		return false
	}
	b.lines, b.size = append(b.lines, line), b.size+len(line)+overhead
	return true
}

// byCookie returns the lines of one cookie after the other, as far as there is room,
// and whether there is for all of them.
func (p *plan) byCookie(first int) (lines []string, all bool) {
	var b batch
	for i := range p.cookies {
		for line := range p.lines(p.cookies[(first+i)%len(p.cookies)]) {
			if !b.add(line) {
				break
			}
		}
	}
	return b.lines, !b.left
}

// likely is how many of a cookie's lines come before those of the next cookie: the
// one for the host alone, as servers set cookies, and the one for the shortest domain,
// as scripts of measurement do.
const likely = 2

// byDomain returns the likely lines of each cookie, and then the other ones, as far as
// there is room.
func (p *plan) byDomain(first int) (lines []string) {
	var b batch
	for _, wantLikely := range [2]bool{true, false} {
		for i := range p.cookies {
			n := 0
			for line := range p.lines(p.cookies[(first+i)%len(p.cookies)]) {
				if n++; (n <= likely) == wantLikely && !b.add(line) {
					break
				}
			}
		}
	}
	return b.lines
}

// lines yields the lines that delete a cookie, the most likely first. A browser
// deletes a cookie only if name, domain and path are those that it was set with (RFC
// 6265 section 5.3, step 11), and one that is Partitioned only by a line that is as well
// (CHIPS: the partition is a part of what tells it from another). If the domain is not
// known, there is a line for a cookie of the host alone, and one for the host and each
// of its parents as a domain.
func (p *plan) lines(c Cookie) iter.Seq[string] {
	return func(yield func(string) bool) {
		if hasPrefixFold(c.Name, "__Host-") { // which a pattern may have taken in
			c.Domain, c.Path = "", "/" // RFC 6265bis section 4.1.3.2
		}
		line := c.Name + "=; Path=" + c.Path + "; Max-Age=0"
		// Browsers refuse a line that lacks what the prefix of its name asks for, a
		// deletion as well (RFC 6265bis section 5.7; the Http ones are Chromium's).
		prefixed := true
		switch {
		case hasPrefixFold(c.Name, "__Host-Http-"), hasPrefixFold(c.Name, "__Http-"):
			line += "; Secure; HttpOnly"
		case hasPrefixFold(c.Name, "__Host-"), hasPrefixFold(c.Name, "__Secure-"):
			line += "; Secure"
		default:
			prefixed = false
		}
		partitioned := "; Partitioned"
		if !prefixed {
			partitioned = "; Secure; Partitioned"
		}
		for _, kind := range [2]string{"", partitioned} {
			if kind != "" && !p.secure {
				return
			}
			for domain := range p.domains(c) {
				if domain != "" {
					domain = "; Domain=" + domain
				}
				if !yield(line + kind + domain) {
					return
				}
			}
		}
	}
}

// domains yields the Domain of each line that deletes a cookie; "" for none.
func (p *plan) domains(c Cookie) iter.Seq[string] {
	return func(yield func(string) bool) {
		if hasPrefixFold(c.Name, "__Host-") { // it has no Domain (RFC 6265bis section 4.1.3.2)
			yield("")
			return
		}
		if c.Domain != "" {
			yield(c.Domain)
			return
		}
		if yield("") {
			domains(p.host)(yield)
		}
	}
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
