package release

import (
	"bytes"
	"flag"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write api.txt anew")

// api.txt holds what a site can name, so that a change to it is a decision and is seen in a
// review: go test ./dev/release -run Surface -update.
func TestTheSurfaceThatSitesRelyOnIsAsItWasDecided(t *testing.T) {
	listing := surface(t)
	if *update {
		require.NoError(t, os.WriteFile("api.txt", []byte(listing), 0o644))
	}
	decided, err := os.ReadFile("api.txt")
	require.NoError(t, err)
	assert.Equal(t, strings.Split(string(decided), "\n"), strings.Split(listing, "\n"))
}

// surface returns the exported declarations of every package that others can import.
func surface(t *testing.T) string {
	var b strings.Builder
	for _, folder := range published(t) {
		packages := run(t, folder, nil, "list", "-f", `{{if ne .Name "main"}}{{.ImportPath}} {{.Dir}}{{range .GoFiles}} {{.}}{{end}}{{end}}`, "./...")
		for line := range strings.Lines(packages) {
			words := strings.Fields(line)
			if len(words) < 3 || slices.Contains(strings.Split(words[0], "/"), "internal") {
				continue
			}
			b.WriteString("package " + words[0] + "\n\n")
			for _, declaration := range exported(t, words[1], words[2:]) {
				b.WriteString(declaration + "\n")
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

// hidden matches the methods of a type that nobody can name.
var hidden = regexp.MustCompile(`^func \((\w+ )?\*?[a-z]`)

// exported returns the exported declarations of a package without their comments, in
// alphabetical order: constants, functions, types, variables, methods by their type.
func exported(t *testing.T, folder string, names []string) (all []string) {
	positions := token.NewFileSet()
	for _, name := range names {
		file, err := parser.ParseFile(positions, filepath.Join(folder, path.Base(name)), nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		if !ast.FileExports(file) {
			continue
		}
		for _, declaration := range file.Decls {
			switch d := declaration.(type) {
			case *ast.FuncDecl:
				d.Body = nil
				if text := printed(t, positions, d); !hidden.MatchString(text) {
					all = append(all, text)
				}
			case *ast.GenDecl:
				if d.Tok != token.IMPORT {
					all = append(all, printed(t, positions, d))
				}
			}
		}
	}
	slices.Sort(all)
	return all
}

func printed(t *testing.T, positions *token.FileSet, declaration ast.Decl) string {
	var b bytes.Buffer
	require.NoError(t, format.Node(&b, positions, declaration))
	return b.String()
}
