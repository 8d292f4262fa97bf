// Package pattern finds the most specific of many names and patterns that a
// name matches, at a cost that depends on the name and not on how many there are.
//
// The scripts of package charter match names too, in the order of [Compare]. What both
// have to find stands in testdata/names.json, through which tests of both go.
package pattern

import (
	"bytes"
	"cmp"
	"strings"
)

// A Set holds values under names and patterns. A pattern holds one '*', which
// stands for any run of bytes, an empty one included. The zero Set is empty
// and ready for use; once filled it is safe for concurrent use.
type Set[T any] struct {
	exact    map[string]T
	patterns node[T]
}

// A node of the prefix tree stands for what comes before the '*'. Its suffixes
// are a tree of the same shape, of what comes after the '*', last byte first.
type node[T any] struct {
	labels   []byte // the byte that leads to each child
	children []*node[T]
	suffixes *node[T] // nil if no pattern has just this prefix
	value    T
	terminal bool
}

// Put stores v under pattern, in place of what was there.
func (s *Set[T]) Put(pattern string, v T) {
	prefix, suffix, wild := strings.Cut(pattern, "*")
	if !wild {
		if s.exact == nil {
			s.exact = make(map[string]T)
		}
		s.exact[pattern] = v
		return
	}
	n := &s.patterns
	for i := range len(prefix) {
		n = n.grow(prefix[i])
	}
	if n.suffixes == nil {
		n.suffixes = new(node[T])
	}
	n = n.suffixes
	for i := len(suffix) - 1; i >= 0; i-- {
		n = n.grow(suffix[i])
	}
	n.value, n.terminal = v, true
}

// Match returns the value of the most specific entry that name matches: the first
// one in the order of [Compare].
func (s *Set[T]) Match(name string) (v T, ok bool) {
	if v, ok = s.exact[name]; ok {
		return v, true
	}
	most := -1
	for n, depth := &s.patterns, 0; n != nil; depth++ {
		if n.suffixes != nil {
			if end, length := n.suffixes.longestSuffix(name[depth:]); end != nil && depth+length >= most {
				v, ok, most = end.value, true, depth+length
			}
		}
		if depth == len(name) {
			break
		}
		n = n.child(name[depth])
	}
	return v, ok
}

// longestSuffix returns the deepest terminal node that the end of s leads to,
// and its depth; nil if there is none.
func (n *node[T]) longestSuffix(s string) (end *node[T], length int) {
	for depth := 0; n != nil; depth++ {
		if n.terminal {
			end, length = n, depth
		}
		if depth == len(s) {
			break
		}
		n = n.child(s[len(s)-1-depth])
	}
	return end, length
}

func (n *node[T]) child(label byte) *node[T] {
	if i := bytes.IndexByte(n.labels, label); i >= 0 {
		return n.children[i]
	}
	return nil
}

func (n *node[T]) grow(label byte) *node[T] {
	if c := n.child(label); c != nil {
		return c
	}
	c := new(node[T])
	n.labels = append(n.labels, label)
	n.children = append(n.children, c)
	return c
}

// Compare orders names and patterns by precedence, for [slices.SortFunc]: of those that
// a name matches, the first decides. Names come before patterns, then patterns with more
// bytes apart from the '*' before those with fewer, and of two with as many the one with
// more of them before the '*'.
func Compare(a, b string) int {
	beforeA, _, wildA := strings.Cut(a, "*")
	beforeB, _, wildB := strings.Cut(b, "*")
	switch {
	case wildA && wildB:
		return cmp.Or(len(b)-len(a), len(beforeB)-len(beforeA))
	case wildA:
		return 1
	case wildB:
		return -1
	default:
		return 0
	}
}

// Covers reports whether every name that other stands for matches pattern. Both are a
// name or a pattern.
func Covers(pattern, other string) bool {
	before, after, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == other
	}
	from, to, isPattern := strings.Cut(other, "*")
	if isPattern {
		return strings.HasPrefix(from, before) && strings.HasSuffix(to, after)
	}
	// The beginning and the end of a name may not be one and the same bytes.
	return len(other) >= len(before)+len(after) && strings.HasPrefix(other, before) && strings.HasSuffix(other, after)
}
