package main

import (
	"go/constant"
	"go/token"
	"slices"
	"time"

	"golang.org/x/tools/go/ssa"

	"github.com/cookiecharter/consent/consentvet/internal/trace"
)

// cookie returns the settings of the [net/http.Cookie] at an address, of each one if the
// address may be that of several. A function that makes cookies makes one for each call.
func (s *site) cookie(address ssa.Value, by string, at token.Pos) (all []setting) {
	seen := make(map[trace.Origin]bool)
	for _, o := range s.Origins(address) {
		o.At, o.Field = token.NoPos, nil
		if seen[o] {
			continue
		}
		seen[o] = true
		if isType(o.Value.Type(), "net/http", "Cookie") {
			all = append(all, s.oneCookie(o, by, at)...)
		} else { // it was in an interface
			all = append(all, setting{name: trace.Computed(), by: by, at: at})
		}
	}
	return all
}

func (s *site) oneCookie(cookie trace.Origin, by string, at token.Pos) []setting {
	var names []trace.Text
	for _, o := range s.FieldAt(cookie, fieldOf(cookie.Type(), "Name")) {
		if made, ok := o.Value.(*ssa.Call); ok && callee(&made.Call) == "github.com/gorilla/sessions.NewCookie" {
			names = append(names, s.names(s.Origins(made.Call.Args[0]))...)
		} else {
			names = append(names, s.names([]trace.Origin{o})...)
		}
	}
	names = slices.DeleteFunc(names, func(name trace.Text) bool { return s.deletes(cookie, name) || s.deletedAt(name.At) })
	return named(names, by, at)
}

// deletes reports whether a cookie of this name is always a deletion. If name and age
// are parameters of one function, an age counts for the name in the same call only.
func (s *site) deletes(cookie trace.Origin, name trace.Text) bool {
	ages := s.FieldAt(cookie, fieldOf(cookie.Type(), "MaxAge"))
	if of := func(o trace.Origin) bool { return o.At == name.At }; slices.ContainsFunc(ages, of) {
		ages = slices.DeleteFunc(ages, func(o trace.Origin) bool { return !of(o) })
	}
	if len(ages) > 0 {
		return !slices.ContainsFunc(ages, func(o trace.Origin) bool { return !negative(o) })
	}
	ends := s.FieldAt(cookie, fieldOf(cookie.Type(), "Expires"))
	return len(ends) > 0 && !slices.ContainsFunc(ends, func(o trace.Origin) bool { return !past(o) })
}

func negative(age trace.Origin) bool {
	c, ok := age.Value.(*ssa.Const)
	return ok && c.Value != nil && c.Value.Kind() == constant.Int && constant.Sign(c.Value) < 0
}

// past reports whether a time is always in the past: the Unix time or the date of a
// constant, or so long before the time when it is asked.
func past(end trace.Origin) bool {
	call, ok := end.Value.(*ssa.Call)
	if !ok {
		return false
	}
	number := func(i int) (n int64, ok bool) {
		c, ok := call.Call.Args[i].(*ssa.Const)
		if !ok || c.Value == nil {
			return 0, false
		}
		return c.Int64(), true
	}
	switch callee(&call.Call) {
	case "time.Unix":
		seconds, ok := number(0)
		return ok && seconds < time.Now().Unix()
	case "time.Date":
		year, ok := number(0)
		return ok && year < int64(time.Now().Year())
	case "(time.Time).Add", "(time.Time).AddDate":
		now, ok := call.Call.Args[0].(*ssa.Call)
		by, constant := number(1)
		return ok && callee(&now.Call) == "time.Now" && constant && by < 0
	case "(time.Time).UTC", "(time.Time).In", "(time.Time).Local":
		return past(trace.Origin{Value: call.Call.Args[0]})
	default:
		return false
	}
}
