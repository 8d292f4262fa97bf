package inventory_test

import (
	"encoding/json"
	"fmt"
	"go/format"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/inventory"
)

// tell posts to an inventory what a browser stores.
func tell(t testing.TB, found *inventory.Inventory, body string, headers ...string) int {
	r := httptest.NewRequest("POST", "https://example.org/debug/cookies", strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	found.Handler().ServeHTTP(w, r)
	return w.Code
}

// told is a report on these names in each storage.
func told(t testing.TB, page string, names ...string) string {
	report, err := json.Marshal(map[string]any{"page": page, "names": map[string][]string{
		"localStorage": names, "sessionStorage": names, "indexedDB": names, "cacheStorage": names, "other": names,
	}})
	require.NoError(t, err)
	return string(report)
}

// found returns what was found as "kind name".
func foundIn(t testing.TB, found *inventory.Inventory) (all []string) {
	var r struct{ Cookies []struct{ Name, Kind string } }
	require.NoError(t, json.Unmarshal([]byte(show(t, found, "?as=json")), &r))
	for _, c := range r.Cookies {
		all = append(all, strings.TrimSpace(c.Kind+" "+c.Name))
	}
	return all
}

func TestItFindsWhatBrowsersStoreAndNobodyDeclared(t *testing.T) {
	item := declare("known", consent.Statistics)
	item.Kind = consent.LocalStorage
	found := inventory.New(consent.MustRegistry(declare("sessionid", consent.Necessary), item))
	assert.Equal(t, http.StatusNoContent, tell(t, found, told(t, "/shop", "known", "", "sessionid"), "Sec-Fetch-Site", "same-origin"))
	assert.Equal(t, []string{
		"sessionStorage known", "indexedDB known", "cacheStorage known",
		"localStorage sessionid", "sessionStorage sessionid", "indexedDB sessionid", "cacheStorage sessionid",
	}, foundIn(t, found), "a declaration is about one kind")
	for _, c := range read(t, found).Cookies {
		assert.Equal(t, places{Paths: []string{"/shop"}}, c.SentTo, c.Name)
		assert.Equal(t, 1, c.Requests, c.Name)
	}
	page := show(t, found, "")
	assert.Contains(t, page, "<code>known</code> <small>indexedDB</small>")
	assert.Contains(t, page, "stored by a script")
	checkShown(t, found)
}

func TestADeclarationOfAnotherKindHidesNoCookie(t *testing.T) {
	item := declare("promo", consent.Statistics)
	item.Kind = consent.LocalStorage
	pattern := declare("ad_*", consent.Statistics)
	pattern.Kind = consent.IndexedDB
	s := newSite(t, consent.Config{}, item, pattern)
	s.visit("/", "promo=1; ad_1=1", "promo=1", "ad_2=1")
	assert.Equal(t, []string{"ad_1", "ad_2", "promo"}, foundIn(t, s.found))
}

// The guard of package charter tells of cookies that scripts would set.
func TestItIsToldOfCookiesThatScriptsSet(t *testing.T) {
	found := inventory.New(consent.MustRegistry(declare("known*", consent.Statistics)))
	tell(t, found, `{"page": "/shop", "names": {"cookie": ["known_1", "volume", ""]}}`, "Sec-Fetch-Site", "same-origin")
	assert.Equal(t, []string{"volume"}, foundIn(t, found))
	assert.Equal(t, places{Paths: []string{"/shop"}}, read(t, found).Cookies[0].SentTo)
}

func TestTheSourceDeclaresStorages(t *testing.T) {
	found := inventory.New(nil)
	tell(t, found, told(t, "/film", "volume", "seen_1000", "seen_1001", "seen_1002", "_ga", "session"))
	source := show(t, found, "?as=go")
	formatted, err := format.Source([]byte(source))
	require.NoError(t, err, source)
	assert.Equal(t, string(formatted), source)
	for kind, constant := range map[string]string{"localStorage": "LocalStorage", "sessionStorage": "SessionStorage", "indexedDB": "IndexedDB", "cacheStorage": "CacheStorage"} {
		for _, name := range []string{"volume", "seen_*"} {
			assert.Regexp(t, `\tconsent\.Cookie\{\n\t\tKind: +consent\.`+constant+`,\n\t\tProvider: "TODO[^"]*",\n\t\tName: +"`+strings.ReplaceAll(name, "*", `\*`)+`",\n`, source, kind)
		}
	}
	assert.Contains(t, source, "\t// Stored by a script of \"/film\".\n")
	assert.NotContains(t, source, "consentvet", "a server's source does not set it")
	assert.NotContains(t, source, "Lifetime", "that of a cookie of the same name says nothing")
	assert.NotContains(t, source, "alexedwards", "which names a cookie so")
	assert.Contains(t, source, "Google")
}

func TestOnlyPagesOfTheSiteTell(t *testing.T) {
	for name, test := range map[string]struct {
		body    string
		headers []string
		want    int
	}{
		"of the origin":           {told(t, "/", "a"), []string{"Sec-Fetch-Site", "same-origin"}, http.StatusNoContent},
		"of an older browser":     {told(t, "/", "a"), []string{"Origin", "https://example.org"}, http.StatusNoContent},
		"of another site":         {told(t, "/", "a"), []string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		"of a sibling":            {told(t, "/", "a"), []string{"Sec-Fetch-Site", "same-site"}, http.StatusForbidden},
		"of another origin":       {told(t, "/", "a"), []string{"Origin", "https://evil.example"}, http.StatusForbidden},
		"nothing":                 {"", nil, http.StatusBadRequest},
		"no JSON":                 {"{", nil, http.StatusBadRequest},
		"another JSON":            {`{"names": ["a"]}`, nil, http.StatusBadRequest},
		"more than 64 KB":         {told(t, "/", strings.Repeat("a", 20<<10)), nil, http.StatusRequestEntityTooLarge},
		"with a value":            {`{"page": "/", "names": {"localStorage": {"a": "secret"}}}`, nil, http.StatusBadRequest},
		"of a storage unheard of": {`{"page": "/", "names": {"fileSystem": ["a"]}}`, nil, http.StatusNoContent},
	} {
		found := inventory.New(nil)
		assert.Equal(t, test.want, tell(t, found, test.body, test.headers...), name)
		assert.Equal(t, test.want == http.StatusNoContent && strings.Contains(test.body, "localStorage"), len(foundIn(t, found)) > 0, name)
	}
}

func TestWhatBrowsersTellTakesNoRoomFromCookies(t *testing.T) {
	s := newSite(t, consent.Config{})
	s.visit("/", "", "promo=1")
	for i := range 100 {
		var names []string
		for j := range 100 {
			names = append(names, fmt.Sprintf("word %c%c%c", 'a'+i%26, 'a'+i/26, 'a'+j%26)+strings.Repeat("e", j/26))
		}
		tell(t, s.found, told(t, "/", names...))
	}
	all := foundIn(t, s.found)
	assert.LessOrEqual(t, len(all), 4*256+1)
	assert.Greater(t, len(all), 4*200)
	assert.Contains(t, all, "promo")
	assert.Positive(t, read(t, s.found).Forgotten)
}

func TestHostileNamesOfStoragesAreShownAsText(t *testing.T) {
	found := inventory.New(nil)
	for _, name := range hostile {
		tell(t, found, told(t, "/"+name, name, name+"1000", name+"1001", name+"1002"))
	}
	checkShown(t, found)
}
