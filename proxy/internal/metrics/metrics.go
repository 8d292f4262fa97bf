// Package metrics has the figures of one process of the proxy, for Prometheus: how requests
// are answered, what becomes of cookies and decisions, and the ledger's.
package metrics

import (
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/cookiecharter/consent/ledger"
	"github.com/cookiecharter/consent/proxy/site"
)

// Metrics are the figures of one process. Make them with [New]. They are safe for
// concurrent use.
type Metrics struct {
	// Site counts what becomes of cookies and decisions, of one site after the other.
	Site *site.Metrics

	gathered *prometheus.Registry
	requests *prometheus.HistogramVec
	inFlight prometheus.Gauge
	upstream *prometheus.CounterVec
	ledger   currentLedger
}

// New returns figures that are all zero. The reasons are those that UpstreamFailed may be
// told.
func New(reasons []string) *Metrics {
	m := &Metrics{
		Site:     site.NewMetrics(),
		gathered: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "consentproxy_request_duration_seconds",
			Help:    "Time from the head of a request to the end of its answer, by the class of its status. Websockets are not in it.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60},
		}, []string{"status"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "consentproxy_requests_in_flight",
			Help: "Requests that have begun and not ended, websockets too.",
		}),
		upstream: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "consentproxy_upstream_errors_total",
			Help: "Requests that a site has not answered properly, by reason.",
		}, []string{"reason"}),
	}
	for _, reason := range reasons {
		m.upstream.WithLabelValues(reason) // zero is a figure too
	}
	m.gathered.MustRegister(m.Site, m.requests, m.inFlight, m.upstream, &m.ledger,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler answers with all figures, as Prometheus reads them.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.gathered, promhttp.HandlerOpts{})
}

// Keep says which ledger is the current one, whose figures are served: those that package
// ledger/metrics has. Nil means that there is none.
func (m *Metrics) Keep(current *ledger.Ledger) { m.ledger.Store(current) }

// Begun counts a request that has begun.
func (m *Metrics) Begun() { m.inFlight.Inc() }

// Ended counts a request that has ended, with the status of its answer, 0 for none, after
// so many seconds.
func (m *Metrics) Ended(status int, seconds float64) {
	m.inFlight.Dec()
	switch {
	case status == http.StatusSwitchingProtocols:
	case status < 200 || status > 599:
		m.requests.WithLabelValues("none").Observe(seconds)
	default:
		m.requests.WithLabelValues(fmt.Sprintf("%dxx", status/100)).Observe(seconds)
	}
}

// UpstreamFailed counts a request that a site has not answered properly.
func (m *Metrics) UpstreamFailed(reason string) { m.upstream.WithLabelValues(reason).Inc() }
