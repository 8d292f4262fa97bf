package consent_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The README is what a newcomer reads before the first line of code. What does
// not fit stands in the guide next to its code.
func TestNothingIsLostInALongREADME(t *testing.T) {
	page, err := os.ReadFile("README.md")
	require.NoError(t, err)
	assert.LessOrEqual(t, strings.Count(string(page), "\n"), 260, "lines")
	for line := range strings.Lines(withoutCode(string(page))) {
		if !strings.HasPrefix(line, "|") { // a row of a table cannot be broken
			assert.LessOrEqual(t, utf8.RuneCountInString(line), 140, line)
		}
	}
	// .ci/run takes the first such line for the tests of the library alone.
	assert.Equal(t, "    go test ./...", regexp.MustCompile(`(?m)^    go test .*`).FindString(string(page)))

	opening, _, _ := strings.Cut(string(page), "\n## ")
	var contents []string
	for _, to := range links(opening) {
		contents = append(contents, strings.TrimPrefix(to, "#"))
	}
	var sections []string
	for _, heading := range headings(string(page)) {
		if title, ok := strings.CutPrefix(heading, "## "); ok {
			sections = append(sections, anchor(title))
		}
	}
	assert.Equal(t, sections, contents, "the contents at the head of the README")
}

// The README names the tests of each promise by their beginning.
func TestNothingIsInventedInTheNamesOfTests(t *testing.T) {
	page, err := os.ReadFile("README.md")
	require.NoError(t, err)
	var promises []string
	for _, found := range regexp.MustCompile("`(Test\\w+)…`").FindAllStringSubmatch(string(page), -1) {
		promises = append(promises, found[1])
	}
	require.Len(t, promises, 6)
	files, err := filepath.Glob("*_test.go")
	require.NoError(t, err)
	for _, file := range files {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, found := range regexp.MustCompile(`(?m)^func (Test\w+)`).FindAllStringSubmatch(string(source), -1) {
			keeps := func(promise string) bool { return strings.HasPrefix(found[1], promise) }
			assert.True(t, slices.ContainsFunc(promises, keeps), "%s: %s says not which promise it keeps", file, found[1])
		}
	}
}

// A heading that stands twice in a page would hide the second section from links.
func TestNothingIsInventedInTheLinksOfThePages(t *testing.T) {
	followed := 0
	for path, page := range pages(t) {
		seen := make(map[string]bool)
		for _, heading := range headings(page) {
			if strings.HasPrefix(heading, "## ") {
				assert.False(t, seen[heading], "%s: a section stands twice: %s", path, heading)
				seen[heading] = true
			}
		}
		for _, to := range links(page) {
			if strings.Contains(to, ":") {
				continue // to another site
			}
			followed++
			file, section, _ := strings.Cut(to, "#")
			target := path
			if file != "" {
				target = filepath.Join(filepath.Dir(path), file)
			}
			if !assert.True(t, exists(target), "%s: %s does not exist", path, to) || section == "" {
				continue
			}
			content, err := os.ReadFile(target)
			require.NoError(t, err, "%s: %s", path, to)
			var anchors []string
			for _, heading := range headings(string(content)) {
				anchors = append(anchors, anchor(heading))
			}
			assert.Contains(t, anchors, section, "%s: %s", path, to)
		}
	}
	assert.Greater(t, followed, 100)
}

// A program or a part of one that a page shows is one that compiles.
func TestNothingIsInventedInTheProgramsOfThePages(t *testing.T) {
	for _, test := range []struct{ page, program, from string }{
		{"README.md", "examples/quickstart/main.go", "package main\n"},
		{"docs/third-parties.md", "examples/thirdparty/main.go", "func policy("},
	} {
		page, err := os.ReadFile(test.page)
		require.NoError(t, err)
		program, err := os.ReadFile(test.program)
		require.NoError(t, err)
		_, rest, found := strings.Cut(string(program), "\n"+test.from)
		require.True(t, found, test.program)
		assert.True(t, strings.Contains(string(page), "```go\n"+test.from+rest+"```\n"), "%s shows something else than %s", test.page, test.program)
	}
}

// pages returns the text of every page, by its path.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := make(map[string]string)
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == "testdata" || entry.Name() == ".git"):
			return filepath.SkipDir
		case filepath.Ext(path) != ".md":
			return nil
		}
		content, err := os.ReadFile(path)
		found[path] = string(content)
		return err
	})
	require.NoError(t, err)
	for _, guide := range []string{"README.md", "charter/README.md", "examples/README.md", "ledger/README.md", "docs/adopting.md", "docs/third-parties.md"} {
		require.Contains(t, found, filepath.FromSlash(guide))
	}
	return found
}

var (
	block  = regexp.MustCompile("(?ms)^```.*?^```$")
	span   = regexp.MustCompile("`[^`]*`")
	link   = regexp.MustCompile(`\]\(([^)\s]+)\)|\b(?:src|srcset|href)="([^"]+)"`)
	titled = regexp.MustCompile(`(?m)^#+ .*$`)
)

func withoutCode(page string) string { return block.ReplaceAllString(page, "") }

// links returns where the links and the pictures of a page lead.
func links(page string) []string {
	var all []string
	for _, found := range link.FindAllStringSubmatch(span.ReplaceAllString(withoutCode(page), ""), -1) {
		all = append(all, found[1]+found[2])
	}
	return all
}

// headings returns the lines that begin with "#".
func headings(page string) []string { return titled.FindAllString(withoutCode(page), -1) }

// anchor returns the name by which GitHub links to a heading.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, strings.TrimLeft(heading, "# "))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Each path that the map of the code names exists, and so does each function that
// it names next to a file.
func TestNothingIsInventedInTheMap(t *testing.T) {
	quoted := regexp.MustCompile("`([^`\\s]+)`(?:(?:,? (?:function )?)`(\\w+)`(?:[^`]|$))?")
	isPath := regexp.MustCompile(`^[\w.-]+(/[\w.-]*)+$|^[\w-]+\.(go|md|css|js|html|svg|txt|csv)$`)
	paths, functions := 0, 0
	for _, page := range []string{"docs/design.md", "CONTRIBUTING.md"} {
		content, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, found := range quoted.FindAllStringSubmatch(string(content), -1) {
			path, function := found[1], found[2]
			if !isPath.MatchString(path) || strings.HasPrefix(path, "v0.") || strings.Contains(path, "/v0.") {
				continue
			}
			paths++
			if !assert.True(t, exists(path), "%s: %s does not exist", page, path) || function == "" {
				continue
			}
			functions++
			source, err := os.ReadFile(path)
			require.NoError(t, err)
			defined := regexp.MustCompile(`(?m)^(func (\([^)]*\) )?|const )` + function + `\b`)
			assert.True(t, defined.Match(source), "%s: %s has no %s", page, path, function)
		}
	}
	assert.Greater(t, paths, 60)
	assert.Greater(t, functions, 20)
}

// The map names every package of this module, and every other module.
func TestNothingIsLostInTheMap(t *testing.T) {
	content, err := os.ReadFile("docs/design.md")
	require.NoError(t, err)
	rooms := 0
	err = filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() || path == "." {
			return err
		}
		if entry.Name() == "node_modules" || entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".") {
			return filepath.SkipDir
		}
		isModule := exists(filepath.Join(path, "go.mod"))
		if sources, _ := filepath.Glob(filepath.Join(path, "*.go")); isModule || len(sources) > 0 {
			rooms++
			assert.True(t, strings.Contains(string(content), "`"+filepath.ToSlash(path)), "docs/design.md does not name %s", path)
		}
		if isModule {
			return filepath.SkipDir
		}
		return nil
	})
	require.NoError(t, err)
	assert.Greater(t, rooms, 20)
}

// Package consent is read in one sitting, by a map that names each of its files.
func TestNothingIsLostInALongRoot(t *testing.T) {
	page, err := os.ReadFile("docs/design.md")
	require.NoError(t, err)
	_, list, found := strings.Cut(string(page), "The root is to be read in one sitting: at most 3,000 lines, in these files:")
	require.True(t, found)
	list, _, _ = strings.Cut(list, "Modules of their own")
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	lines := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		assert.Contains(t, list, "`"+name+"`")
		source, err := os.ReadFile(name)
		require.NoError(t, err)
		lines += bytes.Count(source, []byte("\n"))
	}
	assert.LessOrEqual(t, lines, 3000)
}
