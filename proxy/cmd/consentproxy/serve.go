package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"reflect"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cookiecharter/consent/proxy/inject"
	"github.com/cookiecharter/consent/proxy/internal/backend"
	"github.com/cookiecharter/consent/proxy/internal/config"
	"github.com/cookiecharter/consent/proxy/internal/metrics"
	"github.com/cookiecharter/consent/proxy/internal/server"
	"github.com/cookiecharter/consent/proxy/internal/swap"
	"github.com/cookiecharter/consent/proxy/site"
)

// An instance is the proxy as it runs.
type instance struct {
	options
	key     []byte // of this run, if nobody names others
	log     *slog.Logger
	hangups chan os.Signal // each is a wish to read the settings anew
	handler swap.Handler
	began   *config.Settings          // with which it has begun to listen
	site    atomic.Pointer[site.Site] // the current one; nil before the first

	metrics *metrics.Metrics // nil if nobody can ask for them

	stopping atomic.Bool
	failed   atomic.Bool // a site did not end well
}

// run serves until it is interrupted. It says what it does to out, and what goes
// wrong to errs.
func run(o options, out, errs io.Writer) error {
	p := &instance{options: o, key: site.NewKey(), hangups: make(chan os.Signal, 1)}
	notifyReload(p.hangups) // one that comes while it starts does not end it
	defer signal.Stop(p.hangups)
	settings, err := p.read(p.key)
	if err != nil {
		return err
	}
	p.began, p.log = settings, newLogger(settings.Log, errs)
	if settings.Admin != "" {
		p.metrics = metrics.New(backend.Reasons)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := p.use(ctx, settings); err != nil {
		return err
	}
	listening, err := server.Listen(p.serving())
	if err != nil {
		return errors.Join(fmt.Errorf("%w (%s chooses another address)", err, p.nameOf("listen")), p.close(ctx))
	}
	p.tell(out, listening)
	ending := context.AfterFunc(ctx, func() {
		stop() // from here on an interrupt ends the program at once
		fmt.Fprintln(out, "Stopping, once the last answers are out. Ctrl-C again does not wait.")
	})
	defer ending()
	return p.serve(ctx, listening)
}

func newLogger(l config.Log, to io.Writer) *slog.Logger {
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(to, nil))
	}
	return slog.New(slog.NewTextHandler(to, nil))
}

// serving is how visitors and operators are served, from the start to the end.
func (p *instance) serving() server.Config {
	config := p.began.Server
	config.Handler, config.Log, config.Close = &p.handler, p.log, p.close
	config.Admin.Ready = func(ctx context.Context) error { return p.site.Load().Ready(ctx) }
	if p.began.Log.Access {
		config.Access.Log = p.log
	}
	if m := p.metrics; m != nil {
		config.Admin.Metrics, config.Begun = m.Handler(), m.Begun
		config.Seen = func(s server.Seen) { m.Ended(s.Status, s.Time.Seconds()) }
	}
	return config
}

// use has visitors served by new settings from here on.
func (p *instance) use(ctx context.Context, settings *config.Settings) error {
	settings.Site.Log, settings.Backend.Log = p.log, p.log
	if m := p.metrics; m != nil {
		settings.Site.Metrics, settings.Backend.Failed = m.Site, m.UpstreamFailed
	}
	next, err := p.site.Load().Next(ctx, settings.Site)
	if err != nil {
		if reason := errors.Unwrap(err); reason != nil {
			err = reason // package site names the field of its Config
		}
		return fmt.Errorf("%s: %w", p.nameOf("ledger.url"), err) // everything else has been checked
	}
	if settings.Inject {
		settings.Backend.Injection = inject.New(next.Tag())
	}
	p.site.Store(next)
	if m := p.metrics; m != nil {
		m.Keep(next.Ledger())
	}
	p.handler.Set(next.Wrap(backend.New(settings.Backend)), func(ctx context.Context) { p.end(ctx, next) })
	return nil
}

// end closes a site that has answered its last request.
func (p *instance) end(ctx context.Context, ended *site.Site) {
	if !p.stopping.Load() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Minute)
		defer cancel()
	}
	if err := ended.Close(ctx); err != nil {
		p.log.Error("a ledger did not end well", "reason", err)
		p.failed.Store(true)
	}
}

// close ends the last site, and waits for those before it.
func (p *instance) close(ctx context.Context) error {
	p.stopping.Store(true)
	err := p.handler.Close(ctx)
	if err == nil && p.failed.Load() {
		err = errors.New("a ledger did not end well")
	}
	return err
}

// tell says what somebody who has just started the program should know.
func (p *instance) tell(out io.Writer, listening *server.Server) {
	if p.began.OneRun {
		fmt.Fprintln(out, "Decisions are signed with a key for this run alone: after it everybody is asked again. -keys names a file of keys that stay.")
	}
	if p.config == "" && p.declarations == "" {
		fmt.Fprintln(out, "What is declared are the usual cookies of many sites, and not those of yours. -declarations names a file; \"consentproxy init\" writes a first one.")
	}
	addr, secure := listening.Addr()
	fmt.Fprintf(out, "Open %s in a browser to see %s with consent in front; Ctrl-C stops it.\n", address(p.began.Listen, addr, secure), p.began.Targets[0].To)
}

// serve serves until ctx ends, and reads the settings anew at each SIGHUP.
func (p *instance) serve(ctx context.Context, listening *server.Server) error {
	served := make(chan error, 1)
	go func() { served <- listening.Serve(ctx) }()
	for {
		select {
		case <-p.hangups:
			p.reload(ctx)
		case err := <-served:
			return err
		}
	}
}

// reload reads the settings anew. If they have mistakes, those from before go on.
func (p *instance) reload(ctx context.Context) {
	settings, err := p.read(p.key)
	if err == nil {
		err = p.use(ctx, settings)
	}
	if err != nil {
		p.log.Error("the settings were not read anew, and those from before go on", "reason", err)
		return
	}
	for _, field := range needRestart(p.began, settings) {
		p.log.Warn("a change waits for the next start", "field", field)
	}
	p.log.Info("the settings were read anew", "declarations", len(settings.Site.Consent.Registry.Cookies()))
}

// needRestart returns the fields that differ and hold from the start to the end.
func needRestart(began, now *config.Settings) (fields []string) {
	for _, field := range []struct {
		name    string
		differs bool
	}{
		{"listen", began.Listen != now.Listen},
		{"admin", began.Admin != now.Admin},
		{"limits", began.Server.Limits != now.Server.Limits},
		{"log", began.Log != now.Log},
		{"tls", !reflect.DeepEqual(began.TLS, now.TLS)},
		{"trusted, for the access log", began.Log.Access && !reflect.DeepEqual(began.Trusted, now.Trusted)},
	} {
		if field.differs {
			fields = append(fields, field.name)
		}
	}
	return fields
}

// address is where a browser finds the proxy: the host as it was given, unless that stands for
// all addresses, and the port that is listened on, which for port 0 the system has picked.
func address(given string, listening net.Addr, secure bool) string {
	scheme := "http://"
	if secure {
		scheme = "https://"
	}
	host, _, _ := net.SplitHostPort(given) // it has been listened on
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "localhost"
	}
	_, port, _ := net.SplitHostPort(listening.String())
	return scheme + net.JoinHostPort(host, port)
}
