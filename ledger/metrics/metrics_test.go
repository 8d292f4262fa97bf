package metrics_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
	"github.com/cookiecharter/consent/ledger/metrics"
)

func record(visitor byte, allowed bool) consent.Record {
	return consent.Record{Reference: consent.Reference{visitor}, Time: time.Now(), Answers: []consent.Answer{{Category: consent.Statistics, Provider: "Matomo", Allowed: allowed}}}
}

func open(t *testing.T) *ledger.Ledger {
	t.Helper()
	books, err := ledger.Open(context.Background(), filepath.Join(t.TempDir(), "consent.db"), ledger.Config{})
	require.NoError(t, err)
	return books
}

// breakTable has every record refused, as a table does that somebody has taken away.
func breakTable(t *testing.T, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", path) // the driver comes with the ledger
	require.NoError(t, err)
	_, err = db.Exec("ALTER TABLE consent_record RENAME TO gone")
	require.NoError(t, err)
	require.NoError(t, db.Close())
}

func TestPrometheusReadsTheFigures(t *testing.T) {
	books := open(t)
	collector := metrics.New(books)
	assert.Zero(t, testutil.CollectAndCount(collector, "consent_ledger_last_written_timestamp_seconds"), "nothing was written")
	assert.Equal(t, 3, testutil.CollectAndCount(collector, "consent_ledger_records_total"), "a counter is there before it counts")

	require.NoError(t, books.Record(context.Background(), record(1, true)))
	require.NoError(t, books.Record(context.Background(), record(2, true)))
	books.RecordLater(record(3, false))
	require.NoError(t, books.Close(context.Background()))
	assert.ErrorIs(t, books.Record(context.Background(), record(4, true)), ledger.ErrClosed)
	books.RecordLater(record(4, false))
	assert.NoError(t, testutil.CollectAndCompare(collector, strings.NewReader(`
# HELP consent_ledger_failing 1 if the last attempt to write to the database failed, otherwise 0.
# TYPE consent_ledger_failing gauge
consent_ledger_failing 0
# HELP consent_ledger_records_total Records since the start: written; failed, which are consents that were not and did not count; dropped, which are refusals that took effect and were not recorded.
# TYPE consent_ledger_records_total counter
consent_ledger_records_total{outcome="dropped"} 1
consent_ledger_records_total{outcome="failed"} 1
consent_ledger_records_total{outcome="written"} 3
# HELP consent_ledger_spool_failing 1 if refusals wait in memory alone, since the disk fails, otherwise 0.
# TYPE consent_ledger_spool_failing gauge
consent_ledger_spool_failing 0
# HELP consent_ledger_waiting_records Records that wait to be written to the database.
# TYPE consent_ledger_waiting_records gauge
consent_ledger_waiting_records 0
`), "consent_ledger_failing", "consent_ledger_records_total", "consent_ledger_spool_failing", "consent_ledger_waiting_records"))

	registry := prometheus.NewPedanticRegistry()
	require.NoError(t, registry.Register(collector))
	families, err := registry.Gather()
	require.NoError(t, err)
	read := make(map[string]float64)
	for _, family := range families {
		for _, m := range family.GetMetric() {
			read[family.GetName()] += m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			for _, b := range m.GetHistogram().GetBucket() {
				read["buckets"]++
				read["last bucket"] = float64(b.GetCumulativeCount())
			}
		}
	}
	assert.EqualValues(t, 2, read["consent_ledger_consent_duration_seconds"])
	assert.EqualValues(t, 13, read["buckets"])
	assert.EqualValues(t, 2, read["last bucket"])
	assert.InDelta(t, time.Now().Unix(), read["consent_ledger_last_written_timestamp_seconds"], 300)
}

func TestPrometheusIsToldThatTheDatabaseFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "consent.db")
	books, err := ledger.Open(context.Background(), path, ledger.Config{NoSpool: true})
	require.NoError(t, err)
	require.NoError(t, books.Record(context.Background(), record(1, true)))
	breakTable(t, path)
	assert.Error(t, books.Record(context.Background(), record(2, true)))
	assert.NoError(t, testutil.CollectAndCompare(metrics.New(books), strings.NewReader(`
# HELP consent_ledger_failing 1 if the last attempt to write to the database failed, otherwise 0.
# TYPE consent_ledger_failing gauge
consent_ledger_failing 1
`), "consent_ledger_failing"))
	_ = books.Close(context.Background())
}

func TestTheNamesAreAsPrometheusWantsThem(t *testing.T) {
	books := open(t)
	require.NoError(t, books.Record(context.Background(), record(1, true)))
	problems, err := testutil.CollectAndLint(metrics.New(books))
	require.NoError(t, err)
	assert.Empty(t, problems)
	require.NoError(t, books.Close(context.Background()))
}
