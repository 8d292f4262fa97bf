// Package document reads and writes Go values as JSON, for people who write the JSON by
// hand: every mistake comes back at once, with its path and its line. It knows the
// rules of JSON, texts in several languages and lifetimes; which values may be
// declared is for others to say, by [Document.Reject].
//
// The form follows the Go types. An exported field has its name with a small first
// letter, unless a json tag gives another; a field without a value is left out, unless
// it has a tag without "omitempty". A time.Duration is a number with a unit, see
// lifetime.go; a map is an object, one by language a text in several languages; a number
// with the method String is one of the names which that gives.
//
// encoding/json takes a misspelt field, the second of two equal keys and half of a
// character without a word. Its Decoder says where a token is, but takes longer for the
// tokens of 10,000 declarations than all of consent.ReadRegistry (BenchmarkReadRegistry).
package document

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
)

// Schema is the address of the JSON Schema of declarations, by which editors check them.
const Schema = "https://raw.githubusercontent.com/cookiecharter/consent/main/docs/declarations.schema.json"

const (
	maxBytes    = 16 << 20 // 10,000 declarations in six languages have 10 MB
	maxDepth    = 32       // the declarations have six levels
	maxMistakes = 1000     // more say nothing that these do not
)

// A Mistake is something in a document that cannot be read or may not be declared.
type Mistake struct {
	Path   string // such as "cookies[3].lifetime"; "" for the document itself
	Line   int    // from 1
	Reason string // what is wrong
	Err    error  // the same, if it was found in what the document declares; else nil

	offset int
}

// Error names the line, the path and what is wrong.
func (m *Mistake) Error() string {
	if m.Path == "" {
		return fmt.Sprintf("consent: line %d: %s", m.Line, m.Reason)
	}
	return fmt.Sprintf("consent: line %d: %s: %s", m.Line, m.Path, m.Reason)
}

// Unwrap returns m.Err.
func (m *Mistake) Unwrap() error { return m.Err }

// A Document is a document that was read, with its mistakes.
type Document struct {
	scanner
	into    reflect.Type
	fields  map[reflect.Type][]field
	tags    map[string]tag  // languages, by how they are written
	spoiled map[string]bool // the paths of values that could not be read
	found   map[string]int  // offsets by path; nil unless somebody looks for these paths
}

// Read reads a document into the struct that into points to. The error is from's; what is
// wrong in the document is in [Document.Err].
func Read(from io.Reader, into any) (*Document, error) {
	data, err := io.ReadAll(io.LimitReader(from, maxBytes+1))
	if err != nil {
		return nil, err
	}
	d := newDocument(data, reflect.TypeOf(into).Elem())
	switch {
	case len(data) > maxBytes:
		d.fail("the document has more than %d MB", maxBytes>>20)
	case strings.HasPrefix(string(data[:min(3, len(data))]), "\uFEFF"):
		d.fail("the document begins with a byte order mark, which JSON does not have (RFC 8259 section 8.1); save it as UTF-8 without one")
	default:
		d.readAll(reflect.ValueOf(into).Elem())
	}
	return d, nil
}

func newDocument(data []byte, into reflect.Type) *Document {
	return &Document{scanner: scanner{data: data, short: make(map[string]string)}, into: into, fields: make(map[reflect.Type][]field), tags: make(map[string]tag), spoiled: make(map[string]bool)}
}

// Reject adds the mistakes that somebody has found in what a list of the document
// declares; where says which element and field one is about, the field as Go spells it:
// "Also[0].Domain". One about a value that could not be read is left out, and so is each
// in a document that breaks off, since they are about no more than a gap.
func (d *Document) Reject(list string, joined error, where func(error) (index int, field, reason string)) {
	all, _ := joined.(interface{ Unwrap() []error })
	if all == nil || d.broken {
		return
	}
	for _, err := range all.Unwrap() {
		index, field, reason := where(err)
		item := fmt.Sprintf("%s[%d]", list, index)
		path := item
		for part := range strings.SplitSeq(field, ".") {
			path += "." + inJSON(part)
		}
		if !d.spoiled[item] && !d.spoiled[path] {
			d.mistakes = append(d.mistakes, &Mistake{Path: path, Reason: reason, Err: err, offset: -1})
		}
	}
}

// Err joins every mistake, each a [*Mistake], in the order of the document. It is nil if
// there is none.
func (d *Document) Err() error {
	d.locate()
	slices.SortStableFunc(d.mistakes, func(a, b *Mistake) int { return cmp.Compare(a.offset, b.offset) })
	line, at := 1, 0
	all := make([]error, len(d.mistakes))
	for i, m := range d.mistakes {
		line += strings.Count(string(d.data[at:m.offset]), "\n")
		m.Line, at = line, m.offset
		all[i] = m
	}
	return errors.Join(all...)
}

// locate gives the rejected values their offsets, by reading the document once more.
func (d *Document) locate() {
	again := newDocument(d.data, d.into)
	again.found = make(map[string]int)
	for _, m := range d.mistakes {
		if m.offset < 0 {
			for path := m.Path; path != ""; path = parent(path) {
				again.found[path] = -1
			}
		}
	}
	if len(again.found) == 0 {
		return
	}
	again.readAll(reflect.New(d.into).Elem())
	for _, m := range d.mistakes {
		for path := m.Path; m.offset < 0; path = parent(path) {
			if path == "" {
				m.offset = 0
			} else {
				m.offset = again.found[path] // a field that is not there is missing in what holds it
			}
		}
	}
}

// parent returns the path of what holds a value.
func parent(path string) string { return path[:max(strings.LastIndexAny(path, ".["), 0)] }

// inJSON returns the name that a field has in a document.
func inJSON(field string) string { return strings.ToLower(field[:1]) + field[1:] }
