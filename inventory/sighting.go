package inventory

import (
	"slices"
	"strings"
	"time"

	"github.com/cookiecharter/consent"
)

// A sighting is all that is remembered of one cookie, or of all that share a
// pattern. Nothing in it grows without bound, and nothing in it keeps alive what
// a value is part of.
type sighting struct {
	name     string
	examples []string // of the names that a pattern stands for; nil for a name alone
	shortest int      // of what stands for the '*'
	longest  int

	set  int // by responses, in Set-Cookie lines, whatever became of those
	sent int // by browsers, in Cookie headers

	variants    []variant
	setOn       places
	sentTo      places
	first, last time.Time

	// What the table of the sighting knows it by.
	slot  int
	group *group
}

// Places are paths of the site. JSON shows them as they are.
type places struct {
	Paths []string `json:"paths"`
	More  bool     `json:"more,omitempty"` // than are kept
}

// A variant is one set of attributes that a cookie was seen with.
type variant struct {
	consent.Attributes
	lines int
}

// How much is kept of one cookie.
const (
	maxExamples   = 3
	maxPaths      = 3
	maxPath       = 100 // bytes
	maxVariants   = 4
	maxAttributes = 256 // bytes
)

func (s *sighting) isPattern() bool { return s.examples != nil }

// fill makes s the first sighting of a name, in the room of an old one.
func (s *sighting) fill(name string) {
	*s = sighting{
		name:     name,
		variants: s.variants[:0],
		setOn:    places{Paths: s.setOn.Paths[:0]},
		sentTo:   places{Paths: s.sentTo.Paths[:0]},
		slot:     s.slot,
	}
}

// at notes when.
func (s *sighting) at(now time.Time) {
	if s.first.IsZero() {
		s.first = now
	}
	s.last = now
}

func (p *places) add(path string) {
	if len(path) > maxPath {
		path = strings.ToValidUTF8(path[:maxPath], "") + "…"
	}
	if slices.Contains(p.Paths, path) {
		return
	}
	if len(p.Paths) == maxPaths {
		p.More = true
		return
	}
	p.Paths = append(p.Paths, kept(path, behindLast(p.Paths)))
}

func (p *places) merge(others places) {
	for _, path := range others.Paths {
		p.add(path)
	}
	p.More = p.More || others.More
}

// sorted returns a copy of p in order.
func (p places) sorted() places { return places{slices.Sorted(slices.Values(p.Paths)), p.More} }

// with notes the attributes of a line. Those that differ in nothing but how much
// of their lifetime is left, as an Expires does from request to request, are one
// variant with the longest.
func (s *sighting) with(a consent.Attributes, lines int) {
	a.Lifetime = whole(a.Lifetime)
	for i := range s.variants {
		v := &s.variants[i]
		b := v.Attributes
		if (a.Lifetime == 0) == (b.Lifetime == 0) {
			b.Lifetime = a.Lifetime
		}
		if a == b {
			v.lines += lines
			v.Lifetime = max(v.Lifetime, a.Lifetime)
			return
		}
	}
	if len(s.variants) == maxVariants || len(a.Domain)+len(a.Path)+len(a.SameSite) > maxAttributes {
		return
	}
	old := behindLast(s.variants)
	a.Domain, a.Path, a.SameSite = kept(a.Domain, old.Domain), kept(a.Path, old.Path), kept(a.SameSite, old.SameSite)
	s.variants = append(s.variants, variant{a, lines})
}

// kept returns a copy of s that keeps nothing else in memory: old, if that is
// one. Names of a flood differ, but come to few paths with few attributes.
func kept(s, old string) string {
	if s == old {
		return old
	}
	return strings.Clone(s)
}

// behindLast returns what an earlier name has left where the next of s will be.
func behindLast[T any](s []T) (old T) {
	if len(s) < cap(s) {
		old = s[:len(s)+1][len(s)]
	}
	return old
}

// whole rounds up to seconds, and to the minute if an Expires was counted from
// a moment too late.
func whole(d time.Duration) time.Duration {
	if part := d % time.Second; part != 0 {
		d += time.Second - part
		if part := d % time.Minute; part >= 58*time.Second {
			d += time.Minute - part
		}
	}
	return d
}

// example notes one of the names that a pattern stands for.
func (s *sighting) example(name string) {
	part := len(name) - (len(s.name) - 1)
	if s.examples == nil || part < s.shortest {
		s.shortest = part
	}
	s.longest = max(s.longest, part)
	if len(s.examples) < maxExamples && !slices.Contains(s.examples, name) {
		s.examples = append(s.examples, strings.Clone(name))
	}
}

// add adds what is known of another sighting. Names are left as they are.
func (s *sighting) add(other *sighting) {
	s.set += other.set
	s.sent += other.sent
	for _, v := range other.variants {
		s.with(v.Attributes, v.lines)
	}
	s.setOn.merge(other.setOn)
	s.sentTo.merge(other.sentTo)
	if s.first.IsZero() || !other.first.IsZero() && other.first.Before(s.first) {
		s.first = other.first
	}
	if other.last.After(s.last) {
		s.last = other.last
	}
}
