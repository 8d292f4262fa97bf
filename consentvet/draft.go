package main

import (
	"cmp"
	"fmt"
	"go/token"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/cookiecharter/consent/consentvet/internal/trace"
)

// texts holds the fields that visitors read, or that decide whether they are asked, and
// their names in a finding.
var texts = map[string]string{
	"Provider": "provider", "Service": "service", "Purpose": "purpose", "Category": "category",
	"LegalName": "legal name", "Country": "country", "Policy": "policy",
}

// drafts returns a line for each text of a declaration, or of the details of a provider,
// that begins with TODO. Package
// inventory writes it for a text that only the site can know.
func (s *site) drafts() []line {
	updates := s.textUpdates()
	var lines, unnamed []line
	named := make(map[line]bool)
	for instruction := range s.Instructions() {
		store, ok := instruction.(*ssa.Store)
		if !ok {
			continue
		}
		field, ok := store.Addr.(*ssa.FieldAddr)
		if !ok {
			continue
		}
		of := "cookie"
		if isType(field.X.Type(), library, "Provider") {
			of = "provider"
		} else if !isType(field.X.Type(), library, "Cookie") {
			continue
		}
		what, ok := texts[trace.FieldOf(field).Name()]
		if !ok {
			continue
		}
		for _, text := range s.written(store, updates) {
			if !strings.HasPrefix(strings.TrimSpace(text.Parts[0]), "TODO") {
				continue
			}
			for _, name := range s.namesFor(field.X, text.call) {
				lines = append(lines, line{at: text.at, message: fmt.Sprintf("the %s of %s %q still says TODO", what, of, name)})
				named[line{at: text.at, message: what + " of a " + of}] = true
			}
			unnamed = append(unnamed, line{at: text.at, message: what + " of a " + of})
		}
	}
	// A text that passes through several functions may belong to any cookie.
	for _, l := range unnamed {
		if !named[l] {
			lines = append(lines, line{at: l.at, message: fmt.Sprintf("the %s still says TODO", l.message)})
		}
	}
	return lines
}

// A phrase is a text of a declaration.
type phrase struct {
	trace.Text
	at   token.Pos // the place of the text
	call token.Pos // the call that passes it, or its map, to a function; NoPos for none
}

// written returns the texts, in all languages, that an assignment to a field of a
// declaration writes.
func (s *site) written(store *ssa.Store, updates map[ssa.Value][]*ssa.MapUpdate) []phrase {
	var all []phrase
	if isString(store.Val.Type()) {
		for _, t := range s.Texts(store.Val) {
			all = append(all, phrase{t, cmp.Or(t.At, store.Pos()), t.At})
		}
		return all
	}
	for _, o := range s.Origins(store.Val) {
		for _, u := range updates[o.Value] {
			for _, t := range s.Texts(u.Value) {
				all = append(all, phrase{t, cmp.Or(t.At, u.Pos()), cmp.Or(t.At, o.At)})
			}
		}
	}
	// If a function makes the texts, only the arguments of this call count.
	if made, ok := store.Val.(*ssa.Call); ok {
		of := func(p phrase) bool { return p.call == made.Pos() }
		if slices.ContainsFunc(all, of) {
			all = slices.DeleteFunc(all, func(p phrase) bool { return !of(p) })
		}
	}
	return all
}

// textUpdates returns the assignments to the elements of each consent.Text.
func (s *site) textUpdates() map[ssa.Value][]*ssa.MapUpdate {
	updates := make(map[ssa.Value][]*ssa.MapUpdate)
	for instruction := range s.Instructions() {
		if u, ok := instruction.(*ssa.MapUpdate); ok && isType(u.Map.Type(), library, "Text") {
			for _, o := range s.Origins(u.Map) {
				updates[o.Value] = append(updates[o.Value], u)
			}
		}
	}
	return updates
}

// namesFor returns the names that the declaration at an address may have if it has the
// text that a call passes. If there are several, only a name in the same call counts.
func (s *site) namesFor(declaration ssa.Value, call token.Pos) []trace.Text {
	names := slices.DeleteFunc(s.namesAt(declaration), trace.Text.Unknown)
	if call.IsValid() && len(names) > 1 {
		names = slices.DeleteFunc(names, func(name trace.Text) bool { return name.At != call })
	}
	return names
}

// namesAt returns the names of the declaration at an address. The address itself
// distinguishes it from other declarations of the same list.
func (s *site) namesAt(declaration ssa.Value) []trace.Text {
	var names []trace.Text
	if users := declaration.Referrers(); users != nil {
		for _, user := range *users {
			field, ok := user.(*ssa.FieldAddr)
			if !ok || trace.FieldOf(field).Name() != "Name" {
				continue
			}
			for _, use := range *field.Referrers() {
				if store, ok := use.(*ssa.Store); ok {
					names = append(names, s.Texts(store.Val)...)
				}
			}
		}
	}
	if len(names) == 0 {
		names = s.TextsOf(s.Field(declaration, fieldOf(declaration.Type(), "Name")))
	}
	return names
}
