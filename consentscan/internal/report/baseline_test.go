package report_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/consentscan/internal/finding"
	"github.com/cookiecharter/consent/consentscan/internal/report"
)

func TestABaselineLeavesWhatIsNewAndTellsWhatIsGone(t *testing.T) {
	findings := sample().Findings
	var file bytes.Buffer
	require.NoError(t, report.WriteBaseline(&file, findings[:3]))
	baseline, err := report.ReadBaseline(&file)
	require.NoError(t, err)

	fresh, known, gone := baseline.Apply(findings[1:4])
	assert.Equal(t, findings[3:4], fresh)
	assert.Equal(t, 2, known)
	require.Len(t, gone, 1)
	assert.Equal(t, `never-seen: local storage "wishlist"`, gone[0].String())

	fresh, known, gone = report.Baseline{}.Apply(findings)
	assert.Equal(t, findings, fresh)
	assert.Zero(t, known)
	assert.Empty(t, gone)
}

func TestABaselineIsSortedAndHasALineForEachFinding(t *testing.T) {
	findings := sample().Findings
	var a, b bytes.Buffer
	require.NoError(t, report.WriteBaseline(&a, findings))
	require.NoError(t, report.WriteBaseline(&b, append(findings[3:], findings[:4]...)))
	assert.Equal(t, a.String(), b.String(), "in another order, and one twice")
	assert.Equal(t, len(findings), strings.Count(a.String(), "\n    {"))
}

func TestABaselineOfHostileNamesIsReadAgain(t *testing.T) {
	for _, text := range hostile {
		var file bytes.Buffer
		require.NoError(t, report.WriteBaseline(&file, []finding.Finding{{Check: finding.Undeclared, Kind: text, Name: text, Host: text, Fingerprint: "a"}}))
		_, err := report.ReadBaseline(&file)
		assert.NoError(t, err, text)
	}
}

func TestAMistakeInABaselineIsNamedWithItsLine(t *testing.T) {
	for text, want := range map[string]string{
		"":                     "line 1",
		"{\n\"version\": 1,\n": "line 3",
		`{"findings": []}`:     `line 1: "version" is missing`,
		"{\"version\": 1,\n\"findings\": [\n{\"check\": \"undeclared\"}]}":             "line 3: findings[0].fingerprint: is missing",
		"{\"version\": 1,\n\"findings\": [{\"fingerprint\": \"a\", \"nmae\": \"x\"}]}": `line 2: findings[0].nmae: is no field here; perhaps "name"`,
		"{\"version\": 1,\n\"findings\": [{\"fingerprint\": 3}]}":                      "line 2: findings[0].fingerprint: is a number",
		"{\"version\": 2,\n\"findings\": []}":                                          "version 2",
		"<<<<<<< HEAD\n{\"version\": 1}":                                               "line 1",
	} {
		_, err := report.ReadBaseline(strings.NewReader(text))
		assert.ErrorContains(t, err, want, text)
	}
}
