package trace

import (
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// functions returns the functions in the source of the packages, in order. They include
// the initialisation of variables, and the instances of generic functions in place of
// these, but not the wrappers that package ssa generates for methods.
func functions(packages []*ssa.Package) []*ssa.Function {
	var found []*ssa.Function
	seen := make(map[*ssa.Function]bool)
	var visit func(*ssa.Function)
	visit = func(f *ssa.Function) {
		if f == nil || seen[f] || len(f.Blocks) == 0 {
			return
		}
		seen[f] = true
		if generic := f.TypeParams().Len() > 0 && len(f.TypeArgs()) == 0; generic {
			return
		}
		found = append(found, f)
		for _, inner := range f.AnonFuncs {
			visit(inner)
		}
		for _, block := range f.Blocks {
			for _, instruction := range block.Instrs {
				for _, operand := range instruction.Operands(nil) {
					if instance, ok := (*operand).(*ssa.Function); ok && instance.Origin() != nil {
						visit(instance)
					}
				}
			}
		}
	}
	for _, pkg := range packages {
		for _, member := range pkg.Members {
			switch member := member.(type) {
			case *ssa.Function:
				visit(member)
			case *ssa.Type:
				named, ok := member.Type().(*types.Named)
				for i := 0; ok && i < named.NumMethods(); i++ {
					visit(pkg.Prog.FuncValue(named.Method(i)))
				}
			}
		}
	}
	slices.SortStableFunc(found, func(a, b *ssa.Function) int { return int(a.Pos() - b.Pos()) })
	return found
}

// method returns the method of a method value or a method expression, and any other
// function unchanged.
func method(f *ssa.Function) *ssa.Function {
	if f.Synthetic == "" || f.Origin() != nil {
		return f
	}
	object, ok := f.Object().(*types.Func)
	if !ok {
		return f
	}
	if wrapped := f.Prog.FuncValue(object); wrapped != nil {
		return wrapped
	}
	return f
}
