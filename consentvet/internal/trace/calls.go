package trace

import (
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// interfaceCalls returns the calls through an interface that may call f, a method of a
// type that implements the interface.
func (p *Program) interfaceCalls(f *ssa.Function) []*ssa.CallCommon {
	receiver := f.Signature.Recv()
	if receiver == nil {
		return nil
	}
	if known, ok := p.through[f]; ok {
		return known
	}
	p.through[f] = slices.DeleteFunc(slices.Clone(p.invokes[f.Name()]), func(call *ssa.CallCommon) bool {
		return !implements(receiver.Type(), call)
	})
	return p.through[f]
}

// implements reports whether a call through an interface may call a method of a type.
// The type or a pointer to it has to have all methods of the interface.
func implements(t types.Type, call *ssa.CallCommon) bool {
	called, ok := call.Value.Type().Underlying().(*types.Interface)
	if !ok {
		return false
	}
	if _, pointer := t.Underlying().(*types.Pointer); !pointer {
		t = types.NewPointer(t)
	}
	return types.Implements(t, called)
}

// maxImplementations is the number of methods among which a call through an interface
// counts as understood. Beyond it, the interface is too general to tell.
const maxImplementations = 8

// Implementations returns the methods of the program that a call through an interface
// may call.
func (p *Program) Implementations(call *ssa.CallCommon) []*ssa.Function {
	if known, ok := p.behind[call.Method]; ok {
		return known
	}
	var found []*ssa.Function
	for _, f := range p.methods[call.Method.Name()] {
		if implements(f.Signature.Recv().Type(), call) {
			found = append(found, f)
		}
	}
	if len(found) > maxImplementations {
		found = nil
	}
	p.behind[call.Method] = found
	return found
}

// dynamicCalls returns the calls of a variable, a field or a parameter that may hold f.
func (p *Program) dynamicCalls(f *ssa.Function) []*ssa.CallCommon {
	if known, ok := p.passed[f]; ok {
		return known
	}
	p.passed[f] = nil // while it is being found
	var found []*ssa.CallCommon
	for _, call := range p.dynamic {
		if !sameParameters(f.Signature, call.Signature()) {
			continue
		}
		called := once(p, question{call.Value, nil}, func() []Origin { return p.Origins(call.Value) })
		if slices.ContainsFunc(called, func(o Origin) bool { return functionOf(o.Value) == f }) {
			found = append(found, call)
		}
	}
	p.passed[f] = found
	return found
}

func sameParameters(a, b *types.Signature) bool {
	return types.Identical(a.Params(), b.Params()) && types.Identical(a.Results(), b.Results()) && a.Variadic() == b.Variadic()
}

// functionOf returns the function that a value is, nil if it is none.
func functionOf(v ssa.Value) *ssa.Function {
	if closure, made := v.(*ssa.MakeClosure); made {
		v = closure.Fn
	}
	if f, ok := v.(*ssa.Function); ok {
		return method(f)
	}
	return nil
}
