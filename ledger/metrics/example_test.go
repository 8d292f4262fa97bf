package metrics_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
	"github.com/cookiecharter/consent/ledger/metrics"
)

func ExampleNew() {
	directory, err := os.MkdirTemp("", "ledger")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(directory)
	books, err := ledger.Open(context.Background(), filepath.Join(directory, "consent.db"), ledger.Config{})
	if err != nil {
		panic(err)
	}
	defer books.Close(context.Background())
	if err := books.Record(context.Background(), consent.Record{Reference: consent.Reference{1}, Time: time.Now()}); err != nil {
		panic(err)
	}

	registry := prometheus.NewRegistry() // a site has prometheus.DefaultRegisterer
	registry.MustRegister(metrics.New(books))
	families, err := registry.Gather()
	for _, family := range families {
		fmt.Println(family.GetName())
	}
	fmt.Println(err)
	// Output:
	// consent_ledger_consent_duration_seconds
	// consent_ledger_failing
	// consent_ledger_last_written_timestamp_seconds
	// consent_ledger_records_total
	// consent_ledger_spool_failing
	// consent_ledger_spooled_records
	// consent_ledger_waiting_records
	// <nil>
}
