package roads

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The tables of the guide name every trial of this package, and no other.
func TestTheGuideNamesEveryTrial(t *testing.T) {
	guide, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(guide), "\n## With your framework\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	var named []string
	for line := range strings.Lines(section) {
		if cells := strings.Split(line, " | "); len(cells) > 2 {
			for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[len(cells)-1], -1) {
				named = append(named, name[1])
			}
		}
	}
	tried := slices.Concat(slices.Collect(maps.Keys(routers)), slices.Collect(maps.Keys(servers)), slices.Collect(maps.Keys(started)), slices.Collect(maps.Keys(wrong)))
	assert.ElementsMatch(t, tried, named)
}
