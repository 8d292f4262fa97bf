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

var (
	folder = regexp.MustCompile(`\(([\w/]+)/\)`)
	code   = regexp.MustCompile("`([^`]+)`")
)

// The lines that the guide gives for a framework stand in its example or in its
// trial, which compile.
func TestTheGuideShowsLinesThatAreTried(t *testing.T) {
	table, _, _ := strings.Cut(section(t, "With your framework"), "\n| form |")
	trials := strings.NewReplacer("s.site.", "site.", "s.mw.", "mw.").Replace(source(t, "internal/roads/*_test.go"))
	shown := 0
	for row := range strings.Lines(table) {
		cells := strings.Split(row, " | ")
		if len(cells) != 3 {
			continue
		}
		tried := trials
		for _, name := range folder.FindAllStringSubmatch(cells[2], -1) {
			tried += source(t, name[1]+"/*.go")
		}
		for _, line := range code.FindAllStringSubmatch(cells[1], -1) {
			shown++
			assert.True(t, strings.Contains(tried, line[1]), "nothing tries %s", line[1])
		}
	}
	assert.Greater(t, shown, 20)
}

// So do those for what else stands between a server and its handlers.
func TestTheGuideShowsLinesOfTheExamples(t *testing.T) {
	shown := 0
	for _, paragraph := range strings.Split(section(t, "With other handlers"), "\n**")[1:] {
		name := folder.FindStringSubmatch(paragraph)
		require.NotNil(t, name, paragraph)
		program := source(t, name[1]+"/*.go")
		_, code, _ := strings.Cut(paragraph, "```go\n")
		code, _, _ = strings.Cut(code, "```")
		for line := range strings.Lines(code) {
			shown++
			assert.Contains(t, program, "\t"+line, "examples/%s", name[1])
		}
	}
	assert.Greater(t, shown, 5)
}

// section returns a section of the guide.
func section(t *testing.T, title string) string {
	t.Helper()
	guide, err := os.ReadFile("README.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(guide), "\n## "+title+"\n")
	require.True(t, found, title)
	section, _, _ = strings.Cut(section, "\n## ")
	return section
}

// source returns the files that fit a pattern, one after the other. The test of an
// example shows nothing, and only tests are in internal/roads.
func source(t *testing.T, pattern string) string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, names, pattern)
	var all strings.Builder
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") && !strings.HasSuffix(pattern, "_test.go") {
			continue
		}
		file, err := os.ReadFile(name)
		require.NoError(t, err)
		all.Write(file)
	}
	return all.String()
}
