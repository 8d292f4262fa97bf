package report_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/consentscan/internal/report"
)

func TestEachCheckIsExplained(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../finding/finding.go", nil, 0)
	require.NoError(t, err)
	var declared, known []string
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Check" {
				name, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
				require.NoError(t, err)
				declared = append(declared, name)
			}
		}
		return true
	})
	for _, name := range report.Checks() {
		known = append(known, string(name))
	}
	require.NotEmpty(t, declared)
	assert.ElementsMatch(t, declared, known)
}

func TestEachRuleIsASectionOfTheRules(t *testing.T) {
	rules, err := os.ReadFile("../../../docs/rules.md")
	require.NoError(t, err)
	anchors := make(map[string]bool)
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(string(rules), -1) {
		anchors[strings.ReplaceAll(strings.ToLower(heading[1]), " ", "-")] = true
	}
	found := regexp.MustCompile(`rules\.md#([a-z-]+)`).FindAllStringSubmatch(written(t, outputs[4].write, sample()), -1)
	require.NotEmpty(t, found)
	for _, address := range found {
		assert.True(t, anchors[address[1]], address[0])
	}
}
