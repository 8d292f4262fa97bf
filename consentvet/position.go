package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/astutil"
)

// A line is something to tell about one place in the source.
type line struct {
	at      token.Pos
	message string
}

// sorted returns the lines as they are printed, by file and line, each once.
func (s *site) sorted(lines []line) []string {
	type placed struct {
		token.Position
		text string
	}
	var all []placed
	for _, l := range lines {
		at := s.fset.Position(s.start(l.at))
		at.Filename = s.relative(at.Filename)
		all = append(all, placed{at, fmt.Sprintf("%s: %s", at, l.message)})
	}
	slices.SortFunc(all, func(a, b placed) int {
		return cmp.Or(strings.Compare(a.Filename, b.Filename), a.Line-b.Line, a.Column-b.Column, strings.Compare(a.text, b.text))
	})
	var texts []string
	for _, p := range slices.Compact(all) {
		texts = append(texts, p.text)
	}
	return texts
}

// relative shortens the name of a file below the directory of the command, or
// a position that begins with one.
func (s *site) relative(name string) string {
	return strings.TrimPrefix(name, s.dir+string(filepath.Separator))
}

// start returns where a reader looks for what package ssa knows by the middle:
// a call by its parenthesis, a field of a literal by its colon.
func (s *site) start(at token.Pos) token.Pos {
	for _, node := range s.around(at) {
		switch node := node.(type) {
		case *ast.CallExpr:
			if node.Lparen == at {
				return node.Pos()
			}
		case *ast.KeyValueExpr:
			if node.Colon == at {
				return node.Value.Pos()
			}
		case *ast.IndexExpr:
			if node.Lbrack == at {
				return node.Pos()
			}
		}
	}
	return at
}

// around returns what a place in the source is inside of, innermost first.
func (s *site) around(at token.Pos) []ast.Node {
	in, ok := s.files[s.fset.File(at)]
	if !ok {
		return nil // a file that the go command makes, for cgo
	}
	path, _ := astutil.PathEnclosingInterval(in.File, at, at)
	return path
}
