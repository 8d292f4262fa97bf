package metrics

import "github.com/prometheus/client_golang/prometheus"

// ledgerFigures are read when Prometheus asks. Their names are those that package
// ledger/metrics gives them.
type ledgerFigures struct{ *Metrics }

var (
	waiting      = prometheus.NewDesc("consent_ledger_waiting_records", "Records that wait to be written to the database.", nil, nil)
	failing      = prometheus.NewDesc("consent_ledger_failing", "1 if the last attempt to write to the database failed, otherwise 0.", nil, nil)
	spooled      = prometheus.NewDesc("consent_ledger_spooled_records", "Refusals that wait for the database and are on disk.", nil, nil)
	spoolFailing = prometheus.NewDesc("consent_ledger_spool_failing", "1 if refusals wait in memory alone, since the disk fails, otherwise 0.", nil, nil)
	records      = prometheus.NewDesc("consent_ledger_records_total", "Refusals that took effect and were not recorded.", []string{"outcome"}, nil)
)

// Describe tells which figures there are.
func (l ledgerFigures) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{waiting, failing, spooled, spoolFailing, records} {
		to <- d
	}
}

// Collect reads them, if there is a ledger.
func (l ledgerFigures) Collect(to chan<- prometheus.Metric) {
	figures := l.ledger.Load()
	if figures == nil {
		return
	}
	f := (*figures)()
	gauge := func(d *prometheus.Desc, value float64) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value)
	}
	gauge(waiting, float64(f.Waiting))
	gauge(failing, flag(f.Failing))
	gauge(spooled, float64(f.Spooled))
	gauge(spoolFailing, flag(f.SpoolFailing))
	to <- prometheus.MustNewConstMetric(records, prometheus.CounterValue, float64(f.Dropped), "dropped")
}

// flag returns 1 if something is wrong.
func flag(err error) float64 {
	if err != nil {
		return 1
	}
	return 0
}
