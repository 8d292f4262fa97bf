package main

import (
	"go/token"
	"go/types"
	"slices"

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

	byDefault bool // within, and the site gives another name for the same field
}

// settings returns every cookie that the site sets.
func (s *site) settings() []setting {
	var all []setting
	for instruction := range s.Instructions() {
		found := s.set(instruction)
		for i := range found {
			found[i] = s.placed(found[i], instruction.Parent())
		}
		markDefaults(found)
		all = append(all, found...)
	}
	return all
}

// markDefaults finds the module's own names among those that one instruction may set: the
// module takes them if a site gives none. A name of the site that is not constant may be
// empty, so that a constant one of the module still counts.
func markDefaults(found []setting) {
	given, constant := make(map[*types.Var]bool), make(map[*types.Var]bool)
	for _, f := range found {
		if field := f.name.Field; field != nil && !f.foreign && !ofOneCookie(field) {
			given[field] = true
			constant[field] = constant[field] || f.name.Known()
		}
	}
	for i, f := range found {
		field := f.name.Field
		found[i].byDefault = f.within && (constant[field] || given[field] && !f.name.Known())
	}
}

// ofOneCookie reports whether a field describes one cookie, by name and value. The site's
// cookie and the module's are then two, and not a setting with its default.
func ofOneCookie(field *types.Var) bool {
	cookie, ok := field.Pkg().Scope().Lookup("Cookie").(*types.TypeName)
	if !ok {
		return false
	}
	described, ok := cookie.Type().Underlying().(*types.Struct)
	if !ok {
		return false
	}
	fields := slices.Collect(described.Fields())
	return slices.Contains(fields, field) && slices.ContainsFunc(fields, func(f *types.Var) bool { return f.Name() == "Value" })
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
