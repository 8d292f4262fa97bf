package config_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/proxy/internal/config"
)

// folder makes a folder with these files, by name.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	return dir
}

var (
	key  = []byte(strings.Repeat("k", 32))
	long = strings.Repeat("o", 32)
)

const declarations = `cookies:
  - provider: Shop
    name: _ga
    category: statistics
    purpose: {en: Counts visits.}
  - provider: Shop
    name: chat_id
    category: live-chat
    purpose: {en: Keeps the chat.}
`

// whole has every field.
const whole = `# The shop.
$schema: x
listen: ":8081"
admin: localhost:9090
targets:
  - to: http://localhost:8000
  - host: docs.example.org
    path: /docs
    to: h2c://localhost:8001
trusted: [10.0.0.7, 10.1.0.0/16]
believed: [X-Forwarded-For]
inject: true
reportOnly: true
allowUndeclared: true
expireUndecided: true
insecure: true
keys: {file: keys, env: CONSENT_TEST_KEYS}
declarations: cookies.yaml
decision:
  lifetime: 3 months
  revision: 7
  cookieName: choice
  formerCookieName: cookies_preferences
  cookiePath: /shop
  domain: example.org
charter:
  path: /cookies/
  prefix: /shop
  name: The shop
  policyURL: /privacy
  updated: 2026-11-26
  layout: box
  button: true
  language: fr
  languageCookie: lang
  languages: texts
  categories:
    live-chat:
      title: {en: Chat, fr: Messagerie}
      about: {en: To talk to us., fr: Pour nous parler.}
      for: {en: to talk to us, fr: pour nous parler}
  signals: [google, matomo]
  guard: declared
  gpcSince: 2026-01-01
  style: style.css
regimes:
  header: CF-IPCountry
  default: uk
  values: {US-CA: opt-out, CH: none}
ledger:
  url: consent.db
  keys: {file: keys}
  spool: spool
  retention: 3 years
  wait: 2 seconds
limits:
  head: 5 seconds
  idle: 1 minute
  piece: 30 seconds
  dial: 2 seconds
  answer: 20 seconds
  grace: 10 seconds
tls:
  acme: {hosts: [shop.example.org], email: a@example.org, directory: https://ca.example/dir, cache: certificates}
  redirect: ":8082"
log: {format: json, access: true, queries: true, wholeAddresses: true}
`

func TestEveryFieldCounts(t *testing.T) {
	dir := folder(t, map[string]string{
		"consentproxy.yaml": whole, "cookies.yaml": declarations, "keys": long + "\n", "style.css": "b{}",
		"texts/fr.json": `{"Refuse": "Non merci"}`,
	})
	t.Setenv("CONSENT_TEST_KEYS", strings.Repeat("e", 32)+" "+strings.Repeat("f", 40))
	s, err := config.Read(filepath.Join(dir, "consentproxy.yaml"), key)
	require.NoError(t, err)

	c := s.Site.Consent
	assert.Len(t, c.Registry.Cookies(), 2)
	assert.Equal(t, []string{long, strings.Repeat("e", 32), strings.Repeat("f", 40)}, []string{string(c.Keys[0]), string(c.Keys[1]), string(c.Keys[2])})
	assert.Equal(t, 90*24*time.Hour, c.Lifetime)
	assert.Equal(t, uint64(7), c.Revision)
	assert.Equal(t, []string{"choice", "cookies_preferences", "/shop", "example.org"}, []string{c.CookieName, c.FormerCookieName, c.CookiePath, c.Domain})
	assert.True(t, c.ReportOnly && c.AllowUndeclared && c.ExpireUndecided && c.Insecure)
	assert.False(t, s.OneRun)

	text := s.Site.Charter
	assert.Equal(t, []string{"/cookies/", "/shop", "The shop", "/privacy"}, []string{text.Path, text.Prefix, text.Name, text.PolicyURL})
	assert.Equal(t, "2026-11-26", text.Updated.Format(time.DateOnly))
	assert.Equal(t, "2026-01-01", text.GPCSince.Format(time.DateOnly))
	assert.Equal(t, charter.BottomBox, text.Layout)
	assert.True(t, text.Button)
	assert.Equal(t, language.French, text.Language)
	assert.Equal(t, "lang", s.Site.LanguageCookie)
	assert.Equal(t, "Messagerie", text.Categories["live-chat"].Title[language.French])
	assert.Len(t, text.Signals, 2)
	assert.Equal(t, charter.GuardDeclared, text.Guard)
	assert.Equal(t, "b{}", string(text.Style))
	assert.NotNil(t, text.Languages)

	r := httptest.NewRequest("GET", "/", nil)
	assert.Equal(t, consent.UK, s.Site.Regimes.Default)
	assert.Equal(t, map[string]consent.Regime{"US-CA": consent.OptOut, "CH": consent.NoRegime}, s.Site.Regimes.ByValue)
	for address, trusted := range map[string]bool{"10.1.2.3:1": true, "10.0.0.7:1": true, "10.0.0.8:1": false, "": false} {
		r.RemoteAddr = address
		assert.Equal(t, trusted, s.Site.Regimes.Trusted(r), address)
	}

	assert.Equal(t, filepath.Join(dir, "consent.db"), s.Site.Ledger.URL)
	assert.Equal(t, long, string(s.Site.Ledger.Keys[0]))
	assert.Equal(t, filepath.Join(dir, "spool"), s.Site.Ledger.Spool)
	assert.Equal(t, []time.Duration{3 * 365 * 24 * time.Hour, 2 * time.Second}, []time.Duration{s.Site.Ledger.Retention, s.Site.Ledger.Wait})

	require.Len(t, s.Backend.Targets, 2)
	assert.Equal(t, "docs.example.org /docs h2c://localhost:8001", s.Backend.Targets[1].Host+" "+s.Backend.Targets[1].Path+" "+s.Backend.Targets[1].URL.String())
	assert.Equal(t, "choice", s.Backend.CookieName)
	assert.Len(t, s.Backend.Trusted, 2)
	assert.Equal(t, []string{"X-Forwarded-For"}, []string(s.Backend.Believed))
	assert.Equal(t, []time.Duration{2 * time.Second, 20 * time.Second}, []time.Duration{s.Backend.Limits.Dial, s.Backend.Limits.Answer})

	v := s.Server
	assert.Equal(t, []string{":8081", "localhost:9090", ":8082"}, []string{v.Addr, v.Admin.Addr, v.TLS.Redirect})
	assert.Equal(t, []time.Duration{5 * time.Second, time.Minute, 30 * time.Second, 10 * time.Second}, []time.Duration{v.Limits.Head, v.Limits.Idle, v.Limits.Piece, v.Limits.Grace})
	require.NotNil(t, v.TLS.ACME)
	assert.Equal(t, filepath.Join(dir, "certificates"), v.TLS.ACME.Cache)
	assert.Equal(t, []string{"shop.example.org", "a@example.org", "https://ca.example/dir"}, []string{v.TLS.ACME.Hosts[0], v.TLS.ACME.Email, v.TLS.ACME.Directory})
	assert.True(t, v.Access.Query && v.Access.WholeAddress && s.Log.Access && s.Inject)
	assert.Equal(t, "json", s.Log.Format)
}

func TestAFewLinesAreEnough(t *testing.T) {
	dir := folder(t, map[string]string{"consentproxy.yaml": "insecure: true\ntargets: [{to: \"http://localhost:8000\"}]\ndeclarations:\n  " + strings.ReplaceAll(declarations[:strings.Index(declarations, "  - provider: Shop\n    name: chat")], "\n", "\n  ")})
	s, err := config.Read(filepath.Join(dir, "consentproxy.yaml"), key)
	require.NoError(t, err)
	assert.True(t, s.OneRun)
	assert.Equal(t, [][]byte{key}, s.Site.Consent.Keys)
	assert.Equal(t, "localhost:8080", s.Server.Addr)
	assert.Equal(t, "text", s.Log.Format)
	assert.Empty(t, s.Site.Ledger.URL)
	assert.Len(t, s.Site.Consent.Registry.Cookies(), 1)
}
