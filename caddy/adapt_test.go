package consentcaddy_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	consentcaddy "github.com/cookiecharter/consent/caddy"
)

var update = flag.Bool("update", false, "write testdata/adapt/*.json anew")

func TestACaddyfileBecomesThisJSONAndComesBack(t *testing.T) {
	files, err := filepath.Glob("testdata/adapt/*.caddyfile")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		caddyfile, err := os.ReadFile(file)
		require.NoError(t, err)
		adapted, err := adapt(string(caddyfile))
		require.NoError(t, err)
		var indented bytes.Buffer
		require.NoError(t, json.Indent(&indented, adapted, "", "\t"))
		indented.WriteString("\n")
		golden := strings.TrimSuffix(file, ".caddyfile") + ".json"
		if *update {
			require.NoError(t, os.WriteFile(golden, indented.Bytes(), 0o600))
		}
		want, err := os.ReadFile(golden)
		require.NoError(t, err)
		assert.Equal(t, string(want), indented.String(), file)

		handler := handlerIn(t, adapted)
		var read consentcaddy.Handler
		decoder := json.NewDecoder(bytes.NewReader(handler))
		decoder.DisallowUnknownFields()
		require.NoError(t, decoder.Decode(&read))
		again, err := json.Marshal(read)
		require.NoError(t, err)
		assert.JSONEq(t, string(handler), string(again), file)
	}
}

// handlerIn returns the settings of the first handler of consent, without its name.
func handlerIn(t *testing.T, config []byte) []byte {
	t.Helper()
	var all any
	require.NoError(t, json.Unmarshal(config, &all))
	var find func(any) map[string]any
	find = func(v any) map[string]any {
		switch v := v.(type) {
		case map[string]any:
			if v["handler"] == "consent" {
				return v
			}
			for _, within := range v {
				if found := find(within); found != nil {
					return found
				}
			}
		case []any:
			for _, within := range v {
				if found := find(within); found != nil {
					return found
				}
			}
		}
		return nil
	}
	found := find(all)
	require.NotNil(t, found)
	delete(found, "handler")
	text, err := json.Marshal(found)
	require.NoError(t, err)
	return text
}

func TestEveryMistakeInACaddyfileIsSaidAtOnceWithItsPlace(t *testing.T) {
	for _, test := range []struct {
		name, options string
		want          []string // in the lines from 3 on
	}{
		{"what is no option", "declaration x\ninject\n", []string{`declaration: is no option; these are: allow_undeclared, `}},
		{"many", `declarations
key
inject yes
inject
lifetime 6moons
revision -1
path cookies
policy_url javascript:x
updated yesterday
layout circle
language klingon_language_x
signals google faceboook
guard some
regime opt
regime_header CF-IPCountry {
	US opt-outt
	CH
}
category chat {
	title xx-klingon-language Chat
	titel en Chat
	about en "To talk."
	about en "To talk to us."
}
category chat
ledger {
	key
	seal x
}
cookie_name "a b"
`, []string{
			`declarations: needs a value, at Caddyfile:3`,
			`key: needs a value, at Caddyfile:4`,
			`inject: "yes" is too much, at Caddyfile:5`,
			`inject: is given twice, at Caddyfile:6`,
			`lifetime: "6moons" is no time such as "180d" or "12h", at Caddyfile:7`,
			`revision: "-1" is no whole number, at Caddyfile:8`,
			`path: "cookies" is not a plain path`,
			`policy_url: "javascript:x" is neither`,
			`updated: "yesterday" is no day such as 2026-11-26, at Caddyfile:11`,
			`layout: "circle" is none of`,
			`language: "klingon_language_x" is no language tag such as "fr" or "pt-BR", at Caddyfile:13`,
			`signals: "faceboook" is none of adobe, clarity`,
			`guard: "some" is neither "declared" nor "all", at Caddyfile:15`,
			`regime: "opt" is none of opt-in, uk, opt-out, none, at Caddyfile:16`,
			`regime_header US: "opt-outt" is none of opt-in, uk, opt-out, none, at Caddyfile:18`,
			`regime_header CH: needs a value, at Caddyfile:19`,
			`title: "xx-klingon-language" is no language tag`,
			`about: is given twice in en, at Caddyfile:25`,
			`category: chat is given twice, at Caddyfile:27`,
			`titel: is no option; these are: about, for, title, at Caddyfile:23`,
			`ledger: needs a value, at Caddyfile:28`,
			`cookie_name: `,
		}},
		{"an argument", "", []string{`"x.yaml" is no matcher; the options of consent stand in a block, at Caddyfile:2`}},
		{"a spool of nothing", "ledger_spool x\n", []string{`ledger_spool: is no option`}},
		{"a short retention", "lifetime 300d\nledger x {\nretention 250d\n}\n", []string{`ledger retention: is not longer than the lifetime of a decision`, "Caddyfile:5"}},
		{"no law", "regime_header X\n", []string{`regime_header: names no law for any value, at Caddyfile:3`}},
		{"in an import", "import testdata/bad.caddyfile\n", []string{`layout: "circle" is none of`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			head := "consent {"
			if test.name == "an argument" {
				head = "consent x.yaml {"
			}
			_, err := adapt(":8080 {\n" + head + "\n" + test.options + "}\n}\n")
			require.Error(t, err)
			_, said, _ := strings.Cut(err.Error(), "\n")
			for _, want := range test.want {
				assert.Contains(t, said, want)
			}
			if test.name == "many" {
				for i, line := range strings.Split(said, "\n") {
					t.Log(i, line)
				}
			}
		})
	}
}

func TestWhatAPlaceholderStandsForIsCheckedWhenItIsKnown(t *testing.T) {
	config, err := adapt("{\nadmin off\nauto_https off\n}\n:9 {\nconsent {\n" + basics + "path {env.CONSENT_PATH}\nledger {env.CONSENT_LEDGER}\n}\n}\n")
	require.NoError(t, err)
	err = validate(config)
	require.ErrorContains(t, err, "path: ")
	require.ErrorContains(t, err, "ledger: ")
	t.Setenv("CONSENT_LEDGER", "x.db")
	t.Setenv("CONSENT_PATH", "here")
	err = validate(config)
	require.ErrorContains(t, err, `path: "here" is not a plain path`)
	t.Setenv("CONSENT_PATH", "/here/")
	require.NoError(t, validate(config))
}

func TestMistakesInFilesAreSaidAtOnceWithFileAndLineAndWithoutSecrets(t *testing.T) {
	folder := t.TempDir()
	bad, keys := filepath.Join(folder, "bad.yaml"), filepath.Join(folder, "keys")
	require.NoError(t, os.WriteFile(bad, []byte("cookies:\n  - name: a\n    category: X\n    purpose: {en: x}\n"), 0o600))
	require.NoError(t, os.WriteFile(keys, []byte("secret\n"), 0o600))
	config, err := adapt("{\nadmin off\nauto_https off\n}\n:9 {\nconsent {\ndeclarations " + bad + "\nkeys_file " + keys + "\nkey {env.CONSENT_SHORT}\nstyle none.css\nlanguages " + folder + "/none\n}\n}\n")
	require.NoError(t, err)
	t.Setenv("CONSENT_SHORT", "secrets")
	err = validate(config)
	require.Error(t, err)
	for _, want := range []string{
		"declarations: " + bad + ":2: cookies[0].provider: is empty",
		"declarations: " + bad + ":3: cookies[0].category: ",
		"keys_file: " + keys + ", line 1: has 6 bytes",
		"key: line 1: has 7 bytes",
		"style: open none.css",
	} {
		assert.Contains(t, err.Error(), want)
	}
	assert.NotContains(t, err.Error(), "secret\n")
	assert.NotContains(t, err.Error(), "secrets")
}

func TestDeclarationsAndKeysAreRequired(t *testing.T) {
	config, err := adapt("{\nadmin off\nauto_https off\n}\n:9 {\nconsent\n}\n")
	require.NoError(t, err)
	err = validate(config)
	require.ErrorContains(t, err, "declarations: is missing")
	require.ErrorContains(t, err, "key: is missing")
}

func FuzzUnmarshalCaddyfile(f *testing.F) {
	all, err := os.ReadFile("testdata/adapt/all.caddyfile")
	require.NoError(f, err)
	f.Add(string(all))
	for _, seed := range []string{"consent", "consent {\n}", "consent x {\nkey\n}", "consent {\nledger x {\nkey y\n", "consent {\nregime_header X {\nY\n}\n}", "consent {\ncategory a {\ntitle en x {\n}\n}\n}"} {
		f.Add(":80 {\n" + seed + "\n}\n")
	}
	f.Fuzz(func(t *testing.T, caddyfile string) {
		if strings.Contains(caddyfile, "import") {
			t.Skip("it could read any file")
		}
		adapted, err := adapt(caddyfile)
		if err == nil {
			require.True(t, json.Valid(adapted))
		}
	})
}
