package main

import (
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/cookiecharter/consent/consentvet/internal/trace"
)

const csrf = "github.com/gorilla/csrf"

// token returns the setting of gorilla/csrf. The cookie's name is "_gorilla_csrf" if no
// option gives another.
func (s *site) token(call *ssa.CallCommon) []setting {
	if callee(call) != csrf+".Protect" {
		return nil
	}
	const by = "gorilla/csrf"
	var all []setting
	for _, o := range s.Elements(call.Args[1]) {
		option, ok := o.Value.(*ssa.Call)
		switch {
		case ok && callee(&option.Call) == csrf+".CookieName":
			all = append(all, named(s.names(s.Origins(option.Call.Args[0])), by, option.Pos())...)
		case ok && strings.HasPrefix(callee(&option.Call), csrf+"."):
		default:
			all = append(all, setting{name: trace.Computed(), by: by, at: call.Pos()})
		}
	}
	if len(all) == 0 {
		all = named([]trace.Text{{Parts: []string{"_gorilla_csrf"}}}, by, call.Pos())
	}
	return all
}

const nosurf = "github.com/justinas/nosurf"

// surf returns the setting of a handler of nosurf. The cookie's name is "csrf_token" if
// the base cookie has none.
func (s *site) surf(i ssa.CallInstruction) []setting {
	made, ok := i.(*ssa.Call)
	if !ok || callee(&made.Call) != nosurf+".New" && callee(&made.Call) != nosurf+".NewPure" {
		return nil
	}
	var names []trace.Text
	for _, base := range s.basesOf(made) {
		switch base := base.Value.(type) {
		case *ssa.Const: // http.Cookie{}
		case *ssa.UnOp:
			names = append(names, s.TextsOf(s.Field(base.X, fieldOf(base.Type(), "Name")))...)
		default:
			names = append(names, trace.Computed())
		}
	}
	if len(names) == 0 {
		names = []trace.Text{{Parts: []string{"csrf_token"}}}
	}
	return named(names, "justinas/nosurf", made.Pos())
}

// basesOf returns the base cookies that calls of SetBaseCookie give to the handler of
// nosurf that this call makes.
func (s *site) basesOf(handler *ssa.Call) (bases []trace.Origin) {
	for instruction := range s.Instructions() {
		call, ok := instruction.(*ssa.Call)
		if !ok || callee(&call.Call) != "(*"+nosurf+".CSRFHandler).SetBaseCookie" {
			continue
		}
		of := func(o trace.Origin) bool { return o.Value == handler }
		if slices.ContainsFunc(s.Origins(call.Call.Args[0]), of) {
			bases = append(bases, s.Origins(call.Call.Args[1])...)
		}
	}
	return bases
}
