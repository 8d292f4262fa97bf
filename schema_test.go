package consent_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
)

// A schemaObject is an object of docs/declarations.schema.json.
type schemaObject struct {
	Properties map[string]struct{ Description string } `json:"properties"`
	Defs       map[string]schemaObject                 `json:"$defs"`
	ID         string                                  `json:"$id"`
}

// What editors complete and say about a field is what ReadRegistry reads and Go's
// documentation says.
func TestNothingIsInventedInTheSchema(t *testing.T) {
	file, err := os.ReadFile("docs/declarations.schema.json")
	require.NoError(t, err)
	var schema schemaObject
	require.NoError(t, json.Unmarshal(file, &schema))
	written, err := consent.MustRegistry().MarshalJSON()
	require.NoError(t, err)
	assert.Contains(t, string(written), `"$schema":"`+schema.ID+`"`)

	for object, document := range map[string]string{"": `{"?": 0}`, "cookie": `{"cookies": [{"?": 0}]}`, "provider": `{"providers": [{"?": 0}], "cookies": []}`} {
		known := schema.Properties
		if object != "" {
			known = schema.Defs[object].Properties
		}
		_, names, found := strings.Cut(strings.Join(mistakesIn(t, document), "\n"), "there are ")
		require.True(t, found, object)
		names, _, _ = strings.Cut(names, "\n")
		var read []string
		for name := range strings.SplitSeq(names, ", ") {
			read = append(read, name)
		}
		var told []string
		for name := range known {
			told = append(told, name)
		}
		assert.ElementsMatch(t, read, told, "the fields of %q", object)
	}

	link := regexp.MustCompile(`\[([\w.]+)\]`)
	for name, comments := range map[string]map[string]string{"cookie": fieldComments(t, "registry.go", "Cookie"), "provider": fieldComments(t, "tracers.go", "Provider")} {
		for field, comment := range comments {
			if field == "Name" && name == "provider" {
				continue // it refers to the other object
			}
			sentence, _, _ := strings.Cut(link.ReplaceAllString(comment, "$1"), ". ")
			description := schema.Defs[name].Properties[strings.ToLower(field[:1])+field[1:]].Description
			assert.Contains(t, strings.ToLower(description), strings.ToLower(strings.TrimSuffix(sentence, ".")), "the description of %s", field)
		}
	}
}

// fieldComments returns what the source says of each field of a struct.
func fieldComments(t *testing.T, file, name string) map[string]string {
	source, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	require.NoError(t, err)
	comments := make(map[string]string)
	ast.Inspect(source, func(n ast.Node) bool {
		if spec, ok := n.(*ast.TypeSpec); ok && spec.Name.Name == name {
			for _, f := range spec.Type.(*ast.StructType).Fields.List {
				text := f.Doc.Text() + f.Comment.Text()
				comments[f.Names[0].Name] = strings.TrimSpace(strings.ReplaceAll(text, "\n", " "))
			}
		}
		return true
	})
	require.NotEmpty(t, comments)
	return comments
}

func TestNothingIsInventedInTheDeclarationsOfTheGuide(t *testing.T) {
	guide, err := os.ReadFile("docs/adopting.md")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(guide), "```json\n")
	require.True(t, found)
	shown, _, _ := strings.Cut(rest, "```")
	assert.Empty(t, mistakesIn(t, shown))
	_, want, _ := strings.Cut(rest, "      consent: line 10: cookies[0].lifetime: ")
	want, _, _ = strings.Cut(want, "\n")
	assert.Equal(t, []string{"10 cookies[0].lifetime: " + want}, mistakesIn(t, strings.Replace(shown, "13 months", "a while", 1)))
}
