package consentcaddy

import (
	"errors"

	"github.com/caddyserver/caddy/v2"
)

// A value is an option whose value may hold placeholders.
type value struct {
	option string
	text   *string
}

// values are those of all such options.
func (h *Handler) values() []value {
	all := []value{
		{"declarations", &h.Declarations}, {"keys_file", &h.KeysFile}, {"cookie_name", &h.CookieName},
		{"former_cookie_name", &h.FormerCookieName}, {"cookie_path", &h.CookiePath}, {"domain", &h.Domain}, {"path", &h.Path},
		{"prefix", &h.Prefix}, {"name", &h.Name}, {"policy_url", &h.PolicyURL}, {"languages", &h.Languages}, {"style", &h.Style},
		{"ledger", &h.Ledger}, {"ledger keys_file", &h.LedgerKeysFile}, {"ledger spool", &h.LedgerSpool}, {"ledger controller", &h.LedgerController},
	}
	for i := range h.Keys {
		all = append(all, value{"key", &h.Keys[i]})
	}
	for i := range h.LedgerKeys {
		all = append(all, value{"ledger key", &h.LedgerKeys[i]})
	}
	return all
}

// expand replaces the placeholders. One without a value is a mistake.
func (h *Handler) expand() error {
	repl := caddy.NewReplacer()
	var mistakes []error
	for _, v := range h.values() {
		replaced, err := repl.ReplaceOrErr(*v.text, true, true)
		if err != nil {
			mistakes = append(mistakes, mistake{v.option, err.Error()})
		}
		*v.text = replaced
	}
	return errors.Join(mistakes...)
}
