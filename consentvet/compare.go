package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/consentvet/internal/trace"
	"github.com/cookiecharter/consent/internal/pattern"
)

// A report is what comes of holding what is set against what is declared.
type report struct {
	findings []line
	unknown  []line // names that cannot be known

	declared, set int // how many names are known
}

// A declared name, with each of its declarations.
type declared struct {
	name         string
	declarations []declaration
	set          bool
}

// compare holds every setting against every declaration.
func compare(declarations []declaration, settings []setting) *report {
	r := new(report)
	var names []*declared
	byName := make(map[string]*declared)
	var rules pattern.Set[*declared]
	for _, d := range declarations {
		if !d.name.Known() {
			r.unknown = append(r.unknown, line{d.at, "the name of this declaration is computed, and cannot be known"})
			continue
		}
		name := d.name.String()
		if byName[name] == nil {
			byName[name] = &declared{name: name}
			names = append(names, byName[name])
			rules.Put(name, byName[name])
		}
		byName[name].declarations = append(byName[name].declarations, d)
	}
	r.declared = len(names)

	known := make(map[string]bool)
	for _, s := range settings {
		name := s.name.String()
		switch {
		case name == consent.CookieName || name == "": // net/http sets none without a name
			continue
		case s.name.Known():
			known[name] = true
			if d, ok := rules.Match(name); ok {
				d.set = true
			} else {
				r.findings = append(r.findings, line{s.at, fmt.Sprintf("cookie %q is set by %s but not declared", name, s.by)})
			}
		case s.name.Unknown():
			r.unknown = append(r.unknown, line{s.at, fmt.Sprintf("the name of this cookie, set by %s, is computed and cannot be known", s.by)})
		default:
			r.computed(s, names)
		}
	}
	r.set = len(known)

	for _, d := range names {
		if d.set || d.name == consent.CookieName {
			continue
		}
		for _, at := range d.declarations {
			if !at.elsewhere {
				r.findings = append(r.findings, line{at.at, fmt.Sprintf("cookie %q is declared but nothing sets it", d.name)})
			}
		}
	}
	return r
}

// computed judges a name of which only a part is known.
func (r *report) computed(s setting, names []*declared) {
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
		r.unknown = append(r.unknown, line{s.at, fmt.Sprintf("the name of this cookie, %q, set by %s, is computed and may be one that is not declared", s.name, s.by)})
	default:
		r.findings = append(r.findings, line{s.at, fmt.Sprintf("cookie %q is set by %s but not declared", s.name, s.by)})
	}
}

// covers reports whether a declared name stands for every name that fits a
// text which is known in part.
func covers(name string, text trace.Text) bool {
	before, after, wild := strings.Cut(name, "*")
	return wild && strings.HasPrefix(text.Parts[0], before) && strings.HasSuffix(text.Parts[len(text.Parts)-1], after)
}

// mayBe reports whether it stands for one of them.
func mayBe(name string, text trace.Text) bool {
	first, last := text.Parts[0], text.Parts[len(text.Parts)-1]
	before, after, wild := strings.Cut(name, "*")
	if wild {
		return (strings.HasPrefix(first, before) || strings.HasPrefix(before, first)) &&
			(strings.HasSuffix(last, after) || strings.HasSuffix(after, last))
	}
	var parts []string
	for _, part := range text.Parts {
		parts = append(parts, regexp.QuoteMeta(part))
	}
	return regexp.MustCompile("(?s)^" + strings.Join(parts, ".*") + "$").MatchString(name)
}

// summary says what was looked at.
func (r *report) summary() string {
	return fmt.Sprintf("%s declared, %s set", count(r.declared, "cookie"), count(r.set, "cookie"))
}

func count(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}
