package browser

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
)

// spoken are languages in which autoconsent's heuristic knows both the text of a cookie
// banner and the button that refuses. In Swedish and Czech it knows a button alone.
var spoken = []string{"en", "fr", "de", "nl", "es", "pt", "it", "pl"}

// autoconsentPath is the folder of a program that answers banners for visitors:
// DuckDuckGo's browsers have it built in.
const autoconsentPath = "node_modules/@duckduckgo/autoconsent/"

// extension stands for the browser around autoconsent's script: it answers "init" with
// what the visitor wants, and keeps all that it is told.
const extension = `
window.heard = [];
window.autoconsentSendMessage = async message => {
	heard.push(message);
	await null; // it cannot be answered yet
	if (message.type === "init") autoconsentReceiveMessage({type: "initResp", config: %s, rules: %s});
	if (message.type === "eval") autoconsentReceiveMessage({type: "evalResp", id: message.id, result: false});
};
`

// A refuser is autoconsent as one visitor has set it.
type refuser struct {
	Action    string `json:"autoAction"` // "optOut" or "optIn"
	Heuristic string `json:"heuristicMode"`
}

// install adds the refuser to each page that the tab visits, with autoconsent's rules
// for the banners of others, and those given.
func (r refuser) install(b *tab, rules ...json.RawMessage) {
	b.Helper()
	config, err := json.Marshal(r)
	require.NoError(b, err)
	var others struct {
		Rules []json.RawMessage `json:"autoconsent"`
	}
	require.NoError(b, json.Unmarshal([]byte(autoconsent(b.T, "rules/rules.json")), &others))
	require.NotEmpty(b, others.Rules)
	all, err := json.Marshal(map[string]any{"autoconsent": append(others.Rules, rules...)})
	require.NoError(b, err)
	// It hides a banner while it answers, by a style that a page's policy does not stop:
	// an extension's script has a world of its own.
	call(b, page.SetBypassCSP, page.SetBypassCSPParams{Enabled: true})
	b.onEachPage(fmt.Sprintf(extension, config, all) + autoconsent(b.T, "dist/autoconsent.playwright.js"))
}

// autoconsent returns a file of the package.
func autoconsent(t *testing.T, name string) string {
	t.Helper()
	return installed(t, autoconsentPath+name)
}

// offered returns a file of docs/autoconsent.
func offered(t *testing.T, name string) json.RawMessage {
	t.Helper()
	rule, err := os.ReadFile("../../docs/autoconsent/" + name)
	require.NoError(t, err)
	return rule
}

// asking are pages that ask: in their HTML, with and without the script, and late, by
// the script alone.
var asking = []string{"/", "/plain", "/static"}

// newAnswerDemo is newDemo with /answer, which says in a word what the server knows of
// the visitor.
func newAnswerDemo(t *testing.T) *demo {
	t.Helper()
	d := newDemo(t, declared...)
	d.pages.HandleFunc("GET /answer", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, "<title>Answer</title>", answer(consent.FromContext(r.Context())))
	})
	return d
}

func answer(prefs consent.Preferences) string {
	if !prefs.Decided() {
		return "none"
	}
	var allowed int
	for _, category := range []consent.Category{consent.Statistics, consent.FirstParty, consent.ThirdParty} {
		if prefs.Allows(category) {
			allowed++
		}
	}
	return map[int]string{0: "nothing", 3: "everything"}[allowed]
}

// answers waits for the end of what a refuser does on the page, and returns what the
// server has learnt from it.
func (b *tab) answers(d *demo) string {
	b.Helper()
	b.until(`document.cookie.includes("cookies_preferences=")`)
	b.until(`!document.querySelector(".charter-banner")`)
	b.visit(d.url + "/answer")
	return eval[string](b, "document.body.innerText")
}

func TestAProgramThatDoesNotKnowTheBannerFindsHowToRefuse(t *testing.T) {
	t.Parallel()
	d := newAnswerDemo(t)
	for _, language := range spoken {
		t.Run(language, func(t *testing.T) {
			for _, path := range asking {
				b := newTab(t)
				b.resize(1280, 800)
				refuser{"optOut", "reject"}.install(b)
				b.speak(language)
				b.visit(d.url + path)
				assert.Equal(t, "nothing", b.answers(d), path)
			}
		})
	}
}

func TestTheRuleForAutoconsentAnswersTheBanner(t *testing.T) {
	t.Parallel()
	d := newAnswerDemo(t)
	for action, want := range map[string]string{"optOut": "nothing", "optIn": "everything"} {
		for _, path := range asking {
			t.Run(action+path, func(t *testing.T) {
				b := newTab(t)
				refuser{action, "off"}.install(b, offered(t, "cookiecharter.json"))
				b.speak("fi") // the heuristic does not speak it
				b.visit(d.url + path)
				assert.Equal(t, want, b.answers(d))
			})
		}
	}
}

func TestTheRuleForAutoconsentMeetsNoOther(t *testing.T) {
	t.Parallel()
	d := newAnswerDemo(t)
	b := newTab(t)
	refuser{"optOut", "reject"}.install(b, offered(t, "cookiecharter.json"))
	b.visit(d.url + "/")
	b.until(`heard.some(m => m.type === "autoconsentDone")`)
	assert.Equal(t, []string{"cmpDetected cookiecharter", "popupFound cookiecharter", "optOutResult cookiecharter true", "autoconsentDone cookiecharter"},
		eval[[]string](b, `heard.filter(m => m.cmp).map(m => [m.type, m.cmp, m.result].filter(Boolean).join(" "))`))
	eval[any](b, `autoconsentReceiveMessage({type: "selfTest"})`)
	assert.Equal(t, []bool{true}, eval[[]bool](b, `heard.filter(m => m.type === "selfTestResult").map(m => m.result)`), "the rule's own test")
}

// A consentOMatic is what a rule of Consent-O-Matic says of one banner.
type consentOMatic struct {
	Detectors []struct{ PresentMatcher, ShowingMatcher []action }
	Methods   []struct {
		Name   string
		Action action
	}
}

type action struct {
	Type                    string
	Target                  struct{ Selector string }
	TrueAction, FalseAction *action
}

func TestTheRuleForConsentOMaticAnswersTheBanner(t *testing.T) {
	t.Parallel()
	d := newAnswerDemo(t)
	var rules map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(offered(t, "consent-o-matic.json"), &rules))
	var rule consentOMatic
	require.NoError(t, json.Unmarshal(rules["cookiecharter"], &rule))
	save := rule.Methods[3]
	require.Equal(t, "SAVE_CONSENT", save.Name)
	require.Equal(t, "ifallowall", save.Action.Type)
	for want, click := range map[string]*action{"nothing": save.Action.FalseAction, "everything": save.Action.TrueAction} {
		t.Run(want, func(t *testing.T) {
			b := newTab(t)
			b.visit(d.url + "/")
			for _, detector := range rule.Detectors {
				for _, m := range append(detector.PresentMatcher, detector.ShowingMatcher...) {
					assert.Equal(t, 1, eval[int](b, fmt.Sprintf("document.querySelectorAll(%q).length", m.Target.Selector)))
				}
			}
			hide := rule.Methods[0].Action.Target.Selector
			assert.Equal(t, 1, eval[int](b, fmt.Sprintf("document.querySelectorAll(%q).length", hide)))
			eval[any](b, fmt.Sprintf("document.querySelector(%q).click()", click.Target.Selector))
			assert.Equal(t, want, b.answers(d))
		})
	}
}
