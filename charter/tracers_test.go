package charter_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"html"
	"html/template"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

// tracersOf returns a site that declares these.
func tracersOf(t *testing.T, registry *consent.Registry, change func(*consent.Config)) *site {
	t.Helper()
	config := consent.Config{Registry: registry, Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}}
	if change != nil {
		change(&config)
	}
	mw, err := consent.NewMiddleware(config)
	require.NoError(t, err)
	return newSite(t, func(c *charter.Config) { c.Middleware = mw })
}

// kinds returns a declaration of each kind.
func kinds() (cookies []consent.Cookie) {
	for kind := consent.HTTPCookie; kind <= consent.Other; kind++ {
		cookies = append(cookies, consent.Cookie{Kind: kind, Provider: "AdCo", Name: "name of " + kind.String(), Purpose: text("x"), Category: consent.ThirdParty})
	}
	cookies[0].Name = "name-of-cookie"
	return cookies
}

// cell returns what a row of the charter shows in the last column of a name, and what
// it shows next to the name.
func cell(t *testing.T, page, name string) (kind, lifetime string) {
	t.Helper()
	found := regexp.MustCompile(`<code translate="no">` + regexp.QuoteMeta(name) + `</code>(?: <small>([^<]*)</small>)?</th>.*<td data-column="[^"]*">([^<]*)</td></tr>`).FindStringSubmatch(page)
	require.NotNil(t, found, name)
	return html.UnescapeString(found[1]), html.UnescapeString(found[2])
}

func TestTheCharterSaysOfWhichKindATracerIsAndHowLongItStays(t *testing.T) {
	s := tracersOf(t, consent.MustRegistry(kinds()...), nil)
	page := s.get("/cookies/")
	assert.Contains(t, page, `<th scope="col">Name</th>`)
	for name, want := range map[string][2]string{
		"name-of-cookie":         {"", "until the browser is closed"},
		"name of localStorage":   {"Local storage", "until it is deleted"},
		"name of sessionStorage": {"Session storage", "until the tab is closed"},
		"name of indexedDB":      {"Database (IndexedDB)", "until it is deleted"},
		"name of cacheStorage":   {"Cache", "until it is deleted"},
		"name of other":          {"Other technique", ""},
	} {
		kind, lifetime := cell(t, page, name)
		assert.Equal(t, want, [2]string{kind, lifetime}, name)
	}

	limited := kinds()
	for i := range limited {
		limited[i].Lifetime = 13 * 30 * 24 * time.Hour
	}
	page = tracersOf(t, consent.MustRegistry(limited...), nil).get("/cookies/")
	for _, c := range limited {
		_, lifetime := cell(t, page, c.Name)
		assert.Equal(t, "13 months", lifetime, c.Name)
	}
}

func TestEachLanguageTellsTheKindsApart(t *testing.T) {
	s := tracersOf(t, consent.MustRegistry(kinds()...), nil)
	files, err := filepath.Glob("languages/*.json")
	require.NoError(t, err)
	require.Len(t, files, 24)
	for _, file := range files {
		s.accept = strings.TrimSuffix(filepath.Base(file), ".json")
		page := s.get("/cookies/")
		seen := map[string]bool{}
		for _, c := range kinds()[1:] {
			kind, _ := cell(t, page, c.Name)
			assert.NotEmpty(t, kind, s.accept)
			assert.False(t, seen[kind], "%s: %s twice", s.accept, kind)
			seen[kind] = true
		}
		_, browser := cell(t, page, "name-of-cookie")
		_, tab := cell(t, page, "name of sessionStorage")
		_, never := cell(t, page, "name of localStorage")
		assert.NotEqual(t, browser, tab, s.accept)
		assert.NotEqual(t, browser, never, s.accept)
		assert.NotEqual(t, tab, never, s.accept)

		var words map[string]any
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(content, &words))
		for _, heading := range regexp.MustCompile(`<th scope="col">([^<]*)</th>`).FindAllStringSubmatch(page, 3)[2:] {
			assert.Equal(t, words["Name"], heading[1])
			assert.NotRegexp(t, `(?i)cookie|kaka|eväste|küpsis|fian|kolač|slapuk|sīkdat|pišk|süti|бискв`, heading[1], s.accept)
		}
	}
}

func TestTheSitesOwnCookieIsListedThoughAStorageHasItsName(t *testing.T) {
	page := tracersOf(t, consent.MustRegistry(consent.Cookie{
		Kind: consent.LocalStorage, Provider: "AdCo", Name: consent.CookieName, Purpose: text("x"), Category: consent.ThirdParty,
	}), nil).get("/cookies/")
	assert.Contains(t, page, "Remembers your choice about cookies.")
	assert.Len(t, found(page, `<th scope="row"[^>]*><code translate="no">(`+consent.CookieName+`)</code>`), 2)
}

func TestVisitorsReadWhoIsBehindAProvider(t *testing.T) {
	cookie := func(name, provider string, category consent.Category) consent.Cookie {
		return consent.Cookie{Name: name, Provider: provider, Purpose: text("x"), Category: category}
	}
	declared := consent.MustRegistry(
		cookie("a", "Whole", consent.ThirdParty), cookie("b", "Whole", consent.ThirdParty), cookie("c", "Country", consent.ThirdParty), cookie("d", "Legal", consent.ThirdParty),
		cookie("e", "Policy", consent.ThirdParty), cookie("f", "Nowhere", consent.ThirdParty), cookie("g", "Hostile", consent.ThirdParty),
		cookie("h", "Silent", consent.ThirdParty), cookie("i", "Site", consent.Necessary),
	)
	registry, err := declared.WithProviders(
		consent.Provider{Name: "Whole", LegalName: "Whole Ltd", Country: "US", Policy: "https://whole.example/privacy?a=1&b=2"},
		consent.Provider{Name: "Country", Country: "IE"},
		consent.Provider{Name: "Legal", LegalName: "Legal GmbH"},
		consent.Provider{Name: "Policy", Policy: "http://policy.example/"},
		consent.Provider{Name: "Nowhere", LegalName: "Nowhere AG", Country: "XX"},
		consent.Provider{Name: "Hostile", LegalName: `</p><script>alert(1)</script>`, Policy: `https://hostile.example/"><script>alert(1)</script>`},
		consent.Provider{Name: "Site", LegalName: "Ville de Valombre", Country: "FR", Policy: "https://valombre.example/privacy"},
	)
	require.NoError(t, err)
	s := tracersOf(t, registry, nil)
	link := func(to, words string) string {
		return `<a href="` + to + `" rel="noopener noreferrer">` + words + `</a></p>`
	}
	page := s.get("/cookies/")
	for what, times := range map[string]int{ // once in the form, once for each row
		`<p class="charter-who">Whole Ltd, United States · ` + link("https://whole.example/privacy?a=1&amp;b=2", "Privacy policy"): 3,
		`<p class="charter-who">Ireland</p>`:                                                                               2,
		`<p class="charter-who">Legal GmbH</p>`:                                                                            2,
		`<p class="charter-who">` + link("http://policy.example/", "Privacy policy"):                                       2,
		`<p class="charter-who">Nowhere AG, XX</p>`:                                                                        2,
		`<p class="charter-who">Ville de Valombre, France · ` + link("https://valombre.example/privacy", "Privacy policy"): 1,
		`class="charter-who"`: 3 + 5*2 + 1,
		`alert(1)</script>`:   0,
	} {
		assert.Equal(t, times, strings.Count(page, what), what)
	}
	assert.NotContains(t, page, "target=")
	for accept, want := range map[string]string{"fr": "Whole Ltd, États-Unis · " + link("https://whole.example/privacy?a=1&amp;b=2", "Politique de confidentialité"), "de": "Vereinigte Staaten", "mt": "l-Istati Uniti"} {
		s.accept = accept
		assert.Contains(t, s.get("/cookies/"), want)
	}
	assert.NotContains(t, tracersOf(t, declared, nil).get("/cookies/"), "charter-who", "who says nothing shows nothing")
}

func TestThePageOfTheFormHasTheScriptIfItHasSomethingToDelete(t *testing.T) {
	one := func(kind consent.Kind, category consent.Category) *consent.Registry {
		return consent.MustRegistry(consent.Cookie{Kind: kind, Provider: "AdCo", Name: "ad", Purpose: text("x"), Category: category})
	}
	for name, test := range map[string]struct {
		registry *consent.Registry
		hidden   bool
		want     bool
	}{
		"a storage":                          {one(consent.LocalStorage, consent.ThirdParty), false, true},
		"a cache":                            {one(consent.CacheStorage, consent.ThirdParty), false, true},
		"a cookie":                           {one(consent.HTTPCookie, consent.ThirdParty), false, false},
		"what nothing can delete":            {one(consent.Other, consent.ThirdParty), false, false},
		"what is necessary":                  {one(consent.LocalStorage, consent.Necessary), false, false},
		"a decision that no script can read": {one(consent.LocalStorage, consent.ThirdParty), true, false},
	} {
		s := tracersOf(t, test.registry, func(c *consent.Config) { c.HttpOnly = test.hidden })
		page, script := s.get("/cookies/"), s.get("/cookies/script.js")
		assert.Equal(t, test.want, strings.Contains(page, "<script src="), name)
		assert.Equal(t, test.want || test.hidden, strings.Contains(script, "localStorage"), name)
	}
}

// The script is as light as it was for sites that store nothing; the others pay for
// what deletes it.
func TestWhatDeletesStoragesWeighsLittle(t *testing.T) {
	weigh := func(cookies ...consent.Cookie) int {
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
		z.Write([]byte(tracersOf(t, consent.MustRegistry(cookies...), nil).get("/cookies/script.js")))
		z.Close()
		return b.Len()
	}
	cookie := consent.Cookie{Provider: "AdCo", Name: "ad", Purpose: text("x"), Category: consent.ThirdParty}
	item := cookie
	item.Kind = consent.LocalStorage
	without, with := weigh(cookie), weigh(cookie, item)
	t.Logf("%d bytes without, %d with a storage", without, with)
	assert.LessOrEqual(t, with-without, 512)
}

func TestASiteShowsWhoIsBehindAProviderInItsOwnWay(t *testing.T) {
	registry, err := consent.MustRegistry(kinds()...).WithProviders(consent.Provider{Name: "AdCo", LegalName: "AdCo Ltd"})
	require.NoError(t, err)
	mw, err := consent.NewMiddleware(consent.Config{Registry: registry, Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}})
	require.NoError(t, err)
	own := func(source string) (*charter.Charter, error) {
		return charter.New(charter.Config{Middleware: mw, Templates: template.Must(template.New("details").Parse(source))})
	}
	c, err := own(`<i>{{.Who}}</i>`)
	require.NoError(t, err)
	w := httptest.NewRecorder()
	mw.Wrap(c.Handler()).ServeHTTP(w, httptest.NewRequest("GET", "/cookies/", nil))
	assert.Equal(t, 1+len(kinds()), strings.Count(w.Body.String(), "<i>AdCo Ltd</i>"))
	_, err = own(`{{.Nonsense}}`)
	assert.ErrorContains(t, err, "Config.Templates")
}
