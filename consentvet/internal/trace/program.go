// Package trace finds the origins of the values of a program: the constants that a
// string may be, the literals that a pointer may point to.
//
// It reads the program in SSA form (golang.org/x/tools/go/ssa), follows values through
// variables, parameters, results, fields, elements and closures, and takes every branch.
// It ignores the order of events. If a function is called from several places, it knows
// which call a value comes from for the last call only. A value that it cannot follow
// is an origin itself.
package trace

import (
	"go/token"
	"go/types"
	"iter"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// A Program is a program whose values can be traced. Make it with [New].
type Program struct {
	functions []*ssa.Function
	edges     map[*ssa.Function]edge
	source    map[*types.Package]bool // the packages that were read from source

	calls    map[*ssa.Function][]*ssa.CallCommon // the static calls of each function
	invokes  map[string][]*ssa.CallCommon        // the calls through an interface, by method
	escapes  map[*ssa.Function]bool              // functions that are used as a value
	closures map[*ssa.Function][]*ssa.MakeClosure
	stores   map[ssa.Value][]*ssa.Store  // to each variable
	members  map[ssa.Value][]*ssa.Store  // to the elements of each array or slice literal
	assigned []*ssa.Store                // to the elements of all others
	fields   map[*types.Var][]*ssa.Store // to each field, in all structs
	updates  []*ssa.MapUpdate
	dynamic  []*ssa.CallCommon          // the calls of function values
	methods  map[string][]*ssa.Function // by name

	asking map[question]bool
	steps  int // since the outermost question was asked

	frames  map[frame]*frame
	through map[*ssa.Function][]*ssa.CallCommon // answers of interfaceCalls
	behind  map[*types.Func][]*ssa.Function     // answers of Implementations
	passed  map[*ssa.Function][]*ssa.CallCommon // answers of dynamicCalls
}

// Source is the source that a program is read from: packages that have been built, with
// [ssa.InstantiateGenerics].
type Source struct {
	Packages []*ssa.Package // all of their functions count

	// Imported packages count as far as the functions of Packages reach into them.
	Imported []*ssa.Package

	// Own reports whether an imported package is the site's own. Reflection may call
	// each exported method of its types. Nil means that none is.
	Own func(*types.Package) bool
}

// New indexes the functions of a program. Functions outside the source are not traced.
func New(from Source) *Program {
	p := &Program{
		edges:    make(map[*ssa.Function]edge),
		source:   make(map[*types.Package]bool),
		methods:  make(map[string][]*ssa.Function),
		calls:    make(map[*ssa.Function][]*ssa.CallCommon),
		invokes:  make(map[string][]*ssa.CallCommon),
		escapes:  make(map[*ssa.Function]bool),
		closures: make(map[*ssa.Function][]*ssa.MakeClosure),
		stores:   make(map[ssa.Value][]*ssa.Store),
		members:  make(map[ssa.Value][]*ssa.Store),
		fields:   make(map[*types.Var][]*ssa.Store),
		asking:   make(map[question]bool),
		frames:   make(map[frame]*frame),
		through:  make(map[*ssa.Function][]*ssa.CallCommon),
		behind:   make(map[*types.Func][]*ssa.Function),
		passed:   make(map[*ssa.Function][]*ssa.CallCommon),
	}
	for _, pkg := range slices.Concat(from.Packages, from.Imported) {
		p.source[pkg.Pkg] = true
	}
	p.read(from)
	// Closures come first, since indexStore needs their bindings.
	for instruction := range p.Instructions() {
		if c, ok := instruction.(*ssa.MakeClosure); ok {
			f := c.Fn.(*ssa.Function)
			p.closures[f] = append(p.closures[f], c)
		}
	}
	for instruction := range p.Instructions() {
		p.index(instruction)
	}
	return p
}

// read finds the functions of the program, in the order of their places.
func (p *Program) read(from Source) {
	if len(from.Packages) == 0 {
		return
	}
	r := &reach{
		program: from.Packages[0].Prog, source: p.source, own: from.Own, edges: p.edges,
		called: make(map[string]edge), values: make(map[types.Type]edge), opened: make(map[*types.Named]bool),
	}
	if r.own == nil {
		r.own = func(*types.Package) bool { return false }
	}
	for _, f := range functions(from.Packages) {
		r.add(f, edge{})
	}
	for _, pkg := range from.Imported {
		r.add(pkg.Func("init"), edge{})
	}
	r.run()
	p.functions = r.order
	slices.SortStableFunc(p.functions, func(a, b *ssa.Function) int { return int(a.Pos() - b.Pos()) })
	for _, f := range p.functions {
		if f.Signature.Recv() != nil {
			p.methods[f.Name()] = append(p.methods[f.Name()], f)
		}
	}
}

// Reached returns the place by which the program reaches a function first, and the function there. It is
// nil if the program begins with f.
func (p *Program) Reached(f *ssa.Function) (from *ssa.Function, at token.Pos) {
	by := p.edges[f]
	return by.from, by.at
}

// Functions returns the functions of the program.
func (p *Program) Functions() []*ssa.Function { return p.functions }

// Instructions yields every instruction of the program.
func (p *Program) Instructions() iter.Seq[ssa.Instruction] {
	return func(yield func(ssa.Instruction) bool) {
		for _, f := range p.functions {
			for _, block := range f.Blocks {
				for _, instruction := range block.Instrs {
					if !yield(instruction) {
						return
					}
				}
			}
		}
	}
}

func (p *Program) index(instruction ssa.Instruction) {
	var callee ssa.Value
	switch i := instruction.(type) {
	case *ssa.Store:
		p.indexStore(i)
	case *ssa.MapUpdate:
		p.updates = append(p.updates, i)
	case ssa.CallInstruction:
		call := i.Common()
		callee = call.Value
		if call.IsInvoke() {
			p.invokes[call.Method.Name()] = append(p.invokes[call.Method.Name()], call)
		} else if f := call.StaticCallee(); f != nil {
			p.calls[f] = append(p.calls[f], call)
		} else if _, builtin := call.Value.(*ssa.Builtin); !builtin {
			p.dynamic = append(p.dynamic, call)
		}
	case *ssa.MakeClosure:
		callee = i.Fn
		for _, user := range *i.Referrers() {
			if call, ok := user.(ssa.CallInstruction); !ok || call.Common().Value != i || slices.Contains(call.Common().Args, ssa.Value(i)) {
				p.escapes[method(i.Fn.(*ssa.Function))] = true
			}
		}
	}
	for _, operand := range instruction.Operands(nil) {
		if f, ok := (*operand).(*ssa.Function); ok && *operand != callee {
			p.escapes[method(f)] = true
		}
	}
}

func (p *Program) indexStore(s *ssa.Store) {
	switch addr := s.Addr.(type) {
	case *ssa.FieldAddr:
		field := FieldOf(addr)
		p.fields[field] = append(p.fields[field], s)
	case *ssa.IndexAddr:
		if literal, ok := addr.X.(*ssa.Alloc); ok {
			p.members[literal] = append(p.members[literal], s)
		} else {
			p.assigned = append(p.assigned, s)
		}
	default:
		for _, variable := range p.captured(addr) {
			p.stores[variable] = append(p.stores[variable], s)
		}
	}
}

// captured returns the variables that an address in a closure refers to.
func (p *Program) captured(addr ssa.Value) []ssa.Value {
	free, ok := addr.(*ssa.FreeVar)
	if !ok {
		return []ssa.Value{addr}
	}
	var variables []ssa.Value
	for _, bound := range p.bindings(free) {
		variables = append(variables, p.captured(bound)...)
	}
	return variables
}

// bindings returns the captured values of a closure's free variable, one for each place
// that makes the closure.
func (p *Program) bindings(free *ssa.FreeVar) []ssa.Value {
	var bound []ssa.Value
	i := slices.Index(free.Parent().FreeVars, free)
	for _, closure := range p.closures[free.Parent()] {
		bound = append(bound, closure.Bindings[i])
	}
	return bound
}

// FieldOf returns the field whose address addr is.
func FieldOf(addr *ssa.FieldAddr) *types.Var {
	return structOf(addr.X.Type().Underlying().(*types.Pointer).Elem()).Field(addr.Field)
}

func structOf(t types.Type) *types.Struct { return t.Underlying().(*types.Struct) }

// Has reports whether the program was given the source of f.
func (p *Program) Has(f *ssa.Function) bool {
	if f.Origin() != nil {
		f = f.Origin()
	}
	for f.Parent() != nil {
		f = f.Parent()
	}
	return len(f.Blocks) > 0 && f.Pkg != nil && p.source[f.Pkg.Pkg]
}
