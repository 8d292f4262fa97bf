package trace

import (
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/ssa"
)

// A place holds values. It is a variable or the object of a literal; or the elements of
// one, all of which are one place; or a field of one. A field of a type that the program
// declares is the same place in every struct: see [Program.Field].
type place struct {
	root    ssa.Value
	element bool
	field   *types.Var
}

// places returns the places that an address or a slice may lead to.
func (p *Program) places(addr ssa.Value) []place {
	var found []place
	for _, o := range p.Origins(addr) {
		switch at := o.Value.(type) {
		case *ssa.FieldAddr:
			field := FieldOf(at)
			if p.source[field.Pkg()] {
				found = append(found, place{field: field})
				continue
			}
			for _, outer := range p.places(at.X) {
				outer.field = field
				found = append(found, outer)
			}
		case *ssa.IndexAddr:
			for _, outer := range p.places(at.X) {
				outer.element = true
				found = append(found, outer)
			}
		default:
			found = append(found, place{root: o.Value})
		}
	}
	return found
}

// meet reports whether an address may lead to one of these places.
func (p *Program) meet(addr ssa.Value, places []place) bool {
	return slices.ContainsFunc(p.places(addr), func(at place) bool { return slices.Contains(places, at) })
}

// elementType returns the type of the elements of a slice, or of an array at an address.
func elementType(of ssa.Value) types.Type {
	t := of.Type().Underlying()
	if pointer, ok := t.(*types.Pointer); ok {
		t = pointer.Elem().Underlying()
	}
	if list, ok := t.(interface{ Elem() types.Type }); ok {
		return list.Elem()
	}
	return t
}

// variable returns the values that are assigned to the variable at an address.
func (p *Program) variable(addr ssa.Value) []Origin {
	return once(p, question{addr, nil}, func() (found []Origin) {
		for _, at := range p.Origins(addr) {
			for _, s := range p.stores[at.Value] {
				found = append(found, Origin{Value: s.Val})
			}
		}
		return found
	})
}

// elements returns the values that are put into the array or the slice at an address.
func (p *Program) elements(addr ssa.Value) []Origin {
	return once(p, question{addr, nil}, func() (found []Origin) {
		for _, at := range p.Origins(addr) {
			found = append(found, written(p.members[at.Value])...)
		}
		places := p.places(addr)
		for _, s := range p.assigned {
			to := s.Addr.(*ssa.IndexAddr).X
			if types.Identical(elementType(to), elementType(addr)) && p.meet(to, places) {
				found = append(found, Origin{Value: s.Val, At: s.Pos()})
			}
		}
		return found
	})
}

// elementOf returns the elements of an array value.
func (p *Program) elementOf(array ssa.Value) (found []Origin) {
	for _, o := range p.Origins(array) {
		if read, ok := o.Value.(*ssa.UnOp); ok && read.Op == token.MUL {
			found = append(found, p.elements(read.X)...)
		}
	}
	return found
}

// Elements returns the origins of the elements of a slice, or of the array at an
// address. If code outside the program may have filled it, the origin of the slice or
// array stands for those elements.
func (p *Program) Elements(of ssa.Value) []Origin {
	found := p.follow(p.elements(of))
	for _, at := range p.places(of) {
		if !made(at) {
			found = append(found, Origin{Value: at.root})
		}
	}
	return found
}

// written returns the assigned values, with the places of the assignments.
func written(stores []*ssa.Store) []Origin {
	var found []Origin
	for _, s := range stores {
		found = append(found, Origin{Value: s.Val, At: s.Pos()})
	}
	return found
}

func mapKey(u *ssa.MapUpdate) ssa.Value   { return u.Key }
func mapValue(u *ssa.MapUpdate) ssa.Value { return u.Value }

// mapped returns the keys or the values that are put into a map. It returns none for a
// map type of another package, such as [net/http.Header], since code outside the program
// fills such maps too.
func (p *Program) mapped(m ssa.Value, part func(*ssa.MapUpdate) ssa.Value) []Origin {
	if named, ok := types.Unalias(m.Type()).(*types.Named); ok && !p.source[named.Obj().Pkg()] {
		return nil
	}
	return once(p, question{m, nil}, func() (found []Origin) {
		places := p.places(m)
		for _, u := range p.updates {
			if types.Identical(u.Map.Type(), m.Type()) && p.meet(u.Map, places) {
				found = append(found, Origin{Value: part(u), At: u.Pos()})
			}
		}
		return found
	})
}

// Field returns the origins of a field of the struct at an address, none if nothing
// writes to the field.
//
// For a type that the program declares, it returns the origins of that field in every
// struct, since such structs are filled in one place and read in another. Structs of
// other types are distinguished: the name of one [net/http.Cookie] is not that of
// another.
func (p *Program) Field(base ssa.Value, field *types.Var) []Origin {
	return p.follow(p.field(base, field))
}

// FieldAt does the same as Field for the struct at an origin that is an address. If a
// function makes the struct, only what the calls pass that led to the origin counts.
func (p *Program) FieldAt(o Origin, field *types.Var) []Origin {
	found := slices.Clone(p.field(o.Value, field))
	for i := range found {
		found[i].in = o.in
	}
	return p.follow(found)
}

// Inner does the same as Field for a struct that is itself a field, outer, of the struct
// at an address.
func (p *Program) Inner(base ssa.Value, outer, field *types.Var) []Origin {
	places := p.places(base)
	for i := range places {
		places[i].field = outer
	}
	return p.follow(p.fieldAt(places, field))
}

// ElementField does the same as Field for the structs in a slice.
func (p *Program) ElementField(slice ssa.Value, field *types.Var) []Origin {
	places := p.places(slice)
	for i := range places {
		places[i].element = true
	}
	return p.follow(p.fieldAt(places, field))
}

func (p *Program) field(base ssa.Value, field *types.Var) []Origin {
	if p.source[field.Pkg()] {
		return written(p.fields[field])
	}
	return once(p, question{base, field}, func() []Origin { return p.fieldAt(p.places(base), field) })
}

func (p *Program) fieldAt(places []place, field *types.Var) (found []Origin) {
	for _, at := range places {
		for _, s := range p.fields[field] {
			if slices.Contains(p.places(s.Addr.(*ssa.FieldAddr).X), at) {
				found = append(found, Origin{Value: s.Val, At: s.Pos()})
			}
		}
		for _, whole := range p.stored(at) {
			found = append(found, p.part(whole.Value, field)...)
		}
		if !made(at) {
			found = append(found, Origin{Value: at.root})
		}
	}
	return found
}

// stored returns the structs that are written to a place as a whole.
func (p *Program) stored(at place) []Origin {
	switch {
	case at.field != nil && at.root == nil:
		return written(p.fields[at.field])
	case at.field != nil:
		var found []Origin
		for _, s := range p.fields[at.field] {
			if slices.Contains(p.places(s.Addr.(*ssa.FieldAddr).X), place{root: at.root, element: at.element}) {
				found = append(found, Origin{Value: s.Val})
			}
		}
		return found
	case at.element:
		return p.elements(at.root)
	default:
		return written(p.stores[at.root])
	}
}

// made reports whether the program itself makes the object at this place, so that all
// writes to it are known.
func made(at place) bool {
	switch at.root.(type) {
	case nil, *ssa.Alloc, *ssa.Global, *ssa.MakeSlice, *ssa.Const:
		return true
	default:
		return false
	}
}

// part returns the values that a field of a struct value may have.
func (p *Program) part(v ssa.Value, field *types.Var) []Origin {
	if p.source[field.Pkg()] {
		return written(p.fields[field])
	}
	return once(p, question{v, field}, func() (found []Origin) {
		for _, o := range p.Origins(v) {
			if read, ok := o.Value.(*ssa.UnOp); ok && read.Op == token.MUL {
				found = append(found, p.field(read.X, field)...)
			} else if _, zero := o.Value.(*ssa.Const); !zero {
				found = append(found, Origin{Value: o.Value})
			}
		}
		return found
	})
}

// A question identifies a call of once.
type question struct {
	value ssa.Value
	field *types.Var
}

// maxDepth limits how deep questions nest. Real code stays far below.
const maxDepth = 30

// once returns the answer to a question, or nothing if that question is being answered
// already: a value may depend on itself, in a loop.
func once[T any](p *Program, q question, ask func() T) (answer T) {
	if p.asking[q] || len(p.asking) >= maxDepth {
		return answer
	}
	p.asking[q] = true
	defer delete(p.asking, q)
	return ask()
}
