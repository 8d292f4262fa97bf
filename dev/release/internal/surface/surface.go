// Package surface lists what a site can name.
package surface

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cookiecharter/consent/dev/release/internal/repository"
)

// File holds the listing that was decided, from the root of the repository.
const File = "dev/release/api.txt"

// Listing returns the exported declarations of every package that others can import.
func Listing(root string) (string, error) {
	modules, err := repository.Published(root)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, module := range modules {
		if err := list(&b, filepath.Join(root, module.Folder)); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

// list writes the exported declarations of the packages in a module's folder.
func list(b *strings.Builder, folder string) error {
	command := exec.Command("go", "list", "-f", `{{if ne .Name "main"}}{{.ImportPath}} {{.Dir}}{{range .GoFiles}} {{.}}{{end}}{{end}}`, "./...")
	command.Dir = folder
	var complaint strings.Builder
	command.Stderr = &complaint
	packages, err := command.Output()
	if err != nil {
		return fmt.Errorf("go list in %s: %w: %s", folder, err, &complaint)
	}
	for line := range strings.Lines(string(packages)) {
		words := strings.Fields(line)
		if len(words) < 3 || slices.Contains(strings.Split(words[0], "/"), "internal") {
			continue
		}
		declarations, err := exported(words[1], words[2:])
		if err != nil {
			return err
		}
		b.WriteString("package " + words[0] + "\n\n")
		for _, declaration := range declarations {
			b.WriteString(declaration + "\n")
		}
		b.WriteString("\n")
	}
	return nil
}

// exported returns the exported declarations of a package without their comments, in
// alphabetical order: constants, methods by their type, functions, types, variables.
func exported(folder string, names []string) (all []string, err error) {
	positions := token.NewFileSet()
	for _, name := range names {
		file, err := parser.ParseFile(positions, filepath.Join(folder, path.Base(name)), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		if !ast.FileExports(file) {
			continue
		}
		for _, declaration := range file.Decls {
			switch d := declaration.(type) {
			case *ast.GenDecl:
				if d.Tok == token.IMPORT {
					continue
				}
			case *ast.FuncDecl:
				if !nameable(d.Recv) {
					continue
				}
				d.Body = nil
			}
			var b bytes.Buffer
			if err := format.Node(&b, positions, declaration); err != nil {
				return nil, err
			}
			all = append(all, b.String())
		}
	}
	slices.Sort(all)
	return all, nil
}

// nameable reports whether a site can name the type that a method belongs to. It takes away
// what the method itself calls its receiver.
func nameable(receiver *ast.FieldList) bool {
	if receiver == nil {
		return true
	}
	receiver.List[0].Names = nil
	for expression := receiver.List[0].Type; ; {
		switch e := expression.(type) {
		case *ast.StarExpr:
			expression = e.X
		case *ast.IndexExpr: // of a type with a parameter
			expression = e.X
		case *ast.Ident:
			return e.IsExported()
		default:
			return false
		}
	}
}
