package consentcaddy

import (
	"errors"
	"net/url"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/cookiecharter/consent/ledger"
	"github.com/cookiecharter/consent/ledger/metrics"
	"github.com/cookiecharter/consent/proxy/site"
)

// Provision adds counters to Caddy's own figures. Those of one configuration count for all
// of its handlers, and begin at zero with the next one, as Caddy's own do.
func (a *app) Provision(ctx caddy.Context) error {
	a.metrics, a.registry = site.NewMetrics(), ctx.GetMetricsRegistry()
	return a.registry.Register(a.metrics)
}

// addFigures adds those of a ledger. Of several that are at one place, such as with other
// keys, the first has them.
func (a *app) addFigures(books *ledger.Ledger, at string) error {
	labelled := prometheus.WrapRegistererWith(prometheus.Labels{"ledger": placeOf(at)}, a.registry)
	err := labelled.Register(metrics.New(books))
	if _, already := errors.AsType[prometheus.AlreadyRegisteredError](err); already {
		return nil
	}
	return err
}

// placeOf names a ledger by the path of its file, or by the host and the name of the
// database: everything else of an address may hold a password.
func placeOf(ledger string) string {
	u, err := url.Parse(ledger)
	switch {
	case err == nil && strings.HasPrefix(u.Scheme, "postgres"):
		return u.Host + u.Path
	case err != nil || strings.Contains(ledger, "="): // by keywords, such as "host=db user=site"
		return "server"
	default:
		return strings.TrimPrefix(ledger, "sqlite:")
	}
}

var _ caddy.Provisioner = (*app)(nil)
