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

// texts are the fields of a declaration that visitors read, as a line names them.
var texts = map[string]string{"Provider": "provider", "Service": "service", "Purpose": "purpose"}

// drafts returns a line for each text of a declaration that still begins with
// TODO, as package inventory writes it where only the site can know.
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
		if !ok || !isType(field.X.Type(), library, "Cookie") {
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
				lines = append(lines, line{text.at, fmt.Sprintf("the %s of cookie %q still says TODO", what, name)})
				named[line{text.at, what}] = true
			}
			unnamed = append(unnamed, line{text.at, what})
		}
	}
	// A text that went through several functions may be that of any cookie.
	for _, l := range unnamed {
		if !named[l] {
			lines = append(lines, line{l.at, fmt.Sprintf("the %s of a cookie still says TODO", l.message)})
		}
	}
	return lines
}

// A phrase is a text that a declaration is given.
type phrase struct {
	trace.Text
	at   token.Pos // where it stands
	call token.Pos // what passed it, or its map, to a function; NoPos for none
}

// written returns what an assignment to a field of a declaration writes, in
// whichever language.
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
	// A function that makes texts makes this one of what this call gives it.
	if made, ok := store.Val.(*ssa.Call); ok {
		of := func(p phrase) bool { return p.call == made.Pos() }
		if slices.ContainsFunc(all, of) {
			all = slices.DeleteFunc(all, func(p phrase) bool { return !of(p) })
		}
	}
	return all
}

// textUpdates returns what is put into each map that is a consent.Text.
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

// namesFor returns the names of the cookies that a text is for which is written
// into the declaration at an address: where a call passes it, the one that the
// same call gives; none where nobody can tell.
func (s *site) namesFor(declaration ssa.Value, call token.Pos) []trace.Text {
	names := slices.DeleteFunc(s.namesAt(declaration), trace.Text.Unknown)
	if call.IsValid() && len(names) > 1 {
		names = slices.DeleteFunc(names, func(name trace.Text) bool { return name.At != call })
	}
	return names
}

// namesAt returns the names of the declaration at an address. In a list it is
// told apart from the others by the address itself.
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
