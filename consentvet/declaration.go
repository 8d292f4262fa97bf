package main

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"

	"github.com/cookiecharter/consent/consentvet/internal/trace"
)

// A declaration is a consent.Cookie that the source fills in.
type declaration struct {
	name      trace.Text
	at        token.Pos
	elsewhere bool // it is marked as set where the source does not show it
}

// declarations returns every cookie that the source declares.
func (s *site) declarations() []declaration {
	var all []declaration
	for instruction := range s.Instructions() {
		store, ok := instruction.(*ssa.Store)
		if !ok {
			continue
		}
		field, ok := store.Addr.(*ssa.FieldAddr)
		if !ok || !isType(field.X.Type(), library, "Cookie") || trace.FieldOf(field).Name() != "Name" {
			continue
		}
		for _, name := range s.Texts(store.Val) {
			at := store.Pos()
			if name.At.IsValid() {
				at = name.At
			}
			all = append(all, declaration{name, at, s.markedElsewhere(at)})
		}
	}
	return all
}

// library is the import path of the package whose declarations these are.
const library = "github.com/cookiecharter/consent"

// mark is how a comment begins that says that something else sets the cookie.
const mark = "consentvet: set elsewhere"

// markedElsewhere reports whether the declaration at this place is marked, on
// one of the lines of its literal. Where a function makes the declarations, or a
// loop, that is the call or the literal that they are made of.
func (s *site) markedElsewhere(at token.Pos) bool {
	file := s.fset.File(at)
	source, ok := s.files[file]
	if !ok {
		return false
	}
	around := s.around(at)
	i := slices.IndexFunc(around, func(node ast.Node) bool {
		literal, ok := node.(*ast.CompositeLit)
		return ok && isType(source.TypeOf(literal), library, "Cookie")
	})
	if i < 0 {
		i = slices.IndexFunc(around, func(node ast.Node) bool {
			switch node.(type) {
			case *ast.CompositeLit, *ast.CallExpr:
				return true
			default:
				return false
			}
		})
	}
	if i < 0 {
		return false
	}
	from, to := file.Line(around[i].Pos()), file.Line(around[i].End())
	for _, group := range source.Comments {
		for _, comment := range group.List {
			line := file.Line(comment.Pos())
			if from <= line && line <= to && strings.HasPrefix(strings.TrimSpace(comment.Text[len("//"):]), mark) {
				return true
			}
		}
	}
	return false
}
