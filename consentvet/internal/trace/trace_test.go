package trace_test

import (
	"go/constant"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/tools/go/packages"
	"golang.org/x/tools/go/ssa"
	"golang.org/x/tools/go/ssa/ssautil"

	"github.com/cookiecharter/consent/consentvet/internal/trace"
)

func TestAStringIsWhatTheSourceMakesOfIt(t *testing.T) {
	loaded, err := packages.Load(&packages.Config{Mode: packages.LoadSyntax}, "./testdata/flow")
	require.NoError(t, err)
	require.Zero(t, packages.PrintErrors(loaded))
	built, source := ssautil.Packages(loaded, ssa.InstantiateGenerics)
	built.Build()
	program := trace.New(trace.Source{Packages: source})

	want, got := make(map[token.Position][]string), make(map[token.Position][]string)
	for instruction := range program.Instructions() {
		call, ok := instruction.(*ssa.Call)
		if !ok || call.Call.StaticCallee() == nil || call.Call.StaticCallee().Name() != "is" {
			continue
		}
		at := built.Fset.Position(call.Pos())
		for _, o := range program.Elements(call.Call.Args[1]) {
			want[at] = append(want[at], constant.StringVal(o.Value.(*ssa.Const).Value))
		}
		for _, text := range program.Texts(call.Call.Args[0]) {
			got[at] = append(got[at], text.String())
		}
	}
	assert.Greater(t, len(want), 70)
	for at := range want {
		assert.Equal(t, distinct(want[at]), distinct(got[at]), "flow.go:%d", at.Line)
	}
}

func distinct(texts []string) string {
	slices.Sort(texts)
	return strings.Join(slices.Compact(texts), "|")
}
