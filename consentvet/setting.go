package main

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/cookiecharter/consent/consentvet/internal/trace"
)

// A setting is one way in which the site sets a cookie.
type setting struct {
	name trace.Text
	by   string    // the means, such as "http.SetCookie", or the package that sets it
	at   token.Pos // in the site's own code, after placed

	foreign bool // the name stands in a package that the site imports
	within  bool // foreign, in the module that sets the cookie

	byDefault bool // within, and the site gives another name
}

// settings returns every cookie that the site sets.
func (s *site) settings() []setting {
	var all []setting
	for instruction := range s.Instructions() {
		found := s.set(instruction)
		given := make(map[*types.Var]bool) // the fields for which the site gives a name
		for i := range found {
			found[i] = s.placed(found[i], instruction.Parent())
			if name := found[i].name; name.Field != nil && name.Known() && !found[i].foreign {
				given[name.Field] = true
			}
		}
		for i := range found {
			// The module's own name is what it takes if a site gives none.
			found[i].byDefault = found[i].within && found[i].name.Known() && given[found[i].name.Field]
		}
		all = append(all, found...)
	}
	return all
}

// set returns the cookies that an instruction sets.
func (s *site) set(instruction ssa.Instruction) (all []setting) {
	switch i := instruction.(type) {
	case *ssa.MapUpdate:
		return s.indexed(i)
	case ssa.CallInstruction:
		call := i.Common()
		switch callee(call) {
		case "net/http.SetCookie":
			all = append(all, s.cookie(call.Args[1], "http.SetCookie", call.Pos())...)
		case "(net/http.Header).Set", "(net/http.Header).Add", "(net/textproto.MIMEHeader).Set", "(net/textproto.MIMEHeader).Add":
			all = append(all, s.field(call)...)
		}
		all = append(all, s.unseen(call)...)
		all = append(all, s.keyOf(call)...)
		all = append(all, s.foreignField(call)...)
		all = append(all, s.session(call)...)
		all = append(all, s.token(call)...)
		all = append(all, s.manager(i)...)
		all = append(all, s.surf(i)...)
	}
	return all
}

// callee returns the full name of the called function, "" if it is known only when the
// program runs.
func callee(call *ssa.CallCommon) string {
	if f := call.StaticCallee(); f != nil {
		return f.String()
	}
	return ""
}

// named returns a setting for each name.
func named(names []trace.Text, by string, at token.Pos) []setting {
	var all []setting
	for _, name := range names {
		s := setting{name: name, by: by, at: at}
		if name.At.IsValid() {
			s.at = name.At
		}
		all = append(all, s)
	}
	return all
}

// isType reports whether t is the named type, or a pointer to it.
func isType(t types.Type, path, name string) bool {
	if pointer, ok := types.Unalias(t).(*types.Pointer); ok {
		t = pointer.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Name() == name && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == path
}

// fieldOf returns a field of the struct t, or of the struct that t points to.
func fieldOf(t types.Type, name string) *types.Var {
	if pointer, ok := t.Underlying().(*types.Pointer); ok {
		t = pointer.Elem()
	}
	for field := range t.Underlying().(*types.Struct).Fields() {
		if field.Name() == name {
			return field
		}
	}
	return nil
}
