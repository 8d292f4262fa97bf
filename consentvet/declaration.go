package main

import (
	"go/token"
	"go/types"
	"maps"
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
	kind      int  // a consent.Kind, or unknownKind
}

const (
	httpCookie  = 0
	unknownKind = -1
)

// kindNames are those of consent.Kind.
var kindNames = [...]string{"cookie", "localStorage", "sessionStorage", "indexedDB", "cacheStorage", "other"}

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
		kind := s.kind(field.X, name)
		elsewhere := kind == unknownKind || s.markedElsewhere(at) || s.markedElsewhere(store.Pos()) || s.embedded(field.X, name)
		all = append(all, declaration{name: name, at: at, elsewhere: elsewhere, kind: kind})
	}
	return all
}

// kind returns the kind of a declaration. If name and kind are parameters of one
// function, a kind counts for the name in the same call only.
func (s *site) kind(cookie ssa.Value, name trace.Text) int {
	kinds := s.kinds(cookie, make(map[ssa.Value]bool))
	if field := fieldOf(cookie.Type(), "Kind"); field == nil {
		return httpCookie // the site has a library that knows nothing else
	} else if len(kinds) == 0 {
		kinds = s.Field(cookie, field) // of the function that makes the declaration
	}
	if of := func(o trace.Origin) bool { return o.At == name.At }; slices.ContainsFunc(kinds, of) {
		kinds = slices.DeleteFunc(kinds, func(o trace.Origin) bool { return !of(o) })
	}
	found := make(map[int]bool)
	for _, o := range kinds {
		kind := unknownKind
		if c, ok := o.Value.(*ssa.Const); ok && c.Value != nil && c.Int64() < int64(len(kindNames)) {
			kind = int(c.Int64())
		}
		found[kind] = true
	}
	switch {
	case len(found) == 0:
		return httpCookie
	case len(found) > 1:
		return unknownKind
	default:
		return slices.Collect(maps.Keys(found))[0]
	}
}

// kinds returns the kinds that are assigned at an address, and at those to which the
// declaration is copied.
func (s *site) kinds(at ssa.Value, seen map[ssa.Value]bool) (found []trace.Origin) {
	if seen[at] || at.Referrers() == nil {
		return nil
	}
	seen[at] = true
	for _, user := range *at.Referrers() {
		switch user := user.(type) {
		case *ssa.FieldAddr:
			if trace.FieldOf(user).Name() != "Kind" {
				continue
			}
			for _, use := range *user.Referrers() {
				if store, ok := use.(*ssa.Store); ok && store.Addr == user {
					found = append(found, s.Origins(store.Val)...)
				}
			}
		case *ssa.UnOp:
			for _, use := range *user.Referrers() {
				if store, ok := use.(*ssa.Store); ok && store.Val == user {
					found = append(found, s.kinds(store.Addr, seen)...)
				}
			}
		}
	}
	return found
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
