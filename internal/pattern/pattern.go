// Package pattern finds the most specific of many names and patterns that a
// name matches, at a cost that depends on the name and not on how many there are.
package pattern

import (
	"bytes"
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

// Match returns the value of the most specific entry that name matches: the
// name itself, else the pattern with the most literal bytes, and of two with
// as many the one with the longer prefix.
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
