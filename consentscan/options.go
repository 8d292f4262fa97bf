package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/consentscan/internal/banner"
	"github.com/cookiecharter/consent/consentscan/internal/report"
	"github.com/cookiecharter/consent/consentscan/internal/scan"
	"github.com/cookiecharter/consent/consentscan/internal/steps"
	"github.com/cookiecharter/consent/internal/hosts"
)

// errHelp says that the usage was asked for, and written.
var errHelp = flag.ErrHelp

// options are what the command line says.
type options struct {
	scan          scan.Options
	outputs       []output
	baselinePath  string
	baseline      report.Baseline
	writeBaseline bool
	failOn        report.FailOn
}

// parse reads the command line, and the files that it names. The error has every mistake.
func parse(args []string, stderr io.Writer, getenv func(string) string) (*options, error) {
	o, g := new(options), new(given)
	f := flag.NewFlagSet("consentscan", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		fmt.Fprintf(stderr, "usage: consentscan [flags] URL\n\nOpens a site in Chromium in every state of consent, and says where it does not do as it declares.\n\n")
		f.PrintDefaults()
	}
	g.define(f, o)
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if err := o.read(g, f.Args(), getenv); err != nil {
		return nil, err
	}
	return o, nil
}

// read checks what the flags say, and reads the files that they name. The error joins every
// mistake, each with its flag.
func (o *options) read(g *given, args []string, getenv func(string) string) error {
	s := &o.scan
	var mistakes []error
	note := func(flag string, err error) {
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("-%s: %w", flag, err))
		}
	}
	var err error
	if s.URL, err = address(args); err != nil {
		mistakes = append(mistakes, err)
	}
	s.Crawl.Include, s.Crawl.Exclude = g.include, g.exclude
	s.Banner.Only, s.OptOut = g.only.values, g.optOut.values
	if s.Crawl.Pages < 1 {
		note("pages", fmt.Errorf("%d is less than 1", s.Crawl.Pages))
	}
	if s.Timeout < time.Second {
		note("timeout", fmt.Errorf("%v is less than a second", s.Timeout))
	}
	if s.Parallel < 1 || s.Parallel > 32 {
		note("parallel", fmt.Errorf("%d is not from 1 to 32", s.Parallel))
	}
	note("declarations", read(g.declarations, func(r io.Reader) (err error) { s.Registry, err = consent.ReadRegistry(r); return err }))
	note("rules", read(g.rules, func(r io.Reader) (err error) { s.Banner.Rules, err = banner.ParseRules(r); return err }))
	note("setup", read(g.setup, func(r io.Reader) (err error) { s.Setup, err = steps.Parse(r, getenv); return err }))
	if o.baselinePath != "" && !o.writeBaseline {
		note("baseline", read(o.baselinePath, func(r io.Reader) (err error) { o.baseline, err = report.ReadBaseline(r); return err }))
	}
	if o.writeBaseline && o.baselinePath == "" {
		note("write-baseline", errors.New("needs -baseline FILE"))
	}
	o.failOn, err = report.ParseFailOn(g.failOn)
	note("fail-on", err)
	o.outputs, err = outputs(g)
	mistakes = append(mistakes, err)
	s.Pictures = g.html != ""
	s.Lookup = net.DefaultResolver.LookupCNAME
	return errors.Join(mistakes...)
}

// address is the first page, with https if no scheme is said.
func address(args []string) (string, error) {
	if len(args) != 1 {
		return "", fmt.Errorf("want one address after the flags, and not %d: %s", len(args), cmp.Or(strings.Join(args, " "), "consentscan [flags] URL"))
	}
	raw := args[0]
	if !strings.Contains(raw, "://") {
		scheme := "https://"
		if host, _, _ := strings.Cut(raw, "/"); hosts.IsLoopback(hosts.Name(host)) {
			scheme = "http://"
		}
		raw = scheme + raw
	}
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("%q is no address of a site", args[0])
	}
	return u.String(), nil
}

// read opens a file, if one is named, and names it in the error.
func read(path string, parse func(io.Reader) error) error {
	if path == "" {
		return nil
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := parse(file); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
