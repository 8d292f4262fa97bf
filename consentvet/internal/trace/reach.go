package trace

import (
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"
)

// An edge is the place by which a function is reached first.
type edge struct {
	from *ssa.Function // nil for a function where reading begins
	at   token.Pos
}

// A reach finds the functions of a program that may run: those of the packages that it
// begins with, those that start a package, and in turn every function that one of them
// mentions, and every method that a value in an interface may be asked for.
//
// It goes breadth first, so that each function is known by a shortest way to it.
type reach struct {
	program *ssa.Program
	source  map[*types.Package]bool
	own     func(*types.Package) bool
	edges   map[*ssa.Function]edge
	order   []*ssa.Function

	called map[string]edge       // methods that are called through an interface, by name
	values map[types.Type]edge   // types of values in interfaces
	types  []types.Type          // the keys of values, in order
	opened map[*types.Named]bool // interfaces whose methods code outside the program may call
}

func (r *reach) add(f *ssa.Function, by edge) {
	if f == nil {
		return
	}
	f = method(f)
	if _, known := r.edges[f]; known || len(f.Blocks) == 0 {
		return
	}
	if generic := f.TypeParams().Len() > 0 && len(f.TypeArgs()) == 0; generic {
		return
	}
	r.edges[f] = by
	r.order = append(r.order, f)
}

// run follows every function, those that it finds on the way too.
func (r *reach) run() {
	for i := 0; i < len(r.order); i++ {
		f := r.order[i]
		for _, block := range f.Blocks {
			for _, instruction := range block.Instrs {
				r.follow(instruction, edge{f, instruction.Pos()})
			}
		}
	}
}

func (r *reach) follow(instruction ssa.Instruction, by edge) {
	for _, operand := range instruction.Operands(nil) {
		if f, ok := (*operand).(*ssa.Function); ok {
			r.add(f, by)
		}
	}
	switch i := instruction.(type) {
	case *ssa.MakeInterface:
		r.open(i.Type(), by)
		r.value(i.X.Type(), by)
	case *ssa.ChangeInterface:
		r.open(i.Type(), by)
	case ssa.CallInstruction:
		if call := i.Common(); call.IsInvoke() {
			r.call(call.Method.Name(), by)
		}
	}
}

// open takes note of the methods of an interface of another package: code that is not
// read may call them.
func (r *reach) open(t types.Type, by edge) {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || r.opened[named] || r.source[named.Obj().Pkg()] {
		return
	}
	r.opened[named] = true
	for method := range named.Underlying().(*types.Interface).Methods() {
		r.call(method.Name(), by)
	}
}

func (r *reach) call(name string, by edge) {
	if _, known := r.called[name]; known {
		return
	}
	r.called[name] = by
	for _, t := range r.types {
		r.methods(t, by, func(m string) bool { return m == name })
	}
}

func (r *reach) value(t types.Type, by edge) {
	if _, known := r.values[t]; known {
		return
	}
	r.values[t] = by
	r.types = append(r.types, t)
	pkg := packageOf(t)
	r.methods(t, by, func(name string) bool {
		_, called := r.called[name]
		return called || pkg != nil && r.own(pkg) && token.IsExported(name)
	})
}

// methods adds methods of a type that are in the program.
func (r *reach) methods(t types.Type, by edge, wanted func(name string) bool) {
	set := r.program.MethodSets.MethodSet(t)
	for i := range set.Len() {
		f, ok := set.At(i).Obj().(*types.Func)
		if ok && wanted(f.Name()) && r.source[f.Pkg()] {
			r.add(r.program.FuncValue(f), by)
		}
	}
}

func packageOf(t types.Type) *types.Package {
	if pointer, ok := types.Unalias(t).(*types.Pointer); ok {
		t = pointer.Elem()
	}
	if named, ok := types.Unalias(t).(*types.Named); ok {
		return named.Obj().Pkg()
	}
	return nil
}
