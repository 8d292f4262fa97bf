package main

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// The beginnings of comments that answer a finding.
const (
	elsewhere = "consentvet: set elsewhere" // at a declaration: something outside the source sets the cookie
	ignore    = "consentvet: ignore"        // at any line: somebody has checked it
)

// markedElsewhere reports whether a comment marks the declaration at this place as set
// elsewhere. The comment is on one of the lines of the declaration's literal. If a
// function or a loop makes the declaration, it is on a line of the call, or of the
// struct that it is made of; else it is on the line of the place.
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

// ignored reports whether the line of a finding has an ignore comment.
func (s *site) ignored(l line) bool {
	at := s.start(l.at)
	return s.marked(at, at, ignore)
}

// marked reports whether a comment on the lines between two places begins with mark.
func (s *site) marked(from, to token.Pos, mark string) bool {
	file := s.fset.File(from)
	source, ok := s.files[file]
	if !ok {
		return false // a file that the go command generates for cgo
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
