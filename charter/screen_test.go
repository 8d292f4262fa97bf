package charter

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
)

// These tests are inside the package: outside of it nobody can make a notice of a later
// version.

func TestANoticeOfALaterVersionIsNotDrawn(t *testing.T) {
	w := allWords(t)["en"]
	for content, isDrawn := range map[string]bool{
		`{"version": 1, "language": "en", "control": "banner", "lines": [{"text": "May we?"}]}`: true,
		`{"version": 2, "language": "en", "control": "banner", "lines": [{"text": "May we?"}]}`: false,
		`{"version": 1, "lines": "none"}`: false,
		`[]`:                              false,
		``:                                false,
	} {
		assert.Equal(t, isDrawn, w.drawn([]byte(content)) != nil, content)
	}
}

// What was folded is below its summary, and what follows in the open is not.
func TestASummaryHoldsWhatWasFoldedBelowIt(t *testing.T) {
	shown := allWords(t)["en"].drawn(consent.Screen{Language: "en", Lines: []consent.Line{
		{Text: "before"},
		{Text: "providers", As: consent.AsSummary}, {Text: "a", As: consent.AsRow, Folded: true}, {Text: "b", As: consent.AsCell, Folded: true}, {Text: "c", Folded: true},
		{Text: "after"},
		{Text: "opened", As: consent.AsSummary}, {Text: "seen"},
	}}.Notice().Content())
	require.NotNil(t, shown)
	require.Len(t, shown.Blocks, 5)
	require.Len(t, shown.Blocks[1].Folded, 2)
	assert.Equal(t, []text{{Text: "a"}, {Text: "b"}}, shown.Blocks[1].Folded[0].Cells)
	assert.Equal(t, "after", shown.Blocks[2].Text.Text)
	assert.Empty(t, shown.Blocks[3].Folded)
}

// A notice comes from a database, and part of it from the visitor's request.
func FuzzANoticeIsDrawnAsText(f *testing.F) {
	for _, seed := range []string{
		`{"version":1,"language":"de","control":"banner","pressed":"accept","lines":[{"text":"<b>","as":"heading"},{"text":"ok","as":"button","value":"accept"}]}`,
		`{"version":1,"language":"\"><script>","direction":"\"><script>","lines":[{"text":"x","language":"\"><script>","direction":"rtl","as":"<script>"}]}`,
		`{"version":1,"lines":[{"text":"s","as":"summary"},{"text":"","as":"row","folded":true},{"text":"c","as":"cell","folded":true},{"text":"b","as":"box","checked":true}]}`,
		`{"language":"en","sentences":{"ask":"<script>"},"cookies":[{"name":"a","purpose":"<script>"}]}`,
		`{"version":-1}`, `null`,
	} {
		f.Add([]byte(seed))
	}
	c := &Charter{templates: templates}
	words := allWords(f)["en"]
	f.Fuzz(func(t *testing.T, content []byte) {
		shown := words.drawn(content)
		if shown == nil {
			return
		}
		page := recordsPage{view: view{Words: words}, Decisions: []recorded{{Screen: shown}}}
		drawn := strings.ToLower(string(c.render("decisions", page)))
		assert.NotContains(t, drawn, "<script")
		assert.Equal(t, 1, strings.Count(drawn, "<section"))
		assert.True(t, strings.HasSuffix(drawn, "</section>"), "the template did not fail half-way")
	})
}
