package consentcaddy

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/cookiecharter/consent/internal/joined"
	"github.com/cookiecharter/consent/proxy/site"
)

// A mistake is one in the settings: the option as the Caddyfile spells it, and what is wrong.
type mistake struct{ option, reason string }

func (m mistake) Error() string { return m.option + ": " + m.reason }

// wrong notes a mistake.
func (c *checked) wrong(option, reason string, args ...any) {
	c.mistakes = append(c.mistakes, mistake{option, fmt.Sprintf(reason, args...)})
}

// wrongAll notes each of the mistakes that an error joins.
func (c *checked) wrongAll(option string, err error) {
	for _, err := range joined.Split(err) {
		c.wrong(option, "%v", err)
	}
}

// err joins the mistakes, each on a line of its own.
func (c *checked) err() error {
	all := make([]error, len(c.mistakes))
	for i, m := range c.mistakes {
		all[i] = m
	}
	return errors.Join(all...)
}

// checkSite has everything checked as a whole. That there are no declarations or no keys has
// been said, with the reason.
func (c *checked) checkSite() {
	for _, err := range joined.Split(site.Check(c.Config)) {
		m, is := errors.AsType[*site.Mistake](err)
		switch {
		case !is:
			c.wrong("consent", "%v", err)
		case m.Field == "Consent.Registry" && c.Consent.Registry == nil:
		case m.Field == "Consent.Keys" && len(c.Consent.Keys) == 0:
		case m.Field == "Charter.Categories":
			c.wrong(optionOf(m.Field), "%s %s", m.At, m.Reason)
		default:
			c.wrong(optionOf(m.Field), "%s", m.Reason)
		}
	}
}

// optionOf returns the option for a field of [site.Config]: that of Charter.Layout is layout.
func optionOf(field string) string {
	_, name, _ := strings.Cut(field, ".")
	return cmp.Or(optionNames[field], strings.ToLower(name))
}

// optionNames hold the options of those fields that can be wrong and are called otherwise.
var optionNames = map[string]string{
	"Consent.Registry": "declarations", "Consent.Keys": "key", "Consent.CookieName": "cookie_name",
	"Consent.FormerCookieName": "former_cookie_name", "Consent.CookiePath": "cookie_path",
	"Charter.PolicyURL": "policy_url", "Charter.Categories": "category", "Charter.GPCSince": "gpc_since",
	"Ledger.Retention": "ledger retention",
}
