package inventory_test

import (
	"encoding/json"
	"go/format"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/inventory"
)

// shown is what the handler serves.
func shown(t testing.TB, found *inventory.Inventory, query string) string {
	w := httptest.NewRecorder()
	found.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/?"+query, nil))
	require.Equal(t, 200, w.Code, w.Body)
	return w.Body.String()
}

func TestItTakesWhatAScanHasWatched(t *testing.T) {
	registry := consent.MustRegistry(consent.Cookie{Provider: "A", Name: "known", Purpose: consent.Text{language.English: "x"}, Category: consent.Necessary})
	found := inventory.New(registry)
	for _, o := range []inventory.Observation{
		{Name: "byHeader", Page: "/a", SetHere: true, Attributes: &consent.Attributes{Domain: "example.org", Path: "/", Lifetime: time.Hour}},
		{Name: "byScript", Page: "/b", Attributes: &consent.Attributes{Path: "/b", Lifetime: 48 * time.Hour}},
		{Name: "known", Page: "/a"},
		{Name: "", Page: "/a"},
		{Kind: consent.LocalStorage, Name: "theme", Page: "/c"},
		{Origin: "https://maps.example", Page: "/d"},
		{Origin: "wss://maps.example", Page: "/d"},
		{Origin: "https://*.tiles.example", Page: "/d"},
		{Origin: "no origin", Page: "/d"},
		{Kind: consent.Other, Name: "/worker.js", Page: "/d"},
		{Kind: 99, Name: "no kind", Page: "/d"},
	} {
		found.Add(o)
	}
	var document struct{ Cookies []map[string]any }
	require.NoError(t, json.Unmarshal([]byte(shown(t, found, "as=json")), &document))
	var said []string
	for _, c := range document.Cookies {
		delete(c, "provider")
		delete(c, "purpose")
		delete(c, "category")
		text, err := json.Marshal(c)
		require.NoError(t, err)
		said = append(said, string(text))
	}
	assert.Equal(t, []string{
		`{"kind":"other","name":"*.tiles.example","origins":["https://*.tiles.example"]}`,
		`{"kind":"other","name":"/worker.js"}`,
		`{"domain":"example.org","lifetime":"1 hour","name":"byHeader","path":"/"}`,
		`{"lifetime":"2 days","name":"byScript","path":"/b"}`,
		`{"kind":"other","name":"maps.example","origins":["https://maps.example","wss://maps.example"]}`,
		`{"kind":"localStorage","name":"theme"}`,
	}, said)

	source := shown(t, found, "as=go")
	formatted, err := format.Source([]byte(source))
	require.NoError(t, err, source)
	assert.Equal(t, string(formatted), source)
	assert.Contains(t, source, `// Set by this server on "/a".`)
	assert.Contains(t, source, `// Contacted by "/d".`)
	assert.Contains(t, source, `Origins:  []string{"https://maps.example", "wss://maps.example"},`)
	assert.Contains(t, shown(t, found, ""), "<div>contacted</div>")
}

func TestNoDomainOfTheDevelopersMachineIsDeclared(t *testing.T) {
	for _, domain := range []string{"localhost", "shop.localhost", "127.0.0.1", "::1"} {
		found := inventory.New(nil)
		found.Add(inventory.Observation{Name: "a", Page: "/", SetHere: true, Attributes: &consent.Attributes{Domain: domain, Path: "/"}})
		source := shown(t, found, "as=go")
		assert.Contains(t, source, `Name:     "a"`)
		assert.NotContains(t, source, "Domain", domain)
	}
}
