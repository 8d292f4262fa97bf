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
	paths       []string
	more        bool // paths than are kept
	first, last time.Time

	// What the table of the sighting knows it by.
	slot  int
	group *group
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
	*s = sighting{name: name, variants: s.variants[:0], paths: s.paths[:0], slot: s.slot}
}

// at notes when and where.
func (s *sighting) at(path string, now time.Time) {
	if s.first.IsZero() {
		s.first = now
	}
	s.last = now
	s.on(path)
}

func (s *sighting) on(path string) {
	if len(path) > maxPath {
		path = strings.ToValidUTF8(path[:maxPath], "") + "…"
	}
	if slices.Contains(s.paths, path) {
		return
	}
	if len(s.paths) == maxPaths {
		s.more = true
		return
	}
	s.paths = append(s.paths, kept(path, behind(s.paths)))
}

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
	old := behind(s.variants)
	a.Domain, a.Path, a.SameSite = kept(a.Domain, old.Domain), kept(a.Path, old.Path), kept(a.SameSite, old.SameSite)
	s.variants = append(s.variants, variant{a, lines})
}

// kept returns a copy of s that keeps nothing else in memory: old, where that is
// one. Names of a flood differ, but come to few paths with few attributes.
func kept(s, old string) string {
	if s == old {
		return old
	}
	return strings.Clone(s)
}

// behind returns what an earlier name has left where the next of s will be.
func behind[T any](s []T) (old T) {
	if len(s) < cap(s) {
		old = s[:len(s)+1][len(s)]
	}
	return old
}

// whole rounds up to seconds, and to the minute where an Expires was counted from
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
	for _, path := range other.paths {
		s.on(path)
	}
	s.more = s.more || other.more
	if s.first.IsZero() || !other.first.IsZero() && other.first.Before(s.first) {
		s.first = other.first
	}
	if other.last.After(s.last) {
		s.last = other.last
	}
}
