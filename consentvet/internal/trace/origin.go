package trace

import (
	"cmp"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// An Origin is the source of a value: a constant, the variable or literal whose address
// the value is, a function, or else the instruction at which tracing ends.
type Origin struct {
	ssa.Value

	// At is the call that passes the value as a parameter, or the assignment that
	// puts it into a struct, an array or a map: of these, the nearest to the origin.
	// NoPos means that there is none. It distinguishes values that meet in one place.
	At token.Pos

	// Field is the field that the value was read from, of a type that the program
	// declares: the nearest to the origin, nil if there is none.
	Field *types.Var

	in *frame // the calls whose results led here
}

// Origins returns the possible origins of v, without duplicates.
func (p *Program) Origins(v ssa.Value) []Origin { return p.follow([]Origin{{Value: v}}) }

// maxSteps is the number of values that one question may lead to. What lies beyond is not
// followed, so that no source can keep the command busy for long.
const maxSteps = 200_000

func (p *Program) follow(from []Origin) []Origin {
	if len(p.asking) == 0 {
		p.steps = 0
	}
	w := walk{Program: p, seen: make(map[Origin]bool)}
	for _, o := range from {
		w.value(o)
	}
	return w.found
}

// to returns the origin that continues with another value.
func (o Origin) to(v ssa.Value) Origin {
	o.Value = v
	return o
}

// passed returns the origin that continues with what a call passes.
func (o Origin) passed(v ssa.Value, call *ssa.CallCommon) Origin {
	o.Value, o.At = v, call.Pos()
	return o
}

// A walk follows each value once only, since programs have loops.
type walk struct {
	*Program
	seen  map[Origin]bool
	found []Origin
}

func (w *walk) value(o Origin) {
	if w.seen[o] {
		return
	}
	w.seen[o] = true
	if w.steps++; w.steps > maxSteps {
		w.found = append(w.found, o)
		return
	}
	switch v := o.Value.(type) {
	case *ssa.Phi:
		for _, edge := range v.Edges {
			w.value(o.to(edge))
		}
	case *ssa.ChangeType:
		w.value(o.to(v.X))
	case *ssa.ChangeInterface:
		w.value(o.to(v.X))
	case *ssa.MakeInterface:
		w.value(o.to(v.X))
	case *ssa.TypeAssert:
		w.value(o.to(v.X))
	case *ssa.Convert:
		if textual(v.Type()) && textual(v.X.Type()) {
			w.value(o.to(v.X))
		} else {
			w.found = append(w.found, o)
		}
	case *ssa.Slice:
		w.value(o.to(v.X))
	case *ssa.FreeVar:
		for _, bound := range w.bindings(v) {
			w.value(o.to(bound))
		}
	case *ssa.Parameter:
		w.parameter(v, o)
	case *ssa.Call:
		w.result(v, 0, o)
	case *ssa.Extract:
		w.extract(v, o)
	case *ssa.UnOp:
		w.load(v, o)
	case *ssa.Field:
		w.all(w.part(v.X, structOf(v.X.Type()).Field(v.Field)), o)
	case *ssa.Index:
		w.all(w.elementOf(v.X), o)
	case *ssa.Lookup:
		w.all(w.mapped(v.X, mapValue), o)
	default:
		w.found = append(w.found, o)
	}
}

// all continues with the values that o was found to come from. If there are none,
// tracing ends at o.
func (w *walk) all(found []Origin, o Origin) {
	if len(found) == 0 {
		w.found = append(w.found, o)
	}
	for _, next := range found {
		next.At = cmp.Or(next.At, o.At)
		next.Field = cmp.Or(next.Field, o.Field)
		next.in = cmp.Or(next.in, o.in)
		w.value(next)
	}
}

// textual reports whether a value is a string or its bytes.
func textual(t types.Type) bool {
	switch t := t.Underlying().(type) {
	case *types.Basic:
		return t.Kind() == types.String
	case *types.Slice:
		element, ok := t.Elem().Underlying().(*types.Basic)
		return ok && element.Kind() == types.Byte
	default:
		return false
	}
}

// parameter continues with the arguments of each call.
func (w *walk) parameter(v *ssa.Parameter, o Origin) {
	f := v.Parent()
	i := slices.Index(f.Params, v)
	if o.in != nil && o.in.call.StaticCallee() == f {
		next := o.to(o.in.call.Args[i])
		next.At, next.in = o.in.call.Pos(), o.in.outer
		w.value(next)
		return
	}
	o.in = nil // tracing has left the call by another way
	for _, call := range w.calls[f] {
		w.value(o.passed(call.Args[i], call))
	}
	through := w.interfaceCalls(f)
	for _, call := range through {
		if i > 0 { // the receiver is not among the arguments
			w.value(o.passed(call.Args[i-1], call))
		}
	}
	var passed []*ssa.CallCommon
	if w.escapes[f] {
		passed = w.dynamicCalls(f)
	}
	for _, call := range passed {
		if at := i + len(call.Args) - len(f.Params); at >= 0 { // a method value has its receiver already
			w.value(o.passed(call.Args[at], call))
		}
	}
	if len(w.calls[f])+len(through)+len(passed) == 0 || w.escapes[f] && len(passed) == 0 {
		w.found = append(w.found, o)
	}
}

// result continues with one result of a call.
func (w *walk) result(call *ssa.Call, i int, o Origin) {
	if b, ok := call.Call.Value.(*ssa.Builtin); ok && b.Name() == "append" {
		for _, arg := range call.Call.Args {
			w.value(o.to(arg))
		}
		return
	}
	if f := call.Call.StaticCallee(); f != nil && f.Origin() != nil && f.Origin().String() == "cmp.Or" {
		w.all(w.elements(call.Call.Args[0]), o)
		return
	}
	callees, all := w.callees(&call.Call)
	for _, callee := range callees {
		for _, block := range callee.Blocks {
			if r, ok := block.Instrs[len(block.Instrs)-1].(*ssa.Return); ok {
				next := o.to(r.Results[i])
				if call.Call.StaticCallee() == callee {
					next.in = w.enter(&call.Call, o.in)
				}
				w.value(next)
			}
		}
	}
	if !all {
		w.found = append(w.found, o)
	}
}

// callees returns the functions of the program that a call may call. All reports
// whether it can call no others.
func (p *Program) callees(call *ssa.CallCommon) (known []*ssa.Function, all bool) {
	if call.IsInvoke() {
		known = p.Implementations(call)
		return known, len(known) > 0
	}
	origins := once(p, question{call.Value, nil}, func() []Origin { return p.Origins(call.Value) })
	for _, o := range origins {
		f := functionOf(o.Value)
		if f == nil || !p.Has(f) {
			return known, false
		}
		known = append(known, f)
	}
	return known, len(known) > 0
}

// extract continues with one value of a tuple.
func (w *walk) extract(v *ssa.Extract, o Origin) {
	switch from := v.Tuple.(type) {
	case *ssa.Call:
		w.result(from, v.Index, o)
	case *ssa.TypeAssert:
		w.value(o.to(from.X))
	case *ssa.Lookup:
		w.all(w.mapped(from.X, mapValue), o)
	case *ssa.Next:
		ranged, ok := from.Iter.(*ssa.Range)
		switch {
		case ok && v.Index == 1:
			w.all(w.mapped(ranged.X, mapKey), o)
		case ok && v.Index == 2:
			w.all(w.mapped(ranged.X, mapValue), o)
		}
	default:
		w.found = append(w.found, o)
	}
}

// load continues with the values that are written to the address of a read.
func (w *walk) load(v *ssa.UnOp, o Origin) {
	if v.Op != token.MUL || composite(v.Type()) {
		w.found = append(w.found, o) // callers ask for each part of a composite
		return
	}
	switch addr := v.X.(type) {
	case *ssa.FieldAddr:
		if field := FieldOf(addr); w.source[field.Pkg()] {
			o.Field = field
		}
		w.all(w.field(addr.X, FieldOf(addr)), o)
	case *ssa.IndexAddr:
		w.all(w.elements(addr.X), o)
	default:
		w.all(w.variable(addr), o)
	}
}

func composite(t types.Type) bool {
	switch t.Underlying().(type) {
	case *types.Struct, *types.Array:
		return true
	default:
		return false
	}
}
