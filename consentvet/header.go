package main

import (
	"go/token"
	"slices"
	"strings"
	"time"

	"golang.org/x/tools/go/ssa"

	"github.com/cookiecharter/consent/consentvet/internal/trace"
	"github.com/cookiecharter/consent/internal/setcookie"
)

const byHeader = "a Set-Cookie field"

// field returns what a call of [net/http.Header.Set] or Add sets.
func (s *site) field(call *ssa.CallCommon) []setting {
	if !s.isSetCookie(call.Args[1]) {
		return nil
	}
	return s.lines(s.Origins(call.Args[2]), call.Pos())
}

// indexed returns what is set by header["Set-Cookie"] = lines.
func (s *site) indexed(u *ssa.MapUpdate) []setting {
	if !isType(u.Map.Type(), "net/http", "Header") || !s.isSetCookie(u.Key) {
		return nil
	}
	lines := slices.DeleteFunc(s.Elements(u.Value), func(o trace.Origin) bool {
		_, before := o.Value.(*ssa.Lookup) // the lines that others have set are appended to
		return before
	})
	return s.lines(lines, u.Pos())
}

// isSetCookie reports whether a header's key may be Set-Cookie.
func (s *site) isSetCookie(key ssa.Value) bool {
	for _, text := range s.Texts(key) {
		if text.Known() && strings.EqualFold(text.String(), "Set-Cookie") {
			return true
		}
	}
	return false
}

// lines returns the cookies that Set-Cookie lines set.
func (s *site) lines(lines []trace.Origin, at token.Pos) []setting {
	var all []setting
	for _, o := range lines {
		if written, ok := o.Value.(*ssa.Call); ok && callee(&written.Call) == "(*net/http.Cookie).String" {
			all = append(all, s.cookie(written.Call.Args[0], byHeader, at)...)
			continue
		}
		for _, line := range s.TextsOf([]trace.Origin{o}) {
			// A '*' is as good as any value to see whether a line deletes.
			if reading := setcookie.Read(line.String(), time.Now); reading.Deletion == setcookie.Sure {
				continue
			}
			name := line.Before(";").Before("=")
			name.Parts[0] = strings.TrimLeft(name.Parts[0], " \t")
			last := len(name.Parts) - 1
			name.Parts[last] = strings.TrimRight(name.Parts[last], " \t")
			all = append(all, set([]trace.Text{name}, byHeader, at)...)
		}
	}
	return all
}
