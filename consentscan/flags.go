package main

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// given is what the flags say of files and patterns, before they are read.
type given struct {
	include, exclude                   list
	only                               pairs // category and selectors
	optOut                             pairs // field and value
	declarations, rules, setup, failOn string
	json, sarif, html, declare, pkg    string
	events                             bool
}

// define has the flags written to g, and what needs no reading to o.
func (g *given) define(f *flag.FlagSet, o *options) {
	s := &o.scan
	g.only.separator, g.optOut.separator = "=", ":"
	f.StringVar(&g.declarations, "declarations", "", "`file` with the declarations in JSON; default: what the site's charter says")
	f.IntVar(&s.Crawl.Pages, "pages", 50, "how many pages are looked at")
	f.IntVar(&s.Crawl.Depth, "depth", 5, "how many links a page may be away from the first")
	f.Var(&g.include, "include", "look only at paths of this `pattern`, such as /shop/*; may be repeated")
	f.Var(&g.exclude, "exclude", "leave out paths of this `pattern`; may be repeated")
	f.BoolVar(&s.Crawl.IgnoreRobots, "ignore-robots", false, "look at what robots.txt forbids, too")
	f.StringVar(&s.Banner.Accept, "accept", "", "`selectors` to click to accept everything, \"A >> B\" one after the other")
	f.StringVar(&s.Banner.Refuse, "refuse", "", "`selectors` to click to refuse everything")
	f.StringVar(&s.Banner.Withdraw, "withdraw", "", "`selectors` to click to refuse everything after it was accepted")
	f.StringVar(&s.Banner.Object, "object", "", "`selectors` to click to object to anonymous statistics")
	f.Var(&g.only, "only", "`CATEGORY=selectors` to click to allow one category alone; may be repeated")
	f.StringVar(&g.rules, "rules", "", "`file` with rules of autoconsent, for a banner that is not known")
	f.StringVar(&s.Banner.Charter, "charter", "", "`path` of the site's charter, if it is not found, such as /shop/cookies/")
	f.StringVar(&g.setup, "setup", "", "`file` with the steps by which a visitor logs in")
	f.Var(&g.optOut, "opt-out", "`NAME: VALUE` of a header field by which the site takes a visitor for one of an opt-out law, such as \"CF-IPCountry: US\"; may be repeated")
	f.StringVar(&g.json, "json", "", "`file` to write JSON to")
	f.BoolVar(&g.events, "events", false, "put everything that was seen into the JSON, and not the findings alone")
	f.StringVar(&g.sarif, "sarif", "", "`file` to write SARIF 2.1.0 to")
	f.StringVar(&g.html, "html", "", "`file` to write a page with pictures to")
	f.StringVar(&g.declare, "declare", "", "`file` to write declarations to for what nobody declared: .go or .json")
	f.StringVar(&g.pkg, "package", "main", "`package` of a .go file of -declare")
	f.StringVar(&o.baselinePath, "baseline", "", "`file` of findings that are known, and not told again")
	f.BoolVar(&o.writeBaseline, "write-baseline", false, "write the findings to the file of -baseline, and exit with 0")
	f.StringVar(&g.failOn, "fail-on", "warning", "`what` has the exit status be 1: error, warning, note, none, or names of checks")
	f.DurationVar(&s.Timeout, "timeout", 15*time.Second, "how long a page may take to come to rest")
	f.IntVar(&s.Parallel, "parallel", 6, "how many visitors walk at the same time")
	f.BoolVar(&s.Hash, "values", false, "tell values apart by a hash, whose key is another in each scan; for your own eyes, in -json with -events")
	f.StringVar(&s.Browser.Path, "browser", "", "`path` of the Chromium; default: the one in PATH")
	f.BoolVar(&s.Browser.InvalidCertificates, "invalid-certificates", false, "look at sites whose certificate is not valid")
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
