package inventory

import (
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/cookiecharter/consent/internal/variable"
)

// A table holds the sightings of undeclared cookies, up to a limit. Names are
// brought under a pattern as soon as enough of them share one.
type table struct {
	declared  *declared
	limit     int
	names     map[string]*sighting
	patterns  map[string]*sighting
	groups    map[string]*group
	all       []*sighting
	forgotten int // names that found no room, or made room for others
}

// A group is what may become a pattern.
type group struct {
	key     string
	members []*sighting
	refused bool // a declared cookie would match
}

const (
	// maxNames is how many names and patterns a table remembers.
	maxNames = 1024

	// maxName is the length of the longest name that is kept.
	maxName = variable.MaxName

	// minMembers is how many names must look alike before they become a
	// pattern that nobody knows of.
	minMembers = 3
)

func newTable(d *declared, limit int) table {
	return table{
		declared: d,
		limit:    limit,
		names:    make(map[string]*sighting),
		patterns: make(map[string]*sighting),
		groups:   make(map[string]*group),
	}
}

// find returns the sighting to which one of this name adds, nil if there is no
// room for it.
func (t *table) find(name string) *sighting {
	if s := t.names[name]; s != nil {
		return s
	}
	if len(name) > maxName {
		t.forgotten++
		return nil
	}
	from, to, members := split(name)
	if members == 0 {
		return t.insert(name)
	}
	var room [maxName + 1]byte
	key := append(append(append(room[:0], name[:from]...), '*'), name[to:]...)
	if s := t.patterns[string(key)]; s != nil {
		s.example(name)
		return s
	}
	g := t.groups[string(key)]
	if g == nil {
		g = &group{key: string(key)}
	}
	if !g.refused && len(g.members)+1 >= members {
		if g.refused = t.declared.meets(name[:from], name[to:]); !g.refused {
			return t.join(g, name)
		}
	}
	s := t.insert(name)
	if s != nil && len(g.members) < minMembers {
		s.group = g
		g.members = append(g.members, s)
		t.groups[g.key] = g
	}
	return s
}

// split returns the part of a name that a pattern leaves open, and how many
// members it takes to be one; 0 if there is no such part.
func split(name string) (from, to, members int) {
	if strings.Contains(name, "*") {
		return 0, 0, 0 // as a pattern it would say something else
	}
	if f := recall(name); f != nil {
		if before, after, wild := strings.Cut(f.pattern, "*"); wild {
			return len(before), len(name) - len(after), 1
		}
		return 0, 0, 0
	}
	if from, to, ok := variable.Part(name); ok {
		return from, to, minMembers
	}
	return 0, 0, 0
}

// join makes a pattern of the members of a group and of one more name.
func (t *table) join(g *group, name string) *sighting {
	s := t.put(g.key, t.patterns)
	for _, m := range slices.Clone(g.members) { // without the one that made room for s, perhaps
		s.example(m.name)
		s.add(m)
		t.remove(m)
	}
	s.example(name)
	return s
}

// insert adds a name. Where the table is full only one in four gets in, since the
// others cost less that way, and what matters comes again.
func (t *table) insert(name string) *sighting {
	if len(t.all) == t.limit && rand.Uint32()%4 != 0 {
		t.forgotten++
		return nil
	}
	return t.put(name, t.names)
}

// put adds a name or a pattern to one of the table's indexes. Where the table is
// full another makes room: of eight that chance picks, the one that was seen
// least, so that what comes again and again outlives a flood of names that come
// once.
func (t *table) put(name string, index map[string]*sighting) *sighting {
	name = strings.Clone(name) // what it is cut out of holds values
	var s *sighting
	if len(t.all) < t.limit {
		s = &sighting{slot: len(t.all)}
		t.all = append(t.all, s)
	} else {
		s = t.all[rand.IntN(len(t.all))]
		for picks := rand.Uint64(); picks != 0; picks >>= 8 {
			if other := t.all[int(picks%(1<<16))*len(t.all)>>16]; other.seen() < s.seen() {
				s = other
			}
		}
		t.unname(s)
		t.forgotten++
	}
	s.fill(name)
	index[name] = s
	return s
}

func (s *sighting) seen() int { return s.set + s.sent }

// remove takes a sighting out.
func (t *table) remove(s *sighting) {
	t.unname(s)
	last := t.all[len(t.all)-1]
	t.all[s.slot], last.slot = last, s.slot
	t.all[len(t.all)-1] = nil
	t.all = t.all[:len(t.all)-1]
}

// unname takes a sighting out of what finds it.
func (t *table) unname(s *sighting) {
	if s.isPattern() {
		delete(t.patterns, s.name)
		return
	}
	delete(t.names, s.name)
	g := s.group
	if g == nil {
		return
	}
	g.members = slices.DeleteFunc(g.members, func(m *sighting) bool { return m == s })
	if len(g.members) == 0 {
		delete(t.groups, g.key)
	}
}
