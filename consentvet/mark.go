package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// How a comment begins that answers a finding.
const (
	elsewhere = "consentvet: set elsewhere" // of a declaration: something sets it that the source does not show
	ignore    = "consentvet: ignore"        // of any line: somebody has looked at it
)

// markedElsewhere reports whether the declaration at this place is marked, on
// one of the lines of its literal. Where a function makes the declarations, or a
// loop, that is also the call or the struct that they are made of, else the line.
func (s *site) markedElsewhere(at token.Pos) bool {
	source := s.files[s.fset.File(at)]
	around := s.around(at)
	i := slices.IndexFunc(around, func(node ast.Node) bool {
		literal, ok := node.(*ast.CompositeLit)
		return ok && isType(source.TypeOf(literal), library, "Cookie")
	})
	if i < 0 {
		i = slices.IndexFunc(around, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.CompositeLit:
				_, ok := source.TypeOf(node).Underlying().(*types.Struct)
				return ok
			case *ast.CallExpr:
				return node.Lparen == at
			default:
				return false
			}
		})
	}
	if i < 0 {
		return s.marked(at, at, elsewhere)
	}
	return s.marked(around[i].Pos(), around[i].End(), elsewhere)
}

// ignored reports whether the line of a finding is marked so.
func (s *site) ignored(l line) bool {
	at := s.start(l.at)
	return s.marked(at, at, ignore)
}

// marked reports whether a comment on the lines between two places begins so.
func (s *site) marked(from, to token.Pos, mark string) bool {
	file := s.fset.File(from)
	source, ok := s.files[file]
	if !ok {
		return false // a file that the go command makes, for cgo
	}
	for _, group := range source.Comments {
		for _, comment := range group.List {
			at := file.Line(comment.Pos())
			if file.Line(from) <= at && at <= file.Line(to) && strings.HasPrefix(strings.TrimSpace(comment.Text[len("//"):]), mark) {
				return true
			}
		}
	}
	return false
}
