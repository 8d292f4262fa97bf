package main

import (
	"errors"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/internal/browsertest"
)

// visitors returns a Chromium and the sites. Where it, or npm's packages, are not
// installed the test is skipped; with CI=true it fails.
func visitors(t *testing.T) (*browser, []site) {
	t.Helper()
	browsertest.FindChromium(t)
	if _, err := os.Stat("node_modules"); errors.Is(err, fs.ErrNotExist) && os.Getenv("CI") != "true" {
		t.Skip("the banners are not installed, see npm ci --ignore-scripts --prefix dev/bench")
	}
	b, err := startBrowser()
	require.NoError(t, err)
	t.Cleanup(b.close)
	list, err := sites(".")
	require.NoError(t, err)
	return b, list
}

func TestEachPageShowsItsBanner(t *testing.T) {
	b, list := visitors(t)
	for _, s := range list[1:] {
		t.Run(s.Name, func(t *testing.T) {
			server := httptest.NewServer(s.handler)
			defer server.Close()
			tab := b.newTab()
			defer tab.close()
			tab.visit(server.URL + untracked)
			for tab.err == nil && !eval[bool](tab, shown(s.banner)) {
				time.Sleep(20 * time.Millisecond)
			}
			assert.NoError(t, tab.err)
		})
	}
}

func TestATourTellsAPageWithoutABannerFromOurs(t *testing.T) {
	b, list := visitors(t)
	axe, err := os.ReadFile("node_modules/axe-core/axe.min.js")
	require.NoError(t, err)
	visited, err := tour(b, list[:2], string(axe), 1)
	require.NoError(t, err)
	without, with := visited[0], visited[1]
	assert.Equal(t, sample{2}, without.Requests)
	assert.Equal(t, without.Requests, with.Requests, "the style stands in the page")
	assert.Greater(t, with.Bytes[0], without.Bytes[0])
	assert.Positive(t, with.Banner[0])
	assert.Equal(t, []string{"_pk_id.1.1fff"}, without.Readable)
	assert.Equal(t, []string{"_pk_id.1.1fff"}, without.HTTPOnly)
	assert.Empty(t, with.Readable)
	assert.Empty(t, with.HTTPOnly)

	folder := t.TempDir()
	require.NoError(t, results{Visitor: &visitorResults{Rounds: 1, Browser: b.version, Sites: visited}}.write(folder))
	page, err := os.ReadFile(filepath.Join(folder, "RESULTS.md"))
	require.NoError(t, err)
	assert.Regexp(t, `(?m)^\| no banner \| 2 \| .* \| none \| 0 \| .* \| `+"`_pk_id.1.1fff` \\| `_pk_id.1.1fff` \\|$", string(page))
	assert.Regexp(t, `(?m)^\| consent, no script \| 2 \| .* \| nothing \| nothing \|$`, string(page))
	assert.NotContains(t, string(page), "## The server")
}
