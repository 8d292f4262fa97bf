// Package yamldoc reads documents in YAML that people write by hand. A document becomes
// JSON, of which each line is known by the line in the YAML that it comes from: what reads
// the JSON then finds the same mistakes in both forms, and names the lines of the YAML.
//
// Anchors and merge keys ("<<") stand for what they repeat. A scalar is what YAML 1.2's core
// schema says: "no" and "on" are texts. A date is a text too. What YAML has and JSON does not
// is a mistake: numbers that are written in other ways, keys that are no text, other tags.
package yamldoc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/cookiecharter/consent"
)

const (
	maxBytes    = 16 << 20 // as much as consent.ReadRegistry reads, in YAML and then in JSON
	maxDepth    = 32       // as consent.ReadRegistry has it
	maxMistakes = 1000     // more say nothing that these do not
)

// A Mistake is something in a document that cannot be read or may not stand there.
type Mistake = consent.DocumentError

// Parse reads one document. The mistakes are those of the YAML itself. The Value is nil if
// they leave nothing that can be read.
func Parse(data []byte) (*Value, []*Mistake) {
	if wrong := checkBytes(data); wrong != nil {
		return nil, []*Mistake{wrong}
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		return nil, []*Mistake{syntaxMistake(err, data)}
	}
	var document, more yaml.Node
	switch err := loader.Load(&document); {
	case errors.Is(err, io.EOF):
		return nil, []*Mistake{{Line: 1, Reason: "the document is empty"}}
	case err != nil:
		return nil, []*Mistake{syntaxMistake(err, data)}
	}
	switch err := loader.Load(&more); {
	case err == nil:
		return nil, []*Mistake{{Line: more.Line, Reason: "here begins a second document, and there can be one only"}}
	case !errors.Is(err, io.EOF):
		return nil, []*Mistake{syntaxMistake(err, data)}
	}
	r := reader{known: make(map[*yaml.Node]*Value), lines: lines(data)}
	v := r.value(document.Content[0], "", 0)
	if r.broken {
		return nil, r.mistakes
	}
	return v, r.mistakes
}

// checkBytes finds what no parser needs to see. Tests of the parser's own for it say no line.
func checkBytes(data []byte) *Mistake {
	if len(data) > maxBytes {
		return &Mistake{Line: 1, Reason: fmt.Sprintf("the document has more than %d MB", maxBytes>>20)}
	}
	line := 1
	for at := 0; at < len(data); {
		r, size := utf8.DecodeRune(data[at:])
		switch {
		case r == utf8.RuneError && size == 1:
			return &Mistake{Line: line, Reason: "is not UTF-8"}
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r == 0x7F:
			return &Mistake{Line: line, Reason: fmt.Sprintf("holds the control character %U", r)}
		case r == '\n':
			line++
		}
		at += size
	}
	return nil
}

// syntaxMistake says what the parser says, at the line that it has in mind.
func syntaxMistake(err error, data []byte) *Mistake {
	syntax, isSyntax := errors.AsType[*yaml.LoadError](err)
	if !isSyntax {
		return &Mistake{Line: 1, Reason: err.Error()}
	}
	m := &Mistake{Line: max(1, min(syntax.Mark.Line, lines(data))), Reason: syntax.Message}
	if all := bytes.Split(data, []byte("\n")); m.Line <= len(all) { // a lone CR ends a line for YAML too
		m.Reason = withHint(m.Reason, string(all[m.Line-1]))
	}
	switch begun := syntax.ContextMark.Line; {
	case begun == 0 || begun == m.Line:
	case strings.Contains(syntax.Message, "end of stream"):
		m.Line = begun // what does not end begins there
	default:
		m.Reason += fmt.Sprintf(" (%s that begins in line %d)", syntax.ContextMsg, begun)
	}
	return m
}

// lines counts the lines of a document as YAML 1.1 ends them, since the parser does. The
// parser counts one more if the last one has no end.
func lines(data []byte) int {
	n := 1 - bytes.Count(data, []byte("\r\n"))
	for _, end := range []string{"\n", "\r", "\u0085", "\u2028", "\u2029"} {
		n += bytes.Count(data, []byte(end))
	}
	return n
}

// Join returns mistakes in the order of their lines as one error, nil for none.
func Join(mistakes []*Mistake) error {
	slices.SortStableFunc(mistakes, func(a, b *Mistake) int { return a.Line - b.Line })
	all := make([]error, len(mistakes))
	for i, m := range mistakes {
		all[i] = m
	}
	return errors.Join(all...)
}
