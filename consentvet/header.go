package main

import (
	"cmp"
	"go/token"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/tools/go/ssa"

	"github.com/cookiecharter/consent/consentvet/internal/trace"
)

const (
	byHeader   = "a Set-Cookie field"
	byAnyField = "a header field that may be Set-Cookie"
)

// field returns the settings of a call of [net/http.Header.Set] or Add.
func (s *site) field(call *ssa.CallCommon) []setting {
	header, key, line := call.Args[0], call.Args[1], call.Args[2]
	return s.keyed(header, key, func() []trace.Origin { return s.Origins(line) }, call.Pos())
}

// indexed returns the settings of header["Set-Cookie"] = lines. If lines is made from
// the lines that the header had before, those are not set here.
func (s *site) indexed(u *ssa.MapUpdate) []setting {
	if !isType(u.Map.Type(), "net/http", "Header") {
		return nil
	}
	return s.keyed(u.Map, u.Key, func() []trace.Origin {
		return slices.DeleteFunc(s.Elements(u.Value), func(o trace.Origin) bool { return s.wasThere(o.Value, u.Map) })
	}, u.Pos())
}

// wasThere reports whether a value is read from the header's Set-Cookie lines: all of
// them, or one.
func (s *site) wasThere(v, header ssa.Value) bool {
	switch v := v.(type) {
	case *ssa.Lookup:
		return s.isSetCookie(v.Index) && s.sameHeader(v.X, header)
	case *ssa.UnOp:
		element, ok := v.X.(*ssa.IndexAddr)
		return ok && !slices.ContainsFunc(s.Origins(element.X), func(o trace.Origin) bool {
			lines, ok := o.Value.(*ssa.Lookup)
			return !ok || !s.wasThere(lines, header)
		})
	default:
		return false
	}
}

// keyed returns the settings of an assignment of lines to a key of a header. If key and
// line are parameters of one function, a line counts for the key in the same call only.
func (s *site) keyed(header, key ssa.Value, lines func() []trace.Origin, at token.Pos) (all []setting) {
	for _, text := range s.names(s.Origins(key)) {
		if !fits("(?i)", text, "Set-Cookie") || s.ofRequest(header) {
			continue
		}
		if text.Known() {
			all = append(all, s.lines(inCall(lines(), text.At), at)...)
		} else if !s.isMade(header) {
			all = append(all, setting{name: trace.Computed(), by: byAnyField, at: cmp.Or(text.At, at)})
		}
	}
	return all
}

// inCall returns the values that come from one call, all of them if none does.
func inCall(values []trace.Origin, call token.Pos) []trace.Origin {
	of := func(o trace.Origin) bool { return o.At == call }
	if !call.IsValid() || !slices.ContainsFunc(values, of) {
		return values
	}
	return slices.DeleteFunc(slices.Clone(values), func(o trace.Origin) bool { return !of(o) })
}

// isSetCookie reports whether a header's key is Set-Cookie, in any letter case.
func (s *site) isSetCookie(key ssa.Value) bool {
	return slices.ContainsFunc(s.Texts(key), func(text trace.Text) bool {
		return text.Known() && strings.EqualFold(text.String(), "Set-Cookie")
	})
}

// fits reports whether a partly known text may be this string. The flags are those of
// a regular expression, such as "(?i)".
func fits(flags string, text trace.Text, s string) bool {
	if text.Known() && flags == "(?i)" {
		return strings.EqualFold(text.String(), s)
	}
	var parts []string
	for _, part := range text.Parts {
		parts = append(parts, regexp.QuoteMeta(part))
	}
	return regexp.MustCompile("(?s)" + flags + "^" + strings.Join(parts, ".*") + "$").MatchString(s)
}

// ofRequest reports whether a header is that of a request, which sets nothing.
func (s *site) ofRequest(header ssa.Value) bool {
	is := func(v ssa.Value) bool {
		if read, ok := v.(*ssa.UnOp); ok {
			field, ok := read.X.(*ssa.FieldAddr)
			return ok && isType(field.X.Type(), "net/http", "Request")
		}
		return isType(v.Type(), "net/http", "Request") // the origin of its header, if that is not traced further
	}
	origins := s.Origins(header)
	return is(header) || !slices.ContainsFunc(origins, func(o trace.Origin) bool { return !is(o.Value) })
}

// isMade reports whether the source makes the header, so that it is not a response's.
// Code that copies it into a response's header is checked there. Nothing can be set in a
// header that is nil.
func (s *site) isMade(header ssa.Value) bool {
	return !slices.ContainsFunc(s.Origins(header), func(o trace.Origin) bool {
		switch v := o.Value.(type) {
		case *ssa.MakeMap:
			return false
		case *ssa.Const:
			return !v.IsNil()
		default:
			return true
		}
	})
}

// sameHeader reports whether two values may be one header: they have the same origin,
// or come from the Header method of the same writer.
func (s *site) sameHeader(a, b ssa.Value) bool {
	writers := func(header ssa.Value) (found []ssa.Value) {
		for _, o := range s.Origins(header) {
			call, ok := o.Value.(*ssa.Call)
			if !ok || !call.Call.IsInvoke() || call.Call.Method.Name() != "Header" {
				found = append(found, o.Value)
				continue
			}
			for _, writer := range s.Origins(call.Call.Value) {
				found = append(found, writer.Value)
			}
		}
		return found
	}
	of := writers(a)
	return slices.ContainsFunc(writers(b), func(v ssa.Value) bool { return slices.Contains(of, v) })
}

// lines returns the settings of Set-Cookie lines.
func (s *site) lines(lines []trace.Origin, at token.Pos) []setting {
	var all []setting
	for _, o := range lines {
		if written, ok := o.Value.(*ssa.Call); ok && callee(&written.Call) == "(*net/http.Cookie).String" {
			all = append(all, s.cookie(written.Call.Args[0], byHeader, at)...)
			continue
		}
		for _, line := range s.names([]trace.Origin{o}) {
			if !deletion(line.String()) && !s.deletedAt(line.At) { // in String, a '*' stands for a computed value
				all = append(all, named([]trace.Text{nameOf(line)}, byHeader, at)...)
			}
		}
	}
	return all
}

// deletion reports whether a line deletes the cookie that it names.
func deletion(line string) bool {
	c, err := http.ParseSetCookie(line)
	if err != nil {
		return false
	}
	return c.MaxAge < 0 || c.MaxAge == 0 && !c.Expires.IsZero() && c.Expires.Before(time.Now())
}

// nameOf returns the name in a Set-Cookie line. After a computed part nothing of the
// name is certain, since that part may hold the '=' that ends the name.
func nameOf(line trace.Text) trace.Text {
	name := line.Before(";").Before("=")
	first := strings.TrimLeft(name.Parts[0], " \t")
	if name.Known() {
		return trace.Text{Parts: []string{strings.TrimRight(first, " \t")}, At: name.At}
	}
	return trace.Text{Parts: []string{first, ""}, At: name.At}
}
