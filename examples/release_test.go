package examples

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A module whose go.mod asks for a version of another that is never tagged works
// here, where go.work finds the folders of both, and nowhere else.
func TestEveryModuleAsksForTheVersionThatTheChangelogBeginsWith(t *testing.T) {
	changes, err := os.ReadFile("../CHANGELOG.md")
	require.NoError(t, err)
	heading := regexp.MustCompile(`(?m)^## \[(\d+\.\d+\.\d+)\]`).FindSubmatch(changes)
	require.NotNil(t, heading)
	version := "v" + string(heading[1])
	ours := regexp.MustCompile(`(?m)^(?:require|\t)\s*(github\.com/cookiecharter/consent\S*) (v\S+)`)
	asked := 0
	err = filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Name() != "go.mod" {
			return err
		}
		content, err := os.ReadFile(path)
		for _, required := range ours.FindAllSubmatch(content, -1) {
			asked++
			assert.Equal(t, version, string(required[2]), "%s requires %s", path, required[1])
		}
		return err
	})
	require.NoError(t, err)
	assert.GreaterOrEqual(t, asked, 5)
}
