package main

import (
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
func visitors(t *testing.T) (*browser, *collector, []site) {
	t.Helper()
	browsertest.FindChromium(t)
	browsertest.Installed(t, "node_modules", "npm ci --ignore-scripts --prefix dev/bench")
	google := newCollector()
	t.Cleanup(google.Close)
	b, err := startBrowser(google)
	require.NoError(t, err)
	t.Cleanup(b.close)
	list, err := sites(".")
	require.NoError(t, err)
	return b, google, list
}

func TestEachPageShowsItsBanner(t *testing.T) {
	b, _, list := visitors(t)
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
	b, _, list := visitors(t)
	axe, err := os.ReadFile("node_modules/axe-core/axe.min.js")
	require.NoError(t, err)
	visited, err := tour(b, list[:2], string(axe), 1)
	require.NoError(t, err)
	require.NoError(t, endure(b, visited[1:], 1))
	without, with := visited[0], visited[1]
	assert.Equal(t, sample{2}, without.Requests)
	assert.Equal(t, without.Requests, with.Requests, "the style stands in the page")
	assert.Greater(t, with.Bytes[0], without.Bytes[0])
	assert.Positive(t, with.Banner[0])
	assert.Equal(t, []string{"_pk_id.1.1fff"}, without.Readable)
	assert.Equal(t, []string{"_pk_id.1.1fff"}, without.HTTPOnly)
	assert.Empty(t, with.Readable)
	assert.Empty(t, with.HTTPOnly)

	away, weak := visited[1].Hard[0], visited[1].Hard[1]
	assert.Greater(t, away.First[0], 300., "a connection and an answer take a round trip each")
	assert.Greater(t, away.NextFirst[0], 150.)
	assert.Greater(t, away.NextBanner[0], 150.)
	assert.Empty(t, away.Script)
	assert.Len(t, weak.Script, 1)
	assert.Positive(t, weak.NextBanner[0])

	folder := t.TempDir()
	require.NoError(t, results{Visitor: &visitorResults{Rounds: 1, Browser: b.version, Sites: visited}}.write(folder))
	page, err := os.ReadFile(filepath.Join(folder, "RESULTS.md"))
	require.NoError(t, err)
	assert.Regexp(t, `(?m)^\| no banner \| 2 \| .* \| none \| 0 \| .* \| `+"`_pk_id.1.1fff` \\| `_pk_id.1.1fff` \\|$", string(page))
	assert.Regexp(t, `(?m)^\| consent, no script \| 2 \| .* \| nothing \| nothing \|$`, string(page))
	assert.NotContains(t, string(page), "## The server")
}

func TestAThreadIsSlowed(t *testing.T) {
	b, _, list := visitors(t)
	server := startServer(list[0].handler, 0)
	defer server.Close()
	busy := func(times float64) float64 {
		tab := b.newTab()
		defer tab.close()
		tab.slow(times)
		tab.visit(server.URL + untracked)
		took := eval[float64](tab, `(() => { const begin = performance.now(); for (let i = 0; i < 3e7; i++) Math.sqrt(i); return performance.now() - begin; })()`)
		require.NoError(t, tab.err)
		return took
	}
	assert.Greater(t, busy(20), 4*busy(1))
}

func TestGoogleIsAskedNothingBeforeAClickByOurPages(t *testing.T) {
	b, google, _ := visitors(t)
	list, err := tagged(".")
	require.NoError(t, err)
	visited, err := tourTags(b, google, list[:4], 1)
	require.NoError(t, err)
	for _, v := range visited {
		if v.ours {
			assert.Empty(t, v.Asked, v.Name)
		} else {
			assert.Equal(t, []string{"/g/collect", "/gtag/js"}, v.Asked, "by a tag that is told nothing")
		}
	}
}
