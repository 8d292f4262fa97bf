package config_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/proxy/internal/config"
)

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
