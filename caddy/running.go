package consentcaddy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/cookiecharter/consent/proxy/inject"
	"github.com/cookiecharter/consent/proxy/site"
)

// running is what a handler needs from when it is provisioned.
type running struct {
	config   site.Config
	once     sync.Once
	site     *site.Site
	handler  http.Handler
	failed   error
	ledger   any          // its key in shared; nil if none is open
	keyOfRun bool         // is in shared
	uses     atomic.Int64 // the requests under way, and one more until the configuration ends
	ended    sync.Once
}

// shared is what the handlers of a configuration share, with each other and with those of
// the configuration that follows: ledgers, and the key of this run.
var shared = caddy.NewUsagePool()

// Provision reads the files and checks every option. The error joins all mistakes, those in
// declarations with file and line. It opens no ledger: "caddy validate" provisions too.
func (h *Handler) Provision(ctx caddy.Context) error {
	h.running = new(running)
	h.uses.Store(1)
	h.config.Log = ctx.Slogger()
	ofRun, err := h.run()
	if err != nil {
		return err
	}
	if err := h.expand(); err != nil {
		return fmt.Errorf("\n%w", err)
	}
	config, err := h.read(ofRun)
	if err != nil {
		return fmt.Errorf("\n%w", err)
	}
	config.Log = h.config.Log
	if h.keyOfRun {
		config.Log.Warn("decisions are signed with a key that lasts as long as Caddy runs; the option key names one that stays")
	}
	h.config = config
	filterErrors(ctx)
	loaded, err := ctx.App("consent")
	if err != nil {
		return err
	}
	all := loaded.(*app)
	h.config.Metrics = all.metrics
	all.handlers = append(all.handlers, h)
	return nil
}

// run returns the key of this run, if that is what signs.
func (h *Handler) run() ([]byte, error) {
	if !h.Insecure || len(h.Keys) > 0 || h.KeysFile != "" {
		return nil, nil
	}
	key, _, err := shared.LoadOrNew(keyOfRun{}, func() (caddy.Destructor, error) { return runKey(site.NewKey()), nil })
	if err != nil {
		return nil, err
	}
	h.keyOfRun = true
	return key.(runKey), nil
}

// A runKey is the key of this run.
type runKey []byte

type keyOfRun struct{}

func (runKey) Destruct() error { return nil }

// open opens the site, once: when Caddy starts, or before that with the first request.
func (h *Handler) open() (http.Handler, error) {
	h.once.Do(func() {
		if h.failed = h.openSite(); h.failed != nil {
			return
		}
		pass := http.Handler(http.HandlerFunc(h.pass))
		if h.Inject {
			pass = inject.New(h.site.Tag()).Wrap(pass)
		}
		h.handler = h.site.Wrap(pass)
	})
	return h.handler, h.failed
}

func (h *Handler) openSite() error {
	// Not the configuration's context: a ledger outlives it.
	ctx, cancel := context.WithTimeout(context.Background(), patience+h.config.Ledger.Wait)
	defer cancel()
	if h.config.Ledger.URL == "" {
		var err error
		h.site, err = site.New(ctx, h.config)
		return err
	}
	key := keyOf(h.config.Ledger)
	first, _, err := shared.LoadOrNew(key, func() (caddy.Destructor, error) {
		first, err := site.New(ctx, h.config)
		return holder{first}, err
	})
	if err != nil {
		return err
	}
	h.ledger = key
	h.site, err = first.(holder).Next(ctx, h.config)
	return err
}

// patience is for a ledger that opens or closes.
const patience = 10 * time.Second

// A ledgerKey says which handlers share a ledger: those whose settings of it are the same.
type ledgerKey struct {
	url, spool, keys string
	retention, wait  time.Duration
}

func keyOf(l site.Ledger) ledgerKey {
	return ledgerKey{l.URL, l.Spool, fmt.Sprintf("%q", l.Keys), l.Retention, l.Wait}
}

// A holder keeps the ledger open that the sites of handlers share. It is a site too, which
// serves nobody: it is the first, and each other one is made to follow it.
type holder struct{ *site.Site }

// Destruct closes the ledger, once no configuration uses it.
func (h holder) Destruct() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return h.Close(ctx)
}

var errEnded = errors.New("consent: the configuration has ended")

// linger is how long a handler is ready for requests that have come to Caddy before a reload
// and not yet to the handler.
const linger = time.Second

// Cleanup gives back the ledger, which closes with the last handler that uses it. Caddy calls
// it when the configuration that follows has been started, and at a reload does not wait for
// the requests under way: the last of them gives the ledger back.
func (h *Handler) Cleanup() error {
	if h.running == nil {
		return nil
	}
	h.once.Do(func() { h.failed = errEnded })
	if caddy.Exiting() {
		return h.end()
	}
	time.AfterFunc(linger, h.leave)
	return nil
}

// leave ends what the handler needs, if nobody needs it any more: neither a request nor the
// configuration.
func (h *Handler) leave() {
	if h.uses.Add(-1) > 0 {
		return
	}
	if err := h.end(); err != nil {
		h.config.Log.Error("a ledger did not end well", "reason", err.Error())
	}
}

// end gives back everything, once.
func (h *Handler) end() (err error) {
	h.ended.Do(func() {
		if h.site != nil {
			err = h.site.Close(context.Background()) // nothing waits: the ledger is the holder's
		}
		if h.ledger != nil {
			_, closing := shared.Delete(h.ledger)
			err = errors.Join(err, closing)
		}
		if h.keyOfRun {
			_, closing := shared.Delete(keyOfRun{})
			err = errors.Join(err, closing)
		}
	})
	return err
}

// An app opens the ledgers when Caddy starts: a handler is not told of that. It has what the
// handlers of a configuration share. It is there if a handler is, and has no settings.
type app struct {
	handlers []*Handler
	metrics  *site.Metrics
	registry prometheus.Registerer // Caddy's own
}

// CaddyModule returns what Caddy knows the app by.
func (*app) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "consent", New: func() caddy.Module { return new(app) }}
}

// Start opens what the handlers need. An error has Caddy keep the configuration from before.
func (a *app) Start() error {
	var mistakes []error
	for _, h := range a.handlers {
		_, err := h.open()
		if err == nil && h.ledger != nil {
			err = a.addFigures(h.site.Ledger(), h.config.Ledger.URL)
		}
		if err != nil {
			mistakes = append(mistakes, err)
		}
	}
	return errors.Join(mistakes...)
}

// Stop does nothing: requests may be under way. Cleanup ends the handlers.
func (*app) Stop() error { return nil }

var _ caddy.App = (*app)(nil)
