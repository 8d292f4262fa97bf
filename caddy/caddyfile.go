package consentcaddy

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

func parseCaddyfile(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	handler := new(Handler)
	if err := handler.UnmarshalCaddyfile(h.Dispenser); err != nil {
		return nil, err
	}
	return handler, nil
}

// UnmarshalCaddyfile reads the directive: see the README for its options. The error joins
// every mistake that shows without a look at any other file, each with its place in the
// Caddyfile.
func (h *Handler) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next() // the directive itself
	p := parser{handler: h, directive: *d, given: make(map[string]caddyfile.Dispenser)}
	for d.NextArg() {
		p.wrong(d, fmt.Errorf("%q is no matcher; the options of consent stand in a block", d.Val()))
	}
	for d.NextBlock(0) {
		p.option(d.NewFromNextSegment(), "", options)
	}
	for _, m := range h.checkForm() {
		at, is := p.given[m.option]
		if !is {
			at = p.directive
		}
		p.wrong(&at, m)
	}
	return p.err()
}

// A parser reads one directive.
type parser struct {
	handler   *Handler
	directive caddyfile.Dispenser
	given     map[string]caddyfile.Dispenser // the options so far, each at its name
	mistakes  []placed
}

// A placed mistake stands at a line.
type placed struct {
	error
	line int
}

func (p *parser) wrong(at *caddyfile.Dispenser, err error) {
	p.mistakes = append(p.mistakes, placed{at.WrapErr(err), at.Line()})
}

// err joins the mistakes in the order of their lines, each on a line of its own.
func (p *parser) err() error {
	slices.SortStableFunc(p.mistakes, func(a, b placed) int { return cmp.Compare(a.line, b.line) })
	all := make([]error, len(p.mistakes))
	for i, m := range p.mistakes {
		all[i] = m.error
	}
	if err := errors.Join(all...); err != nil {
		return fmt.Errorf("\n%w", err)
	}
	return nil
}

// An option reads the arguments and the block of an option, at whose name d stands.
type option func(p *parser, d *caddyfile.Dispenser) error

// option reads one option, which stands within another one or in the directive.
func (p *parser) option(d *caddyfile.Dispenser, within string, known map[string]option) {
	d.Next()
	at, name := *d, within+d.Val()
	read, is := known[d.Val()]
	if !is {
		p.wrong(d, fmt.Errorf("%s: is no option; these are: %s", name, strings.Join(slices.Sorted(maps.Keys(known)), ", ")))
		return
	}
	if _, twice := p.given[name]; twice && !slices.Contains(repeatable, d.Val()) {
		p.wrong(d, fmt.Errorf("%s: is given twice", name))
		return
	}
	p.given[name] = at
	err := read(p, d)
	if err == nil && d.Next() {
		err = fmt.Errorf("%q is too much", d.Val())
	}
	if err != nil {
		p.wrong(&at, fmt.Errorf("%s: %w", name, err))
	}
}

// repeatable are the options that may stand there more than once.
var repeatable = []string{"key", "signals", "category", "title", "about", "for"}

// options are those of the directive.
var options = map[string]option{
	"declarations":       text(func(h *Handler) *string { return &h.Declarations }),
	"key":                texts(func(h *Handler) *[]string { return &h.Keys }),
	"keys_file":          text(func(h *Handler) *string { return &h.KeysFile }),
	"inject":             flag(func(h *Handler) *bool { return &h.Inject }),
	"report_only":        flag(func(h *Handler) *bool { return &h.ReportOnly }),
	"allow_undeclared":   flag(func(h *Handler) *bool { return &h.AllowUndeclared }),
	"expire_undecided":   flag(func(h *Handler) *bool { return &h.ExpireUndecided }),
	"insecure":           flag(func(h *Handler) *bool { return &h.Insecure }),
	"lifetime":           duration(func(h *Handler) *caddy.Duration { return &h.Lifetime }),
	"revision":           revision,
	"cookie_name":        text(func(h *Handler) *string { return &h.CookieName }),
	"former_cookie_name": text(func(h *Handler) *string { return &h.FormerCookieName }),
	"cookie_path":        text(func(h *Handler) *string { return &h.CookiePath }),
	"domain":             text(func(h *Handler) *string { return &h.Domain }),
	"path":               text(func(h *Handler) *string { return &h.Path }),
	"prefix":             text(func(h *Handler) *string { return &h.Prefix }),
	"name":               text(func(h *Handler) *string { return &h.Name }),
	"policy_url":         text(func(h *Handler) *string { return &h.PolicyURL }),
	"updated":            text(func(h *Handler) *string { return &h.Updated }),
	"layout":             text(func(h *Handler) *string { return &h.Layout }),
	"button":             flag(func(h *Handler) *bool { return &h.Button }),
	"language":           text(func(h *Handler) *string { return &h.Language }),
	"language_cookie":    text(func(h *Handler) *string { return &h.LanguageCookie }),
	"languages":          text(func(h *Handler) *string { return &h.Languages }),
	"style":              text(func(h *Handler) *string { return &h.Style }),
	"category":           category,
	"signals":            texts(func(h *Handler) *[]string { return &h.Signals }),
	"guard":              text(func(h *Handler) *string { return &h.Guard }),
	"gpc_since":          text(func(h *Handler) *string { return &h.GPCSince }),
	"regime": func(p *parser, d *caddyfile.Dispenser) error {
		law, err := oneArgument(d)
		if err != nil {
			return err
		}
		return readLaw(&p.handler.Regime, law)
	},
	"regime_header": regimeHeader,
	"ledger":        ledgerBlock,
}

// ledgerOptions are those in the block of "ledger".
var ledgerOptions = map[string]option{
	"key":        texts(func(h *Handler) *[]string { return &h.LedgerKeys }),
	"keys_file":  text(func(h *Handler) *string { return &h.LedgerKeysFile }),
	"spool":      text(func(h *Handler) *string { return &h.LedgerSpool }),
	"retention":  duration(func(h *Handler) *caddy.Duration { return &h.LedgerRetention }),
	"wait":       duration(func(h *Handler) *caddy.Duration { return &h.LedgerWait }),
	"controller": text(func(h *Handler) *string { return &h.LedgerController }),
}

func oneArgument(d *caddyfile.Dispenser) (string, error) {
	if !d.NextArg() {
		return "", errors.New("needs a value")
	}
	if d.Val() == "" {
		return "", errors.New("has an empty value")
	}
	return d.Val(), nil
}

// text is for an option of one argument.
func text(field func(*Handler) *string) option {
	return func(p *parser, d *caddyfile.Dispenser) (err error) {
		*field(p.handler), err = oneArgument(d)
		return err
	}
}

// texts is for an option of at least one argument.
func texts(field func(*Handler) *[]string) option {
	return func(p *parser, d *caddyfile.Dispenser) error {
		first, err := oneArgument(d)
		if err == nil {
			*field(p.handler) = append(append(*field(p.handler), first), d.RemainingArgs()...)
		}
		return err
	}
}

// flag is for an option without arguments.
func flag(field func(*Handler) *bool) option {
	return func(p *parser, _ *caddyfile.Dispenser) error {
		*field(p.handler) = true
		return nil
	}
}

// duration is for an option that is a time.
func duration(field func(*Handler) *caddy.Duration) option {
	return func(p *parser, d *caddyfile.Dispenser) error {
		given, err := oneArgument(d)
		if err != nil {
			return err
		}
		duration, err := caddy.ParseDuration(given)
		if err != nil || duration <= 0 {
			return fmt.Errorf("%q is no time such as \"180d\" or \"12h\"", given)
		}
		*field(p.handler) = caddy.Duration(duration)
		return nil
	}
}

func revision(p *parser, d *caddyfile.Dispenser) error {
	given, err := oneArgument(d)
	if err != nil {
		return err
	}
	if p.handler.Revision, err = strconv.ParseUint(given, 10, 64); err != nil {
		return fmt.Errorf("%q is no whole number", given)
	}
	return nil
}

// category reads "category ID { title LANGUAGE TEXT … }".
func category(p *parser, d *caddyfile.Dispenser) error {
	id, err := oneArgument(d)
	if err != nil {
		return err
	}
	if _, twice := p.handler.Categories[consent.Category(id)]; twice {
		return fmt.Errorf("%s is given twice", id)
	}
	c := Category{}
	fields := map[string]option{"title": inLanguage(&c.Title), "about": inLanguage(&c.About), "for": inLanguage(&c.For)}
	for d.NextBlock(0) {
		p.option(d.NewFromNextSegment(), "category "+id+" ", fields)
	}
	if p.handler.Categories == nil {
		p.handler.Categories = make(map[consent.Category]Category)
	}
	p.handler.Categories[consent.Category(id)] = c
	return nil
}

// inLanguage reads "LANGUAGE TEXT".
func inLanguage(to *consent.Text) option {
	return func(_ *parser, d *caddyfile.Dispenser) error {
		given, err := oneArgument(d)
		if err != nil {
			return err
		}
		tag, err := language.Parse(given)
		if err != nil {
			return fmt.Errorf("%q is no language tag such as \"fr\" or \"pt-BR\"", given)
		}
		sentence, err := oneArgument(d)
		if err != nil {
			return err
		}
		if *to == nil {
			*to = make(consent.Text)
		}
		if _, twice := (*to)[tag]; twice {
			return fmt.Errorf("is given twice in %s", tag)
		}
		(*to)[tag] = sentence
		return nil
	}
}

// regimeHeader reads "regime_header NAME { VALUE LAW … }".
func regimeHeader(p *parser, d *caddyfile.Dispenser) (err error) {
	if p.handler.RegimeHeader, err = oneArgument(d); err != nil {
		return err
	}
	p.handler.Regimes = make(map[string]consent.Regime)
	for d.NextBlock(0) {
		value := d.NewFromNextSegment()
		value.Next()
		at, name := *value, value.Val()
		given, err := oneArgument(value)
		var law consent.Regime
		if err == nil {
			err = readLaw(&law, given)
		}
		if err != nil {
			p.wrong(&at, fmt.Errorf("regime_header %s: %w", name, err))
		}
		p.handler.Regimes[name] = law
	}
	return nil
}

func readLaw(to *consent.Regime, given string) error {
	if to.UnmarshalText([]byte(given)) != nil {
		return fmt.Errorf("%q is none of opt-in, uk, opt-out, none", given)
	}
	return nil
}

// ledgerBlock reads "ledger URL { … }".
func ledgerBlock(p *parser, d *caddyfile.Dispenser) (err error) {
	if p.handler.Ledger, err = oneArgument(d); err != nil {
		return err
	}
	for d.NextBlock(0) {
		p.option(d.NewFromNextSegment(), "ledger ", ledgerOptions)
	}
	return nil
}
