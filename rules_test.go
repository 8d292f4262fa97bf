package consent_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNothingIsInventedInTheTableOfRules(t *testing.T) {
	page, err := os.ReadFile("docs/rules.md")
	require.NoError(t, err)
	// In the last cell: names, and the file that holds them.
	group := regexp.MustCompile("^((?:`Test\\w+`(?:, )?)+) in \\[([^]]+)\\]\\(\\.\\./([^)]+)\\)$")
	name := regexp.MustCompile(`Test\w+`)
	rules, names := 0, 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) != 4 || strings.HasPrefix(line, "| rule |") {
			continue
		}
		rules++
		rule, tests := cells[0], strings.TrimSpace(cells[3])
		for held := range strings.SplitSeq(tests, "; ") {
			parts := group.FindStringSubmatch(held)
			if !assert.NotNil(t, parts, "%s: %q names no tests of a file", rule, held) {
				continue
			}
			assert.Equal(t, parts[2], parts[3], "%s: the link shows another file", rule)
			source, err := os.ReadFile(parts[3])
			assert.NoError(t, err, rule)
			for _, test := range name.FindAllString(parts[1], -1) {
				names++
				assert.True(t, strings.Contains(string(source), "\nfunc "+test+"("), "%s: %s has no %s", rule, parts[3], test)
			}
		}
	}
	assert.GreaterOrEqual(t, rules, 20)
	assert.Len(t, name.FindAllString(string(page), -1), names, "and a test is named nowhere else")
}
