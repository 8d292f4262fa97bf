package main

import (
	"fmt"
	"go/token"
	"strings"

	"github.com/cookiecharter/consent/consentvet/internal/trace"
)

// A report is the result of comparing the settings with the declarations.
type report struct {
	lines         []line
	declared, set int  // the numbers of names
	unrecognised  bool // no declaration and no setting was found
}

// A declared name, with each of its declarations.
type declared struct {
	name         string
	declarations []declaration
	set          bool
}

// own is the library's own cookie, which needs no declaration: consent.CookieName.
const own = "cookies_preferences"

// compare compares every setting with every declaration.
//
// Mentioned returns where else the source has the name of a cookie, NoPos for nowhere.
func compare(declarations []declaration, settings []setting, mentioned func(*declared) token.Pos) *report {
	r := new(report)
	cookies, others := parted(declarations)
	names, unread := r.read(cookies)
	set, unknown := make(map[string]bool), false
	for _, s := range settings {
		name := s.name.String()
		switch {
		case name == own || name == "": // net/http sets none without a name
		case s.byDefault && !s.name.Known(): // the site gives another
		case s.by == byAnyField && s.foreign:
			unknown = true // a package that copies fields from elsewhere; the site cannot change its line
		case s.by == byAnyField:
			unknown = true
			r.say(s.at, "the name of this header field is not constant: if it is Set-Cookie, the cookie cannot be checked")
		case s.name.Unknown():
			unknown = true
			r.say(s.at, "the name of this cookie, set by %s, is not constant and cannot be checked", s.by)
		case s.name.Known():
			set[name] = true
			if d := match(names, name); d != nil {
				d.set = true
			} else if !s.byDefault {
				r.sayOnce(name, s.at, "cookie %q is set by %s but %s", name, s.by, uncovered(s.name, unread, others))
			}
		default:
			set[name] = true
			r.computed(s, names, unread, others)
		}
	}
	r.declared, r.set = len(names), len(set)
	r.unrecognised = len(declarations)+len(settings) == 0

	nothing := "nothing sets it"
	if unknown {
		nothing = "nothing whose name is constant sets it"
	}
	for _, d := range names {
		if d.set || d.name == own {
			continue
		}
		where := mentioned(d)
		for _, at := range d.declarations {
			switch {
			case at.elsewhere:
			case where.IsValid():
				r.lines = append(r.lines, line{at: at.at, other: where, message: fmt.Sprintf("cookie %q is declared, and whether anything sets it cannot be checked: its name stands at %%s", d.name)})
			default:
				r.say(at.at, "cookie %q is declared but %s", d.name, nothing)
			}
		}
	}
	return r
}

// parted returns the declarations of cookies, and by name those of other kinds: nothing
// sets these that the source shows, and they declare no cookie.
func parted(declarations []declaration) (cookies []declaration, others []*declared) {
	for _, d := range declarations {
		if d.kind == httpCookie || d.kind == unknownKind {
			cookies = append(cookies, d)
		} else if d.name.Known() {
			others = append(others, &declared{name: d.name.String(), declarations: []declaration{d}})
		}
	}
	return cookies, others
}

// read groups declarations by name, in their order. It returns separately the names
// that are computed.
func (r *report) read(declarations []declaration) (names []*declared, unread []trace.Text) {
	byName := make(map[string]*declared)
	for _, d := range declarations {
		name := d.name.String()
		switch {
		case d.registry:
			unread = append(unread, d.name)
			r.say(d.at, "some declarations of this registry are not in the source that was read, and cannot be checked")
			continue
		case d.name.Unknown():
			unread = append(unread, d.name)
			r.say(d.at, "the name of this declaration is not constant and cannot be checked")
			continue
		case !d.name.Known():
			unread = append(unread, d.name)
			r.say(d.at, "the name of this declaration, %q, is not constant and cannot be checked", name)
			continue
		}
		if byName[name] == nil {
			byName[name] = &declared{name: name}
			names = append(names, byName[name])
		}
		byName[name].declarations = append(byName[name].declarations, d)
	}
	return names, unread
}

// match returns the declared name that matches a cookie, by the rules of the library:
// an exact name wins, then the pattern with the most bytes besides the '*', then the
// one with the most bytes before the '*'.
func match(names []*declared, cookie string) (best *declared) {
	most, longest := -1, -1
	for _, d := range names {
		if d.name == cookie {
			return d
		}
		before, after, wild := strings.Cut(d.name, "*")
		bytes := len(before) + len(after)
		if !wild || len(cookie) < bytes || !strings.HasPrefix(cookie, before) || !strings.HasSuffix(cookie, after) {
			continue
		}
		if bytes > most || bytes == most && len(before) > longest {
			best, most, longest = d, bytes, len(before)
		}
	}
	return best
}

// uncovered says that no declaration of a cookie covers a name, as far as that is known.
func uncovered(name trace.Text, unread []trace.Text, others []*declared) string {
	for _, declaration := range unread {
		if mayMeet(declaration, name) {
			return "no declaration whose name is constant covers it"
		}
	}
	if name.Known() {
		if other := match(others, name.String()); other != nil {
			return fmt.Sprintf("declared as %s, not as a cookie", kindNames[other.declarations[0].kind])
		}
	}
	return "not declared"
}

// computed compares a name that is known in part.
func (r *report) computed(s setting, names []*declared, unread []trace.Text, others []*declared) {
	all, some := false, false
	for _, d := range names {
		if mayBe(d.name, s.name) {
			d.set, some = true, true
			all = all || covers(d.name, s.name)
		}
	}
	switch {
	case all:
	case some:
		r.say(s.at, "the name of this cookie, %q, set by %s, is not constant and may be one that is not declared", s.name, s.by)
	default:
		r.sayOnce(s.name.String(), s.at, "cookie %q is set by %s but %s", s.name, s.by, uncovered(s.name, unread, others))
	}
}

// covers reports whether a declared name matches every name that a partly known text
// may be.
func covers(name string, text trace.Text) bool {
	before, after, wild := strings.Cut(name, "*")
	return wild && strings.HasPrefix(text.Parts[0], before) && strings.HasSuffix(text.Parts[len(text.Parts)-1], after)
}

// mayBe reports whether a declared name matches one of them.
func mayBe(name string, text trace.Text) bool {
	return mayMeet(trace.Text{Parts: strings.Split(name, "*")}, text)
}

// mayMeet reports whether two texts may be the same. If both are known in part, it
// compares their beginnings and ends only.
func mayMeet(a, b trace.Text) bool {
	switch {
	case a.Known():
		return fits("", b, a.String())
	case b.Known():
		return fits("", a, b.String())
	}
	overlap := func(x, y string, at func(s, part string) bool) bool { return at(x, y) || at(y, x) }
	last := func(t trace.Text) string { return t.Parts[len(t.Parts)-1] }
	return overlap(a.Parts[0], b.Parts[0], strings.HasPrefix) && overlap(last(a), last(b), strings.HasSuffix)
}

func (r *report) say(at token.Pos, format string, args ...any) {
	r.lines = append(r.lines, line{at: at, message: fmt.Sprintf(format, args...)})
}

// sayOnce does the same for a cookie that is told once, in however many places it is set.
func (r *report) sayOnce(cookie string, at token.Pos, format string, args ...any) {
	r.lines = append(r.lines, line{at: at, message: fmt.Sprintf(format, args...), cookie: cookie})
}

// summary returns the numbers of names that were compared.
func (r *report) summary() string {
	return fmt.Sprintf("%d declared, %d set", r.declared, r.set)
}
