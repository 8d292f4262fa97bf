package main

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/consentscan/internal/banner"
	"github.com/cookiecharter/consent/consentscan/internal/report"
	"github.com/cookiecharter/consent/consentscan/internal/scan"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
	"github.com/cookiecharter/consent/consentscan/internal/steps"
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

// A list is a flag that may be given several times.
type list []string

func (l *list) String() string     { return strings.Join(*l, ", ") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

// pairs is a flag of a name and a value, that may be given several times.
type pairs struct {
	separator string
	values    map[string]string
}

func (p *pairs) String() string { return strings.Join(slices.Sorted(maps.Keys(p.values)), ", ") }

func (p *pairs) Set(s string) error {
	name, value, ok := strings.Cut(s, p.separator)
	if name, value = strings.TrimSpace(name), strings.TrimSpace(value); !ok || name == "" || value == "" {
		return fmt.Errorf("want NAME%sVALUE", p.separator)
	}
	if p.values == nil {
		p.values = make(map[string]string)
	}
	p.values[name] = value
	return nil
}

// parse reads the command line, and the files that it names. The error has every mistake.
func parse(args []string, stderr io.Writer, getenv func(string) string) (*options, error) {
	o := new(options)
	var (
		s                                  = &o.scan
		include, exclude                   list
		onlyClicks                         = pairs{separator: "="}
		optOut                             = pairs{separator: ":"}
		declarations, rules, setup, failOn string
		json, sarif, html, declare, pkg    string
		events                             bool
	)
	f := flag.NewFlagSet("consentscan", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		fmt.Fprintf(stderr, "usage: consentscan [flags] URL\n\nOpens a site in Chromium in every state of consent, and says where it does not do as it declares.\n\n")
		f.PrintDefaults()
	}
	f.StringVar(&declarations, "declarations", "", "`file` with the declarations in JSON; default: what the site's charter says")
	f.IntVar(&s.Crawl.Pages, "pages", 50, "how many pages are looked at")
	f.IntVar(&s.Crawl.Depth, "depth", 5, "how many links a page may be away from the first")
	f.Var(&include, "include", "look only at paths of this `pattern`, such as /shop/*; may be repeated")
	f.Var(&exclude, "exclude", "leave out paths of this `pattern`; may be repeated")
	f.BoolVar(&s.Crawl.IgnoreRobots, "ignore-robots", false, "look at what robots.txt forbids, too")
	f.StringVar(&s.Banner.Accept, "accept", "", "`selectors` to click to accept everything, \"A >> B\" one after the other")
	f.StringVar(&s.Banner.Refuse, "refuse", "", "`selectors` to click to refuse everything")
	f.StringVar(&s.Banner.Withdraw, "withdraw", "", "`selectors` to click to refuse everything after it was accepted")
	f.StringVar(&s.Banner.Object, "object", "", "`selectors` to click to object to anonymous statistics")
	f.Var(&onlyClicks, "only", "`CATEGORY=selectors` to click to allow one category alone; may be repeated")
	f.StringVar(&rules, "rules", "", "`file` with rules of autoconsent, for a banner that is not known")
	f.StringVar(&s.Banner.Charter, "charter", "", "`path` of the site's charter, if it is not found, such as /shop/cookies/")
	f.StringVar(&setup, "setup", "", "`file` with the steps by which a visitor logs in")
	f.Var(&optOut, "opt-out", "`NAME: VALUE` of a header field by which the site takes a visitor for one of an opt-out law, such as \"CF-IPCountry: US\"; may be repeated")
	f.StringVar(&json, "json", "", "`file` to write JSON to")
	f.BoolVar(&events, "events", false, "put everything that was seen into the JSON, and not the findings alone")
	f.StringVar(&sarif, "sarif", "", "`file` to write SARIF 2.1.0 to")
	f.StringVar(&html, "html", "", "`file` to write a page with pictures to")
	f.StringVar(&declare, "declare", "", "`file` to write declarations to for what nobody declared: .go or .json")
	f.StringVar(&pkg, "package", "main", "`package` of a .go file of -declare")
	f.StringVar(&o.baselinePath, "baseline", "", "`file` of findings that are known, and not told again")
	f.BoolVar(&o.writeBaseline, "write-baseline", false, "write the findings to the file of -baseline, and exit with 0")
	f.StringVar(&failOn, "fail-on", "warning", "`what` has the exit status be 1: error, warning, note, none, or names of checks")
	f.DurationVar(&s.Timeout, "timeout", 15*time.Second, "how long a page may take to come to rest")
	f.IntVar(&s.Parallel, "parallel", 6, "how many visitors walk at the same time")
	f.BoolVar(&s.Hash, "values", false, "tell values apart by a hash, whose key is another in each scan; for your own eyes, in -json with -events")
	f.StringVar(&s.Browser.Path, "browser", "", "`path` of the Chromium; default: the one in PATH")
	f.BoolVar(&s.Browser.InvalidCertificates, "invalid-certificates", false, "look at sites whose certificate is not valid")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	var mistakes []error
	note := func(flag string, err error) {
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("-%s: %w", flag, err))
		}
	}
	var err error
	if s.URL, err = address(f.Args()); err != nil {
		mistakes = append(mistakes, err)
	}
	s.Crawl.Include, s.Crawl.Exclude = include, exclude
	s.Banner.Only, s.OptOut = onlyClicks.values, optOut.values
	if s.Crawl.Pages < 1 {
		note("pages", fmt.Errorf("%d is less than 1", s.Crawl.Pages))
	}
	if s.Timeout < time.Second {
		note("timeout", fmt.Errorf("%v is less than a second", s.Timeout))
	}
	if s.Parallel < 1 || s.Parallel > 32 {
		note("parallel", fmt.Errorf("%d is not from 1 to 32", s.Parallel))
	}
	note("declarations", read(declarations, func(r io.Reader) (err error) { s.Registry, err = consent.ReadRegistry(r); return err }))
	note("rules", read(rules, func(r io.Reader) (err error) { s.Banner.Rules, err = banner.ParseRules(r); return err }))
	note("setup", read(setup, func(r io.Reader) (err error) { s.Setup, err = steps.Parse(r, getenv); return err }))
	if o.baselinePath != "" && !o.writeBaseline {
		note("baseline", read(o.baselinePath, func(r io.Reader) (err error) { o.baseline, err = report.ReadBaseline(r); return err }))
	}
	if o.writeBaseline && o.baselinePath == "" {
		note("write-baseline", errors.New("needs -baseline FILE"))
	}
	o.failOn, err = report.ParseFailOn(failOn)
	note("fail-on", err)
	o.outputs, err = outputs(json, sarif, html, declare, pkg, declarations, events)
	mistakes = append(mistakes, err)
	s.Pictures = html != ""
	s.Lookup = net.DefaultResolver.LookupCNAME
	if err := errors.Join(mistakes...); err != nil {
		return nil, err
	}
	return o, nil
}

// address is the first page, with https if no scheme is said.
func address(args []string) (string, error) {
	if len(args) != 1 {
		return "", fmt.Errorf("want one address after the flags, and not %d: %s", len(args), cmp.Or(strings.Join(args, " "), "consentscan [flags] URL"))
	}
	raw := args[0]
	if !strings.Contains(raw, "://") {
		scheme := "https://"
		if host, _, _ := strings.Cut(raw, "/"); seen.IsLocal(host) {
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
