package consentcaddy

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

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
