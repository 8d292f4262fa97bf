package consentcaddy

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/ledger"
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
	for _, err := range split(err) {
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
		c.Config.Ledger.Issuer = c.issuer(h.LedgerController)
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
	switch retention := h.LedgerRetention; {
	case retention != 0 && time.Duration(retention) < leastRetention:
		c.wrong("ledger retention", "is less than 210 days: a consent has to be proven for as long as it stands")
	case retention != 0 && retention <= h.Lifetime:
		c.wrong("ledger retention", "is not longer than \"lifetime\": a consent has to be proven for as long as it stands")
	}
	return c
}

// leastRetention is that of [ledger.Config].
const leastRetention = 210 * 24 * time.Hour

// issuer reads who answers for the records.
func (c *checked) issuer(name string) *ledger.Issuer {
	content, err := readBounded(name)
	if err != nil {
		c.wrongAll("ledger controller", err)
		return nil
	}
	issuer, err := ledger.ReadIssuer(bytes.NewReader(content))
	if err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			c.wrong("ledger controller", "%s: %s", name, strings.TrimPrefix(line, "ledger: "))
		}
		return nil
	}
	return &issuer
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
		signal, known := signals[name]
		if !known {
			c.wrong("signals", "%q is none of %s", name, strings.Join(slices.Sorted(maps.Keys(signals)), ", "))
			continue
		}
		c.Charter.Signals = append(c.Charter.Signals, signal())
	}
	guard, known := guards[h.Guard]
	if !known {
		c.wrong("guard", "%q is neither \"declared\" nor \"all\"", h.Guard)
	}
	c.Charter.Guard = guard
}

var signals = map[string]func() charter.Signal{
	"google": charter.Google, "microsoft": charter.Microsoft, "clarity": charter.Clarity, "meta": charter.Meta,
	"tiktok": charter.TikTok, "matomo": charter.Matomo, "matomo-cookies": charter.MatomoCookies,
	"piano": charter.Piano, "posthog": charter.PostHog, "adobe": charter.Adobe,
}

var guards = map[string]charter.Guard{"": charter.GuardOff, "declared": charter.GuardDeclared, "all": charter.GuardAll}

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
	for _, err := range split(err) {
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

// checkSite has everything checked as a whole. What is missing or could not be read has been
// said, and something right stands in for it.
func (c *checked) checkSite() {
	config := c.Config
	if config.Consent.Registry == nil {
		config.Consent.Registry = consent.MustRegistry()
	}
	if len(config.Consent.Keys) == 0 {
		config.Consent.Keys = [][]byte{site.NewKey()}
	}
	for _, err := range split(site.Check(config)) {
		if field, is := errors.AsType[*consent.FieldError](err); is {
			c.wrong(optionOf(field.Field), "%s", field.Reason)
		} else if found := charterMistake.FindStringSubmatch(err.Error()); found != nil {
			c.wrong(optionOf(found[1]), "%s", strings.TrimLeft(found[2]+" "+found[3], " "))
		} else {
			c.wrong("consent", "%v", err)
		}
	}
}

// charterMistake has the field of [charter.Config], what within it, and the reason.
var charterMistake = regexp.MustCompile(`(?s)^charter: Config\.(\w+)(?:\["?([^"\]]*)"?\])?[^:]*: (.*)$`)

// optionOf returns the option for a field of [consent.Config] or [charter.Config].
func optionOf(field string) string {
	field, _, _ = strings.Cut(field, "[")
	return cmp.Or(optionNames[field], field)
}

// optionNames hold the options for those fields that can be wrong.
var optionNames = map[string]string{
	"Registry": "declarations", "Keys": "key", "Lifetime": "lifetime", "Revision": "revision", "CookieName": "cookie_name",
	"FormerCookieName": "former_cookie_name", "CookiePath": "cookie_path", "Domain": "domain", "Insecure": "insecure",
	"Path": "path", "Prefix": "prefix", "Name": "name", "PolicyURL": "policy_url", "Updated": "updated", "Layout": "layout",
	"Language": "language", "Languages": "languages", "Style": "style", "Categories": "category", "Signals": "signals",
	"Guard": "guard", "GPCSince": "gpc_since",
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

// split returns the errors that an error joins.
func split(err error) []error {
	if err == nil {
		return nil
	}
	if joined, isJoined := err.(interface{ Unwrap() []error }); isJoined {
		var all []error
		for _, err := range joined.Unwrap() {
			all = append(all, split(err)...)
		}
		return all
	}
	return []error{err}
}
