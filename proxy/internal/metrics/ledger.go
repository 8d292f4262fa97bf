package metrics

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cookiecharter/consent/ledger"
	ledgermetrics "github.com/cookiecharter/consent/ledger/metrics"
)

// A currentLedger has the figures of the ledger that is the current one when Prometheus
// asks: another one may take its place when the settings are read anew.
type currentLedger struct{ atomic.Pointer[ledger.Ledger] }

// Describe tells which figures there are. They are the same for each ledger.
func (c *currentLedger) Describe(to chan<- *prometheus.Desc) { ledgermetrics.New(nil).Describe(to) }

// Collect reads them, if there is a ledger.
func (c *currentLedger) Collect(to chan<- prometheus.Metric) {
	if current := c.Load(); current != nil {
		ledgermetrics.New(current).Collect(to)
	}
}
