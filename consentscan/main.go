// Command consentscan opens a site in a real browser, in every state of consent, and says
// where what happens differs from what the site declares:
//
//	go run github.com/cookiecharter/consent/consentscan@latest https://staging.example.org
//
// It needs a Chromium, on Linux or macOS. A visitor of each kind walks the pages of the
// site: one who is new; who has refused everything; who has allowed one category alone; who
// has accepted everything and then withdraws it, first in the page as it lives; who objects
// to anonymous statistics; and, with -opt-out, who is under a law that asks nobody first,
// with and without Sec-GPC. Each has a browser context of their own.
//
// # What it says
//
//	error stored-without-consent: "_ga" (Google, statistics) is stored before any answer
//	    in new, refused — on /, script https://shop.example/app.js line 12
//
// One line for each cause, with what to write to mend it. Its checks are:
// stored-without-consent, contacted-without-consent, used-after-withdrawal, left-behind,
// answer-not-kept, wrong-signal (errors); undeclared, declared-otherwise,
// undeclared-origin, never-opens, blocked-by-browser (warnings); never-seen (a note). What is exempt
// from consent is no finding. No value of a cookie is kept.
//
// # What is declared
//
// A site with package charter says itself what it declares. For any other, -declarations
// names a file in JSON, as consent.ReadRegistry reads it and a Registry writes it. Without
// declarations, everything is undeclared, and what is well known is told by its name.
//
// # How visitors answer
//
// By the site's own form, if it has package charter; by vanilla-cookieconsent, klaro,
// tarteaucitron or orejime, as these are set up by their documentation; by rules of
// autoconsent in a file; or by what is clicked, one after the other:
//
//	consentscan -accept '#yes' -refuse '#settings >> .none' -withdraw '#cookies >> .none' https://example.org
//
// # Logging in
//
// With -setup FILE each visitor first does a few steps, a line each:
//
//	open /login
//	fill #user alice
//	fill #password $SHOP_PASSWORD
//	click button[type=submit]
//	wait #account
//
// # What it writes
//
// Text goes to standard output; -json, -sarif and -html write the same for programs, code
// hosts and people. -declare writes declarations for what nobody has declared. A site that
// mends step by step keeps a file of what it knows: -baseline known.json, which
// -write-baseline writes.
//
// The exit status is 0 without findings, 1 with findings of the level of -fail-on, 2 if the
// site, or a part of it that was asked for, could not be looked at. go tool passes the
// status on; go run exits with 1 for both.
//
// Package scantest does the same in a site's own tests.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/cookiecharter/consent/consentscan/internal/judge"
	"github.com/cookiecharter/consent/consentscan/internal/report"
	"github.com/cookiecharter/consent/consentscan/internal/scan"
)

// The exit statuses.
const (
	clean = iota
	found
	notLooked
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr, os.Getenv)
	stop()
	os.Exit(status)
}

// run is the command, and returns its exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer, getenv func(string) string) int {
	o, err := parse(args, stderr, getenv)
	switch {
	case errors.Is(err, errHelp):
		return clean
	case err != nil:
		fmt.Fprintf(stderr, "consentscan: %v\n", err)
		return notLooked
	}
	progress := newProgress(stderr, getenv)
	o.scan.Progress = progress.show
	result, err := scan.Run(ctx, o.scan)
	progress.end()
	if result == nil {
		fmt.Fprintf(stderr, "consentscan: %v\n", err)
		return notLooked
	}
	status, writeErr := o.write(result, stdout, getenv)
	if err = errors.Join(explained(err), writeErr); err != nil {
		fmt.Fprintf(stderr, "consentscan: %v\n", err)
		return notLooked
	}
	return status
}

// explained says what the end of a context means here.
func explained(err error) error {
	if errors.Is(err, context.Canceled) {
		return errors.New("stopped: what is said above is what was seen until then")
	}
	return err
}

// write judges what was seen, and writes each output.
func (o *options) write(result *scan.Result, stdout io.Writer, getenv func(string) string) (status int, err error) {
	findings := judge.Judge(result.Scan, result.Registry, judge.Options{OwnCookies: result.OwnCookies})
	r := report.Report{Scan: result.Scan, Findings: findings, Registry: result.Registry, OwnCookies: result.OwnCookies, Version: version()}
	if o.writeBaseline {
		return clean, o.saveBaseline(r, stdout)
	}
	r.Findings, r.Baselined, r.Gone = o.baseline.Apply(findings)
	err = errors.Join(o.save(r), report.Text(stdout, r, isTerminal(stdout) && getenv("NO_COLOR") == ""))
	if report.Fails(r.Findings, o.failOn) {
		return found, err
	}
	return clean, err
}
