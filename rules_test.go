package consent_test

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNothingIsInventedInTheTableOfRules(t *testing.T) {
	page, err := os.ReadFile("docs/rules.md")
	require.NoError(t, err)
	rules := rows(string(page), 4)
	assert.GreaterOrEqual(t, len(rules), 20)
	assertTests(t, string(page), rules)
}

func TestNothingIsInventedInTheComparison(t *testing.T) {
	content, err := os.ReadFile("docs/comparison.md")
	require.NoError(t, err)
	page := string(content)
	own := rows(page, 3)
	assertTests(t, page, own)
	features := first(own)
	require.GreaterOrEqual(t, len(features), 15)

	_, list, found := strings.Cut(page, "\n## Sources\n")
	require.True(t, found)
	sources := regexp.MustCompile(`(?m)^(\d+)\. .*\]\(\S+\)`).FindAllStringSubmatch(list, -1)
	for i, source := range sources {
		assert.Equal(t, strconv.Itoa(i+1), source[1], "the sources are counted as they are shown")
	}
	number := regexp.MustCompile(`\[(\d+)\](?:[^(]|$)`)
	used := map[string]bool{}
	for _, columns := range []int{5, 7} {
		others := rows(page, columns)
		assert.Equal(t, append(features, "Last release seen"), first(others), "each table has the same rows")
		for _, row := range others {
			for i, cell := range row[1:] {
				numbers := number.FindAllStringSubmatch(cell, -1)
				if len(numbers) == 0 {
					assert.Equal(t, "not found in its documentation", cell, "%s, column %d: a claim without a source", row[0], i+2)
				}
				for _, n := range numbers {
					used[n[1]] = true
				}
			}
		}
	}
	for _, source := range sources {
		assert.True(t, used[source[1]], "nothing refers to source %s", source[1])
		delete(used, source[1])
	}
	assert.Empty(t, used, "sources that are not listed")
}

func TestNothingIsInventedInTheWeightsThatAreCompared(t *testing.T) {
	page, err := os.ReadFile("docs/comparison.md")
	require.NoError(t, err)
	results, err := os.ReadFile("dev/bench/RESULTS.md")
	require.NoError(t, err)
	_, visitor, found := strings.Cut(string(results), "\n## The visitor\n")
	require.True(t, found)
	measured := func(name string) (bytes float64, measured bool) {
		row := regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(name) + ` \| \d+ \| (\d+) \|`).FindStringSubmatch(visitor)
		if row == nil {
			return 0, false
		}
		bytes, err := strconv.ParseFloat(row[1], 64)
		require.NoError(t, err)
		return bytes, true
	}
	bare, found := measured("no banner")
	require.True(t, found)
	weight := func(columns int) []string {
		for _, row := range rows(string(page), columns) {
			if row[0] == "Weight of a first visit" {
				return row[1:]
			}
		}
		return nil
	}
	others := weight(7)
	require.Len(t, others, 6)
	for i, name := range []string{"vanilla-cookieconsent", "klaro", "orejime", "tarteaucitronjs", "c15t"} {
		want := "Not measured here"
		if bytes, found := measured(name); found {
			want = fmt.Sprintf("%.1f KB", (bytes-bare)/1000)
		}
		assert.True(t, strings.HasPrefix(others[i], want), "docs/comparison.md, the row of the weight, column %s: %q is not %s", name, others[i], want)
	}
	least, _ := measured("consent, no script")
	script, _ := measured("consent, script")
	most, _ := measured("consent, cached page")
	most = max(most, script)
	assert.Contains(t, weight(3)[0], fmt.Sprintf("%.1f to %.1f KB", (least-bare)/1000, (most-bare)/1000), "docs/comparison.md, the row of the weight, first table")
}

// rows returns the cells of each row of those tables of a page that have so many
// columns, without the heads.
func rows(page string, columns int) (found [][]string) {
	head := true
	for line := range strings.Lines(page) {
		line, row := strings.CutPrefix(strings.TrimSpace(line), "|")
		switch {
		case !row:
			head = true
		case strings.HasPrefix(line, "---"):
			head = false
		case !head:
			cells := strings.Split(strings.TrimSpace(strings.TrimSuffix(line, "|")), " | ")
			if len(cells) == columns {
				found = append(found, cells)
			}
		}
	}
	return found
}

func first(rows [][]string) (cells []string) {
	for _, row := range rows {
		cells = append(cells, row[0])
	}
	return cells
}

// assertTests asserts that the last cell of each row names tests that are there,
// and the file that holds them, and that the page names no test elsewhere.
func assertTests(t *testing.T, page string, rows [][]string) {
	t.Helper()
	group := regexp.MustCompile("^((?:`Test\\w+`(?:, )?)+) in \\[([^]]+)\\]\\(\\.\\./([^)]+)\\)$")
	name := regexp.MustCompile(`Test\w+`)
	names := 0
	for _, row := range rows {
		for held := range strings.SplitSeq(row[len(row)-1], "; ") {
			parts := group.FindStringSubmatch(held)
			if !assert.NotNil(t, parts, "%s: %q names no tests of a file", row[0], held) {
				continue
			}
			assert.Equal(t, parts[2], parts[3], "%s: the link shows another file", row[0])
			source, err := os.ReadFile(parts[3])
			assert.NoError(t, err, row[0])
			for _, test := range name.FindAllString(parts[1], -1) {
				names++
				assert.True(t, strings.Contains(string(source), "\nfunc "+test+"("), "%s: %s has no %s", row[0], parts[3], test)
			}
		}
	}
	assert.Len(t, name.FindAllString(page, -1), names, "and a test is named nowhere else")
}
