package examples

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var folder = regexp.MustCompile(`\((\w+)/\)`)

// What the guide shows for a framework are lines of its example, which compiles.
func TestTheGuideShowsLinesOfTheExamples(t *testing.T) {
	guide, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(guide), "\n## With your framework\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")

	shown := make(map[string]bool)
	for _, paragraph := range strings.Split(section, "\n**")[1:] {
		name := folder.FindStringSubmatch(paragraph)
		require.NotNil(t, name, paragraph)
		program := source(t, name[1])
		_, code, _ := strings.Cut(paragraph, "```go\n")
		code, _, _ = strings.Cut(code, "```")
		for line := range strings.Lines(code) {
			assert.Contains(t, program, "\t"+line, "examples/%s", name[1])
		}
		shown[name[1]] = code != ""
	}
	for _, framework := range []string{"nethttp", "chi", "gin", "echo"} {
		assert.True(t, shown[framework], framework)
	}
}

// source returns the files of an example, one after the other.
func source(t *testing.T, folder string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	require.NoError(t, err)
	require.NotEmpty(t, names, folder)
	var all strings.Builder
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := os.ReadFile(name)
		require.NoError(t, err)
		all.Write(file)
	}
	return all.String()
}
