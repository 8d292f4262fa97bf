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

// A line is a message about one place in the source.
type line struct {
	at      token.Pos
	message string
	other   token.Pos // a place that stands for %s in the message; NoPos for none
	cookie  string    // what one line is enough for, in however many places; "" for one line each
}

// sorted returns the lines as text, by file, line and column, without duplicates. Of the
// lines about one cookie it returns the first.
func (s *site) sorted(lines []line) []string {
	type placed struct {
		token.Position
		text, cookie string
	}
	var all []placed
	for _, l := range lines {
		if l.other.IsValid() {
			l.message = fmt.Sprintf(l.message, s.position(l.other))
		}
		all = append(all, placed{s.position(l.at), l.message, l.cookie})
	}
	slices.SortFunc(all, func(a, b placed) int {
		return cmp.Or(strings.Compare(a.Filename, b.Filename), a.Line-b.Line, a.Column-b.Column, strings.Compare(a.text, b.text))
	})
	all = slices.Compact(all)
	places := make(map[string]int)
	for _, p := range all {
		places[p.cookie]++
	}
	var texts []string
	for _, p := range all {
		text := fmt.Sprintf("%s: %s", p.Position, p.text)
		if p.cookie != "" {
			switch n := places[p.cookie]; n {
			case 0:
				continue
			case 1:
			case 2:
				text += " (and 1 more place)"
			default:
				text += fmt.Sprintf(" (and %d more places)", n-1)
			}
			places[p.cookie] = 0
		}
		texts = append(texts, text)
	}
	return texts
}

// position returns a place in a file that is named relative to the command's directory.
func (s *site) position(at token.Pos) token.Position {
	position := s.fset.Position(s.start(at))
	position.Filename = s.relative(position.Filename)
	return position
}

// relative returns a file name, or a position that begins with one, relative to the
// directory of the command. One outside the directory stays absolute.
func (s *site) relative(name string) string {
	return strings.TrimPrefix(name, s.dir+string(filepath.Separator))
}

// start returns the beginning of the code at a place. Package ssa places a call at its
// parenthesis, and a field of a literal at its colon.
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

// around returns the syntax nodes around a place, innermost first.
func (s *site) around(at token.Pos) []ast.Node {
	in, ok := s.files[s.fset.File(at)]
	if !ok {
		return nil // a file that the go command generates for cgo
	}
	path, _ := astutil.PathEnclosingInterval(in.File, at, at)
	return path
}
