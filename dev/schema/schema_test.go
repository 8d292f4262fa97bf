// Package schema checks the files in docs that describe JSON, by a validator that others use.
package schema

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	schema, err := compiler.Compile("../../docs/declarations.schema.json") // checks it against the draft's own schema
	require.NoError(t, err)
	return schema
}

func validate(t *testing.T, schema *jsonschema.Schema, document []byte) error {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	require.NoError(t, err, "%s", document)
	return schema.Validate(value)
}

func TestTheSchemaTakesWhatTheLibraryWrites(t *testing.T) {
	schema := compile(t)
	file, err := os.ReadFile("../../examples/charter/cookies.json")
	require.NoError(t, err)
	require.NoError(t, validate(t, schema, file))

	words := consent.Text{language.French: "é", language.Make("zh-Hant-TW"): "x", language.Make("x-klingon"): "Q"}
	cookies := []consent.Cookie{{
		Provider: "A", Service: words, Name: "a*", Purpose: words, Category: consent.Statistics, Lifetime: time.Second + 1, Anonymous: true,
		Domain: ".example.org", Path: "/a", Also: []consent.Place{{Domain: "b.example"}, {Path: "/b"}}, Origins: []string{"https://*.example.org", "http://localhost"},
	}}
	for kind := range consent.Other + 1 {
		cookies = append(cookies, consent.Cookie{Kind: kind, Provider: "A", Name: "b", Purpose: words, Category: "chat-2", Lifetime: 400 * 24 * time.Hour})
	}
	registry, err := consent.MustRegistry(cookies...).WithProviders(consent.Provider{Name: "A", LegalName: "A Ltd", Country: "IE", Policy: "https://a.example"})
	require.NoError(t, err)
	document, err := json.Marshal(registry)
	require.NoError(t, err)
	assert.NoError(t, validate(t, schema, document))
	assert.NoError(t, validate(t, schema, []byte(`{"revision": 2, "regimes": ["opt-in"], "cookies": []}`)))
}

// What an editor marks, the library refuses too.
func TestTheSchemaAndTheReaderRefuseTheSame(t *testing.T) {
	schema := compile(t)
	const good = `"provider": "A", "name": "a", "purpose": {"en": "x"}, "category": "chat"`
	for _, document := range []string{
		`[]`, `{}`, `{"cookies": {}}`, `{"cookies": [1]}`, `{"cookies": [], "revision": -1}`, `{"cookies": [], "regimes": "uk"}`, `{"cookies": [], "x": 1}`,
		`{"cookies": [{}]}`, `{"cookies": [{"provider": "A", "name": "a", "category": "chat", "purpose": {}}]}`,
		`{"cookies": [{"provider": "TODO: who", "name": "a", "category": "chat", "purpose": {"en": "x"}}]}`,
		`{"cookies": [{"provider": "A", "name": "a", "category": "chat", "purpose": {"en": "TODO"}}]}`,
		`{"cookies": [{"provider": "A", "name": "a", "category": "chat", "purpose": {"en": " "}}]}`,
		`{"cookies": [{"provider": "A", "name": "a", "category": "Chat", "purpose": {"en": "x"}}]}`,
		`{"cookies": [{"provider": "A", "name": "**", "category": "chat", "purpose": {"en": "x"}}]}`,
		`{"cookies": [{` + good + `, "lifetime": "a while"}]}`, `{"cookies": [{` + good + `, "lifetime": "0 days"}]}`, `{"cookies": [{` + good + `, "lifetime": 5}]}`,
		`{"cookies": [{` + good + `, "kind": "cookei"}]}`, `{"cookies": [{` + good + `, "kind": "indexedDB", "path": "/a"}]}`,
		`{"cookies": [{` + good + `, "anonymous": true}]}`, `{"cookies": [{` + good + `, "anonymous": "yes"}]}`, `{"cookies": [{` + good + `, "path": "a"}]}`,
		`{"cookies": [{` + good + `, "also": [{"path": "a"}]}]}`, `{"cookies": [{` + good + `, "origins": ["a.example"]}]}`, `{"cookies": [{` + good + `, "domain": null}]}`,
		`{"cookies": [{` + good + `}], "providers": [{"name": "A", "country": "ie"}]}`, `{"cookies": [{` + good + `}], "providers": [{"name": "A", "policy": "/p"}]}`,
		`{"cookies": [{` + good + `}], "providers": [{"name": "A", "adress": "x"}]}`, `{"cookies": [{` + good + `, "purpos": {}}]}`,
	} {
		assert.Error(t, validate(t, schema, []byte(document)), document)
		_, err := consent.ReadRegistry(bytes.NewReader([]byte(document)))
		assert.Error(t, err, document)
	}
	document := []byte(`{"cookies": [{` + good + `}]}`)
	assert.NoError(t, validate(t, schema, document))
	_, err := consent.ReadRegistry(bytes.NewReader(document))
	assert.NoError(t, err)
}
