package charter_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/internal/browsertest"
	"github.com/cookiecharter/consent/internal/decision"
	"github.com/cookiecharter/consent/internal/preference"
)

// Three things are decided twice, by the server in Go and by the scripts of a page: what a
// decision allows, which declaration a name belongs to, and what a line of document.cookie
// does. Each has one file of cases, through which the tests of both go: decisions.json here,
// names.json of internal/pattern, and lines.txt of internal/setcookie, to which dev/browser
// takes the guard.

// A decided is one case of testdata/decisions.json: a visitor with these preferences
// cookies, in the order in which the browser names them.
type decided struct {
	Name    string
	Cookies []struct {
		Minutes    int // since the decision
		Revision   uint64
		Objection  bool
		Former     bool                     // under the former name
		Referenced bool                     // it is recorded
		Answers    map[string]answerInWords // by category:provider
	}
	Law     consent.Regime
	GPC     bool
	Allowed []string // each category:provider
	Decided bool
}

type answerInWords decision.Answer

func (a *answerInWords) UnmarshalText(word []byte) error {
	i := slices.Index([]string{decision.No: "no", decision.Yes: "yes", decision.Ticked: "ticked", decision.Alone: "alone"}, string(word))
	*a = answerInWords(i)
	if i < 0 {
		return fmt.Errorf("%q is no answer", word)
	}
	return nil
}

type decidedCases struct {
	Revision uint64
	Declared []struct {
		Category  consent.Category
		Provider  string
		Anonymous bool
	}
	Cases []decided
}

// readCases reads a file of cases.
func readCases[T any](t *testing.T, file string) (cases T) {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	from := json.NewDecoder(bytes.NewReader(content))
	from.DisallowUnknownFields()
	require.NoError(t, from.Decode(&cases))
	return cases
}

// all returns what is declared, as category:provider.
func (c *decidedCases) all() (all []string) {
	for _, d := range c.Declared {
		all = append(all, string(d.Category)+":"+d.Provider)
	}
	return all
}

var agreementKey = [][]byte{bytes.Repeat([]byte("k"), 32)}

// site returns a site for one case: what is declared is a cookie, and a key of the
// session storage, by the name category:provider.
func (c *decidedCases) site(t *testing.T, of decided) (*consent.Middleware, *charter.Charter) {
	t.Helper()
	var cookies []consent.Cookie
	needs := make(map[string][]string)
	for i, name := range c.all() {
		needs[name] = []string{name}
		for _, kind := range []consent.Kind{consent.HTTPCookie, consent.SessionStorage} {
			d := c.Declared[i]
			cookies = append(cookies, consent.Cookie{Kind: kind, Name: name, Provider: d.Provider, Category: d.Category, Anonymous: d.Anonymous, Purpose: text("Is a case.")})
		}
	}
	mw, err := consent.NewMiddleware(consent.Config{
		Registry: consent.MustRegistry(cookies...), Keys: agreementKey, Revision: c.Revision, FormerCookieName: "former",
		Regime: func(*http.Request) consent.Regime { return of.Law },
	})
	require.NoError(t, err)
	site, err := charter.New(charter.Config{Middleware: mw, Guard: charter.GuardDeclared, Signals: []charter.Signal{
		{Name: "own", Purposes: needs, Call: "granted => { window.granted = granted }"},
	}})
	require.NoError(t, err)
	return mw, site
}

// header returns the Cookie field of a case.
func (c *decidedCases) header(t *testing.T, of decided) string {
	t.Helper()
	now := time.Now()
	var pairs []string
	for _, cookie := range of.Cookies {
		answers := make(map[decision.Mark]decision.Answer)
		for name, answer := range cookie.Answers {
			category, provider, _ := strings.Cut(name, ":")
			answers[decision.MarkOf(category, provider)] = decision.Answer(answer)
		}
		d := decision.Decision{Revision: cookie.Revision, Time: now.Add(-time.Duration(cookie.Minutes) * time.Minute), Objection: cookie.Objection, Answers: decision.MakeAnswers(answers)}
		if d.Revision == 0 {
			d.Revision = c.Revision
		}
		if cookie.Referenced {
			d.Reference = [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
		}
		pairs = append(pairs, signed(t, &d, cookie.Former))
	}
	return strings.Join(pairs, "; ")
}

// signed returns a preferences cookie as a browser sends it.
func signed(t *testing.T, d *decision.Decision, isFormer bool) string {
	t.Helper()
	attributes := http.Cookie{Name: consent.CookieName, Path: "/", MaxAge: 86400}
	if isFormer {
		attributes.Name = "former"
	}
	line, err := preference.New(attributes, "", agreementKey).Line(d)
	require.NoError(t, err)
	pair, _, _ := strings.Cut(line, ";")
	return pair
}

func TestADecisionAllowsOnTheServerWhatTheCasesSay(t *testing.T) {
	cases := readCases[decidedCases](t, "testdata/decisions.json")
	require.Greater(t, len(cases.Cases), 30)
	for _, of := range cases.Cases {
		mw, _ := cases.site(t, of)
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Cookie", cases.header(t, of))
		if of.GPC {
			r.Header.Set("Sec-GPC", "1")
		}
		mw.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			prefs, allowed := consent.FromContext(r.Context()), []string{}
			for i, name := range cases.all() {
				assert.Equal(t, prefs.AllowsProvider(cases.Declared[i].Category, cases.Declared[i].Provider), prefs.AllowsCookie(name), "%s: %s", of.Name, name)
				if prefs.AllowsCookie(name) {
					allowed = append(allowed, name)
				}
			}
			assert.ElementsMatch(t, of.Allowed, allowed, of.Name)
			assert.Equal(t, of.Decided, prefs.Decided(), of.Name)
		})).ServeHTTP(httptest.NewRecorder(), r)
	}
}

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
func (p *casePages) walk(t *testing.T, open func(*testing.T, string)) (all []json.RawMessage) {
	t.Helper()
	p.told = make(chan json.RawMessage, len(p.pages))
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	open(t, "http://n0.cases.localhost:"+port+"/")
	for range p.pages {
		select {
		case told := <-p.told:
			all = append(all, told)
		case <-time.After(2 * time.Minute):
			t.Fatalf("nothing more was told after %d of %d pages", len(all), len(p.pages))
		}
	}
	return all
}

// inScript returns a value as it stands in a script.
func inScript(t *testing.T, value any) string {
	t.Helper()
	quoted, err := json.Marshal(value)
	require.NoError(t, err)
	return string(quoted)
}

var caseBrowsers = map[string]func(*testing.T, string){"Chromium": browsertest.Chromium, "Firefox": browsertest.Firefox}

func TestADecisionAllowsInAPageWhatTheCasesSay(t *testing.T) {
	cases := readCases[decidedCases](t, "testdata/decisions.json")
	names := inScript(t, cases.all())
	for browser, open := range caseBrowsers {
		t.Run(browser, func(t *testing.T) {
			t.Parallel()
			pages := new(casePages)
			for _, of := range cases.Cases {
				mw, site := cases.site(t, of)
				pages.add(t, mw, site, cases.header(t, of), of.GPC, caseScript{
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
				of := cases.Cases[i]
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

// A named is one case of testdata/names.json in internal/pattern.
type named struct {
	Declared []string
	Name     string
	Match    string // "" for none
}

// refusedSite returns a site on which one of the names is refused, and the others are
// necessary: what a page does with a name says whether it is that one's.
func refusedSite(t *testing.T, of named, refused string) (*consent.Middleware, *charter.Charter) {
	t.Helper()
	var cookies []consent.Cookie
	for _, name := range of.Declared {
		c := consent.Cookie{Name: name, Provider: "Site", Category: consent.Necessary, Purpose: text("Is a case.")}
		if name == refused {
			c.Provider, c.Category = "AdCo", consent.ThirdParty
		}
		for _, c.Kind = range []consent.Kind{consent.HTTPCookie, consent.LocalStorage, consent.SessionStorage} {
			cookies = append(cookies, c)
		}
	}
	mw, err := consent.NewMiddleware(consent.Config{Registry: consent.MustRegistry(cookies...), Keys: agreementKey})
	require.NoError(t, err)
	site, err := charter.New(charter.Config{Middleware: mw, Guard: charter.GuardDeclared})
	require.NoError(t, err)
	return mw, site
}

func TestANameBelongsInAPageToTheDeclarationThatTheCasesSay(t *testing.T) {
	cases := readCases[[]named](t, "../internal/pattern/testdata/names.json")
	require.Greater(t, len(cases), 30)
	refusal := signed(t, &decision.Decision{Time: time.Now(), Answers: decision.MakeAnswers(map[decision.Mark]decision.Answer{decision.MarkOf("third-party", "AdCo"): decision.No})}, false)
	for browser, open := range caseBrowsers {
		t.Run(browser, func(t *testing.T) {
			t.Parallel()
			pages := new(casePages)
			type asked struct {
				of      named
				refused string
			}
			var all []asked
			for _, of := range cases {
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
