package browser

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

// tagged are the declarations of a site with tags.
var tagged = []consent.Cookie{
	{Provider: "Valombre", Name: "session", Purpose: english("Signs in."), Category: consent.Necessary},
	{Provider: "Valombre", Name: "visits", Purpose: english("Counts."), Category: consent.Statistics, Anonymous: true},
	{Provider: "Matomo", Name: "_pk_id*", Purpose: english("Measures."), Category: consent.Statistics},
	{Provider: "Google", Name: "_ga*", Purpose: english("Measures."), Category: consent.AudienceMeasurement},
	{Provider: "Microsoft", Name: "_clck", Purpose: english("Measures."), Category: consent.AudienceMeasurement},
	{Provider: "Google", Name: "_gcl_*", Purpose: english("Measures ads."), Category: consent.Advertising},
	{Provider: "Meta", Name: "_fbp", Purpose: english("Measures ads."), Category: consent.Advertising},
}

// A tagging is a site with tags. Its pages, each of which may hold more by page, are
//
//	/inline/…  with Head in the page, banner and script
//	/file/…    the same under a policy by which Head is a file
//	/cached/…  the same for everybody: with head.js and script.js, kept by the browser
//	/bare/…    with Head alone
//
// Each of them then loads /tag.js, as a tag would.
type tagging struct {
	url     string
	charter *charter.Charter
	app     *http.ServeMux
}

func newTagging(t *testing.T, pages map[string]string, signals ...charter.Signal) *tagging {
	t.Helper()
	return newTaggingOf(t, func(*consent.Config) {}, pages, signals...)
}

func newTaggingOf(t *testing.T, change func(*consent.Config), pages map[string]string, signals ...charter.Signal) *tagging {
	t.Helper()
	config := consent.Config{
		Registry: consent.MustRegistry(tagged...), Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}, Insecure: true, Revision: 300, FormerCookieName: "former", Recorder: new(records), // whose reference is in the cookie
		Regime: consent.ByCountry("Country", map[string]consent.Regime{"US": consent.OptOut, "GB": consent.UK}),
	}
	change(&config)
	mw, err := consent.NewMiddleware(config)
	require.NoError(t, err)
	d := &tagging{app: http.NewServeMux()}
	d.charter, err = charter.New(charter.Config{Middleware: mw, Signals: signals})
	require.NoError(t, err)
	page := func(w http.ResponseWriter, head, more string) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><html lang="en"><title>t</title><link rel="icon" href="data:,">%s<script src="/tag.js"></script><h1>t</h1>%s`, head, more)
	}
	for name, more := range pages {
		d.app.HandleFunc("GET /inline/"+name, func(w http.ResponseWriter, r *http.Request) {
			page(w, string(d.charter.Head(r)+d.charter.Script(r)), string(d.charter.Banner(r))+more)
		})
		d.app.HandleFunc("GET /file/"+name, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Security-Policy", "default-src 'self'; img-src data: *; style-src 'unsafe-inline'")
			page(w, string(d.charter.Head(r)+d.charter.Script(r)), string(d.charter.Banner(r))+more)
		})
		d.app.HandleFunc("GET /cached/"+name, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Cache-Control", "public, max-age=3600")
			page(w, `<script src="/cookies/head.js"></script><script src="/cookies/script.js" defer></script>`, more)
		})
		d.app.HandleFunc("GET /bare/"+name, func(w http.ResponseWriter, r *http.Request) { page(w, string(d.charter.Head(r)), more) })
	}
	d.app.HandleFunc("GET /tag.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript")
		fmt.Fprint(w, `window.heard = JSON.stringify(window.dataLayer?.map(entry => [...(entry.length ? entry : [entry])]))`)
	})
	d.app.HandleFunc("GET /favicon.ico", func(http.ResponseWriter, *http.Request) {})
	d.app.HandleFunc("GET /truth", d.truth)
	server := httptest.NewServer(mw.Wrap(d.charter.Wrap(d.app)))
	t.Cleanup(server.Close)
	d.url = server.URL
	return d
}

// truth says what the words of Google amount to by the server's own answers, and whether
// anything is to be told.
func (d *tagging) truth(w http.ResponseWriter, r *http.Request) {
	prefs := consent.FromContext(r.Context())
	word := func(categories ...consent.Category) string {
		if slices.ContainsFunc(categories, func(c consent.Category) bool { return !prefs.Allows(c) }) {
			return "denied"
		}
		return "granted"
	}
	ads := word(consent.Advertising)
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(told{
		Known: !prefs.DecidedAt().IsZero() || prefs.Regime() != consent.OptIn,
		Words: map[string]string{
			"ad_storage": ads, "ad_user_data": ads, "ad_personalization": ads, "analytics_storage": word(consent.Statistics, consent.AudienceMeasurement),
			"functionality_storage": "denied", "personalization_storage": "denied", "security_storage": "granted",
		},
	})
}

// A told is what a tag is told, or should be.
type told struct {
	Known bool // whether there is an update
	Words map[string]string
}

// decides posts a decision, as a program of the site's would.
const decides = `fetch("/cookies/state.json", {method: "POST", headers: {"Content-Type": "application/json"}, body: %q}).then(r => r.ok)`

var decisions = []string{"", `{"choice":"accept"}`, `{"choice":"refuse"}`, `{"choice":"save","allow":{"advertising":["Google","Meta"]}}`, `{"choice":"save","allow":{"statistics":["Matomo"],"audience-measurement":["Google","Microsoft"]}}`, `{"choice":"add","allow":{"advertising":["Google"]}}`}

func (b *tab) decide(decision string) {
	b.Helper()
	if decision != "" {
		require.True(b, eval[bool](b, fmt.Sprintf(decides, decision)))
	}
}

// watched says what is in the dataLayer: nothing but one default, first, and updates, each
// of them with all seven words, and as Arguments objects; and their events.
const watched = `(() => {
	const commands = dataLayer.filter(entry => Object.prototype.toString.call(entry) === "[object Arguments]").map(entry => [...entry]);
	const updates = commands.filter(([, kind]) => kind === "update");
	return {
		order: Object.prototype.toString.call(dataLayer[0]) === "[object Arguments]" && dataLayer[0][0] === "consent" && dataLayer[0][1] === "default"
			&& commands.filter(([, kind]) => kind === "default").length === 1 && commands.every(([name, , words]) => name === "consent" && Object.keys(words).length === 7)
			&& dataLayer.length === commands.length + updates.length && dataLayer.every((entry, i) => !i || (i % 2 ? entry[1] === "update" : entry.event === "consent_update")),
		known: updates.length > 0,
		words: commands.at(-1)[2],
		beforeTags: JSON.parse(heard),
	};
})()`

type hearing struct {
	Order      bool
	Known      bool
	Words      map[string]string
	BeforeTags [][]any
}

// isTold waits until tags hear the truth. At is "at once" if that has to be so before the
// first of them has run.
func (b *tab) isTold(atOnce bool, when string) {
	b.Helper()
	b.until(`document.readyState !== "loading" && window.heard`)
	want := eval[told](b, `fetch("/truth").then(r => r.json())`)
	var got hearing
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if got = eval[hearing](b, watched); atOnce || assert.ObjectsAreEqual(want, told{got.Known, got.Words}) {
			break
		}
	}
	require.True(b, got.Order, "%s: %s", when, eval[string](b, `JSON.stringify(dataLayer.map(entry => [...(entry.length ? entry : [entry])]))`))
	require.Equal(b, want, told{got.Known, got.Words}, when)
	if atOnce {
		words := make(map[string]string)
		for _, entry := range slices.Backward(got.BeforeTags) {
			if entry[0] == "consent" {
				for word, value := range entry[2].(map[string]any) {
					words[word] = value.(string)
				}
				break
			}
		}
		require.Equal(b, want.Words, words, "%s: before the first tag", when)
	}
}

// loads is how many pages the test below loads, by the variable LOADS, and at least 100.
func loads(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi(cmp.Or(os.Getenv("LOADS"), "100"))
	require.NoError(t, err)
	return n
}

func TestTagsAreToldTheTruthBeforeTheyRunInEveryLoad(t *testing.T) {
	t.Parallel()
	d := newTagging(t, map[string]string{"{page}": ""}, charter.Google())
	begin := func(b *tab) {
		b.visit(d.url + "/tag.js")
	}
	roads := []string{"/inline/", "/file/", "/cached/"}
	scenarios := []struct {
		name string
		run  func(b *tab, road, decision string, told func(*tab, bool)) // told is called for each load
	}{
		{"cold cache", func(b *tab, road, decision string, told func(*tab, bool)) {
			b.decide(decision)
			call(b, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
			b.visit(d.url + road + "cold")
			told(b, true)
		}},
		{"warm cache", func(b *tab, road, decision string, told func(*tab, bool)) {
			b.visit(d.url + road + "warm")
			told(b, true)
			b.decide(decision)
			b.visit(d.url + road + "warm")
			told(b, true)
		}},
		{"Back", func(b *tab, road, decision string, told func(*tab, bool)) {
			b.visit(d.url + road + "first")
			told(b, true)
			b.visit(d.url + road + "second")
			b.decide(decision)
			eval[any](b, "history.back()")
			b.until(`location.pathname.endsWith("first") && document.visibilityState === "visible"`)
			told(b, false)
		}},
		{"slow network", func(b *tab, road, decision string, told func(*tab, bool)) {
			b.decide(decision)
			call(b, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: []*network.Conditions{{Latency: 150, DownloadThroughput: 50_000, UploadThroughput: 50_000}}})
			b.visit(d.url + road + "slow")
			told(b, true)
		}},
		{"a decision in another tab", func(b *tab, road, decision string, told func(*tab, bool)) {
			b.visit(d.url + road + "here")
			other := b.another()
			other.visit(d.url + road + "there")
			other.decide(decision)
			eval[any](b, `dispatchEvent(new Event("focus"))`) // no two tabs have it at once
			told(b, false)
		}},
		{"opt-out", func(b *tab, road, decision string, told func(*tab, bool)) {
			b.send(network.Headers{"Country": "US"})
			b.visit(d.url + road + "law")
			told(b, true)
			begin(b) // a page of which something is refused would be loaded again
			b.decide(decision)
			b.visit(d.url + road + "law")
			told(b, true)
		}},
		{"opt-out with Global Privacy Control", func(b *tab, road, decision string, told func(*tab, bool)) {
			b.send(network.Headers{"Country": "US", "Sec-GPC": "1"})
			b.visit(d.url + road + "law")
			told(b, true)
			begin(b) // a page of which something is refused would be loaded again
			b.decide(decision)
			b.visit(d.url + road + "law")
			told(b, true)
		}},
		{"the law of the United Kingdom", func(b *tab, road, decision string, told func(*tab, bool)) {
			b.send(network.Headers{"Country": "GB"})
			b.decide(decision)
			b.visit(d.url + road + "law")
			told(b, true)
		}},
	}
	n := 0
	for round := 0; n < loads(t); round++ {
		for i, s := range scenarios {
			road, decision := roads[(round+i)%len(roads)], decisions[(round/len(roads)+i)%len(decisions)]
			t.Run(fmt.Sprintf("%s %s %s", s.name, road, decision), func(t *testing.T) {
				b := newTab(t)
				begin(b)
				s.run(b, road, decision, func(b *tab, atOnce bool) {
					n++
					b.isTold(atOnce, s.name+road+decision)
				})
			})
		}
	}
	t.Logf("%d loads", n)
}

func TestAPageWithoutTheScriptIsToldWhenItComesBack(t *testing.T) {
	t.Parallel()
	d := newTagging(t, map[string]string{"{page}": ""}, charter.Google())
	b := newTab(t)
	b.onEachPage(keepsStory)
	b.visit(d.url + "/bare/first")
	b.isTold(true, "undecided")
	b.visit(d.url + "/bare/second")
	b.decide(`{"choice":"accept"}`)
	eval[any](b, "history.back()")
	b.until(`location.pathname.endsWith("first")`)
	b.isTold(false, "accepted meanwhile")
	assert.Contains(t, eval[string](b, "sessionStorage.story"), "frozen", "it came from the back/forward cache")
}

func TestThePageHearsEachChangeAndNothingTwice(t *testing.T) {
	t.Parallel()
	d := newTagging(t, map[string]string{"{page}": ""}, charter.Google())
	b := newTab(t)
	b.visit(d.url + "/inline/page")
	b.isTold(true, "undecided")
	b.click(".charter-banner [value=accept]")
	b.until(`document.querySelector(".charter-done")`)
	b.isTold(false, "accepted")
	eval[any](b, `document.dispatchEvent(new CustomEvent("consent")), document.dispatchEvent(new Event("visibilitychange"))`)
	assert.Equal(t, 3, eval[int](b, "dataLayer.length"), "default, update and its event")

	b.visit(d.url + "/bare/page")
	eval[any](b, `document.cookie = document.cookie.replace("cookies_preferences", "former") + "; Path=/"`)
	eval[any](b, `document.cookie = "cookies_preferences=; Max-Age=0; Path=/"`)
	b.visit(d.url + "/bare/page")
	assert.Equal(t, "granted", eval[string](b, "dataLayer[1][2].ad_storage"), "a decision under the cookie's former name")
	eval[any](b, `document.cookie = "former=; Max-Age=0; Path=/"`)
	b.decide(`{"choice":"accept"}`)
	b.visit(d.url + "/bare/page")
	eval[any](b, `document.cookie = "cookies_preferences=; Max-Age=0; Path=/", document.dispatchEvent(new Event("visibilitychange"))`)
	b.until("dataLayer.length === 5")
	assert.Equal(t, "denied", eval[string](b, "dataLayer[3][2].ad_storage"), "a decision that has gone")
}

func TestTheNewestOfSeveralDecisionsCounts(t *testing.T) {
	t.Parallel()
	d := newTagging(t, map[string]string{"{page}": ""}, charter.Google())
	b := newTab(t)
	b.visit(d.url + "/bare/page")
	b.decide(`{"choice":"accept"}`)
	older := eval[string](b, "document.cookie")
	b.decide(`{"choice":"refuse"}`)
	newer := eval[string](b, "document.cookie")
	for _, values := range [][2]string{{newer, older}, {older, newer}} { // a browser names the longer path first
		eval[any](b, fmt.Sprintf(`document.cookie = %q + "; Path=/bare", document.cookie = %q + "; Path=/"`, values[0], values[1]))
		b.visit(d.url + "/bare/page")
		require.Equal(t, values[0]+"; "+values[1], eval[string](b, "document.cookie"))
		b.until("window.heard")
		assert.Equal(t, "denied", eval[string](b, "dataLayer[1][2].ad_storage"))
	}
}

func TestATagOfOneProviderIsToldWhatTheServerKnowsOfIt(t *testing.T) {
	t.Parallel()
	providers := []string{"advertising:Google", "advertising:Meta", "audience-measurement:Google", "statistics:Matomo", "statistics:Valombre", "statistics", "necessary", "necessary:Valombre"}
	needs := make(map[string][]string)
	for _, provider := range providers {
		needs[provider] = []string{provider}
	}
	needs["both"] = []string{"advertising:Meta", "statistics:Matomo"}
	own := charter.Signal{Name: "own", Purposes: needs, Call: `granted => { window.own = granted }`}
	providersOf := func(w http.ResponseWriter, r *http.Request) {
		prefs := consent.FromContext(r.Context())
		words := make(map[string]string)
		for word, needs := range needs {
			words[word] = "granted"
			for _, need := range needs {
				category, provider, single := strings.Cut(need, ":")
				if single && !prefs.AllowsProvider(consent.Category(category), provider) || !single && !prefs.Allows(consent.Category(category)) {
					words[word] = "denied"
				}
			}
		}
		_ = json.NewEncoder(w).Encode(words)
	}
	joined := append(slices.Clone(tagged), consent.Cookie{Provider: "Newcomer", Name: "new", Purpose: english("Is new."), Category: consent.Advertising})
	sites := []*tagging{
		newTagging(t, map[string]string{"{page}": ""}, own), // the first takes the decisions; the others are other ports of one host
		newTaggingOf(t, func(c *consent.Config) { c.Registry = consent.MustRegistry(joined...) }, map[string]string{"{page}": ""}, own),
		newTaggingOf(t, func(c *consent.Config) { c.Revision = 301 }, map[string]string{"{page}": ""}, own),
	}
	for _, d := range sites {
		d.app.HandleFunc("GET /providers", providersOf)
	}
	for _, country := range []string{"", "US", "GB"} {
		for _, decision := range append(decisions, `{"choice":"save","allow":{"statistics":["Matomo"]},"objection":true}`, `{"choice":"save","allow":{"advertising":["Meta"]}}`) {
			b := newTab(t)
			b.send(network.Headers{"Country": country})
			b.visit(sites[0].url + "/tag.js")
			b.decide(decision)
			for i, d := range sites {
				road := []string{"/inline/", "/cached/"}[i%2]
				b.visit(d.url + road + "page")
				b.until(`document.readyState === "complete"`)
				assert.Equal(t, eval[map[string]string](b, `fetch("/providers").then(r => r.json())`), eval[map[string]string](b, "own"), "%d %s %s %s", i, road, country, decision)
			}
		}
	}
}
