package report_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/consentscan/internal/report"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

const schemaFile = "../../schema/report.schema.json"

func validate(t *testing.T, text string) error {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	schema, err := compiler.Compile(schemaFile)
	require.NoError(t, err)
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	require.NoError(t, err)
	return schema.Validate(value)
}

func TestTheSchemaDescribesWhatIsWritten(t *testing.T) {
	for _, output := range outputs[2:4] {
		assert.NoError(t, validate(t, written(t, output.write, sample())), output.file)
		assert.NoError(t, validate(t, written(t, output.write, report.Report{Scan: &seen.Scan{}})), output.file)
	}
}

// Each field of the schema is one that the sample writes, and the other way round.
func TestTheSchemaHasNoFieldButThoseThatAreWritten(t *testing.T) {
	text := written(t, outputs[3].write, sample())
	for _, at := range []string{"", "counts", "findings", "gone", "stages", "problems", "events", "findings.places", "events.by", "events.attributes"} {
		var document any
		require.NoError(t, json.Unmarshal([]byte(text), &document))
		object := document.(map[string]any)
		for part := range strings.SplitSeq(at, ".") {
			if part == "" {
				continue
			}
			var inner any
			if list, ok := object[part].([]any); ok {
				inner = list[0]
			} else {
				inner = object[part]
			}
			object = inner.(map[string]any)
		}
		object["unknownField"] = "x"
		changed, err := json.Marshal(document)
		require.NoError(t, err)
		assert.ErrorContains(t, validate(t, string(changed)), "unknownField", at)
	}

	file, err := os.ReadFile(schemaFile)
	require.NoError(t, err)
	var schema struct {
		Properties map[string]any
		Defs       map[string]struct{ Properties map[string]any } `json:"$defs"`
	}
	require.NoError(t, json.Unmarshal(file, &schema))
	for name, def := range schema.Defs {
		for field := range def.Properties {
			assert.True(t, strings.Contains(text, `"`+field+`": `), "%s.%s", name, field)
		}
	}
	for field := range schema.Properties {
		assert.True(t, strings.Contains(text, `"`+field+`": `), field)
	}
}

func TestTheSchemaKnowsEachCheck(t *testing.T) {
	file, err := os.ReadFile(schemaFile)
	require.NoError(t, err)
	var schema struct {
		Defs struct{ Check struct{ Enum []string } } `json:"$defs"`
	}
	require.NoError(t, json.Unmarshal(file, &schema))
	var names []string
	for _, name := range report.Checks() {
		names = append(names, string(name))
	}
	assert.Equal(t, names, schema.Defs.Check.Enum)
}

func TestEventsAreWrittenIfTheyAreAskedFor(t *testing.T) {
	assert.NotContains(t, written(t, outputs[2].write, sample()), `"events"`)
	text := written(t, outputs[3].write, sample())
	assert.Equal(t, len(sample().Scan.Events), bytes.Count([]byte(text), []byte(`"act": `)))
}
