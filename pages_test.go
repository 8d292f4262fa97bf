package consent_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

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
