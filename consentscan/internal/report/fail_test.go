package report_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/consentscan/internal/finding"
	"github.com/cookiecharter/consent/consentscan/internal/report"
)

func TestAScanFailsOnWhatItIsToldTo(t *testing.T) {
	found := map[string][]finding.Finding{
		"nothing":    nil,
		"an error":   {{Check: finding.LeftBehind, Level: finding.Error}},
		"a warning":  {{Check: finding.Undeclared, Level: finding.Warning}},
		"a note":     {{Check: finding.NeverSeen, Level: finding.Note}},
		"everything": {{Check: finding.NeverSeen, Level: finding.Note}, {Check: finding.LeftBehind, Level: finding.Error}},
	}
	for on, fails := range map[string][]string{
		"error":                     {"an error", "everything"},
		"warning":                   {"an error", "a warning", "everything"},
		"note":                      {"an error", "a warning", "a note", "everything"},
		"none":                      {},
		"undeclared":                {"a warning"},
		" never-seen , undeclared ": {"a warning", "a note", "everything"},
	} {
		failOn, err := report.ParseFailOn(on)
		require.NoError(t, err)
		for name, findings := range found {
			assert.Equal(t, slices.Contains(fails, name), report.Fails(findings, failOn), "%s, on %q", name, on)
		}
	}
	assert.True(t, report.Fails(found["a warning"], report.FailOn{}))
	assert.False(t, report.Fails(found["a note"], report.FailOn{}))
}

func TestAnUnknownCheckIsNamedWithThoseThatThereAre(t *testing.T) {
	_, err := report.ParseFailOn("undeclared,lef-behind,errors")
	require.ErrorContains(t, err, `"lef-behind", "errors"`)
	for _, name := range report.Checks() {
		assert.ErrorContains(t, err, string(name))
	}
	_, err = report.ParseFailOn("")
	assert.ErrorContains(t, err, `no check is named ""`)
}
