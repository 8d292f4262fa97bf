package main

import (
	"go/token"
	"go/types"
	"regexp"
	"slices"

	"golang.org/x/tools/go/ssa"

	"github.com/cookiecharter/consent/consentvet/internal/trace"
)

// The packages of servers that are not net/http's. A cookie gets its name by SetKey.
const (
	fasthttp = "github.com/valyala/fasthttp"
	hertz    = "github.com/cloudwego/hertz/pkg/protocol"
)

// keyOf returns the setting of a cookie of fasthttp or of hertz.
func (s *site) keyOf(call *ssa.CallCommon) []setting {
	switch callee(call) {
	case "(*" + fasthttp + ".Cookie).SetKey", "(*" + fasthttp + ".Cookie).SetKeyBytes",
		"(*" + hertz + ".Cookie).SetKey", "(*" + hertz + ".Cookie).SetKeyBytes":
		names := slices.DeleteFunc(s.names(s.Origins(call.Args[1])), func(name trace.Text) bool { return s.deletedAt(name.At) })
		return named(names, "a cookie's SetKey", call.Pos())
	default:
		return nil
	}
}

// unseen returns the setting of a call of a method SetCookie, through an interface of
// which no type was read: of a cookie, or of its name.
func (s *site) unseen(call *ssa.CallCommon) []setting {
	if !call.IsInvoke() || call.Method.Name() != "SetCookie" || len(call.Args) == 0 || len(s.Implementations(call)) > 0 {
		return nil
	}
	switch by := call.Method.Pkg().Path(); {
	case isType(call.Args[0].Type(), "net/http", "Cookie"):
		return s.cookie(call.Args[0], by, call.Pos())
	case isString(call.Args[0].Type()):
		return named(s.names(s.Origins(call.Args[0])), by, call.Pos())
	default:
		return nil
	}
}

var (
	setter = regexp.MustCompile(`^(Set|Add|Append|Insert)`)
	holder = regexp.MustCompile(`(?i)header|response|writer|context|ctx`)
)

// foreignField returns the settings of a field that is set by a method of a package whose
// source is not read: a method that sets or adds, of a type for headers or responses, whose
// first two arguments are texts and the first is Set-Cookie.
func (s *site) foreignField(call *ssa.CallCommon) []setting {
	var method *types.Func
	args := call.Args
	if call.IsInvoke() {
		method = call.Method
	} else if f := call.StaticCallee(); f != nil && !s.Has(f) && f.Signature.Recv() != nil && len(args) > 0 {
		method, _ = f.Object().(*types.Func)
		args = args[1:]
	}
	if method == nil || len(args) < 2 || !isText(args[0]) || !isText(args[1]) || !setter.MatchString(method.Name()) {
		return nil
	}
	receiver := method.Signature().Recv().Type()
	if isType(receiver, "net/http", "Header") || isType(receiver, "net/textproto", "MIMEHeader") || !holder.MatchString(receiver.String()) {
		return nil
	}
	if call.IsInvoke() && len(s.Implementations(call)) > 0 {
		return nil // the calls inside are checked instead
	}
	var all []setting
	for _, key := range s.names(s.Origins(args[0])) {
		if key.Known() && fits("(?i)", key, "Set-Cookie") {
			all = append(all, s.lines(inCall(s.Origins(args[1]), key.At), call.Pos())...)
		}
	}
	return all
}

// isText reports whether a value is a string or its bytes.
func isText(v ssa.Value) bool {
	if isString(v.Type()) {
		return true
	}
	list, ok := v.Type().Underlying().(*types.Slice)
	return ok && types.Identical(list.Elem(), types.Typ[types.Byte])
}

// deletedAt reports whether the cookie is deleted whose name an imported package is given
// at this place: a call with a negative number, or a struct whose age is negative or whose
// end has passed.
func (s *site) deletedAt(at token.Pos) bool {
	if !s.isOwn(at) {
		return false
	}
	f := s.functionAt(at)
	if f == nil {
		return false
	}
	for _, block := range f.Blocks {
		for _, instruction := range block.Instrs {
			switch i := instruction.(type) {
			case ssa.CallInstruction:
				call := i.Common()
				if call.Pos() == at && !s.callsOwn(call) && (s.isGivenNegative(call) || s.endsResult(i)) {
					return true
				}
			case *ssa.Store:
				if field, ok := i.Addr.(*ssa.FieldAddr); ok && i.Pos() == at && s.ended(field.X) {
					return true
				}
			}
		}
	}
	return false
}

// endsResult reports whether the code ends the cookie that a call returns.
func (s *site) endsResult(i ssa.CallInstruction) bool {
	call, ok := i.(*ssa.Call)
	if !ok {
		return false
	}
	for _, user := range *call.Referrers() {
		if cookie, ok := user.(*ssa.Extract); ok && isType(cookie.Type(), "net/http", "Cookie") && s.ended(cookie) {
			return true
		}
	}
	return false
}

func (s *site) callsOwn(call *ssa.CallCommon) bool {
	f := call.StaticCallee()
	return f != nil && s.own[packageOf(f)]
}

// isGivenNegative reports whether an argument of a call is a negative number, one of
// several that are passed as a list too.
func (s *site) isGivenNegative(call *ssa.CallCommon) bool {
	for _, arg := range call.Args {
		values := []trace.Origin{{Value: arg}}
		if list, ok := arg.(*ssa.Slice); ok && call.Signature().Variadic() {
			values = s.Elements(list)
		}
		if slices.ContainsFunc(values, negative) {
			return true
		}
	}
	return false
}

// ended reports whether a struct at an address has a negative age, or an end that has
// passed, in every assignment.
func (s *site) ended(address ssa.Value) bool {
	ages, ends := 0, 0
	for _, user := range *address.Referrers() {
		field, ok := user.(*ssa.FieldAddr)
		if !ok {
			continue
		}
		name := trace.FieldOf(field).Name()
		for _, use := range *field.Referrers() {
			store, ok := use.(*ssa.Store)
			if !ok || store.Addr != field {
				continue
			}
			value := trace.Origin{Value: store.Val}
			switch {
			case name == "MaxAge" && !negative(value), name == "Expires" && !past(value):
				return false
			case name == "MaxAge":
				ages++
			case name == "Expires":
				ends++
			}
		}
	}
	return ages+ends > 0
}
