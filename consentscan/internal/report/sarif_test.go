package report_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/consentscan/internal/report"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

func TestSARIFIsAsTheStandardHasIt(t *testing.T) {
	schema := standard(t)
	reports := []report.Report{sample(), {Scan: &seen.Scan{Site: "https://example.org"}}}
	for _, text := range hostile {
		reports = append(reports, hostileReport(text))
	}
	for _, r := range reports {
		for _, output := range outputs[4:6] {
			value, err := jsonschema.UnmarshalJSON(strings.NewReader(written(t, output.write, r)))
			require.NoError(t, err)
			assert.NoError(t, schema.Validate(value), r.Findings)
			value.(map[string]any)["runs"].([]any)[0].(map[string]any)["unknownField"] = 1
			assert.ErrorContains(t, schema.Validate(value), "unknownField")
		}
	}
}

// standard returns the schema of SARIF 2.1.0. A library for SARIF has it in its source, for
// itself alone.
func standard(t *testing.T) *jsonschema.Schema {
	t.Helper()
	dir, err := exec.Command("go", "list", "-f", "{{.Dir}}", reflect.TypeFor[sarif.Report]().PkgPath()).Output()
	require.NoError(t, err)
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(dir)), "schema.go"), nil, 0)
	require.NoError(t, err)
	literal := file.Scope.Lookup("schema").Decl.(*ast.ValueSpec).Values[0].(*ast.BasicLit).Value
	text, err := strconv.Unquote(literal)
	require.NoError(t, err)
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	require.NoError(t, compiler.AddResource("sarif.json", document))
	schema, err := compiler.Compile("sarif.json")
	require.NoError(t, err)
	return schema
}

type result struct {
	RuleID    string
	RuleIndex int
	Locations []struct {
		PhysicalLocation struct {
			ArtifactLocation struct{ URI, URIBaseID string }
			Region           struct{ StartLine int }
		}
	}
	RelatedLocations    []any
	PartialFingerprints map[string]string
}

// results returns those of a log, and the ids of its rules.
func results(t *testing.T, text string) (all []result, rules []string) {
	var log struct {
		Runs []struct {
			Tool struct {
				Driver struct{ Rules []struct{ ID string } }
			}
			Results []result
		}
	}
	require.NoError(t, json.Unmarshal([]byte(text), &log))
	for _, rule := range log.Runs[0].Tool.Driver.Rules {
		rules = append(rules, rule.ID)
	}
	return log.Runs[0].Results, rules
}

func TestEachResultHasItsRuleItsFingerprintAndAPlace(t *testing.T) {
	for _, output := range outputs[4:6] {
		all, rules := results(t, written(t, output.write, sample()))
		require.Len(t, all, len(sample().Findings))
		for _, r := range all {
			assert.Equal(t, r.RuleID, rules[r.RuleIndex])
			assert.NotEmpty(t, r.PartialFingerprints["consentscan/v1"])
			assert.NotEmpty(t, r.Locations[0].PhysicalLocation.ArtifactLocation.URI)
		}
	}
}

func TestAFindingIsShownAtItsLineOfTheDeclarations(t *testing.T) {
	all, _ := results(t, written(t, outputs[5].write, sample()))
	place := all[0].Locations[0].PhysicalLocation
	assert.Equal(t, "config/cookies.json", place.ArtifactLocation.URI)
	assert.Equal(t, 3, place.Region.StartLine, `"_ga" stands there`)
	assert.Len(t, all[0].RelatedLocations, 5)
	assert.Equal(t, 1, all[1].Locations[0].PhysicalLocation.Region.StartLine, "it stands nowhere")
}
