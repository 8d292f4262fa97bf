package main

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/cookiecharter/consent/consentvet/internal/trace"
)

// A setting is one way in which the source sets a cookie.
type setting struct {
	name trace.Text
	by   string // the means, such as "http.SetCookie"
	at   token.Pos
}

// settings returns every cookie that the source sets.
func (s *site) settings() []setting {
	var all []setting
	for instruction := range s.Instructions() {
		switch i := instruction.(type) {
		case *ssa.MapUpdate:
			all = append(all, s.indexed(i)...)
		case ssa.CallInstruction:
			call := i.Common()
			switch callee(call) {
			case "net/http.SetCookie":
				all = append(all, s.cookie(call.Args[1], "http.SetCookie", call.Pos())...)
			case "(net/http.Header).Set", "(net/http.Header).Add":
				all = append(all, s.field(call)...)
			}
			all = append(all, s.session(call)...)
			all = append(all, s.token(call)...)
			all = append(all, s.manager(i)...)
			all = append(all, s.surf(i)...)
		}
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

// set returns a setting for each name.
func set(names []trace.Text, by string, at token.Pos) []setting {
	var all []setting
	for _, name := range names {
		s := setting{name, by, at}
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
