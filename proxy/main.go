// Command proxy puts consent in front of a site that is written in any
// language: it passes requests on to the site and removes from the answers the
// cookies that a visitor has not consented to. The cookies are declared in
// declarations.go; the charter that explains them is served under /cookies/.
//
//	go run ./proxy -to http://localhost:8000 -addr localhost:8080
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/proxy/inject"
	"github.com/cookiecharter/consent/proxy/internal/backend"
	"github.com/cookiecharter/consent/proxy/internal/server"
	"github.com/cookiecharter/consent/proxy/internal/trust"
	"github.com/cookiecharter/consent/proxy/site"
)

// options are what the command line says.
type options struct {
	to, addr, keys, trust, db    string
	reportOnly, inject, insecure bool
}

func main() {
	log.SetFlags(0)
	log.SetOutput(discreet{os.Stderr})
	var o options
	flag.StringVar(&o.to, "to", "", "`URL` of the site, such as http://localhost:8000")
	flag.StringVar(&o.addr, "addr", "localhost:8080", "`address` to listen on")
	flag.StringVar(&o.keys, "keys", "", "`file` with the keys that sign decisions, one per line: the first signs, all verify")
	flag.StringVar(&o.trust, "trust", "", "`addresses`, such as 10.0.0.7,10.1.0.0/16, whose X-Forwarded-For and X-Forwarded-Proto headers are believed")
	flag.StringVar(&o.db, "db", "", "`file or postgres:// URL` of the database that keeps what visitors decide; none if it is left out")
	flag.BoolVar(&o.reportOnly, "report-only", false, "change nothing, and log what would become of each cookie")
	flag.BoolVar(&o.inject, "inject", false, "add to the head of HTML pages what the banner needs")
	flag.BoolVar(&o.insecure, "insecure", false, "keep decisions on plain http too, for development")
	flag.Parse()
	if flag.NArg() > 0 {
		log.Fatalf("proxy: %q is not a flag", flag.Arg(0))
	}
	if err := run(o, os.Stdout, os.Stderr); err != nil {
		log.Fatal("proxy: ", err)
	}
}

// A discreet log holds nothing of what a site sends unasked, which net/http
// writes to the standard logger; there may be cookies in it.
type discreet struct{ to io.Writer }

func (d discreet) Write(p []byte) (int, error) {
	said, _, unasked := bytes.Cut(p, []byte(" starting with "))
	if unasked {
		said = append(said, '\n')
	}
	if _, err := d.to.Write(said); err != nil {
		return 0, err
	}
	return len(p), nil
}

// run serves until it is interrupted. It says what it does to out, and what goes
// wrong to errs.
func run(o options, out, errs io.Writer) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	logger := slog.New(slog.NewTextHandler(errs, nil))
	handler, s, err := newHandler(o, logger)
	if err != nil {
		return err
	}
	visitors, err := server.Listen(server.Config{Addr: o.addr, Handler: handler, Log: logger, Close: s.Close})
	if err != nil {
		return errors.Join(fmt.Errorf("%w (-addr chooses another address)", err), s.Close(ctx))
	}
	if o.keys == "" {
		fmt.Fprintln(out, "Decisions are signed with a key for this run alone: after it everybody is asked again. -keys names a file of keys that stay.")
	}
	listening, _ := visitors.Addr()
	fmt.Fprintf(out, "Open %s in a browser to see %s with consent in front; Ctrl-C stops it.\n", address(o.addr, listening), o.to)
	context.AfterFunc(ctx, func() {
		stop() // from here on an interrupt ends the program at once
		fmt.Fprintln(out, "Stopping, once the last answers are out. Ctrl-C again does not wait.")
	})
	return visitors.Serve(ctx)
}

// newHandler makes the handler that the options ask for. The error holds every
// mistake in them.
func newHandler(o options, logger *slog.Logger) (http.Handler, *site.Site, error) {
	target, wrongTarget := backend.ParseTarget(o.to)
	keys, wrongKeys := site.ReadKeys(o.keys)
	var trusted trust.Hops
	var wrongTrust error
	if o.trust != "" {
		trusted, wrongTrust = trust.Parse(strings.Split(o.trust, ",")...)
	}
	if err := errors.Join(flagError("to", wrongTarget), flagError("keys", wrongKeys), flagError("trust", wrongTrust)); err != nil {
		return nil, nil, err
	}
	s, err := site.New(context.Background(), site.Config{
		Consent:        consent.Config{Registry: cookies, Keys: keys, ReportOnly: o.reportOnly, Insecure: o.insecure},
		LanguageCookie: "django_language",
		Ledger:         site.Ledger{URL: o.db},
		Log:            logger,
	})
	if err != nil {
		return nil, nil, err
	}
	config := backend.Config{Targets: []backend.Target{{URL: target}}, Trusted: trusted, Log: logger}
	if o.inject {
		config.Injection = inject.New(s.Tag())
	}
	return s.Wrap(backend.New(config)), s, nil
}

// flagError names the flag that mistakes are in.
func flagError(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("-%s: %w", name, err)
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
