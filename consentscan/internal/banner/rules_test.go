package banner_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/consentscan/internal/banner"
)

func parseRules(t *testing.T, text string) banner.Rules {
	t.Helper()
	rules, err := banner.ParseRules(strings.NewReader(text))
	require.NoError(t, err)
	return rules
}

func TestRulesTellEveryMistake(t *testing.T) {
	const detect = `"detectCmp": [{"exists": "a"}]`
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"no JSON", "{\n\n\"name\": x}", []string{"line 3"}},
		{"nothing", ``, []string{"JSON"}},
		{"an empty list", `[]`, []string{"no rule"}},
		{"the compact form", `{"v": 1, "s": [], "r": []}`, []string{"rules.json"}},
		{"no name, no detection", `{}`, []string{"rule 1", "name: none", "detectCmp: no steps"}},
		{"several rules", `[{"name": "a", ` + detect + `, "optIn": [{"clik": "b"}]}, {"name": "b", ` + detect + `, "optOut": [{"click": "c"}, {"wait": 60000}]}]`,
			[]string{`rule "a": optIn step 1: json: unknown field "clik"`, `rule "b": optOut step 2: wait: 60000 ms`}},
		{"inner steps", `{"name": "a", ` + detect + `, "optIn": [{"if": {"exists": "a"}, "then": [{"any": [{"nonsense": 1}]}]}]}`, []string{`optIn step 1 then step 1 any step 1: json: unknown field "nonsense"`}},
		{"a step that does nothing", `{"name": "a", ` + detect + `, "optIn": [{"optional": true}]}`, []string{"optIn step 1: it does nothing"}},
		{"a newer version", `{"name": "a", ` + detect + `, "minimumRuleStepVersion": 9}`, []string{"minimumRuleStepVersion: 9"}},
		{"wrong types", `{"name": "a", "detectCmp": [{"exists": 5}], "optIn": [{"click": "b", "all": "yes"}]}`, []string{"detectCmp step 1: a selector is a string", "optIn step 1: all"}},
		{"check and timeout", `{"name": "a", ` + detect + `, "optIn": [{"visible": "a", "check": "some"}, {"waitFor": "a", "timeout": -1}]}`, []string{`check: "some"`, "timeout: -1"}},
		{"then without if", `{"name": "a", ` + detect + `, "optIn": [{"click": "a", "then": [{"click": "a"}]}]}`, []string{"no if"}},
		{"too long", strings.Repeat(" ", 17<<20), []string{"16 MB"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := banner.ParseRules(strings.NewReader(test.text))
			require.Error(t, err)
			for _, want := range test.want {
				assert.ErrorContains(t, err, want)
			}
		})
	}
}

func TestAutoconsentsOwnRulesCanBeRead(t *testing.T) {
	files, err := filepath.Glob("../../../dev/browser/node_modules/@duckduckgo/autoconsent/rules/rules.json")
	require.NoError(t, err)
	if len(files) == 0 {
		t.Skip("npm ci --prefix dev/browser has not been run")
	}
	content, err := os.Open(files[0])
	require.NoError(t, err)
	defer content.Close()
	rules, err := banner.ParseRules(content)
	require.NoError(t, err)
	assert.Greater(t, rules.Len(), 300)
}

func TestAnswersByTheRuleForOurBanner(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../../../docs/autoconsent/cookiecharter.json")
	require.NoError(t, err)
	rules := parseRules(t, string(content))
	site := charterSite(t, charter.Config{}, parts{banner: true, script: true, link: true}, declared...)
	for name, answer := range map[string]func(*visitor) error{
		"accept": func(v *visitor) error { return v.way.Accept(t.Context(), v) },
		"refuse": func(v *visitor) error { return v.way.Refuse(t.Context(), v) },
	} {
		v := visit(t, site, banner.Options{Rules: rules})
		assert.Equal(t, "autoconsent cookiecharter", v.way.Name())
		require.NoError(t, answer(v), name)
		assert.True(t, v.kept())
		assert.Equal(t, name == "accept", len(v.state("/cookies/").categories()) > 0)
	}
	v := visit(t, site, banner.Options{Rules: rules, Object: "#object"})
	path, _ := banner.CharterPath(v.way)
	assert.Equal(t, "/cookies/", path)
	require.NoError(t, v.way.Only(t.Context(), v, "statistics"), "what a rule cannot, the charter can")
}

// strange has what rules look for in odd places. Each answer is written into a cookie.
const strange = `<script>window.say = answer => { document.cookie = "answer=" + answer + "; path=/"; document.querySelector("#box")?.remove(); };</script>
<div id="box" style="width: 300px"><p>Cookies?</p></div>
<div id="hidden" style="display: none"><button onclick="say('hidden')">Hidden</button></div>
<script>
if (document.cookie.includes("answer=")) document.querySelector("#box").remove();
else {
	const root = document.createElement("my-banner");
	document.querySelector("#box").append(root);
	root.attachShadow({mode: "open"}).innerHTML = "<button id=yes>Yes</button>";
	root.shadowRoot.querySelector("#yes").onclick = () => say("yes");
	const frame = document.createElement("iframe");
	frame.srcdoc = "<button id=no onclick=\"parent.say('no')\">No</button>";
	document.querySelector("#box").append(frame);
	setTimeout(() => document.querySelector("#box").insertAdjacentHTML("beforeend", "<button class=late onclick=\"this.textContent='done';say('late')\">Later</button>"), 300);
	for (const i of [1, 2]) document.querySelector("#box").insertAdjacentHTML("beforeend", "<button class=many onclick=\"this.remove();document.querySelector('.many')||say('many')\">Many</button>");
}
</script>`

func TestRunsTheStepsOfRules(t *testing.T) {
	t.Parallel()
	v := &visitor{T: t, tab: newTab(t), site: servePlain(t, strange)}
	for _, test := range []struct{ name, steps, answer, mistake string }{
		{"a shadow root by a list", `{"click": ["my-banner", "#yes"]}`, "yes", ""},
		{"a shadow root by one selector", `{"click": "#yes"}`, "yes", ""},
		{"a frame", `{"click": ["iframe", "#no"]}`, "no", ""},
		{"an XPath", `{"waitForThenClick": "xpath///button[contains(., 'Later')]"}`, "late", ""},
		{"an XPath within an element", `{"waitForThenClick": ["#box", "xpath/.//button[contains(., 'Later')]"]}`, "late", ""},
		{"what comes later", `{"waitForVisible": ".late", "timeout": 3000}, {"click": ".late"}`, "late", ""},
		{"what is hidden", `{"click": "#hidden button"}`, "hidden", ""},
		{"all", `{"click": ".many", "all": true}`, "many", ""},
		{"if, then", `{"if": {"exists": "#box"}, "then": [{"click": "#yes"}], "else": [{"click": "#hidden button"}]}`, "yes", ""},
		{"if, else", `{"if": {"visible": "#hidden"}, "then": [{"click": "#yes"}], "else": [{"click": "#hidden button"}]}`, "hidden", ""},
		{"if without else", `{"if": {"exists": "#box", "negated": true}, "then": [{"click": "#yes"}]}, {"click": "#hidden button"}`, "hidden", ""},
		{"any", `{"any": [{"click": "#nowhere"}, {"click": "#yes"}]}`, "yes", ""},
		{"optional", `{"click": "#nowhere", "optional": true}, {"eval": "EVAL_X", "optional": true}, {"click": "#yes"}`, "yes", ""},
		{"negated", `{"visible": "#hidden", "negated": true}, {"click": "#yes"}`, "yes", ""},
		{"none of them visible", `{"visible": "#hidden", "check": "none"}, {"click": "#yes"}`, "yes", ""},
		{"cookies", `{"cookieContains": "answer", "negated": true}, {"click": "#yes"}, {"cookieContains": "answer=yes"}`, "yes", ""},
		{"hide, styles and a wait", `{"hide": ["#hidden", "p"], "method": "opacity"}, {"addStyle": "color: red", "selector": "#box"}, {"wait": 10}, {"click": "#yes"}`, "yes", ""},
		{"a step that fails", `{"waitFor": "#nowhere", "timeout": 100}`, "", "waitFor #nowhere: not within 100ms"},
		{"a negated step that succeeds", `{"exists": "#box", "negated": true}`, "", "it succeeded, and is negated"},
		{"eval", `{"eval": "EVAL_X"}`, "", "eval EVAL_X: the snippets of autoconsent"},
		{"a selector that is none", `{"click": "#"}`, "", `selector "#"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			rules := parseRules(t, `{"name": "strange", "detectCmp": [{"exists": "#box"}], "detectPopup": [{"visible": "#box"}], "optIn": [`+test.steps+`], "optOut": []}`)
			v.begin(t, banner.Options{Rules: rules})
			require.Equal(t, "autoconsent strange", v.way.Name())
			err := v.way.Accept(t.Context(), v)
			if test.mistake != "" {
				require.ErrorContains(t, err, test.mistake)
				return
			}
			require.NoError(t, err)
			assert.True(t, v.kept())
			var cookie string
			require.NoError(t, v.Eval(t.Context(), `document.cookie`, &cookie))
			assert.Equal(t, "answer="+test.answer, cookie)
			assert.True(t, banner.IsCannot(v.way.Refuse(t.Context(), v)), "no steps")
			assert.True(t, banner.IsCannot(v.way.Withdraw(t.Context(), v)))
		})
	}
}

func TestChoosesTheRuleOfThePage(t *testing.T) {
	t.Parallel()
	site := servePlain(t, strange)
	const rest = `"detectPopup": [{"visible": "#box"}], "optIn": [{"click": "#yes"}], "optOut": [{"click": "#yes"}]`
	rules := parseRules(t, `{"autoconsent": [
		{"name": "elsewhere", "runContext": {"urlPattern": "^https://example"}, "detectCmp": [{"exists": "#box"}], `+rest+`},
		{"name": "frames", "runContext": {"main": false, "frame": true}, "detectCmp": [{"exists": "#box"}], `+rest+`},
		{"name": "other", "detectCmp": [{"exists": "#other"}], `+rest+`},
		{"name": "all", "cosmetic": true, "detectCmp": [{"exists": "#box"}], `+rest+`},
		{"name": "here", "runContext": {"urlPattern": "^http://127\\.0\\.0\\.1:\\d+/$"}, "detectCmp": [{"exists": "#box"}], `+rest+`}]}`)
	v := visit(t, site, banner.Options{Rules: rules})
	assert.Equal(t, "autoconsent here", v.way.Name())
	require.NoError(t, v.Open(t.Context(), site+"/another"))
	way, err := banner.Find(t.Context(), v, banner.Options{Rules: rules})
	require.NoError(t, err)
	assert.Equal(t, "autoconsent all", way.Name())
	err = way.Refuse(t.Context(), v)
	assert.True(t, banner.IsCannot(err), "a rule that hides refuses nothing: %v", err)
}

func TestFollowsRulesInStages(t *testing.T) {
	t.Parallel()
	site := servePlain(t, `<script>
if (location.pathname === "/") document.write("<a id=first href=/choose>Settings</a>");
if (location.pathname === "/choose") document.write("<button id=second onclick=\"document.cookie='done=1';this.remove()\">Reject</button>");
</script>`)
	v := visit(t, site, banner.Options{Rules: parseRules(t, `[
		{"name": "first", "intermediate": true, "detectCmp": [{"exists": "#first"}], "detectPopup": [{"visible": "#first"}], "optIn": [], "optOut": [{"click": "#first"}]},
		{"name": "second", "detectCmp": [{"exists": "#second"}], "detectPopup": [{"visible": "#second"}], "optIn": [], "optOut": [{"click": "#second"}]}]`)})
	require.NoError(t, v.way.Refuse(t.Context(), v))
	var cookie string
	require.NoError(t, v.Eval(t.Context(), `document.cookie`, &cookie))
	assert.Equal(t, "done=1", cookie)
}
