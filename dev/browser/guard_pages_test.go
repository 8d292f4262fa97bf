package browser

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/inventory"
)

// page adds a page that begins with head.
func (s *guardedSite) page(path, policy string, head func(*http.Request) string) {
	s.pages.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
		if policy != "" {
			w.Header().Set("Content-Security-Policy", policy)
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><meta charset="utf-8"><title>t</title><link rel="icon" href="data:,">%s<p>A page.`, head(r))
	})
}

const storesBoth = `(() => { document.cookie = "basket=1"; document.cookie = "_ga=1"; localStorage.basket = sessionStorage.basket = 1; localStorage._ga = sessionStorage._ga = 1; return document.cookie + " " + Object.keys(localStorage) + " " + Object.keys(sessionStorage); })()`

func TestTheGuardWorksByEachRoadIntoAPage(t *testing.T) {
	t.Parallel()
	s := newGuardedSite(t, guarded)
	const strict = "default-src 'none'; script-src 'self'; img-src data:; style-src 'self'; connect-src 'self'"
	head := func(r *http.Request) string { return string(s.charters[charter.GuardAll].Head(r)) }
	s.page("/inline", "", head)
	s.page("/file", strict, head)
	s.page("/fixed", strict, func(*http.Request) string { return `<script src="/cookies/head.js"></script>` })
	s.page("/twice", "", func(r *http.Request) string { return head(r) + `<script src="/cookies/head.js"></script>` })
	for _, path := range []string{"/inline", "/file", "/fixed", "/twice"} {
		b := newTab(t)
		b.visit(s.url + path)
		assert.Equal(t, "basket=1 basket basket", eval[string](b, storesBoth), path)
	}
}

// The script that shows the banner tries whether the browser keeps cookies.
func TestTheGuardLeavesTheLibraryAlone(t *testing.T) {
	t.Parallel()
	s := newGuardedSite(t, guarded)
	c := s.charters[charter.GuardAll]
	s.page("/{$}", "", func(r *http.Request) string { return string(c.Head(r) + c.Script(r) + c.Banner(r)) })
	b := newTab(t)
	b.visit(s.url + "/")
	assert.Equal(t, "charter=1", eval[string](b, `document.cookie = "charter=1", document.cookie`))
	assert.Equal(t, "", eval[string](b, `document.cookie = "charter=; Max-Age=0", document.cookie`))
	b.click(".charter-banner [value=accept]")
	b.until(`document.querySelector(".charter-done")`)
	decided := eval[string](b, "document.cookie")
	assert.Contains(t, decided, "cookies_preferences=")
	assert.Equal(t, decided, eval[string](b, `document.cookie = "cookies_preferences=forged; Path=/", document.cookie`), "only the server decides")
	assert.Contains(t, eval[string](b, storesBoth), "_ga=1", "allowed on the page where it was decided")
}

func TestDeletionsPassTheGuard(t *testing.T) {
	t.Parallel()
	for name, open := range browsers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newGuardedSite(t, guarded,
				step{script: `for (const i of [1, 2, 3, 4, 5]) { document.cookie = "_ga_" + i + "=1"; localStorage["_ga_" + i] = sessionStorage["_ga_" + i] = 1; }`},
				step{guard: charter.GuardAll, script: `
					const left = [cookieNames() + " " + keys(localStorage).sort()];
					document.cookie = "_ga_1=; Max-Age=0";
					document.cookie = "_ga_2=1; expires=" + new Date(Date.now() - 1000).toUTCString() + "; path=/";
					document.cookie = "_ga_3=1; max-age=1000";
					if (window.cookieStore) {
						await cookieStore.delete("_ga_3");
						await cookieStore.set({name: "_ga_4", value: "", expires: Date.now() - 1000});
						await cookieStore.set({name: "_ga_5", value: "2", expires: null});
						await cookieStore.set({name: "_ga_5", value: "2", expires: Date.now() + 1e6});
					} else for (const i of [3, 4]) document.cookie = "_ga_" + i + "=; Max-Age=-1";
					left.push(document.cookie);
					localStorage._ga_5 = 2;
					localStorage.removeItem("_ga_1");
					delete localStorage._ga_2;
					Reflect.deleteProperty(localStorage, "_ga_3");
					left.push(JSON.stringify(localStorage, keys(localStorage).sort()));
					sessionStorage.clear();
					return [...left, sessionStorage.length];`},
			)
			assert.Equal(t, `["_ga_1,_ga_2,_ga_3,_ga_4,_ga_5 _ga_1,_ga_2,_ga_3,_ga_4,_ga_5","_ga_5=1","{\"_ga_4\":\"1\",\"_ga_5\":\"1\"}",0]`, string(s.walk(t, open)[1]))
		})
	}
}

// A category that a provider has joined is asked about again, but for who is allowed alone.
func TestTheGuardHoldsBackWhatIsAskedAboutAgain(t *testing.T) {
	t.Parallel()
	joins := []consent.Cookie{{Name: "hj", Provider: "Hotjar", Category: consent.Statistics, Purpose: english("Is new.")}, {Name: "dm", Provider: "Dailymotion", Category: consent.ThirdParty, Purpose: english("Is new.")}}
	before, after := newGuardedSite(t, guarded), newGuardedSite(t, append(joins, guarded...))
	for _, s := range []*guardedSite{before, after} {
		s.page("/{$}", "", func(r *http.Request) string { return string(s.charters[charter.GuardAll].Head(r)) })
	}
	b := newTab(t)
	b.visit(before.url + "/")
	decide := func(choice string) {
		eval[bool](b, `fetch("/cookies/state.json", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(`+choice+`)}).then(({ok}) => ok || Promise.reject())`)
	}
	const attempt = `(() => { for (const name of ["_ga", "x_id", "a.b", "hj", "dm"]) document.cookie = name + "=1"; return document.cookie.split("; ").filter(pair => pair.endsWith("=1")).join(); })()`
	decide(`{choice: "accept"}`)
	assert.Equal(t, "_ga=1,x_id=1,a.b=1", eval[string](b, attempt))
	eval[string](b, `["_ga", "x_id", "a.b"].map(name => document.cookie = name + "=; Max-Age=0").join()`)
	b.visit(after.url + "/") // another origin, with the same cookies
	assert.Equal(t, "", eval[string](b, attempt), "two have joined")
	decide(`{choice: "add", allow: {"third-party": ["Vimeo"]}}`)
	assert.Equal(t, "a.b=1", eval[string](b, attempt), "allowed alone")
}

// What the README says of windows and frames.
func TestTheGuardIsForThePagesThatHaveIt(t *testing.T) {
	t.Parallel()
	s := newGuardedSite(t, guarded)
	s.page("/{$}", "", func(r *http.Request) string { return string(s.charters[charter.GuardAll].Head(r)) })
	b := newTab(t)
	b.visit(s.url + "/")
	eval[bool](b, `new Promise(done => { const frame = document.createElement("iframe"); frame.src = "/"; frame.onload = () => done(true); document.body.append(frame); })`)
	assert.Equal(t, "[null,null,null]", eval[string](b, `(() => {
		const other = document.querySelector("iframe").contentWindow;
		other.localStorage._ga = other.sessionStorage._ga = 1;
		other.document.cookie = "_ga=1";
		Object.getOwnPropertyDescriptor(Document.prototype, "cookie").set.call(other.document, "_ga=1");
		return JSON.stringify([other.localStorage.getItem("_ga"), sessionStorage.getItem("_ga"), document.cookie.match("_ga")]);
	})()`), "a frame of the site has its own")
	assert.Equal(t, "1", eval[string](b, `(() => {
		document.body.appendChild(document.createElement("iframe")).contentWindow.localStorage._ga = 1;
		return localStorage.getItem("_ga");
	})()`), "an empty one has none")
}

func TestTheInventoryIsToldOfWhatTheGuardWouldHoldBack(t *testing.T) {
	t.Parallel()
	s := newGuardedSite(t, guarded)
	found := inventory.New(s.mw.Registry())
	site, err := charter.New(charter.Config{Middleware: s.mw, Guard: charter.GuardAll, GuardReport: "/debug/cookies"})
	require.NoError(t, err)
	s.pages.Handle("/debug/cookies", found.Handler())
	s.page("/shop/", "", func(r *http.Request) string { return string(site.Head(r)) })
	b := newTab(t)
	b.visit(s.url + "/shop/")
	assert.Equal(t, "unknown=2; _ga=1 , unknown unknown,", eval[string](b, `(() => {
		for (const value of [1, 2]) document.cookie = "unknown=" + value;
		document.cookie = "_ga=1";
		localStorage.unknown = 1;
		sessionStorage.setItem("unknown", 1);
		return document.cookie + " , " + Object.keys(localStorage) + " " + Object.keys(sessionStorage) + ",";
	})()`), "nothing is held back")
	names := func() (names []string) {
		w := httptest.NewRecorder()
		found.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/debug/cookies?as=report", nil))
		var report struct {
			Cookies []struct {
				Name, Kind string
				Requests   int
				SentTo     struct{ Paths []string }
			}
		}
		body, _ := io.ReadAll(w.Body)
		require.NoError(t, json.Unmarshal(body, &report), string(body))
		for _, c := range report.Cookies {
			names = append(names, fmt.Sprintf("%s %s %d %s", c.Kind, c.Name, c.Requests, c.SentTo.Paths))
		}
		slices.Sort(names)
		return names
	}
	require.Eventually(t, func() bool { return len(names()) == 3 }, time.Minute, 20*time.Millisecond)
	assert.Equal(t, []string{" unknown 1 [/shop/]", "localStorage unknown 1 [/shop/]", "sessionStorage unknown 1 [/shop/]"}, names(), "each once; what is declared is no news")
}

func TestTheGuardTakesLittleTime(t *testing.T) {
	cookies := slices.Clone(guarded)
	for i := range 50 {
		cookies = append(cookies, consent.Cookie{Name: fmt.Sprintf("name_%d_*", i), Provider: fmt.Sprintf("Provider %d", i/4), Category: consent.ThirdParty, Purpose: english("Is one of many.")})
	}
	s := newGuardedSite(t, cookies)
	b := newTab(t)
	s.page("/{$}", "", func(*http.Request) string { return "" })
	script, work := 1000., 1000.
	for range 20 {
		b.visit(s.url + "/") // one guard a page
		b.timeHeadScript(1, &script, &work)
	}
	t.Logf("%.2f ms to begin, and %.2f ms of work", script, work)
	assert.Less(t, script, 15*work, "5 times on a machine that does nothing else")
	for _, operation := range []string{`document.cookie = "_ga=1"`, `localStorage.setItem("_ga", 1)`, `localStorage.basket = i`, `localStorage.getItem("basket")`} {
		each := eval[float64](b, `(() => { const began = performance.now(); for (let i = 0; i < 200; i++) `+operation+`; return (performance.now() - began) / 200; })()`)
		t.Logf("%.3f ms for %s", each, operation)
		assert.Less(t, each, 5*work, operation)
	}
}
