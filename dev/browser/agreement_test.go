package browser

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/internal/cases"
)

// The scripts of a page decide again what the server has decided: what a decision allows, and
// which declaration a name belongs to. Both go through the same files of cases; the tests of
// package charter and of internal/pattern take them to the server's half. The third such file
// is that of lines, to which guard_lines_test.go takes the guard.

// A page of a case: of the document's cookies it has those of the case, so that the order
// is no browser's, and keeps what scripts set in a list.
const casePage = `<!doctype html><meta charset="utf-8"><title>t</title><link rel="icon" href="data:,"><script>
	const lines = [];
	Object.defineProperty(Document.prototype, "cookie", {configurable: true, enumerable: true, get() { return %s; }, set(line) { lines.push(line); }});
	%s
</script>%s<script>
	const isKept = (storage, name) => { storage.setItem(name, 1); return storage.getItem(name) !== null; };
	const told = (() => { %s })();
	addEventListener("load", async () => {
		%s
		await fetch("/told", {method: "POST", body: JSON.stringify(told)});
		location = %q.replace("PORT", location.port);
	});
</script><body>%s`

// A casePages leads a browser through pages, each on a host of its own.
type casePages struct {
	pages []http.Handler
	told  chan json.RawMessage
}

// A caseScript is what a page does: before the scripts of the charter, after that of the
// head, which amounts to told, and after all of them.
type caseScript struct{ before, told, last string }

// add adds a page of a site, with the Cookie field of a request for it.
func (p *casePages) add(t *testing.T, mw *consent.Middleware, site *charter.Charter, cookie string, gpc bool, script caseScript) {
	t.Helper()
	next := fmt.Sprintf("http://n%d.cases.localhost:PORT/", len(p.pages)+1)
	mux := http.NewServeMux()
	mux.Handle("/cookies/", site.Handler())
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, casePage, inScript(t, cookie), script.before, site.Head(r)+site.Script(r), script.told, script.last, next, site.Banner(r))
	})
	inner := mw.Wrap(mux)
	p.pages = append(p.pages, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Cookie", cookie) // whatever the browser itself has
		if gpc {
			r.Header.Set("Sec-GPC", "1")
		}
		inner.ServeHTTP(w, r)
	}))
}

func (p *casePages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	label, _, _ := strings.Cut(r.Host, ".")
	n, err := strconv.Atoi(strings.TrimPrefix(label, "n"))
	switch {
	case r.URL.Path == "/told":
		told, _ := io.ReadAll(r.Body)
		p.told <- told
	case err == nil && n < len(p.pages):
		p.pages[n].ServeHTTP(w, r)
	}
}

// walk opens the first page, and returns what each of them has told.
func (p *casePages) walk(t *testing.T, open func(*testing.T, string)) []json.RawMessage {
	t.Helper()
	p.told = make(chan json.RawMessage, len(p.pages))
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	open(t, "http://n0.cases.localhost:"+port+"/")
	return tellings(t, p.told, len(p.pages))
}

// caseSite returns a site with a guard, and its charter.
func caseSite(t *testing.T, config consent.Config, signals ...charter.Signal) (*consent.Middleware, *charter.Charter) {
	t.Helper()
	mw, err := consent.NewMiddleware(config)
	require.NoError(t, err)
	site, err := charter.New(charter.Config{Middleware: mw, Guard: charter.GuardDeclared, Signals: signals})
	require.NoError(t, err)
	return mw, site
}

// inScript returns a value as it stands in a script.
func inScript(t *testing.T, value any) string {
	t.Helper()
	quoted, err := json.Marshal(value)
	require.NoError(t, err)
	return string(quoted)
}

func TestADecisionAllowsInAPageWhatTheCasesSay(t *testing.T) {
	t.Parallel()
	all := cases.ReadDecisions(t, "../../charter/testdata/decisions.json")
	names, needs := inScript(t, all.Names()), make(map[string][]string)
	for _, name := range all.Names() {
		needs[name] = []string{name}
	}
	own := charter.Signal{Name: "own", Purposes: needs, Call: "granted => { window.granted = granted }"}
	for browser, open := range browsers {
		t.Run(browser, func(t *testing.T) {
			t.Parallel()
			pages := new(casePages)
			for _, of := range all.Cases {
				mw, site := caseSite(t, all.Config(of, consent.SessionStorage), own)
				pages.add(t, mw, site, all.Header(t, of), of.GPC, caseScript{
					told: `return {kept: ` + names + `.filter(name => isKept(sessionStorage, name)), granted: Object.keys(granted).filter(name => granted[name] === "granted")}`,
					last: `Object.assign(told, consent.state, {allowed: Object.entries(consent.state.allowed).flatMap(([category, names]) => names.map(name => category + ":" + name))});`,
				})
			}
			for i, told := range pages.walk(t, open) {
				var got struct {
					Kept, Granted, Allowed []string
					Decided, Objection     bool
				}
				require.NoError(t, json.Unmarshal(told, &got), string(told))
				of := all.Cases[i]
				assert.ElementsMatch(t, of.Allowed, got.Kept, "%s: by guard.js", of.Name)
				assert.ElementsMatch(t, of.Allowed, got.Granted, "%s: by head.js", of.Name)
				if !got.Objection {
					got.Allowed = append(got.Allowed, "statistics:Site") // what is exempt is no answer
				}
				assert.ElementsMatch(t, of.Allowed, got.Allowed, "%s: by script.js", of.Name)
				assert.Equal(t, of.Decided, got.Decided, "%s: by script.js", of.Name)
			}
		})
	}
}

// refusedSite returns a site on which one of the names is refused, and the others are
// necessary: what a page does with a name says whether it is that one's.
func refusedSite(t *testing.T, of cases.Name, refused string) (*consent.Middleware, *charter.Charter) {
	t.Helper()
	var cookies []consent.Cookie
	for _, name := range of.Declared {
		c := consent.Cookie{Name: name, Provider: "Site", Category: consent.Necessary, Purpose: english("Is a case.")}
		if name == refused {
			c.Provider, c.Category = "AdCo", consent.ThirdParty
		}
		for _, c.Kind = range []consent.Kind{consent.HTTPCookie, consent.LocalStorage, consent.SessionStorage} {
			cookies = append(cookies, c)
		}
	}
	return caseSite(t, consent.Config{Registry: consent.MustRegistry(cookies...), Keys: cases.Keys})
}

func TestANameBelongsInAPageToTheDeclarationThatTheCasesSay(t *testing.T) {
	t.Parallel()
	named := cases.ReadNames(t, "../../internal/pattern/testdata/names.json")
	refusal := cases.Refusal(t, consent.ThirdParty, "AdCo")
	for browser, open := range browsers {
		t.Run(browser, func(t *testing.T) {
			t.Parallel()
			pages := new(casePages)
			type asked struct {
				of      cases.Name
				refused string
			}
			var all []asked
			for _, of := range named {
				for _, refused := range of.Declared {
					all = append(all, asked{of, refused})
					mw, site := refusedSite(t, of, refused)
					name := inScript(t, of.Name)
					pages.add(t, mw, site, refusal, false, caseScript{
						before: `localStorage.setItem(` + name + `, 1);`,
						told:   `document.cookie = ` + name + ` + "=1"; return {kept: isKept(sessionStorage, ` + name + `), isSet: lines.length > 0}`,
						last:   `await new Promise(done => setTimeout(done, 50)); told.left = localStorage.getItem(` + name + `) !== null;`,
					})
				}
			}
			for i, told := range pages.walk(t, open) {
				var got struct{ Kept, IsSet, Left bool }
				require.NoError(t, json.Unmarshal(told, &got), string(told))
				want := all[i].of.Match != all[i].refused
				when := fmt.Sprintf("%q, of %q, if %q is refused", all[i].of.Name, all[i].of.Declared, all[i].refused)
				assert.Equal(t, want, got.Kept, "%s: by guard-storage.js", when)
				assert.Equal(t, want, got.Left, "%s: by storage.js", when)
				if all[i].of.Name != "" && !strings.ContainsFunc(all[i].of.Name, unicode.IsSpace) { // a cookie has no such name
					assert.Equal(t, want, got.IsSet, "%s: by guard.js", when)
				}
			}
		})
	}
}
