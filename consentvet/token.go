package main

import (
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/cookiecharter/consent/consentvet/internal/trace"
)

const csrf = "github.com/gorilla/csrf"

// token returns the cookie of gorilla/csrf, which is called "_gorilla_csrf" where
// no option gives it a name.
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
			all = append(all, set(s.Texts(option.Call.Args[0]), by, option.Pos())...)
		case ok && strings.HasPrefix(callee(&option.Call), csrf+"."):
		default:
			all = append(all, setting{trace.Computed(), by, call.Pos()})
		}
	}
	if len(all) == 0 {
		all = set([]trace.Text{{Parts: []string{"_gorilla_csrf"}}}, by, call.Pos())
	}
	return all
}
