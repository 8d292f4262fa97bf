package main

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/cookiecharter/consent/consentvet/internal/trace"
)

const gorilla = "github.com/gorilla/sessions"

// session returns the setting of a session of gorilla/sessions. The call is to a
// function outside the source that returns a session; its last string is the name.
// Such functions are NewSession, Get and New of each store, those of other packages
// too, and Get of a Registry.
func (s *site) session(call *ssa.CallCommon) []setting {
	if f := call.StaticCallee(); f != nil && s.Has(f) {
		return nil // the calls inside f are checked instead
	}
	results := call.Signature().Results()
	if results.Len() == 0 || !isType(results.At(0).Type(), gorilla, "Session") {
		return nil
	}
	for i := len(call.Args) - 1; i >= 0; i-- {
		if isString(call.Args[i].Type()) {
			return named(s.names(s.Origins(call.Args[i])), "gorilla/sessions", call.Pos())
		}
	}
	return nil
}

func isString(t types.Type) bool {
	basic, ok := t.Underlying().(*types.Basic)
	return ok && basic.Kind() == types.String
}

const scs = "github.com/alexedwards/scs/v2"

// manager returns the setting of a session manager of scs. The cookie's name is
// "session" by default.
func (s *site) manager(i ssa.CallInstruction) []setting {
	call, ok := i.(*ssa.Call)
	if !ok || callee(&call.Call) != scs+".New" && callee(&call.Call) != scs+".NewSession" {
		return nil
	}
	cookie := fieldOf(call.Type(), "Cookie")
	var names []trace.Text
	for _, o := range s.Inner(call, cookie, fieldOf(cookie.Type(), "Name")) {
		if o.Value != call { // the call stands for the default name
			names = append(names, s.TextsOf([]trace.Origin{o})...)
		}
	}
	if len(names) == 0 {
		names = []trace.Text{{Parts: []string{"session"}, At: token.NoPos}}
	}
	return named(names, "alexedwards/scs", call.Pos())
}
