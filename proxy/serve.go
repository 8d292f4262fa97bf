package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/cookiecharter/consent/proxy/inject"
	"github.com/cookiecharter/consent/proxy/internal/backend"
	"github.com/cookiecharter/consent/proxy/internal/config"
	"github.com/cookiecharter/consent/proxy/internal/server"
	"github.com/cookiecharter/consent/proxy/internal/swap"
	"github.com/cookiecharter/consent/proxy/site"
)

// An instance is the proxy as it runs.
type instance struct {
	options
	key     []byte // of this run, if nobody names others
	log     *slog.Logger
	handler swap.Handler
	began   *config.Settings // with which it has begun to listen
	site    *site.Site       // the current one
}

// run serves until it is interrupted. It says what it does to out, and what goes
// wrong to errs.
func run(o options, out, errs io.Writer) (err error) {
	p := &instance{options: o, key: site.NewKey()}
	settings, err := p.read(p.key)
	if err != nil {
		return err
	}
	p.began, p.log = settings, newLogger(settings.Log, errs)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := p.use(ctx, settings); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close(settings)) }()
	listener, err := net.Listen("tcp", settings.Listen)
	if err != nil {
		return fmt.Errorf("%w (-addr chooses another address)", err)
	}
	p.tell(out, settings, listener)
	return p.serve(ctx, stop, listener, out)
}

func newLogger(l config.Log, to io.Writer) *slog.Logger {
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(to, nil))
	}
	return slog.New(slog.NewTextHandler(to, nil))
}

// use has visitors served by new settings from here on.
func (p *instance) use(ctx context.Context, settings *config.Settings) error {
	settings.Site.Log, settings.Backend.Log = p.log, p.log
	next, err := p.site.Next(ctx, settings.Site)
	if err != nil {
		return inFlags(err)
	}
	if settings.Inject {
		settings.Backend.Injection = inject.New(next.Tag())
	}
	p.site = next
	p.handler.Set(next.Wrap(backend.New(settings.Backend)), func() {
		patience, cancel := context.WithTimeout(context.Background(), patienceOf(settings))
		defer cancel()
		if err := next.Close(patience); err != nil {
			p.log.Error("the ledger did not end well", "reason", err)
		}
	})
	return nil
}

// close waits until every site has ended.
func (p *instance) close(settings *config.Settings) error {
	patience, cancel := context.WithTimeout(context.Background(), patienceOf(settings))
	defer cancel()
	return p.handler.Close(patience)
}

func patienceOf(settings *config.Settings) time.Duration {
	if settings.Limits.Shutdown > 0 {
		return settings.Limits.Shutdown
	}
	return server.ShutdownPatience
}

// tell says what somebody who has just started the program should know.
func (p *instance) tell(out io.Writer, settings *config.Settings, listener net.Listener) {
	if settings.OneRun {
		fmt.Fprintln(out, "Decisions are signed with a key for this run alone: after it everybody is asked again. -keys names a file of keys that stay.")
	}
	if p.config == "" && p.declarations == "" {
		fmt.Fprintln(out, "What is declared are the usual cookies of many sites, and not those of yours. -declarations names a file; \"consentproxy init\" writes a first one.")
	}
	fmt.Fprintf(out, "Open %s in a browser to see %s with consent in front; Ctrl-C stops it.\n", address(settings.Listen, listener.Addr()), settings.Targets[0].To)
}

// serve serves until ctx ends, and reads the settings anew at each SIGHUP.
func (p *instance) serve(ctx context.Context, stop func(), listener net.Listener, out io.Writer) error {
	hangups := make(chan os.Signal, 1)
	notifyReload(hangups)
	defer signal.Stop(hangups)
	visitors := server.New(&p.handler, p.log)
	served := make(chan error, 1)
	go func() { served <- server.Serve(visitors, listener, server.PiecePatience) }()
	for {
		select {
		case <-hangups:
			p.reload(ctx)
		case err := <-served:
			return err
		case <-ctx.Done():
			stop() // from here on an interrupt ends the program at once
			fmt.Fprintln(out, "Stopping, once the last answers are out. Ctrl-C again does not wait.")
			return p.shutDown(visitors)
		}
	}
}

func (p *instance) shutDown(visitors *http.Server) error {
	patience, cancel := context.WithTimeout(context.Background(), patienceOf(p.began))
	defer cancel()
	err := visitors.Shutdown(patience)
	if errors.Is(err, context.DeadlineExceeded) {
		err = visitors.Close() // a stream may have no end
	}
	return err
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
	p.log.Info("the settings were read anew", "declarations", len(settings.Site.Consent.Registry.Cookies()))
	for _, field := range needRestart(p.began, settings) {
		p.log.Warn("a change waits for the next start", "field", field)
	}
}

// needRestart returns the fields that differ and hold from the start to the end.
func needRestart(began, now *config.Settings) (fields []string) {
	for _, field := range []struct {
		name    string
		differs bool
	}{
		{"listen", began.Listen != now.Listen},
		{"admin", began.Admin != now.Admin},
		{"log.format", began.Log.Format != now.Log.Format},
	} {
		if field.differs {
			fields = append(fields, field.name)
		}
	}
	return fields
}

// address is where a browser finds the proxy: the host as it was given, and the
// port that is listened on, which for port 0 the system has picked.
func address(given string, listening net.Addr) string {
	host, _, _ := net.SplitHostPort(given) // it has been listened on
	if host == "" {
		host = "localhost"
	}
	_, port, _ := net.SplitHostPort(listening.String())
	return "http://" + net.JoinHostPort(host, port)
}
