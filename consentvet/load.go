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

// A site is the source of the packages in the command's arguments, and of what they
// import.
type site struct {
	*trace.Program
	dir   string // findings name files relative to it
	fset  *token.FileSet
	files map[*token.File]file // the site's own
	paths map[*types.Package]*packages.Package
	in    map[*token.File]*types.Package
	own   map[*types.Package]bool
}

// A file is one file of the source, with the types of its expressions.
type file struct {
	*ast.File
	*types.Info
}

// load reads packages, those of their imports that may set cookies, and the types of the
// others. The error has a line for each mistake in the source.
func load(dir string, patterns []string) (*site, error) {
	imported, err := findImports(dir, patterns)
	if err != nil {
		return nil, err
	}
	config := &packages.Config{Mode: packages.LoadSyntax | packages.NeedModule, Dir: dir, Fset: token.NewFileSet()}
	loaded, err := packages.Load(config, slices.Concat(patterns, imported.reading)...)
	if err != nil {
		return nil, fmt.Errorf("consentvet: %w", err)
	}
	s := &site{
		dir: dir, fset: config.Fset, files: make(map[*token.File]file),
		paths: make(map[*types.Package]*packages.Package), in: make(map[*token.File]*types.Package), own: make(map[*types.Package]bool),
	}
	if err := s.mistakes(loaded); err != nil {
		return nil, err
	}
	if len(loaded) == 0 {
		return nil, fmt.Errorf("consentvet: no packages match %s", strings.Join(patterns, " "))
	}
	s.build(loaded, imported)
	return s, nil
}

// build makes the program of the packages.
func (s *site) build(loaded []*packages.Package, imported *imports) {
	program, built := ssautil.Packages(loaded, ssa.InstantiateGenerics)
	program.Build()
	source := trace.Source{Own: func(pkg *types.Package) bool { return s.own[pkg] }}
	for i, pkg := range loaded {
		if built[i] == nil {
			continue // its types are not sound, which mistakes has told if it is the site's
		}
		s.paths[pkg.Types] = pkg
		for _, f := range pkg.Syntax {
			s.in[s.fset.File(f.FileStart)] = pkg.Types
		}
		named := imported.site[pkg.PkgPath]
		if named {
			source.Packages = append(source.Packages, built[i])
		} else {
			source.Imported = append(source.Imported, built[i])
		}
		if named || imported.own[pkg.PkgPath] {
			s.own[pkg.Types] = true
			for _, f := range pkg.Syntax {
				s.files[s.fset.File(f.FileStart)] = file{f, pkg.TypesInfo}
			}
		}
	}
	s.Program = trace.New(source)
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
