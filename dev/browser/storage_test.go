package browser

import (
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/internal/browsertest"
)

var storages = []consent.Kind{consent.LocalStorage, consent.SessionStorage, consent.IndexedDB, consent.CacheStorage}

// stored are the names that a visitor's browser holds, in each of its storages.
var stored = []string{"ad", "ad_1", "ad_", "ad_settings", "ad_matomo_1", "length", "matomo", "anonymous", "basket", "shared", "own", "ad*", "bad_1"}

// storing declares some of them in each storage.
func storing() []consent.Cookie {
	cookies := slices.Clone(declared)
	for _, kind := range storages {
		for _, c := range []consent.Cookie{
			{Name: "ad", Provider: "Vimeo", Category: consent.ThirdParty},
			{Name: "ad_*", Provider: "Vimeo", Category: consent.ThirdParty},
			{Name: "length", Provider: "Vimeo", Category: consent.ThirdParty},
			{Name: "ad_settings", Provider: "Valombre", Category: consent.Necessary},
			{Name: "ad_matomo_*", Provider: "Matomo", Category: consent.Statistics},
			{Name: "matomo", Provider: "Matomo", Category: consent.Statistics},
			{Name: "anonymous", Provider: "Valombre", Category: consent.Statistics, Anonymous: true},
			{Name: "basket", Provider: "Valombre", Category: consent.Necessary},
			{Name: "shared", Provider: "Valombre", Category: consent.Necessary},
			{Name: "shared", Provider: "Vimeo", Category: consent.ThirdParty},
		} {
			c.Kind, c.Purpose = kind, english("Is stored.")
			cookies = append(cookies, c)
		}
	}
	// What is declared in one storage says nothing about another, nor about cookies.
	return append(cookies, consent.Cookie{Name: "own", Provider: "Vimeo", Category: consent.ThirdParty, Purpose: english("Is a cookie."), Kind: consent.HTTPCookie})
}

// storageTools are functions for the pages: plant stores a name in each storage, and
// left tells what is there.
var storageTools = func() string {
	names, _ := json.Marshal(stored)
	return `
	const stored = ` + string(names) + `;
	const request = of => new Promise((done, failed) => { of.onsuccess = () => done(of.result); of.onerror = failed; });
	window.plant = async () => {
		for (const name of stored) {
			localStorage.setItem(name, "1");
			sessionStorage.setItem(name, "1");
			(await request(indexedDB.open(name))).close();
			await caches.open(name);
		}
		return true;
	};
	const names = async () => ({
		localStorage: Array.from(localStorage, (_, i) => localStorage.key(i)),
		sessionStorage: Array.from(sessionStorage, (_, i) => sessionStorage.key(i)),
		indexedDB: (await databases.call(indexedDB)).map(({name}) => name),
		cacheStorage: await caches.keys(),
	});
	const databases = IDBFactory.prototype.databases;
	window.left = async () => { const all = await names(); for (const name in all) all[name].sort(); return all; };
`
}()

// all returns the same for each storage.
func all(names ...string) map[string][]string {
	slices.Sort(names)
	left := make(map[string][]string)
	for _, kind := range storages {
		left[kind.String()] = names
	}
	return left
}

// isLeft waits for what is to be left, and a moment longer.
func (b *tab) isLeft(want map[string][]string, when string) {
	b.Helper()
	var got map[string][]string
	same := func() bool {
		got = eval[map[string][]string](b, "left()")
		return assert.ObjectsAreEqual(want, got)
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end) && !same(); {
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(200 * time.Millisecond)
	same()
	assert.Equal(b, want, got, when)
}

func TestRefusingDeletesWhatPagesHaveStored(t *testing.T) {
	t.Parallel()
	d := newDemo(t, storing()...)
	everything := all(slices.Clone(stored)...)
	withoutVimeo := all("ad_settings", "ad_matomo_1", "matomo", "anonymous", "basket", "own", "ad*", "bad_1")
	refused := all("ad_settings", "anonymous", "basket", "own", "ad*", "bad_1")

	t.Run("by the banner", func(t *testing.T) {
		b := newTab(t)
		b.onEachPage(storageTools)
		b.visit(d.url + "/")
		eval[bool](b, "plant()")
		b.visit(d.url + "/static")
		b.until(`document.querySelector(".charter-banner")`)
		b.isLeft(everything, "nothing without an answer")
		b.click(".charter-banner [value=refuse]")
		b.until(`document.querySelector(".charter-done")`)
		b.isLeft(refused, "after a refusal")
		assert.Equal(t, "/static", eval[string](b, "location.pathname"), "without a reload")
	})
	t.Run("by the form", func(t *testing.T) {
		b := newTab(t)
		b.onEachPage(storageTools)
		b.visit(d.url + "/")
		eval[bool](b, "plant()")
		b.click(".charter-banner [value=accept]")
		b.until(`document.querySelector(".charter-done")`)
		b.visit(d.url + "/")
		b.isLeft(everything, "nothing of what is allowed")

		b.visit(d.url + "/cookies/")
		b.click("[name='category:third-party'][value=some]")
		b.click("[value='third-party:Vimeo']")
		b.click(".charter-buttons [value=save]")
		b.until(`document.querySelector("[value='third-party:Vimeo']:not([checked])")`)
		b.isLeft(withoutVimeo, "after a withdrawal, on the page of the form")

		eval[bool](b, "plant()") // as another tab may do that was open before
		b.visit(d.url + "/static")
		b.isLeft(withoutVimeo, "on the next page")

		b.visit(d.url + "/cookies/")
		b.click("[name=object]")
		b.click(".charter-buttons [value=refuse]")
		b.until(`document.querySelector("[name=object][checked]")`)
		b.isLeft(all("ad_settings", "basket", "own", "ad*", "bad_1"), "after an objection")
	})
	t.Run("of a category that is asked for again", func(t *testing.T) {
		cookies := append(storing(), consent.Cookie{Name: "new", Provider: "Newcomer", Category: consent.ThirdParty, Purpose: english("Is new.")})
		grown := newDemoOf(t, func(c *consent.Config) { c.Revision = 301 }, cookies...)
		b := newTab(t)
		b.onEachPage(storageTools)
		b.visit(d.url + "/")
		b.click(".charter-banner [value=refuse]")
		b.until(`document.querySelector(".charter-done")`)
		b.visit(grown.url + "/plain") // another origin, with the same cookies
		eval[bool](b, "plant()")
		b.visit(grown.url + "/static")
		b.until(`document.querySelector(".charter-banner")`)
		b.isLeft(refused, "a refusal stands")
	})
	t.Run("in a browser that does not list its databases", func(t *testing.T) {
		b := newTab(t)
		b.onEachPage(storageTools + `delete IDBFactory.prototype.databases`)
		b.visit(d.url + "/")
		eval[bool](b, "plant()")
		b.click(".charter-banner [value=refuse]")
		b.until(`document.querySelector(".charter-done")`)
		want := all(refused["localStorage"]...)
		want["indexedDB"] = []string{"ad*", "ad_", "ad_1", "ad_matomo_1", "ad_settings", "anonymous", "bad_1", "basket", "own"}
		b.isLeft(want, "by the names alone")
	})
}

func TestRefusingIsDoneThoughStoragesFail(t *testing.T) {
	t.Parallel()
	d := newDemo(t, storing()...)
	for name, test := range map[string]struct {
		failing string
		want    map[string][]string
	}{
		"they are blocked": {`for (const name of ["localStorage", "indexedDB", "caches"])
			Object.defineProperty(window, name, {get() { throw new DOMException("blocked", "SecurityError") }})`,
			map[string][]string{"sessionStorage": {"ad*", "ad_settings", "anonymous", "bad_1", "basket", "own"}}},
		"they are missing": {`for (const name of ["indexedDB", "caches", "sessionStorage"])
			Object.defineProperty(window, name, {value: undefined})`,
			map[string][]string{"localStorage": {"ad*", "ad_settings", "anonymous", "bad_1", "basket", "own"}}},
		"they refuse to delete": {`Storage.prototype.removeItem = IDBFactory.prototype.deleteDatabase = () => { throw new DOMException("full", "QuotaExceededError") };
			CacheStorage.prototype.delete = () => Promise.reject(new DOMException("full", "QuotaExceededError"))`,
			nil},
		"they refuse to list": {`Storage.prototype.key = () => { throw new DOMException("broken", "InvalidStateError") };
			IDBFactory.prototype.databases = CacheStorage.prototype.keys = () => Promise.reject(new DOMException("broken", "UnknownError"))`,
			nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := newTab(t)
			b.onEachPage(watchConsent + storageTools)
			b.visit(d.url + "/plain")
			eval[bool](b, "plant()")
			b.onEachPage(test.failing)
			b.visit(d.url + "/")
			b.click(".charter-banner [value=refuse]")
			b.until(`document.querySelector(".charter-done") && told.length === 2`)
			time.Sleep(200 * time.Millisecond) // for a rejection that nobody handles, of which the tab would complain
			assert.True(t, eval[[]detail](b, "told")[1].Decided)
			for storage, want := range test.want {
				assert.ElementsMatch(t, want, eval[[]string](b, fmt.Sprintf("Array.from(%[1]s, (_, i) => %[1]s.key(i))", storage)), storage)
			}
		})
	}
}

func TestRefusingDeletesInFirefoxToo(t *testing.T) {
	t.Parallel()
	d := newDemo(t, storing()...)
	d.page("/walk", true, true, func(*http.Request) template.HTML { return `<script src="/walk.js" defer></script>` })
	d.file("/walk.js", "text/javascript", storageTools+`
	const wait = ms => new Promise(done => setTimeout(done, ms));
	(async () => {
		await plant();
		const before = await left();
		document.querySelector(".charter-banner [value=refuse]").click();
		while (!document.querySelector(".charter-done")) await wait(20);
		await wait(1000);
		new Image().src = "/report?" + encodeURIComponent(JSON.stringify([before, await left()]));
	})().catch(error => { new Image().src = "/report?" + encodeURIComponent(JSON.stringify(String(error))); });`)
	report := make(chan string, 1)
	d.pages.HandleFunc("GET /report", func(_ http.ResponseWriter, r *http.Request) {
		query, _ := url.QueryUnescape(r.URL.RawQuery)
		report <- query
	})
	browsertest.Firefox(t, d.url+"/walk")
	select {
	case query := <-report:
		var left []map[string][]string
		require.NoError(t, json.Unmarshal([]byte(query), &left), query)
		assert.Equal(t, []map[string][]string{all(slices.Clone(stored)...), all("ad_settings", "anonymous", "basket", "own", "ad*", "bad_1")}, left)
	case <-time.After(2 * time.Minute):
		t.Fatal("Firefox has not come to the end")
	}
}
