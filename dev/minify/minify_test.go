package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatTravelsIsWhatItWasMadeOf(t *testing.T) {
	const folder = "../../charter"
	made, err := minify(folder)
	require.NoError(t, err)
	for name, want := range made {
		got, err := os.ReadFile(filepath.Join(folder, name))
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got), "%s: run go generate ./charter", name)
	}
}
