package site

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cookiecharter/consent"
)

// Metrics count, for Prometheus, what becomes of cookies and of decisions, for one site or
// for several: see [Config]. They are a [prometheus.Collector] of two counters:
//
//	consent_cookies_total{cookie,outcome,reason}
//	consent_decisions_total{action,allows}
//
// The ledger has figures of its own: see package ledger/metrics. Make Metrics with
// [NewMetrics]. They are safe for concurrent use.
type Metrics struct {
	cookies, decisions *prometheus.CounterVec
	names              names
}

// NewMetrics returns counters that are all zero.
func NewMetrics() *Metrics {
	return &Metrics{
		cookies: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "consent_cookies_total",
			Help: "Cookies that were removed or expired, or passed though they are not as declared.",
		}, []string{"cookie", "outcome", "reason"}),
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "consent_decisions_total",
			Help: "Decisions of visitors that were recorded, by what they did and whether they allow something.",
		}, []string{"action", "allows"}),
	}
}

// Describe tells which counters there are.
func (m *Metrics) Describe(to chan<- *prometheus.Desc) {
	m.cookies.Describe(to)
	m.decisions.Describe(to)
}

// Collect reads them.
func (m *Metrics) Collect(to chan<- prometheus.Metric) {
	m.cookies.Collect(to)
	m.decisions.Collect(to)
}

// observer counts what becomes of the cookies of a site; nil if nothing counts them.
func (m *Metrics) observer(registry *consent.Registry) func(*http.Request, consent.Event) {
	if m == nil {
		return nil
	}
	return func(_ *http.Request, e consent.Event) {
		outcome := string(e.Outcome)
		if e.ReportOnly && e.Outcome != consent.OutcomePassed {
			outcome = "would be " + outcome
		}
		m.cookies.WithLabelValues(m.names.of(e.Cookie, registry), outcome, string(e.Reason)).Inc()
	}
}

// decided counts a decision.
func (m *Metrics) decided(record consent.Record) {
	given := 0
	for _, answer := range record.Answers {
		if answer.Allowed {
			given++
		}
	}
	allows := "some"
	switch given {
	case 0:
		allows = "nothing"
	case len(record.Answers):
		allows = "all"
	}
	action := record.Evidence.Action
	switch action {
	case consent.ByBanner, consent.ByForm, consent.ByPlaceholder, consent.ByObjection, consent.ByGPC, consent.ByAccount:
	default:
		action = "other" // a site may invent as many as it likes
	}
	m.decisions.WithLabelValues(string(action), allows).Inc()
}
