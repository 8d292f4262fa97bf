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

func TestEveryMistakeIsSaidAtOnceWithItsLineAndPath(t *testing.T) {
	t.Setenv("CONSENT_TEST_EMPTY", "")
	for _, test := range []struct {
		name string
		file string
		want []string // FILE is the file's name
	}{
		{"nothing", "", []string{"FILE:1: the document is empty"}},
		{"no YAML", "listen: [\n", []string{"FILE:2: did not find"}},
		{"what is required", "inject: true\n", []string{
			"FILE:1: targets: is missing", "FILE:1: declarations: is missing", "FILE:1: keys: is missing",
		}},
		{"a field that is misspelt", "insecure: true\ntarget:\n  - to: http://localhost:1\ndeclarations: {cookies: []}\n", []string{
			"FILE:2: target: is no field here; perhaps \"targets\"", "FILE:1: targets: is missing",
		}},
		{"many", `listen: 8080
admin: here
targets:
  - to: localhost:8000
    path: shop
  - to: http://u:secret@localhost
    host: example.org:80
  - to: http://localhost:1
    path: /x
  - to: http://localhost:2
    path: /x
trusted: [10.0.0.0/33]
believed: [X-Real-IP]
inject: yes
keys: {file: nokeys, env: CONSENT_TEST_EMPTY}
declarations: {cookies: [{name: _ga, provider: G,
  category: ads ads, purpose: {en: TODO}}]}
decision: {lifetime: 13 moons, revision: -1}
charter:
  updated: 26.11.2026
  language: klingon language
  layout: circle
  signals: [google, faceboook]
  guard: some
  style: nostyle.css
regimes: {header: CF-IPCountry, default: opt, values: {US: opt-out, CA: 7}}
ledger: {spool: x}
limits: {head: 10s, grace: 0 seconds}
tls: {certificate: nocert.pem, key: nokey.pem, acme: {email: x}}
log: {format: xml}
`, []string{
			`FILE:1: listen: is a number and should be a text`,
			`FILE:2: admin: "here" is no address`,
			`FILE:4: targets[0].to: is not the URL of a site`,
			`FILE:5: targets[0].path: "shop" does not begin with "/"`,
			`FILE:6: targets[1].to: holds more than`,
			`FILE:7: targets[1].host: "example.org:80" is no host name`,
			`FILE:10: targets[3]: is for the same requests as targets[2]`,
			`FILE:12: trusted[0]: "10.0.0.0/33" is neither`,
			`FILE:13: believed: "X-Real-IP" is none of`,
			`FILE:14: inject: is a text and should be true or false`,
			`FILE:15: keys.file: open DIR/nokeys`,
			`FILE:15: keys.env: CONSENT_TEST_EMPTY: line 1: is blank`,
			`FILE:17: declarations.cookies[0].purpose: says TODO`,
			`FILE:17: declarations.cookies[0].category: "ads ads" is not lower-case`,
			`FILE:18: decision.lifetime: "13 moons" is neither`,
			`FILE:18: decision.revision: is no whole number`,
			`FILE:20: charter.updated: "26.11.2026" is no day`,
			`FILE:21: charter.language: "klingon language" is no language tag`,
			`FILE:22: charter.layout: "circle" is none of`,
			`FILE:23: charter.signals[1]: "faceboook" is none of adobe, clarity`,
			`FILE:24: charter.guard: "some" is neither`,
			`FILE:25: charter.style: DIR/nostyle.css cannot be read`,
			`FILE:26: regimes.default: "opt" is none of opt-in, uk, opt-out, none`,
			`FILE:26: regimes.values.CA: is a number and should be a text`,
			`FILE:27: ledger.url: is missing`,
			`FILE:28: limits.head: is no time such`,
			`FILE:28: limits.grace: is no time such`,
			`FILE:29: tls: open DIR/nocert.pem`,
			`FILE:29: tls.acme.hosts: is missing`,
			`FILE:30: log.format: "xml" is neither`,
		}},
		{"what the site says", `targets: [{to: "http://localhost:8000"}]
insecure: true
declarations: {cookies: [{name: a, provider: P, category: own, purpose: {en: x}}]}
decision: {lifetime: 0.5 seconds, cookieName: "a b"}
charter:
  path: cookies
  layout: circle
  policyURL: "javascript:alert(1)"
`, []string{
			`FILE:4: decision.lifetime: `, `FILE:4: decision.cookieName: `,
			`FILE:3: declarations.cookies[0].category: "own" is no category of the library; there are necessary, statistics, `,
			`FILE:6: charter.path: "cookies" is not a plain path`, `FILE:6: charter.path: "cookies" does not lie below "/"`,
			`FILE:7: charter.layout: "circle" is none of`,
			`FILE:8: charter.policyURL: "javascript:alert(1)" is neither`,
		}},
		{"a category of the site's own without texts", `targets: [{to: "http://localhost:8000"}]
insecure: true
declarations: {cookies: [{name: a, provider: P, category: own, purpose: {en: x}}]}
charter:
  categories:
    own: {title: {en: Own}}
`, []string{`FILE:6: charter.categories.own: is no category of the library`}},
		{"slips in categories", `targets: [{to: "http://localhost:8000"}]
insecure: true
declarations:
  cookies:
    - {name: a, provider: P, purpose: {en: x}, category: embeded-media}
    - {name: b, provider: P, purpose: {en: x}, category: necessary}
    - name: c
      category: statistic
      provider: P
      purpose: {en: x}
    - {name: d, provider: P, purpose: {en: x}, category: embeded-media}
`, []string{
			`FILE:5: declarations.cookies[0].category: "embeded-media" is no category of the library; perhaps "embedded-media". One of the site's own needs "title" and "about" in charter.categories`,
			`FILE:8: declarations.cookies[2].category: "statistic" is no category of the library; perhaps "statistics"`,
			`FILE:11: declarations.cookies[3].category: "embeded-media" is no category`,
		}},
		{"a slip in a category of a file of declarations", "insecure: true\ntargets: [{to: \"http://localhost:1\"}]\ndeclarations: slip.yaml\n",
			[]string{`DIR/slip.yaml:4: cookies[0].category: "chatt" is no category of the library; perhaps "chat"`}},
		{"a slip in a category of another consentproxy.yaml", "insecure: true\ntargets: [{to: \"http://localhost:1\"}]\ndeclarations: other.yaml\n",
			[]string{`DIR/other.yaml:3: declarations.cookies[0].category: "chatt" is no category of the library; perhaps "chat"`}},
		{"a slip in a category of declarations in JSON", "insecure: true\ntargets: [{to: \"http://localhost:1\"}]\ndeclarations: slip.json\n",
			[]string{`DIR/slip.json:2: cookies[0].category: "chatt" is no category of the library; perhaps "chat"`}},
		{"times that are none", "insecure: true\ntargets: [{to: \"http://localhost:1\"}]\ndeclarations: {cookies: []}\ndecision: {lifetime: session}\nlimits: {idle: session, dial: 3}\nledger: {url: x, retention: 3 yaers, wait: 5}\n", []string{
			`FILE:4: decision.lifetime: is no time such as "30 seconds"`, `FILE:5: limits.idle: is no time`, `FILE:5: limits.dial: is no time`,
			`FILE:6: ledger.retention: is no time such as "30 seconds"`, `FILE:6: ledger.wait: is no time`,
		}},
		{"a header that anybody can write", "insecure: true\ntargets: [{to: \"http://localhost:1\"}]\ndeclarations: {cookies: []}\nregimes: {header: CF-IPCountry}\n",
			[]string{`FILE:4: regimes.header: counts only from a machine in "trusted"`}},
		{"values of no header", "insecure: true\ntargets: [{to: \"http://localhost:1\"}]\ndeclarations: {cookies: []}\nregimes: {values: {US: opt-out}}\n",
			[]string{`FILE:4: regimes.values: are those of a header`}},
		{"a ledger of another kind", "insecure: true\ntargets: [{to: \"http://localhost:1\"}]\ndeclarations: {cookies: []}\nledger: {url: \"mysql://u:secret@h/d\"}\n",
			[]string{`FILE:4: ledger.url: "mysql" is no kind of database that is known here; sqlite and postgres are`}},
		{"two addresses of a ledger", "insecure: true\ntargets: [{to: \"http://localhost:1\"}]\ndeclarations: {cookies: []}\nledger: {url: x, env: CONSENT_TEST_EMPTY}\n",
			[]string{`FILE:4: ledger.env: names an address, and so does "url"`}},
		{"a ledger's address in an empty variable", "insecure: true\ntargets: [{to: \"http://localhost:1\"}]\ndeclarations: {cookies: []}\nledger: {env: CONSENT_TEST_EMPTY}\n",
			[]string{`FILE:4: ledger.env: the environment variable CONSENT_TEST_EMPTY is empty`}},
		{"records that go before their consents", "insecure: true\ntargets: [{to: \"http://localhost:1\"}]\ndeclarations: {cookies: []}\nledger: {url: x, retention: 6 months}\n",
			[]string{`FILE:4: ledger.retention: is less than 210 days`}},
		{"records that go with their consents", "insecure: true\ntargets: [{to: \"http://localhost:1\"}]\ndeclarations: {cookies: []}\ndecision: {lifetime: 1 year}\nledger: {url: x, retention: 1 year}\n",
			[]string{`FILE:5: ledger.retention: is not longer than the lifetime of a decision`}},
		{"https without a certificate", "insecure: true\ntargets: [{to: \"http://localhost:1\"}]\ndeclarations: {cookies: []}\ntls: {redirect: \":80\"}\n",
			[]string{`FILE:4: tls.redirect: sends visitors to https`}},
		{"certificates that are not kept", "insecure: true\ntargets: [{to: \"http://localhost:1\"}]\ndeclarations: {cookies: []}\ntls: {acme: {hosts: [a.example, \"b c\"]}}\n",
			[]string{`FILE:4: tls.acme.cache: is missing`, `FILE:4: tls.acme.hosts[1]: "b c" is no host name`}},
		{"a file of declarations that is not there", "insecure: true\ntargets: [{to: \"http://localhost:1\"}]\ndeclarations: nothing.yaml\n",
			[]string{`FILE:3: declarations: DIR/nothing.yaml cannot be read`}},
		{"a file of declarations with mistakes", "insecure: true\ntargets: [{to: \"http://localhost:1\"}]\ndeclarations: bad.yaml\n",
			[]string{`DIR/bad.yaml:2: cookies[0].provider: is empty`, `DIR/bad.yaml:3: cookies[0].category: "X" is not`}},
		{"declarations that are a list", "insecure: true\ntargets: [{to: \"http://localhost:1\"}]\ndeclarations:\n  - name: a\n",
			[]string{`FILE:4: declarations: is a list and should be a text`}},
		{"a language file with a mistake", "insecure: true\ntargets: [{to: \"http://localhost:1\"}]\ndeclarations: {cookies: []}\ncharter:\n  languages: texts\n",
			[]string{`FILE:5: charter.languages: fr.json: `}},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := folder(t, map[string]string{
				"consentproxy.yaml": test.file, "texts/fr.json": `{"Refus": "Non"}`,
				"bad.yaml":   "cookies:\n  - name: a\n    category: X\n    purpose: {en: x}\n",
				"slip.yaml":  "cookies:\n  - name: a\n    provider: P\n    category: chatt\n    purpose: {en: x}\n",
				"other.yaml": "listen: :80\ndeclarations:\n  cookies: [{name: a, provider: P, category: chatt, purpose: {en: x}}]\n",
				"slip.json":  "{\"cookies\": [{\"name\": \"a\", \"provider\": \"P\",\n\"category\": \"chatt\", \"purpose\": {\"en\": \"x\"}}]}",
			})
			name := filepath.Join(dir, "consentproxy.yaml")
			_, err := config.Read(name, key)
			require.Error(t, err)
			got := strings.Split(err.Error(), "\n")
			require.Len(t, got, len(test.want), "%s", err)
			for _, want := range test.want {
				want = strings.NewReplacer("FILE", name, "DIR", dir).Replace(want)
				found := false
				for _, line := range got {
					found = found || strings.HasPrefix(line, want)
				}
				assert.True(t, found, "%q is said: %s", want, err)
			}
			assert.NotContains(t, err.Error(), "secret")
		})
	}
}

func TestAFileThatIsNotThereIsSaid(t *testing.T) {
	name := filepath.Join(t.TempDir(), "consentproxy.yaml")
	_, err := config.Read(name, key)
	assert.EqualError(t, err, name+": cannot be read: no such file or directory")
}

func TestKeysAreNeverShown(t *testing.T) {
	dir := folder(t, map[string]string{"consentproxy.yaml": "targets: [{to: \"http://localhost:1\"}]\ndeclarations: {cookies: []}\nkeys: {file: keys}\n", "keys": "secret\nsecrets\n"})
	_, err := config.Read(filepath.Join(dir, "consentproxy.yaml"), key)
	assert.ErrorContains(t, err, "consentproxy.yaml:3: keys.file: "+filepath.Join(dir, "keys")+", line 1: has 6 bytes")
	assert.NotContains(t, err.Error(), "secret")
}

func TestAMistakeInTheFileOfTheControllerIsNamedWithItsField(t *testing.T) {
	dir := folder(t, map[string]string{
		"consentproxy.yaml": "targets: [{to: http://localhost:8000}]\ndeclarations: d.yaml\nkeys: {file: keys}\nledger:\n  url: consent.db\n  controller: controller.json\n",
		"d.yaml":            declarations, "keys": string(key),
		"controller.json": `{"controller": {"name": "Shop"}}`,
	})
	_, err := config.Read(filepath.Join(dir, "consentproxy.yaml"), key)
	assert.ErrorContains(t, err, "consentproxy.yaml:6: ledger.controller: ")
	assert.ErrorContains(t, err, "controller.json: controller.address: is missing")
}
