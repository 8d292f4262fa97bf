package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/go/ssa"
	"golang.org/x/tools/go/ssa/ssautil"

	"github.com/cookiecharter/consent/consentvet/internal/trace"
)

// A site is the source of the packages in the command's arguments.
type site struct {
	*trace.Program
	dir   string // findings name files relative to it
	fset  *token.FileSet
	files map[*token.File]file
}

// A file is one file of the source, with the types of its expressions.
type file struct {
	*ast.File
	*types.Info
}

// load reads packages, and the types of their dependencies. The error has a line for
// each mistake in the source.
func load(dir string, patterns []string) (*site, error) {
	config := &packages.Config{Mode: packages.LoadSyntax, Dir: dir, Fset: token.NewFileSet()}
	loaded, err := packages.Load(config, patterns...)
	if err != nil {
		return nil, fmt.Errorf("consentvet: %w", err)
	}
	s := &site{dir: dir, fset: config.Fset, files: make(map[*token.File]file)}
	if err := s.mistakes(loaded); err != nil {
		return nil, err
	}
	if len(loaded) == 0 {
		return nil, fmt.Errorf("consentvet: no packages match %s", strings.Join(patterns, " "))
	}
	for _, pkg := range loaded {
		for _, f := range pkg.Syntax {
			s.files[s.fset.File(f.FileStart)] = file{f, pkg.TypesInfo}
		}
	}
	program, built := ssautil.Packages(loaded, ssa.InstantiateGenerics)
	program.Build()
	s.Program = trace.New(built)
	return s, nil
}

// mistakes returns the errors of the packages that do not compile, by file and line.
func (s *site) mistakes(loaded []*packages.Package) error {
	var lines []string
	for pkg := range packages.Postorder(loaded) {
		for _, e := range pkg.Errors {
			if strings.HasPrefix(e.Msg, "# ") && len(pkg.Errors) > 1 {
				continue // the compiler's output, which repeats the errors that follow
			}
			where := s.relative(e.Pos)
			if where == "" || where == "-" {
				where = pkg.PkgPath
			}
			lines = append(lines, fmt.Sprintf("consentvet: %s: %s", where, e.Msg))
		}
	}
	if len(lines) == 0 {
		return nil
	}
	slices.Sort(lines)
	return errors.New(strings.Join(slices.Compact(lines), "\n"))
}
