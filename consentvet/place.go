package main

import (
	"cmp"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/cookiecharter/consent/consentvet/internal/trace"
)

// placed gives a setting its place in the site's own code, and its means: a name may
// stand in a package that the site imports, and the cookie may be set there.
func (s *site) placed(found setting, in *ssa.Function) setting {
	setter := packageOf(in)
	if !s.own[setter] && found.by != byAnyField {
		found.by = setter.Path()
	}
	if s.isOwn(found.at) {
		return found
	}
	found.foreign = true
	if around := s.functionAt(found.at); around != nil {
		found.within = s.sameModule(packageOf(around), setter)
		found.at = s.entry(around)
	} else if pkg := s.packageAt(found.at); pkg != nil { // a variable of the package
		found.within = s.sameModule(pkg, setter)
		found.at = s.firstCall(pkg)
	} else {
		found.within = true
		found.at = token.NoPos
	}
	if !found.at.IsValid() {
		found.at = s.entry(in)
	}
	return found
}

// packageAt returns the package whose source has a place, nil for NoPos.
func (s *site) packageAt(at token.Pos) *types.Package {
	if !at.IsValid() {
		return nil
	}
	return s.in[s.fset.File(at)]
}

// firstCall returns the first place at which the site's own code comes to a package, NoPos if
// it does not.
func (s *site) firstCall(pkg *types.Package) (first token.Pos) {
	for _, f := range s.Functions() {
		if packageOf(f) != pkg {
			continue
		}
		from, at := s.Reached(f)
		if from == nil || !s.own[packageOf(from)] {
			continue
		}
		if at = s.valid(at, from); !first.IsValid() || at < first {
			first = at
		}
	}
	return first
}

// entry returns the place in the site's own code by which it comes to a function, the
// import of its package if the package starts it by itself.
func (s *site) entry(f *ssa.Function) token.Pos {
	for f != nil {
		from, at := s.Reached(f)
		if from != nil && s.own[packageOf(from)] {
			return s.valid(at, from)
		}
		if from == nil {
			return s.imports(packageOf(f))
		}
		f = from
	}
	return token.NoPos
}

// valid returns a place, that of the function if the place is none: package ssa gives
// none to a conversion that the source does not write.
func (s *site) valid(at token.Pos, in *ssa.Function) token.Pos {
	for !at.IsValid() && in != nil {
		at, in = in.Pos(), in.Parent()
	}
	return at
}

// imports returns the first own import of a package, NoPos if only other packages
// import it.
func (s *site) imports(pkg *types.Package) token.Pos {
	first := token.NoPos
	for _, f := range s.files {
		for _, spec := range f.Imports {
			if spec.Path.Value == `"`+pkg.Path()+`"` && (!first.IsValid() || spec.Pos() < first) {
				first = spec.Pos()
			}
		}
	}
	return first
}

// isOwn reports whether a place is in the site's own code.
func (s *site) isOwn(at token.Pos) bool {
	if !at.IsValid() {
		return false
	}
	_, own := s.files[s.fset.File(at)]
	return own
}

// functionAt returns the innermost function of the program around a place, nil if there
// is none.
func (s *site) functionAt(at token.Pos) (innermost *ssa.Function) {
	if !at.IsValid() {
		return nil
	}
	for _, f := range s.Functions() {
		syntax := f.Syntax()
		if syntax == nil || at < syntax.Pos() || at >= syntax.End() {
			continue
		}
		if innermost == nil || syntax.Pos() >= innermost.Syntax().Pos() {
			innermost = f
		}
	}
	return innermost
}

// packageOf returns the package of a function, that of its origin for an instance of a
// generic one.
func packageOf(f *ssa.Function) *types.Package {
	for f.Parent() != nil {
		f = f.Parent()
	}
	if f.Origin() != nil {
		f = f.Origin()
	}
	if f.Pkg != nil {
		return f.Pkg.Pkg
	}
	if f.Object() != nil {
		return f.Object().Pkg()
	}
	return nil
}

func (s *site) sameModule(a, b *types.Package) bool {
	x, y := s.paths[a], s.paths[b]
	return x != nil && y != nil && x.Module != nil && y.Module != nil && x.Module.Path == y.Module.Path
}

// names returns the texts that a name may be. A parameter of an imported function that no
// code calls has none. A name that is read from a request, or from a session that
// [site.session] has found, is the one that the call gives.
func (s *site) names(origins []trace.Origin) (names []trace.Text) {
	for _, o := range origins {
		switch v := o.Value.(type) {
		case *ssa.Parameter:
			if !s.own[packageOf(v.Parent())] {
				continue
			}
		case *ssa.Call:
			if callee(&v.Call) == "(*"+gorilla+".Session).Name" {
				continue
			}
		case *ssa.Extract:
			if read, ok := v.Tuple.(*ssa.Call); ok && callee(&read.Call) == "(*net/http.Request).Cookie" {
				for _, name := range s.names(s.Origins(read.Call.Args[1])) {
					name.At = cmp.Or(o.At, name.At)
					names = append(names, name)
				}
				continue
			}
		}
		names = append(names, s.TextsOf([]trace.Origin{o})...)
	}
	return names
}
