package main

import (
	"go/constant"
	"go/token"
	"slices"
	"time"

	"golang.org/x/tools/go/ssa"

	"github.com/cookiecharter/consent/consentvet/internal/trace"
)

// cookie returns the settings of the [net/http.Cookie] at an address.
func (s *site) cookie(address ssa.Value, by string, at token.Pos) []setting {
	var names []trace.Text
	for _, o := range s.Field(address, fieldOf(address.Type(), "Name")) {
		if made, ok := o.Value.(*ssa.Call); ok && callee(&made.Call) == "github.com/gorilla/sessions.NewCookie" {
			names = append(names, s.Texts(made.Call.Args[0])...)
		} else {
			names = append(names, s.TextsOf([]trace.Origin{o})...)
		}
	}
	names = slices.DeleteFunc(names, func(name trace.Text) bool { return s.deletes(address, name) })
	return set(names, by, at)
}

// deletes reports whether a cookie of this name is always a deletion. If name and age
// are parameters of one function, an age counts for the name in the same call only.
func (s *site) deletes(address ssa.Value, name trace.Text) bool {
	ages := s.Field(address, fieldOf(address.Type(), "MaxAge"))
	if of := func(o trace.Origin) bool { return o.At == name.At }; slices.ContainsFunc(ages, of) {
		ages = slices.DeleteFunc(ages, func(o trace.Origin) bool { return !of(o) })
	}
	if len(ages) > 0 {
		return !slices.ContainsFunc(ages, func(o trace.Origin) bool { return !negative(o) })
	}
	ends := s.Field(address, fieldOf(address.Type(), "Expires"))
	return len(ends) > 0 && !slices.ContainsFunc(ends, func(o trace.Origin) bool { return !past(o) })
}

func negative(age trace.Origin) bool {
	c, ok := age.Value.(*ssa.Const)
	return ok && c.Value != nil && constant.Sign(c.Value) < 0
}

// past reports whether a time is the Unix time of a constant in the past.
func past(end trace.Origin) bool {
	call, ok := end.Value.(*ssa.Call)
	if !ok || callee(&call.Call) != "time.Unix" {
		return false
	}
	seconds, ok := call.Call.Args[0].(*ssa.Const)
	return ok && seconds.Int64() < time.Now().Unix()
}
