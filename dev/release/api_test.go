package main_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/dev/release/internal/surface"
)

const root = "../.."

var update = flag.Bool("update", false, "write api.txt anew")

// api.txt holds what a site can name, so that a change to it is a decision and is seen in a
// review: go test ./dev/release -run Surface -update.
func TestTheSurfaceThatSitesRelyOnIsAsItWasDecided(t *testing.T) {
	file := filepath.Join(root, surface.File)
	listing, err := surface.Listing(root)
	require.NoError(t, err)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(listing), 0o644))
	}
	decided, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Empty(t, missing(string(decided), listing), "decided, and no longer there")
	assert.Empty(t, missing(listing, string(decided)), "new")
	assert.True(t, string(decided) == listing, "api.txt is to be written anew")
}

// missing returns the lines of one listing that the other has not.
func missing(from, to string) (lines []string) {
	there := strings.Split(to, "\n")
	for line := range strings.SplitSeq(from, "\n") {
		if !slices.Contains(there, line) {
			lines = append(lines, line)
		}
	}
	return lines
}
