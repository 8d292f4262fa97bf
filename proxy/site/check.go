package site

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/internal/joined"
)

// A Mistake is one in a [Config], for a program that names the field as its own settings do.
type Mistake struct {
	Field  string // by its path in Config: "Consent.Keys", "Charter.Layout", "Ledger.Retention"
	At     string // where in a field that holds several: "1" of Keys[1], "chat" of Categories["chat"]; else ""
	Reason string // what is wrong with it
}

// Error names the field and what is wrong with it.
func (m *Mistake) Error() string {
	field := m.Field
	if m.At != "" {
		field += "[" + m.At + "]"
	}
	return "site: Config." + field + ": " + m.Reason
}

// Check returns every mistake in a config, joined, each a [*Mistake]. It opens no ledger.
func Check(config Config) error {
	return errors.Join(append(ofParts(config), ofWhole(config)...)...)
}

// ofWhole returns the mistakes that neither package consent nor package charter can see.
func ofWhole(c Config) (mistakes []error) {
	retention := c.Ledger.Retention
	for _, m := range []struct {
		is            bool
		field, reason string
	}{
		{c.Consent.Regime != nil, "Consent.Regime", "is set; Config.Regimes says which law applies"},
		{c.Consent.Recorder != nil, "Consent.Recorder", "is set; Config.Ledger says where proof is kept"},
		{c.Charter.LanguageOf != nil, "Charter.LanguageOf", "is set; Config.LanguageCookie says where the language is"},
		{c.Charter.History != nil, "Charter.History", "is set; Config.Ledger.Issuer says who answers for the records"},
		{c.Charter.Middleware != nil, "Charter.Middleware", "is set; Config.Consent makes it"},
		{c.Consent.Failed != nil || c.Charter.Failed != nil, "Log", "is told what fails; neither Consent.Failed nor Charter.Failed can be set"},
		{c.Regimes.Header != "" && c.Regimes.Trusted == nil, "Regimes.Trusted", "is nil; anybody can write the header"},
		{c.Regimes.Header == "" && len(c.Regimes.ByValue) > 0, "Regimes.Header", "is empty, and ByValue has regimes for its values"},
		{c.Ledger.Issuer != nil && c.Ledger.URL == "", "Ledger.Issuer", "answers for records, and Ledger.URL is empty"},
		{retention != 0 && retention < leastRetention, "Ledger.Retention", "is less than 210 days: a consent has to be proven for as long as it stands"},
		{retention >= leastRetention && retention <= c.Consent.Lifetime, "Ledger.Retention", "is not longer than the lifetime of a decision: a consent has to be proven for as long as it stands"},
	} {
		if m.is {
			mistakes = append(mistakes, &Mistake{Field: m.field, Reason: m.reason})
		}
	}
	return mistakes
}

// leastRetention is that of [ledger.Config].
const leastRetention = 210 * 24 * time.Hour

// ofParts returns the mistakes that package consent finds in its part of a config, and
// package charter in its own: the charter's do not wait until the middleware has none.
func ofParts(c Config) []error {
	all := asMistakes(new(Site).build(c))
	if len(all) == 0 {
		return nil
	}
	registry := c.Consent.Registry
	if registry == nil { // then what a signal needs of it may be declared all the same
		registry, c.Charter.Signals = consent.MustRegistry(), nil
	}
	c.Consent = consent.Config{Registry: registry, Keys: [][]byte{NewKey()}, CookiePath: c.Consent.CookiePath}
	for _, more := range asMistakes(new(Site).build(c)) {
		if !slices.ContainsFunc(all, func(m error) bool { return m.Error() == more.Error() }) {
			all = append(all, more)
		}
	}
	return all
}

// charterMistake has the field, an index or a key, what has a name of its own there, and the
// reason.
var charterMistake = regexp.MustCompile(`(?s)^charter: Config\.(\w+)(?:\["?([^"\]]*)"?\])?(?: \(([^)]*)\))?: (.*)$`)

// asMistakes returns what an error of package consent or package charter joins. What is about
// no field stays as it is.
func asMistakes(err error) (all []error) {
	for _, err := range joined.Split(err) {
		if field, is := errors.AsType[*consent.FieldError](err); is {
			name, at, _ := strings.Cut(strings.TrimSuffix(field.Field, "]"), "[")
			err = &Mistake{"Consent." + name, at, field.Reason}
		} else if found := charterMistake.FindStringSubmatch(err.Error()); found != nil {
			reason := found[4]
			if found[3] != "" {
				reason = found[3] + ": " + reason
			}
			err = &Mistake{"Charter." + found[1], found[2], reason}
		}
		all = append(all, err)
	}
	return all
}
