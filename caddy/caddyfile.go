package consentcaddy

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
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
