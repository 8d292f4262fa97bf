package main

import (
	"go/constant"
	"go/token"

	"golang.org/x/tools/go/ssa"
)

// mentioned returns the first place in the site's own code that has a cookie's name for
// something else than to declare the cookie or to read it from a request. Code there may
// set the cookie in a way that the command does not know. NoPos means that there is none.
func (s *site) mentioned(cookie *declared) (first token.Pos) {
	declares := make(map[token.Position]bool) // the lines that do
	for _, d := range cookie.declarations {
		declares[s.lineOf(d.at)] = true
	}
	for _, f := range s.Functions() {
		if !s.own[packageOf(f)] {
			continue
		}
		for _, block := range f.Blocks {
			for _, instruction := range block.Instrs {
				if !s.uses(instruction, cookie.name) {
					continue
				}
				if at := s.valid(instruction.Pos(), f); !declares[s.lineOf(at)] && (!first.IsValid() || at < first) {
					first = at
				}
			}
		}
	}
	return first
}

// lineOf returns the line of a place.
func (s *site) lineOf(at token.Pos) token.Position {
	position := s.fset.Position(s.start(at))
	position.Offset, position.Column = 0, 0
	return position
}

// readers are the functions that read a cookie of a request.
var readers = map[string]bool{
	"(*net/http.Request).Cookie": true, "(*net/http.Request).CookiesNamed": true,
}

// uses reports whether an instruction has a name as a constant and may set a cookie of
// that name.
func (s *site) uses(instruction ssa.Instruction, name string) bool {
	switch i := instruction.(type) {
	case *ssa.Store:
		if field, ok := i.Addr.(*ssa.FieldAddr); ok && isType(field.X.Type(), library, "Cookie") {
			return false
		}
	case ssa.CallInstruction:
		if call := i.Common(); readers[callee(call)] || call.IsInvoke() && call.Method.Name() == "Cookie" || reads(call) {
			return false
		}
	case *ssa.BinOp, *ssa.Lookup, *ssa.If:
		return false // compared, or looked up
	}
	for _, operand := range instruction.Operands(nil) {
		if c, ok := (*operand).(*ssa.Const); ok && c.Value != nil && c.Value.Kind() == constant.String && constant.StringVal(c.Value) == name {
			return true
		}
	}
	return false
}

// reads reports whether the called method is named for reading a cookie, as in most
// frameworks.
func reads(call *ssa.CallCommon) bool {
	f := call.StaticCallee()
	if f == nil || f.Signature.Recv() == nil {
		return false
	}
	switch f.Name() {
	case "Cookie", "GetCookie", "Cookies":
		return f.Signature.Results().Len() > 0
	default:
		return false
	}
}
