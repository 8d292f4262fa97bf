package consentcaddy

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/proxy/site"
)

// Checked settings are what the options of a handler amount to, and their mistakes.
type checked struct {
	site.Config
	mistakes []mistake
}

// checkForm finds the mistakes that show before any file is read and any placeholder replaced:
// a Caddyfile may be adapted on another machine than the one where it is used.
func (h *Handler) checkForm() []mistake {
	form := *h
	form.Keys, form.LedgerKeys = slices.Clone(h.Keys), slices.Clone(h.LedgerKeys)
	for _, v := range form.values() {
		if strings.Contains(*v.text, "{") {
			*v.text = ""
			if v.text == &form.Ledger {
				form.Ledger = "some" // it is not missing, and nothing else is asked of it here
			}
		}
	}
	c := form.checked()
	c.checkSite()
	return c.mistakes
}

// read reads the files that the options name, and checks everything. The key is that of this
// run, for development.
func (h *Handler) read(ofRun []byte) (site.Config, error) {
	c := h.checked()
	c.Consent.Registry = c.declarations(h.Declarations)
	c.Consent.Keys = c.keys("keys_file", h.KeysFile, "key", h.Keys)
	switch {
	case h.KeysFile != "" || len(h.Keys) > 0:
	case h.Insecure:
		c.Consent.Keys = [][]byte{ofRun}
	default:
		c.wrong("key", "is missing, and so is keys_file; \"openssl rand -hex 32\" prints a key")
	}
	c.Config.Ledger.Keys = c.keys("ledger keys_file", h.LedgerKeysFile, "ledger key", h.LedgerKeys)
	if h.LedgerController != "" && h.Ledger != "" {
		issuer, err := site.ReadIssuer(h.LedgerController)
		c.wrongAll("ledger controller", err)
		c.Config.Ledger.Issuer = issuer
	}
	if h.Style != "" {
		style, err := readBounded(h.Style)
		c.wrongAll("style", err)
		c.Charter.Style = style
	}
	if h.Languages != "" {
		c.Charter.Languages = os.DirFS(h.Languages)
	}
	c.checkLedger(h.Ledger)
	c.checkSite()
	return c.Config, c.err()
}

// checked returns what the options say without a look at any file.
func (h *Handler) checked() *checked {
	c := new(checked)
	c.Consent = consent.Config{
		AllowUndeclared: h.AllowUndeclared, ReportOnly: h.ReportOnly, ExpireUndecided: h.ExpireUndecided, Insecure: h.Insecure,
		Lifetime: time.Duration(h.Lifetime), Revision: h.Revision, CookieName: h.CookieName, FormerCookieName: h.FormerCookieName,
		CookiePath: h.CookiePath, Domain: h.Domain,
	}
	c.Charter = charter.Config{
		Path: h.Path, Prefix: h.Prefix, Name: h.Name, PolicyURL: h.PolicyURL, Layout: charter.Layout(h.Layout), Button: h.Button,
		Updated: c.day("updated", h.Updated), GPCSince: c.day("gpc_since", h.GPCSince),
	}
	c.LanguageCookie = h.LanguageCookie
	c.texts(h)
	c.regimes(h)
	c.Config.Ledger.URL, c.Config.Ledger.Spool = h.Ledger, h.LedgerSpool
	c.Config.Ledger.Retention, c.Config.Ledger.Wait = time.Duration(h.LedgerRetention), time.Duration(h.LedgerWait)
	if h.Ledger == "" && (len(h.LedgerKeys) > 0 || h.LedgerKeysFile+h.LedgerSpool+h.LedgerController != "" || h.LedgerRetention != 0 || h.LedgerWait != 0) {
		c.wrong("ledger", "is missing, and has settings")
	}
	return c
}

// texts sets what the charter says, to whom.
func (c *checked) texts(h *Handler) {
	if h.Language != "" {
		tag, err := language.Parse(h.Language)
		if err != nil {
			c.wrong("language", "%q is no language tag such as \"fr\" or \"pt-BR\"", h.Language)
		}
		c.Charter.Language = tag
	}
	if len(h.Categories) > 0 {
		c.Charter.Categories = make(map[consent.Category]charter.Category, len(h.Categories))
		for id, category := range h.Categories {
			c.Charter.Categories[id] = charter.Category(category)
		}
	}
	for _, name := range h.Signals {
		signal, err := site.SignalNamed(name)
		if err != nil {
			c.wrongAll("signals", err)
			continue
		}
		c.Charter.Signals = append(c.Charter.Signals, signal)
	}
	guard, err := site.GuardNamed(h.Guard)
	c.wrongAll("guard", err)
	c.Charter.Guard = guard
}

// regimes sets which law applies.
func (c *checked) regimes(h *Handler) {
	c.Regimes = site.Regimes{Header: h.RegimeHeader, ByValue: h.Regimes, Default: h.Regime, Trusted: fromTrustedProxy}
	switch {
	case h.RegimeHeader != "" && len(h.Regimes) == 0:
		c.wrong("regime_header", "names no law for any value")
	case h.RegimeHeader == "" && len(h.Regimes) > 0:
		c.wrong("regime_header", "is missing, and there are laws for its values")
		c.Regimes.ByValue = nil
	}
}

// fromTrustedProxy reports what Caddy has found by the trusted_proxies of the server.
func fromTrustedProxy(r *http.Request) bool {
	trusted, _ := caddyhttp.GetVar(r.Context(), caddyhttp.TrustedProxyVarKey).(bool)
	return trusted
}

// day reads a day; "" is none.
func (c *checked) day(option, text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		c.wrong(option, "%q is no day such as 2026-11-26", text)
	}
	return day
}
