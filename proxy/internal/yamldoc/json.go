package yamldoc

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/cookiecharter/consent"
)

// Registry reads declarations from an object, as [consent.ReadRegistry] does from JSON. Paths
// begin with that of the object in its document, "" for the whole.
func (v *Value) Registry(path string) (*consent.Registry, []*Mistake) {
	document, lines := v.JSON()
	registry, err := consent.ReadRegistry(bytes.NewReader(document))
	mistakes := Mistakes(err, lines)
	for _, m := range mistakes {
		switch {
		case path != "" && m.Path != "":
			m.Path = path + "." + m.Path
		case path != "":
			m.Path = path
		}
	}
	return registry, mistakes
}

// Mistakes returns the mistakes that somebody has found in what [Value.JSON] has made, with
// the lines of the document.
func Mistakes(err error, lines []int) []*Mistake {
	all, _ := err.(interface{ Unwrap() []error })
	if all == nil {
		return nil
	}
	var mistakes []*Mistake
	for _, err := range all.Unwrap() {
		if m, is := errors.AsType[*Mistake](err); is {
			m.Line = lines[min(m.Line, len(lines))-1]
			mistakes = append(mistakes, m)
		}
	}
	return mistakes
}

// More returns the mistakes of one list and those of another one that are about something
// else: what cannot be read is told of once.
func More(these, others []*Mistake) []*Mistake {
	for _, m := range others {
		if !slices.ContainsFunc(these, func(t *Mistake) bool { return t.Path == m.Path && t.Line == m.Line }) {
			these = append(these, m)
		}
	}
	return these
}

// JSON writes v in JSON. Each line of it holds one key or one scalar, or begins or ends what
// holds others; lines has for each the line of the document that it comes from.
func (v *Value) JSON() (document []byte, lines []int) {
	var w writer
	w.value(v)
	w.newLine(v.Line)
	return w.document, w.lines
}

type writer struct {
	document []byte
	lines    []int
}

// newLine ends a line that comes from that line of the document.
func (w *writer) newLine(line int) {
	w.document = append(w.document, '\n')
	w.lines = append(w.lines, line)
}

func (w *writer) value(v *Value) {
	switch v.kind {
	case yaml.MappingNode:
		w.document = append(w.document, '{')
		for i, m := range v.members {
			w.comma(i)
			w.newLine(v.Line)
			key, _ := json.Marshal(m.key) // a string has no error
			w.document = append(append(w.document, key...), ':')
			w.newLine(m.line)
			w.value(m.value)
		}
		w.newLine(v.Line)
		w.document = append(w.document, '}')
	case yaml.SequenceNode:
		w.document = append(w.document, '[')
		for i, item := range v.items {
			w.comma(i)
			w.newLine(v.Line)
			w.value(item)
		}
		w.newLine(v.Line)
		w.document = append(w.document, ']')
	default:
		w.document = append(w.document, v.scalar...)
	}
}

func (w *writer) comma(i int) {
	if i > 0 {
		w.document = append(w.document, ',')
	}
}
