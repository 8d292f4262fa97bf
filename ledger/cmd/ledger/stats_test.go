package main

import (
	"context"
	"encoding/csv"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
)

func TestTheCommandWritesStatsInEveryForm(t *testing.T) {
	path := books(t)
	out, err := ledgerOf(t, "-db", path, "stats", "-by", "week, provider", "-until", "2026-03-09")
	require.NoError(t, err)
	assert.Equal(t, `WEEK      PROVIDER  DECISIONS  ACCEPTED  PARTLY  RATE
2026-W09  AdCo      1          1         0       100.0 %
2026-W09  Matomo    1          0         0       0.0 %
2026-W10  AdCo      7          1         0       14.3 %
2026-W10  Matomo    7          5         0       71.4 %
`, out)

	out, err = ledgerOf(t, "-db", path, "stats", "-by", "month,language", "-format", "csv")
	require.NoError(t, err)
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	require.NoError(t, err)
	assert.Equal(t, [][]string{{"month", "language", "decisions", "accepted", "partly", "rate"}, {"2026-03", "", "30", "5", "18", "0.1667"}}, rows)

	out, err = ledgerOf(t, "-db", path, "stats", "-by", "category,regime", "-format", "json")
	require.NoError(t, err)
	assert.JSONEq(t, `[
		{"category": "statistics", "regime": "opt-in", "decisions": 30, "accepted": 20, "partly": 0, "rate": 0.6667},
		{"category": "third-party", "regime": "opt-in", "decisions": 30, "accepted": 8, "partly": 0, "rate": 0.2667}]`, out)
	out, err = ledgerOf(t, "-db", path, "stats", "-until", "2020-01-01", "-format", "json")
	require.NoError(t, err)
	assert.JSONEq(t, "[]", out)
}

func TestTheCommandCountsTheDaysOfTheZone(t *testing.T) {
	path := books(t) // each day at noon in UTC
	for _, order := range [][]string{{"-tz", "Pacific/Auckland", "-from", "2026-03-02", "-until", "2026-03-03"}, {"-from", "2026-03-02", "-until", "2026-03-03", "-tz", "Pacific/Auckland"}} {
		out, err := ledgerOf(t, append([]string{"-db", path, "stats", "-by", "day"}, order...)...)
		require.NoError(t, err)
		assert.Regexp(t, `(?m)^2026-03-02  1 `, out, "it was the 1st in UTC")
		assert.Equal(t, 2, strings.Count(out, "\n"))
	}
}

func TestTheCommandDrawsTheRate(t *testing.T) {
	path := books(t)
	chart := filepath.Join(t.TempDir(), "rate.SVG")
	_, err := ledgerOf(t, "-db", path, "stats", "-chart", chart)
	require.NoError(t, err)
	content, err := os.ReadFile(chart)
	require.NoError(t, err)
	require.NoError(t, xml.Unmarshal(content, new(struct{ XMLName xml.Name })))
	for _, text := range []string{"Acceptance rate by category", "% of a day&#39;s decisions", "day (UTC)", "statistics", "third-party", "2026-03-01"} {
		assert.Contains(t, string(content), ">"+text+"</text>")
	}
	assert.Contains(t, string(content), "statistics: first 0.0, last 100.0, lowest 0.0, highest 100.0.")
	assert.NotContains(t, string(content), "NaN")
	_, err = ledgerOf(t, "-db", path, "stats", "-until", "2020-01-01", "-chart", filepath.Join(t.TempDir(), "none.svg"))
	assert.ErrorContains(t, err, "nothing to draw")
}

func TestTheChartHasTheLinesWithTheMostDecisions(t *testing.T) {
	path := filepath.Join(t.TempDir(), "consent.db")
	l, err := ledger.Open(context.Background(), path, ledger.Config{})
	require.NoError(t, err)
	for i := range 20 {
		for j := range i + 1 {
			l.RecordLater(consent.Record{Reference: consent.Reference{byte(i), byte(j), 15: 1}, Time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
				Answers: []consent.Answer{{Category: consent.Category(strings.Repeat("very-long-", i) + "end"), Provider: "P"}}})
		}
	}
	require.NoError(t, l.Close(context.Background()))
	chart := filepath.Join(t.TempDir(), "rate.svg")
	_, err = ledgerOf(t, "-db", path, "stats", "-by", "category,month", "-chart", chart)
	require.NoError(t, err)
	content, err := os.ReadFile(chart)
	require.NoError(t, err)
	assert.Contains(t, string(content), ">The 16 lines with the most decisions; 4 more are in the table.</text>")
	assert.False(t, strings.Contains(string(content), " end: first"), "which had the fewest")
}
