package schema_test

import (
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/proxy/internal/config"
)

var update = flag.Bool("update", false, "write consentproxy.schema.json anew")

const file = "consentproxy.schema.json"

// The schema is what the Go types and their comments say: a field that is added there and
// not here turns this red.
//
//	go test ./proxy/schema -update
func TestNothingIsInventedInTheSchema(t *testing.T) {
	made, err := json.MarshalIndent(schemaOf(t), "", "  ")
	require.NoError(t, err)
	made = append(made, '\n')
	if *update {
		require.NoError(t, os.WriteFile(file, made, 0o644))
	}
	written, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(written), string(made))
}

type object = map[string]any

func schemaOf(t *testing.T) object {
	comments := make(map[string]map[string]string)
	read(t, "../internal/config", comments)
	read(t, "../../charter", comments)
	root := structure(t, reflect.TypeFor[config.File](), comments)
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = config.Schema
	root["title"] = "consentproxy.yaml"
	root["description"] = "The settings of consentproxy, which puts consent in front of a site. Also in JSON."
	root["required"] = []string{"targets", "declarations"}
	fields := root["properties"].(object)
	fields["declarations"] = object{
		"description": fields["declarations"].(object)["description"],
		"oneOf":       []any{object{"type": "string"}, object{"$ref": "https://raw.githubusercontent.com/cookiecharter/consent/main/docs/declarations.schema.json"}},
	}
	return root
}

func structure(t *testing.T, of reflect.Type, comments map[string]map[string]string) object {
	fields := make(object)
	for i := range of.NumField() {
		f := of.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" {
			name = strings.ToLower(f.Name[:1]) + f.Name[1:]
		}
		field := value(t, f.Type, comments)
		comment := comments[of.String()][f.Name]
		require.NotEmpty(t, comment, "%s.%s is explained", of, f.Name)
		field["description"] = comment
		fields[name] = field
	}
	return object{"type": "object", "additionalProperties": false, "properties": fields}
}

func value(t *testing.T, of reflect.Type, comments map[string]map[string]string) object {
	switch {
	case of == reflect.TypeFor[consent.Regime]():
		return object{"enum": []string{"opt-in", "uk", "opt-out", "none"}}
	case of == reflect.TypeFor[charter.Layout]():
		return object{"enum": []charter.Layout{charter.BottomBar, charter.TopBar, charter.BottomBox, charter.TopBox, charter.Card}}
	case of == reflect.TypeFor[consent.Text]():
		return object{"type": "object", "additionalProperties": object{"type": "string"}}
	}
	switch of.Kind() {
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Uint64:
		return object{"type": "integer", "minimum": 0}
	case reflect.Int64: // time.Duration
		return object{"type": "string", "pattern": `^[0-9]+(\.[0-9]+)? (second|minute|hour|day|week|month|year)s?$`}
	case reflect.Slice:
		return object{"type": "array", "items": value(t, of.Elem(), comments)}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": value(t, of.Elem(), comments)}
	case reflect.Struct:
		return structure(t, of, comments)
	default:
		t.Fatalf("%v has no form in the file", of)
		return nil
	}
}

// read reads the comments of the fields of each struct in a package.
func read(t *testing.T, folder string, into map[string]map[string]string) {
	files, err := filepath.Glob(folder + "/*.go")
	require.NoError(t, err)
	for _, name := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			if spec, isType := n.(*ast.TypeSpec); isType {
				if of, isStruct := spec.Type.(*ast.StructType); isStruct {
					into[filepath.Base(folder)+"."+spec.Name.Name] = commentsOf(of)
				}
			}
			return true
		})
	}
}

func commentsOf(of *ast.StructType) map[string]string {
	comments := make(map[string]string)
	last := ""
	for _, f := range of.Fields.List {
		text := strings.Join(strings.Fields(f.Doc.Text()+f.Comment.Text()), " ")
		if text == "" {
			text = last // of the field before it, which it shares
		}
		last = text
		for _, name := range f.Names {
			comments[name.Name] = text
		}
	}
	return comments
}
