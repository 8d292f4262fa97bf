package yamldoc

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"
)

// A Value is a part of a document.
type Value struct {
	Line    int // from 1
	scalar  []byte
	items   []*Value
	members []member
	kind    yaml.Kind
	size    int // of its JSON, in bytes
}

// A member is one of an object.
type member struct {
	key   string
	line  int
	value *Value
}

// IsObject reports whether v is an object.
func (v *Value) IsObject() bool { return v.kind == yaml.MappingNode }

// IsText reports whether v is this text.
func (v *Value) IsText(text string) bool { return v != nil && string(v.scalar) == strconv.Quote(text) }

// Get returns the value of a member of an object, nil if there is none.
func (v *Value) Get(key string) *Value {
	i := slices.IndexFunc(v.members, func(m member) bool { return m.key == key })
	if i < 0 {
		return nil
	}
	return v.members[i].value
}

// Without returns an object without one member.
func (v *Value) Without(key string) *Value {
	less := *v
	less.members = slices.DeleteFunc(slices.Clone(v.members), func(m member) bool { return m.key == key })
	return &less
}

// LineOf returns the line of what stands at a path, such as "cookies[3].lifetime". What is
// not there is missing in what should hold it.
func (v *Value) LineOf(path string) int {
	line := v.Line
	for at := ""; at != path; {
		below := v.leading(at, path)
		if below.value == nil {
			break
		}
		at, line, v = below.key, below.line, below.value
	}
	return line
}

// leading returns the path, the line and the value of that part of v, itself at a path,
// which holds what stands at another path.
func (v *Value) leading(at, path string) member {
	leads := func(prefix string) bool {
		rest, within := strings.CutPrefix(path, prefix)
		return within && (rest == "" || rest[0] == '.' || rest[0] == '[')
	}
	for _, m := range v.members {
		if below := Key(at, m.key); leads(below) {
			return member{below, m.line, m.value}
		}
	}
	for i, item := range v.items {
		if below := Index(at, i); leads(below) {
			return member{below, item.Line, item}
		}
	}
	return member{}
}

// Key returns the path of a member of the object at a path. A key that could be misread
// stands in quotation marks.
func Key(path, key string) string {
	isPlain := key != "" && len(key) <= 64 && !strings.ContainsFunc(key, func(r rune) bool {
		return r >= 0x7F || r != '-' && r != '_' && r != '$' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	if !isPlain {
		key = shortened(key)
	}
	return strings.TrimPrefix(path+"."+key, ".")
}

// Index returns the path of an element of the list at a path.
func Index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func shortened(text string) string {
	if len(text) > 64 {
		text = text[:64] + "…"
	}
	return strconv.Quote(text)
}
