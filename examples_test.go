package consent_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whoever reads a type in the documentation finds an example that runs next to it: of the
// type, of a method, or of a function that makes one.
func TestNothingIsLostForWantOfAnExample(t *testing.T) {
	types := 0
	for _, folder := range []string{".", "charter", "consenttest", "disclosures", "inventory"} {
		for _, typ := range documented(t, folder).Types {
			types++
			all := typ.Examples
			for _, f := range append(typ.Funcs, typ.Methods...) {
				all = append(all, f.Examples...)
			}
			assert.NotEmpty(t, all, "%s: %s has no example", folder, typ.Name)
			for _, example := range all {
				assert.True(t, example.Output != "" || example.EmptyOutput, "%s: an example of %s says not what it prints, so that it never runs", folder, typ.Name)
			}
		}
	}
	assert.Greater(t, types, 40)
}

// documented returns the documentation of a package of this module.
func documented(t *testing.T, folder string) *doc.Package {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	require.NoError(t, err)
	positions := token.NewFileSet()
	var files []*ast.File
	for _, name := range names {
		file, err := parser.ParseFile(positions, name, nil, parser.ParseComments)
		require.NoError(t, err)
		files = append(files, file)
	}
	documentation, err := doc.NewFromFiles(positions, files, "github.com/cookiecharter/consent/"+folder)
	require.NoError(t, err)
	return documentation
}
