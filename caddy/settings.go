package consentcaddy

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/internal/joined"
	"github.com/cookiecharter/consent/proxy/declare"
	"github.com/cookiecharter/consent/proxy/site"
)

// A mistake is one in the settings: the option as the Caddyfile spells it, and what is wrong.
type mistake struct{ option, reason string }

func (m mistake) Error() string { return m.option + ": " + m.reason }

// A checked setting is what the options of a handler amount to, and their mistakes.
type checked struct {
	site.Config
	mistakes []mistake
}

func (c *checked) wrong(option, reason string, args ...any) {
	m := mistake{option, fmt.Sprintf(reason, args...)}
	if !slices.Contains(c.mistakes, m) { // the site's check goes twice over some
		c.mistakes = append(c.mistakes, m)
	}
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

// checkLedger finds the usual mistake with a ledger in a file. Whatever else is wrong shows
// when the ledger is opened, and then Caddy may already have begun to listen.
func (c *checked) checkLedger(url string) {
	if url == "" || strings.HasPrefix(url, "postgres:") || strings.HasPrefix(url, "postgresql:") {
		return
	}
	folder := filepath.Dir(strings.TrimPrefix(url, "sqlite:"))
	if info, err := os.Stat(folder); err != nil {
		c.wrongAll("ledger", err)
	} else if !info.IsDir() {
		c.wrong("ledger", "%s is no folder", folder)
	}
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

// declarations reads the file of declarations.
func (c *checked) declarations(name string) *consent.Registry {
	if name == "" {
		c.wrong("declarations", "is missing; it is the path of a file in YAML or JSON")
		return nil
	}
	file, err := os.Open(name)
	if err != nil {
		c.wrongAll("declarations", err)
		return nil
	}
	defer file.Close()
	registry, err := declare.Read(file)
	for _, err := range joined.Split(err) {
		if m, is := errors.AsType[*consent.DocumentError](err); is {
			c.wrong("declarations", "%s:%d: %s", name, m.Line, strings.TrimPrefix(m.Path+": "+m.Reason, ": "))
		} else {
			c.wrong("declarations", "%s: %v", name, err)
		}
	}
	return registry
}

// keys reads those of a file and those that are given.
func (c *checked) keys(fileOption, file, option string, given []string) (keys [][]byte) {
	if file != "" {
		read, err := site.ReadKeys(file)
		c.wrongAll(fileOption, err)
		keys = read
	}
	if len(given) > 0 {
		read, err := site.ParseKeys([]byte(strings.Join(strings.Fields(strings.Join(given, " ")), "\n")))
		c.wrongAll(option, err)
		keys = append(keys, read...)
	}
	return keys
}

// maxFile is more than any style sheet has.
const maxFile = 1 << 20

func readBounded(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("%s has more than %d bytes", name, maxFile)
	}
	return data, err
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
		default:
			c.wrong(optionOf(m.Field), "%s", strings.TrimLeft(m.At+" "+m.Reason, " "))
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

// A value is an option whose value may hold placeholders.
type value struct {
	option string
	text   *string
}

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
