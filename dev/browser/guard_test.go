package browser

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

// guarded are names that scripts set: exact ones and patterns, of several providers, and of
// each kind that a guard sees.
var guarded = func() (cookies []consent.Cookie) {
	for _, kind := range []consent.Kind{consent.HTTPCookie, consent.LocalStorage, consent.SessionStorage} {
		for _, c := range []consent.Cookie{
			{Name: "basket", Provider: "Valombre", Category: consent.Necessary},
			{Name: "_ga", Provider: "Google", Category: consent.Statistics},
			{Name: "_ga_*", Provider: "Google", Category: consent.Statistics},
			{Name: "_ga_basket", Provider: "Valombre", Category: consent.Necessary},
			{Name: "_ga_ad_*", Provider: "Vimeo", Category: consent.ThirdParty},
			{Name: "*_id", Provider: "Matomo", Category: consent.Statistics},
			{Name: "shared", Provider: "Valombre", Category: consent.Necessary},
			{Name: "shared", Provider: "Matomo", Category: consent.Statistics},
			{Name: "shared", Provider: "Vimeo", Category: consent.ThirdParty},
			{Name: "visits", Provider: "Valombre", Category: consent.Statistics, Anonymous: true},
			{Name: "matomo", Provider: "Matomo", Category: consent.Statistics, Anonymous: true},
			{Name: "a.b", Provider: "Vimeo", Category: consent.ThirdParty},
		} {
			c.Kind, c.Purpose = kind, english("Is set by a script.")
			cookies = append(cookies, c)
		}
		cookies = append(cookies, consent.Cookie{Kind: kind, Name: "in_" + kind.String(), Provider: "Valombre", Category: consent.Necessary, Purpose: english("Is in one of them.")})
	}
	return cookies
}()

// scripted are the names under which the pages try to store something.
var scripted = []string{"basket", "_ga", "_ga_", "_ga_1", "_ga_basket", "_ga_ad_1", "x_id", "_ga_x_id", "shared", "visits", "matomo", "a.b", "axb", "unknown", "BASKET", "cookies_preferences", "in_cookie", "in_localStorage", "in_sessionStorage"}

// ways are those in which scripts store: each returns the names that it has stored out of
// some.
const ways = `
const cookieNames = () => document.cookie.split("; ").filter(pair => pair && !/^cookies_preferences=(?!forged)/.test(pair)).map(pair => pair.split("=")[0]);
const emptied = () => {
	for (const name of cookieNames()) for (const line of [name + "=", name]) document.cookie = line + "; Max-Age=0";
	localStorage.clear();
	sessionStorage.clear();
};
const keys = storage => Array.from(storage, (_, i) => storage.key(i));
const inCookies = set => async name => { await set(name); return cookieNames().includes(name); };
const inStorage = (storage, set) => async name => { set(storage, name); return storage.getItem(name) !== null && keys(storage).includes(name); };
const ways = {
	"document.cookie": inCookies(name => { document.cookie = name + "=forged; Path=/; Max-Age=1000"; }),
	"document.cookie with blanks": inCookies(name => { document.cookie = " \t" + name + "\t =\tforged;"; }),
	"the setter": inCookies(name => { Object.getOwnPropertyDescriptor(Document.prototype, "cookie").set.call(document, name + "=forged"); }),
	"Reflect.set": inCookies(name => { Reflect.set(document, "cookie", name + "=forged"); }),
	"cookieStore.set": inCookies(name => window.cookieStore ? cookieStore.set(name, "forged") : void (document.cookie = name + "=forged")),
	"cookieStore.set of an object": inCookies(name => window.cookieStore ? cookieStore.set({name, value: "forged", expires: Date.now() + 1e6}) : void (document.cookie = name + "=forged")),
};
for (const key of ["localStorage", "sessionStorage"]) Object.assign(ways, {
	[key + ".setItem"]: inStorage(window[key], (storage, name) => storage.setItem(name, 1)),
	[key + ", setItem called"]: inStorage(window[key], (storage, name) => Storage.prototype.setItem.call(storage, {toString: () => name}, 1)),
	[key + ", assigned"]: inStorage(window[key], (storage, name) => { storage[name] = 1; }),
	[key + ", Object.assign"]: inStorage(window[key], (storage, name) => { Object.assign(storage, {[name]: 1}); }),
	[key + ", defined"]: inStorage(window[key], (storage, name) => { Object.defineProperty(storage, name, {value: 1}); }),
	[key + ", Reflect"]: inStorage(window[key], (storage, name) => { Reflect.set(storage, name, 1); }),
});
const attempt = async names => {
	const stored = {};
	for (const way in ways) {
		emptied();
		stored[way] = [];
		for (const name of names) if (await ways[way](name)) stored[way].push(name);
	}
	emptied();
	return stored;
};
const decide = body => fetch("/cookies/state.json", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)}).then(response => { if (!response.ok) throw Error(response.status); });
`

// A guardedSite has pages that begin with the guard, and others that do without. A browser
// walks through its steps by itself, and tells what each amounts to.
type guardedSite struct {
	url      string
	mux      *http.ServeMux // outside of the middleware
	pages    *http.ServeMux // inside
	mw       *consent.Middleware
	charters []*charter.Charter // by guard
	told     chan json.RawMessage
	steps    []step
}

// A step is the body of an async function, on a page with such a guard.
type step struct {
	guard   charter.Guard
	country string
	script  string
}

func newGuardedSite(t *testing.T, cookies []consent.Cookie, steps ...step) *guardedSite {
	t.Helper()
	s := &guardedSite{mux: http.NewServeMux(), pages: http.NewServeMux(), charters: make([]*charter.Charter, 3), told: make(chan json.RawMessage, len(steps)), steps: steps}
	mw, err := consent.NewMiddleware(consent.Config{
		Registry: consent.MustRegistry(cookies...), Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}, Insecure: true,
		Regime: func(r *http.Request) consent.Regime {
			return map[string]consent.Regime{"US": consent.OptOut, "GB": consent.UK}[r.URL.Query().Get("country")]
		},
	})
	require.NoError(t, err)
	s.mw = mw
	for guard := range s.charters {
		s.charters[guard], err = charter.New(charter.Config{Middleware: mw, Guard: charter.Guard(guard)})
		require.NoError(t, err)
	}
	s.pages.HandleFunc("POST /told", func(_ http.ResponseWriter, r *http.Request) {
		told, _ := io.ReadAll(r.Body)
		s.told <- told
	})
	s.pages.Handle("/cookies/", s.charters[charter.GuardAll].Handler())
	s.pages.HandleFunc("GET /step", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("n"))
		if n >= len(s.steps) {
			return
		}
		step := s.steps[n]
		next := ""
		if n+1 < len(s.steps) {
			next = fmt.Sprintf("location = %q", fmt.Sprintf("/step?n=%d&country=%s", n+1, s.steps[n+1].country))
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><meta charset="utf-8"><title>t</title>%s<link rel="icon" href="data:,"><script>%s
			(async () => { %s })().catch(error => "fails: " + error).then(async told => {
				await fetch("/told", {method: "POST", body: JSON.stringify(told)});
				%s
			})</script>`, s.charters[step.guard].Head(r), ways, step.script, next)
	})
	s.mux.Handle("/", mw.Wrap(s.pages))
	server := httptest.NewServer(s.mux)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// walk opens the first page in a browser, and returns what each step amounts to.
func (s *guardedSite) walk(t *testing.T, open func(*testing.T, string)) []json.RawMessage {
	t.Helper()
	_, port, _ := strings.Cut(strings.TrimPrefix(s.url, "http://"), ":")
	open(t, "http://www.shop.localhost:"+port+"/step?n=0&country="+s.steps[0].country)
	return tellings(t, s.told, len(s.steps))
}

func TestTheGuardLetsScriptsStoreOnlyWhatTheVisitorAllows(t *testing.T) {
	t.Parallel()
	names, _ := json.Marshal(scripted)
	attempt := fmt.Sprintf("await attempt(%s)", names)
	exempt := []string{"basket", "_ga_basket"}
	anonymous := append(slices.Clone(exempt), "visits", "matomo")
	statistics := append(slices.Clone(anonymous), "_ga", "_ga_", "_ga_1", "x_id", "_ga_x_id")
	everything := append(slices.Clone(statistics), "_ga_ad_1", "shared", "a.b")
	undeclared := []string{"axb", "unknown", "BASKET"}
	for name, open := range browsers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newGuardedSite(t, guarded,
				step{script: "return " + attempt},
				step{guard: charter.GuardAll, country: "US", script: "return " + attempt},
				step{guard: charter.GuardAll, country: "GB", script: "return " + attempt},
				step{guard: charter.GuardAll, script: `
					const all = [` + attempt + `];
					for (const choice of [{choice: "accept"}, {choice: "refuse"}, {choice: "save", allow: {statistics: ["Google", "Matomo"]}}, {choice: "save", allow: {statistics: ["Matomo"]}}, {choice: "save", objection: true}]) {
						await decide(choice);
						all.push(` + attempt + `);
					}
					return all`},
				step{guard: charter.GuardAll, country: "US", script: `return ` + attempt},
				step{guard: charter.GuardDeclared, script: `const before = ` + attempt + `; await decide({choice: "accept"}); return [before, ` + attempt + `]`},
			)
			told := s.walk(t, open)
			is := func(want []string, got map[string][]string, when string) {
				t.Helper()
				assert.NotEmpty(t, got, when)
				for way, names := range got {
					kind, _, _ := strings.Cut(way, "Storage")
					of := map[string]string{"local": "in_localStorage", "session": "in_sessionStorage"}[kind]
					assert.ElementsMatch(t, append(slices.Clone(want), cmp.Or(of, "in_cookie")), names, "%s: %s", when, way)
				}
			}
			for way, names := range decoded[map[string][]string](t, told[0]) {
				assert.ElementsMatch(t, scripted, names, "without a guard: %s", way)
			}
			is(everything, decoded[map[string][]string](t, told[1]), "an opt-out law presumes it")
			is(statistics, decoded[map[string][]string](t, told[2]), "the UK's presumes statistics")
			all := decoded[[]map[string][]string](t, told[3])
			is(anonymous, all[0], "without an answer")
			is(everything, all[1], "a moment after everything was allowed")
			is(anonymous, all[2], "refused")
			is(statistics, all[3], "statistics are allowed")
			is(append(slices.Clone(anonymous), "x_id"), all[4], "one provider is allowed")
			is(exempt, all[5], "refused with an objection")
			is(exempt, decoded[map[string][]string](t, told[4]), "a refusal counts under every law")
			for i, allowed := range [][]string{exempt, everything} {
				for way, names := range decoded[[]map[string][]string](t, told[5])[i] {
					want := append(append(slices.Clone(allowed), undeclared...), "in_cookie", "in_localStorage", "in_sessionStorage")
					if strings.Contains(way, "Storage") { // the visitor's decision is a cookie
						want = append(want, "cookies_preferences")
					}
					assert.ElementsMatch(t, want, names, "what is not declared may pass: %s", way)
				}
			}
		})
	}
}

// unchanged is what a page can tell of what the guard has replaced.
const unchanged = `
const all = [], note = (name, value) => all.push(name + ": " + JSON.stringify(value) + " with " + cookieNames().sort() + " | " + keys(localStorage) + " | " + keys(sessionStorage));
const check = async (name, run) => {
	try { note(name, await run()); } catch (error) { note(name, "throws " + error.name); }
};
emptied();
document.cookie = "seen=1";
const shape = (object, key) => {
	const {value, get, set, ...rest} = Object.getOwnPropertyDescriptor(object, key);
	return [rest, ...[value, get, set].map(f => typeof f === "function" ? [f.name, f.length, "prototype" in f, Object.getPrototypeOf(f) === Function.prototype] : typeof f)];
};
for (const [owner, ...names] of [["Document", "cookie"], ["Storage", "length", "key", "getItem", "setItem", "removeItem", "clear"], ["StorageEvent", "storageArea", "initStorageEvent"], ["CookieStore", "set"]])
	for (const name of names) if (window[owner]) await check(owner + "." + name, () => shape(window[owner].prototype, name));
for (const name of ["localStorage", "sessionStorage", "StorageEvent"]) await check(name, () => shape(window, name));
for (const owner of ["Document", "Storage", "StorageEvent"]) await check(owner, () => Reflect.ownKeys(window[owner].prototype).map(String));
for (const key of ["localStorage", "sessionStorage"]) {
	const storage = window[key];
	const of = {
		"is one": () => [storage === window[key], storage instanceof Storage, String(storage), storage.constructor === Storage, typeof storage, Object.getPrototypeOf(storage) === Storage.prototype, Object.isExtensible(storage)],
		"assigns": () => { storage.a = 1; return [storage.a, storage["a"], storage.getItem("a"), storage.length, "a" in storage, Object.hasOwn(storage, "a")]; },
		"assigns again": () => { storage.a = {}; return storage.a; },
		"assigns strictly": () => { "use strict"; storage.b = null; return storage.b; },
		"describes": () => Object.getOwnPropertyDescriptor(storage, "a"),
		"defines": () => { Object.defineProperty(storage, "c", {value: 1}); return storage.getItem("c"); },
		"lists": () => [Object.keys(storage).sort(), Object.entries(storage).sort(), {...storage}, JSON.stringify(storage)].map(String),
		"walks": () => { const found = []; for (const name in storage) found.push(name); return found.sort(); },
		"deletes": () => [delete storage.a, storage.a, delete storage.missing],
		"removes": () => [storage.removeItem("b"), storage.b ?? "gone"],
		"keeps numbers": () => { storage[7] = 8; return [storage[7], storage.getItem(7), storage.key(99)]; },
		"keeps symbols": () => { const s = Symbol("s"); storage[s] = 1; return [storage[s], delete storage[s]]; },
		"empties": () => storage.setItem("", "") ?? storage.getItem(""),
		"has children": () => { const child = Object.create(storage); child.kid = 1; return [Object.hasOwn(child, "kid"), storage.getItem("kid"), child.c]; },
		"has methods of the page's own": () => { Storage.prototype.twice = function (name) { return this.getItem(name) + this[name]; }; const twice = storage.twice("c"); delete Storage.prototype.twice; return twice; },
		"needs two": () => storage.setItem("a"),
		"needs one": () => storage.getItem(),
		"needs a string": () => storage.setItem(Symbol(), 1),
		"needs a value": () => storage.setItem("a", Symbol()),
		"needs a storage": () => Storage.prototype.setItem.call({}, "a", 1),
		"needs a storage to count": () => Storage.prototype.length,
		"is full": () => { try { storage.setItem("much", "x".repeat(2e7)); } catch (error) { return [error.name, error instanceof DOMException]; } },
		"makes an event": () => { const event = new StorageEvent("storage", {key: "a", newValue: "1", storageArea: storage, bubbles: true}); return [event.storageArea === storage, event.key, event.newValue, event.bubbles, event.constructor === StorageEvent, event instanceof StorageEvent]; },
		"inits an event": () => { const event = document.createEvent("StorageEvent"); event.initStorageEvent("storage", true, false, "a", null, "1", "/", storage); return [event.storageArea === storage, event.key]; },
		"has an event's child": () => { class Own extends StorageEvent {} const event = new Own("own", {storageArea: storage}); return [event.storageArea === storage, event instanceof Own, event.type]; },
		"is told of another window": async () => {
			const frame = document.createElement("iframe");
			document.body.append(frame);
			const told = new Promise(done => addEventListener("storage", event => done([event.key, event.newValue, event.storageArea === storage, event.storageArea.getItem("told")]), {once: true}));
			frame.contentWindow[key].setItem("told", key);
			const [event] = await Promise.all([told]);
			frame.remove();
			return event;
		},
		"clears": () => { storage.clear(); return storage.length; },
	};
	for (const name in of) await check(key + " " + name, of[name]);
}
await check("StorageEvent needs one", () => new StorageEvent());
await check("StorageEvent needs new", () => StorageEvent("a"));
await check("StorageEvent needs a storage", () => new StorageEvent("a", {storageArea: {}}));
await check("StorageEvent has none", () => [new StorageEvent("a").storageArea, new StorageEvent("a", {storageArea: null}).storageArea, StorageEvent.name, StorageEvent.length]);
const {get, set} = Object.getOwnPropertyDescriptor(Document.prototype, "cookie");
for (const value of ["a=b", "a=b; Path=/", "", ";", "a", "=a", null, undefined, 7, {toString: () => "o=1"}, ["x=1", "y=2"], "é=ü", "a=" + "x".repeat(5000), "a=; Max-Age=0", "o=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"])
	await check("document.cookie = " + value, () => { const given = document.cookie = value; return given === value; });
await check("a symbol", () => { document.cookie = Symbol(); });
await check("the setter of something else", () => set.call({}, "a=b"));
await check("the getter of something else", () => get.call({}));
await check("another document", () => { const other = new DOMParser().parseFromString("", "text/html"); other.cookie = "other=1"; return other.cookie; });
await check("a frame", () => { const frame = document.createElement("iframe"); document.body.append(frame); set.call(frame.contentDocument, "framed=1"); return frame.contentDocument.cookie.includes("framed"); });
if (window.cookieStore) {
	await check("cookieStore.set", async () => [await cookieStore.set("s", "1"), await cookieStore.set({name: "t", value: "2", path: "/"}), (await cookieStore.get("t")).value]);
	await check("cookieStore deletes", async () => [await cookieStore.delete("s"), await cookieStore.set({name: "t", value: "", expires: 1})]);
	await check("cookieStore.set returns at once", async () => { const set = cookieStore.set("s", "1"); await set; return set instanceof Promise; });
	for (const args of [[], ["a"], [{}], [{name: "a"}], [{value: "a"}], [null], [undefined, undefined], ["a", "b;c"], ["a=b", "c"], ["", "a=b"], [{name: "a", value: "b", domain: "example.com"}], [{name: "a", value: "b", sameSite: "x"}]])
		await check("cookieStore.set(" + args.map(String) + JSON.stringify(args), () => cookieStore.set(...args).catch(error => error.name));
	await check("cookieStore.set of something else", () => CookieStore.prototype.set.call({}, "a", "b").catch(error => error.name));
}
emptied();
return all;
`

func TestTheGuardChangesNothingOfWhatPasses(t *testing.T) {
	t.Parallel()
	cookies := slices.Clone(guarded)
	for _, kind := range []consent.Kind{consent.HTTPCookie, consent.LocalStorage, consent.SessionStorage} {
		cookies = append(cookies, consent.Cookie{Kind: kind, Name: "*", Provider: "Vimeo", Category: consent.ThirdParty, Purpose: english("Is anything.")})
	}
	for name, open := range browsers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newGuardedSite(t, cookies,
				step{script: unchanged},
				step{script: `await decide({choice: "accept"})`},
				step{guard: charter.GuardAll, script: unchanged},
			)
			told := s.walk(t, open)
			want, got := decoded[[]string](t, told[0]), decoded[[]string](t, told[2])
			require.Greater(t, len(want), 100)
			require.Len(t, got, len(want))
			for i := range want {
				if want[i] != got[i] {
					t.Errorf("%s\nwith the guard\n%s", want[i], got[i])
				}
			}
		})
	}
}

// failing is what a script that is held back is told, other than that nothing is stored.
const failing = `
const all = [];
const {set} = Object.getOwnPropertyDescriptor(Document.prototype, "cookie");
for (const run of [
	() => document.cookie = "_ga=1", () => set.call(document, "_ga=1"), () => set.call({}, "_ga=1"), () => set.call(null, "_ga=1"), () => { document.cookie = Symbol(); },
	() => localStorage.setItem("_ga", 1), () => localStorage.setItem("_ga"), () => localStorage.setItem(), () => Storage.prototype.setItem.call({}, "_ga", 1), () => localStorage._ga = 1,
	() => { "use strict"; sessionStorage._ga = 1; }, () => Reflect.set(sessionStorage, "_ga", 1), () => Object.defineProperty(localStorage, "_ga", {value: 1}) === localStorage, () => localStorage.setItem(Symbol(), 1),
	() => window.cookieStore?.set("_ga", "1"), () => window.cookieStore?.set({name: "_ga", value: "1"}), () => window.cookieStore?.set({name: "_ga"}), () => window.cookieStore?.set({value: "1"}),
	() => window.cookieStore?.set("_ga"), () => window.cookieStore?.set(), () => window.CookieStore?.prototype.set.call({}, "_ga", "1"), () => window.cookieStore?.set({name: "_ga", value: "1", domain: "example.com"}),
]) try {
	emptied(); // in Firefox, cookieStore never ends to set what is there already
	all.push(run + " gives " + await run());
} catch (error) { all.push(run + " throws " + error.name); }
emptied();
return all;
`

func TestWhatTheGuardHoldsBackFailsAsItDoesWithout(t *testing.T) {
	t.Parallel()
	for name, open := range browsers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			told := newGuardedSite(t, guarded, step{script: failing}, step{guard: charter.GuardAll, script: failing}).walk(t, open)
			assert.Equal(t, decoded[[]string](t, told[0]), decoded[[]string](t, told[1]))
		})
	}
}
