// Package metrics gives the figures of a ledger to Prometheus.
//
//	prometheus.MustRegister(metrics.New(books))
//	http.Handle("/metrics", promhttp.Handler())
//
// Waiting that grows, a failing that stays 1 and a dropped that is not 0 are what to be
// woken for:
//
//	consent_ledger_failing == 1 for 5 minutes
//	increase(consent_ledger_records_total{outcome="dropped"}[10m]) > 0
package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/cookiecharter/consent/ledger"
)

// Names begin with this.
const namespace = "consent_ledger"

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
}

var (
	waiting      = describe("waiting_records", "Records that wait to be written to the database.")
	failing      = describe("failing", "1 if the last attempt to write to the database failed, otherwise 0.")
	spooled      = describe("spooled_records", "Refusals that wait for the database and are on disk.")
	spoolFailing = describe("spool_failing", "1 if refusals wait in memory alone, since the disk fails, otherwise 0.")
	records      = describe("records_total", "Records since the start: written; failed, which are consents that were not and did not count; dropped, which are refusals that took effect and were not recorded.", "outcome")
	latency      = describe("consent_duration_seconds", "Time from the call of Record until the consent was durable, of those that were written.")
	lastWritten  = describe("last_written_timestamp_seconds", "When a record was written last; missing if none was since the start.")
)

// New returns a collector of the figures of a ledger, one for each process. To tell
// several ledgers of one process apart, register each with
// [prometheus.WrapRegistererWith] and a label. It asks the ledger when it is asked itself,
// runs nothing in between, and takes microseconds. It may be asked after the ledger has
// been closed.
func New(l *ledger.Ledger) prometheus.Collector { return collector{l} }

type collector struct{ ledger *ledger.Ledger }

func (collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{waiting, failing, spooled, spoolFailing, records, latency, lastWritten} {
		to <- d
	}
}

func (c collector) Collect(to chan<- prometheus.Metric) {
	f := c.ledger.Figures()
	gauge := func(d *prometheus.Desc, value float64) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value)
	}
	gauge(waiting, float64(f.Waiting))
	gauge(failing, flag(f.Failing))
	gauge(spooled, float64(f.Spooled))
	gauge(spoolFailing, flag(f.SpoolFailing))
	if !f.LastWritten.IsZero() {
		gauge(lastWritten, float64(f.LastWritten.UnixMilli())/1000)
	}
	for outcome, count := range map[string]uint64{"written": f.Written, "failed": f.Failed, "dropped": f.Dropped} {
		to <- prometheus.MustNewConstMetric(records, prometheus.CounterValue, float64(count), outcome)
	}
	buckets := make(map[float64]uint64, len(f.Latency.Buckets))
	for _, b := range f.Latency.Buckets {
		buckets[b.UpTo.Seconds()] = b.Count
	}
	to <- prometheus.MustNewConstHistogram(latency, f.Latency.Count, f.Latency.Sum.Seconds(), buckets)
}

// flag returns 1 if something is wrong.
func flag(err error) float64 {
	if err != nil {
		return 1
	}
	return 0
}
