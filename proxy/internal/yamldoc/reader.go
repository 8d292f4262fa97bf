package yamldoc

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// A reader makes values of what the parser has found.
type reader struct {
	known    map[*yaml.Node]*Value // nil for one that is being read
	lines    int                   // that the document has
	mistakes []*Mistake
	broken   bool // what follows is not read
}

func (r *reader) mistake(path string, line int, reason string, args ...any) {
	if r.broken {
		return
	}
	if len(r.mistakes) == maxMistakes {
		reason, args = "here is one mistake more than %d; what follows is not read", []any{maxMistakes}
		r.broken = true
	}
	r.mistakes = append(r.mistakes, &Mistake{Path: path, Line: min(line, r.lines), Reason: fmt.Sprintf(reason, args...)})
}

// fail notes a mistake after which nothing can be read.
func (r *reader) fail(path string, line int, reason string, args ...any) {
	r.mistake(path, line, reason, args...)
	r.broken = true
}

// value reads what stands at a path. What an anchor stands for is read once, and its size
// counts as often as it is repeated: a few lines can stand for billions of values.
func (r *reader) value(n *yaml.Node, path string, depth int) *Value {
	line := n.Line
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	v, seen := r.known[n]
	switch {
	case r.broken:
		return new(Value)
	case seen && v == nil:
		r.fail(path, line, "the anchor %s stands for something that holds it", shortened(n.Anchor))
		return new(Value)
	case seen:
		return v
	case depth > maxDepth:
		r.fail(path, line, "is nested more than %d deep", maxDepth)
		return new(Value)
	}
	r.known[n] = nil
	v = &Value{Line: min(n.Line, r.lines), kind: n.Kind, size: len("{\n}\n,")}
	if n.Style&yaml.TaggedStyle != 0 && !slices.Contains(plainTags, n.ShortTag()) {
		r.mistake(path, n.Line, "has the tag %s, which says nothing here", shortened(n.ShortTag()))
	}
	switch n.Kind {
	case yaml.MappingNode:
		r.object(v, n, path, depth)
	case yaml.SequenceNode:
		for i, item := range n.Content {
			v.items = append(v.items, r.value(item, Index(path, i), depth+1))
			r.grow(v, v.items[i].size, path)
		}
	default:
		v.scalar = r.scalar(n, path)
		r.grow(v, len(v.scalar), path)
	}
	r.known[n] = v
	return v
}

// plainTags say no more than what holds without them.
var plainTags = []string{"!", "!!str", "!!seq", "!!map"}

// grow adds to the size of a value.
func (r *reader) grow(v *Value, size int, path string) {
	if v.size += size; v.size > maxBytes {
		r.fail(path, v.Line, "with what its anchors repeat, the document has more than %d MB", maxBytes>>20)
	}
}

func (r *reader) object(v *Value, n *yaml.Node, path string, depth int) {
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content) && !r.broken; i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.AliasNode {
			key = key.Alias
		}
		switch {
		case key.Kind != yaml.ScalarNode:
			r.mistake(path, key.Line, "has a key that is no text")
		case key.ShortTag() == "!!merge":
			merged = append(merged, value)
		default:
			r.add(v, member{key.Value, n.Content[i].Line, r.value(value, Key(path, key.Value), depth+1)}, path)
		}
	}
	for _, from := range merged {
		r.merge(v, from, path, depth)
	}
}

func (r *reader) add(v *Value, m member, path string) {
	v.members = append(v.members, m)
	r.grow(v, len(m.key)+len("\"\":\n")+m.value.size, path)
}

// merge adds the members of an object, or of each of a list, that v does not have
// (https://yaml.org/type/merge.html).
func (r *reader) merge(v *Value, n *yaml.Node, path string, depth int) {
	from := r.value(n, path, depth+1)
	all := from.items
	if from.IsObject() {
		all = []*Value{from}
	}
	if len(all) == 0 || slices.ContainsFunc(all, func(v *Value) bool { return !v.IsObject() }) {
		r.mistake(path, n.Line, `"<<" merges neither an object nor a list of objects`)
		return
	}
	has := make(map[string]bool, len(v.members))
	for _, m := range v.members {
		has[m.key] = true
	}
	for _, from := range all {
		for _, m := range from.members {
			if !has[m.key] && !r.broken {
				has[m.key] = true
				r.add(v, m, path)
			}
		}
	}
}

// scalar returns a scalar in JSON.
func (r *reader) scalar(n *yaml.Node, path string) []byte {
	switch n.ShortTag() {
	case "!!null":
		return []byte("null")
	case "!!bool":
		return []byte(strings.ToLower(n.Value))
	case "!!int", "!!float":
		if !json.Valid([]byte(n.Value)) {
			r.mistake(path, n.Line, "%s is a number as JSON does not write it; if it is a text, put it in quotation marks", shortened(n.Value))
			return []byte("0")
		}
		return []byte(n.Value)
	default:
		quoted, _ := json.Marshal(n.Value) // a string has no error
		return quoted
	}
}
