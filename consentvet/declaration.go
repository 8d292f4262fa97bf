package main

import (
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/cookiecharter/consent/consentvet/internal/trace"
)

// A declaration is a consent.Cookie of the source, or stands for those that a registry
// gets from outside the source.
type declaration struct {
	name      trace.Text
	at        token.Pos
	registry  bool // it stands for unread declarations, and at is the place of the registry
	elsewhere bool // something outside the source sets the cookie
}

// library is the import path of package consent.
const library = "github.com/cookiecharter/consent"

// declarations returns every cookie that the source declares.
func (s *site) declarations() []declaration {
	var all []declaration
	for instruction := range s.Instructions() {
		switch i := instruction.(type) {
		case *ssa.Store:
			all = append(all, s.named(i)...)
		case *ssa.Call:
			name := callee(&i.Call)
			if (name == library+".NewRegistry" || name == library+".MustRegistry") && s.unread(i.Call.Args[0]) {
				all = append(all, declaration{name: trace.Computed(), at: i.Pos(), registry: true})
			}
		}
	}
	return all
}

// named returns the declarations that get their names from an assignment.
func (s *site) named(store *ssa.Store) []declaration {
	field, ok := store.Addr.(*ssa.FieldAddr)
	if !ok || !isType(field.X.Type(), library, "Cookie") || trace.FieldOf(field).Name() != "Name" {
		return nil
	}
	var all []declaration
	for _, name := range s.Texts(store.Val) {
		at := store.Pos()
		if name.At.IsValid() {
			at = name.At
		}
		elsewhere := s.markedElsewhere(at) || s.markedElsewhere(store.Pos()) || s.embedded(field.X, name)
		all = append(all, declaration{name: name, at: at, elsewhere: elsewhere})
	}
	return all
}

// embedded reports whether a declaration has Origins: a page contacts them, and they
// set the cookie. If name and Origins are parameters of one function, Origins count
// for the name in the same call only.
func (s *site) embedded(cookie ssa.Value, name trace.Text) bool {
	return slices.ContainsFunc(s.Field(cookie, fieldOf(cookie.Type(), "Origins")), func(o trace.Origin) bool {
		c, ok := o.Value.(*ssa.Const)
		return !(ok && c.IsNil()) && (o.At == name.At || !name.At.IsValid())
	})
}

// unread reports whether a registry gets declarations from outside the source. The
// origin of their names is then the value that holds them, which is no string.
func (s *site) unread(declarations ssa.Value) bool {
	element := declarations.Type().Underlying().(*types.Slice).Elem()
	return slices.ContainsFunc(s.ElementField(declarations, fieldOf(element, "Name")), func(o trace.Origin) bool {
		return !isString(o.Value.Type())
	})
}
