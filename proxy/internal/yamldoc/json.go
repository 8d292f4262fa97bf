package yamldoc

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/internal/joined"
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
	var mistakes []*Mistake
	for _, err := range joined.Split(err) {
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
	w.newLine()
	return w.document, w.lines
}

type writer struct {
	document []byte
	lines    []int
	line     int // of the document, from which comes what is being written
}

func (w *writer) write(line int, text []byte) {
	w.line = line
	w.document = append(w.document, text...)
}

func (w *writer) newLine() {
	w.document = append(w.document, '\n')
	w.lines = append(w.lines, w.line)
}

func (w *writer) value(v *Value) {
	switch v.kind {
	case yaml.MappingNode:
		w.write(v.Line, []byte("{"))
		for i, m := range v.members {
			w.next(i)
			key, _ := json.Marshal(m.key) // a string has no error
			w.write(m.line, append(key, ':'))
			w.newLine()
			w.value(m.value)
		}
		w.newLine()
		w.write(v.Line, []byte("}"))
	case yaml.SequenceNode:
		w.write(v.Line, []byte("["))
		for i, item := range v.items {
			w.next(i)
			w.value(item)
		}
		w.newLine()
		w.write(v.Line, []byte("]"))
	default:
		w.write(v.Line, v.scalar)
	}
}

// next begins the line of an element or a member.
func (w *writer) next(i int) {
	if i > 0 {
		w.document = append(w.document, ',')
	}
	w.newLine()
}
