package browser

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

// withLibraries goes through a series of operations of two libraries, and returns after each
// what it has returned and which cookies there are.
const withLibraries = `
const all = [];
const note = (name, value) => all.push([name, JSON.stringify(value)?.replace(/\d\d \w+ \d+ [\d:]+ GMT/, "a date") ?? "nothing", document.cookie.split("; ").filter(pair => pair && !pair.startsWith("cookies_preferences=")).sort().join("; ")]);
const js = [
	["sets", c => c.set("name", "value")], ["gets", c => c.get("name")], ["gets what is missing", c => c.get("missing")],
	["sets with attributes", c => c.set("attributes", "value", {expires: 7, path: "/", sameSite: "strict"})],
	["sets for a date", c => c.set("dated", "value", {expires: new Date(Date.now() + 864e5)})],
	["sets with a domain", c => c.set("domain", "value", {domain: "shop.localhost"})],
	["encodes", c => c.set("naïve; =", "a; b=c, \"d\" %20 é 🍪")], ["decodes", c => c.get("naïve; =")],
	["sets an attribute that would end one", c => c.set("ends", "value", {path: "/; Max-Age=0"})],
	["lists", c => Object.entries(c.get()).filter(([name]) => name !== "cookies_preferences").sort()],
	["sets again", c => c.set("name", "other")], ["removes", c => c.remove("name")], ["removes with attributes", c => c.remove("attributes", {path: "/"})],
	["removes with a domain", c => c.remove("domain", {domain: "shop.localhost"})], ["removes what is missing", c => c.remove("missing")],
	["has attributes of its own", c => { const own = c.withAttributes({path: "/", expires: 1}); own.set("own", "1"); return [own.get("own"), own.attributes]; }],
	["has converters", c => { const own = c.withConverter({write: value => value.toUpperCase(), read: value => value.toLowerCase()}); own.set("converted", "a"); return own.get("converted"); }],
	["is set to expire", c => c.set("own", "1", {expires: -1, path: "/"})], ["sets nothing", c => c.set("empty", "")],
];
for (const [name, run] of js) note("js-cookie " + name, run(libraries.Cookies));
const changes = [], universal = new libraries.Universal(null, {path: "/"}), listener = ({name, value}) => name !== "cookies_preferences" && changes.push([name, value]);
universal.addChangeListener(listener);
const operations = [
	["sets", c => c.set("u", "value")], ["sets an object", c => c.set("object", {a: [1, "é"]}, {maxAge: 100, sameSite: "lax"})], ["gets", c => [c.get("u"), c.get("object"), c.get("missing")]],
	["sets for a date", c => c.set("udated", "1", {expires: new Date(Date.now() + 864e5)})], ["lists", c => { const {cookies_preferences, ...rest} = c.getAll(); return Object.entries(rest).sort(); }],
	["gets as it stands", c => c.get("object", {doNotParse: true})], ["sets again", c => c.set("u", 2)], ["removes", c => c.remove("u")], ["removes what is missing", c => c.remove("missing")],
	["looks again", c => { document.cookie = "beside=1; Path=/"; c.update(); return c.get("beside"); }], ["sets to expire", c => c.set("object", "", {maxAge: 0})],
];
for (const [name, run] of operations) {
	note("universal-cookie " + name, run(universal));
	await new Promise(done => setTimeout(done, 50)); // it is told by cookieStore
}
universal.removeChangeListener(listener);
note("changes", changes);
emptied();
return all;
`

func TestLibrariesDoWithTheGuardWhatTheyDoWithout(t *testing.T) {
	t.Parallel()
	libraries := bundle(t, `import Cookies from "js-cookie"; import Universal from "universal-cookie"; window.libraries = {Cookies, Universal};`)
	anything := consent.Cookie{Name: "*", Provider: "Vimeo", Category: consent.ThirdParty, Purpose: english("Is anything.")}
	script := strings.ReplaceAll(libraries, "</", `<\/`) + withLibraries
	for name, open := range browsers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newGuardedSite(t, []consent.Cookie{anything},
				step{script: script},
				step{guard: charter.GuardAll, script: script},
				step{script: `await decide({choice: "accept"})`},
				step{guard: charter.GuardAll, script: script},
			)
			told := s.walk(t, open)
			free, none, all := decoded[[][3]string](t, told[0]), decoded[[][3]string](t, told[1]), decoded[[][3]string](t, told[3])
			require.Greater(t, len(free), 25)
			assert.Equal(t, free, all)
			stored := slices.DeleteFunc(slices.Clone(free), func(note [3]string) bool { return note[2] == "" })
			require.Greater(t, len(stored), 20, "of what there is to hold back")
			require.Len(t, none, len(free))
			for _, note := range none {
				assert.Empty(t, note[2], note[0])
			}
		})
	}
}

// settingTags is how scripts of analytics and of ads set their cookies: the first finds the widest
// domain that takes one, the second renews what it has, the third keeps what cookies do not.
const settingTags = `
const stamp = () => Math.random().toString(36).slice(2);
const read = name => document.cookie.split("; ").find(pair => pair.startsWith(name + "="))?.slice(name.length + 1);
const widest = () => {
	const labels = location.hostname.split(".");
	for (let i = labels.length - 1; i >= 0; i--) {
		const domain = labels.slice(i).join("."), value = stamp();
		document.cookie = "_probe=" + value + ";domain=" + domain + ";path=/";
		const taken = read("_probe") === value;
		document.cookie = "_probe=;domain=" + domain + ";path=/;expires=Thu, 01 Jan 1970 00:00:00 GMT";
		if (taken) return domain;
	}
};
const domain = widest();
document.cookie = ["_measure=" + (read("_measure") ?? "1." + stamp()), domain ? "domain=" + domain : "", "path=/", "expires=" + new Date(Date.now() + 63072e6).toUTCString(), "SameSite=Lax"].filter(Boolean).join("; ");
const visit = read("_visit")?.split(".") ?? [stamp(), 0];
document.cookie = "_visit=" + visit[0] + "." + (+visit[1] + 1) + ";path=/;max-age=1800;secure;samesite=none";
if (window.cookieStore) await cookieStore.set({name: "_store", value: stamp(), expires: Date.now() + 1e7});
try { localStorage.setItem("_measure", JSON.stringify({id: stamp()})); sessionStorage._visit = stamp(); } catch {}
for (let i = 0; i < 3; i++) document.cookie = "_wide_" + i + "=" + stamp() + "; domain=.shop.localhost; path=/";
return [document.cookie.split("; ").map(pair => pair.split("=")[0]).filter(name => name && name !== "cookies_preferences").sort(), keys(localStorage), keys(sessionStorage), domain ?? ""];
`

func TestTheGuardKeepsTagsFromStoringInTheirUsualWays(t *testing.T) {
	t.Parallel()
	var cookies []consent.Cookie
	for _, c := range []consent.Cookie{
		{Name: "_measure"}, {Name: "_visit"}, {Name: "_store"}, {Name: "_wide_*"}, {Name: "_probe"},
		{Name: "_measure", Kind: consent.LocalStorage}, {Name: "_visit", Kind: consent.SessionStorage},
	} {
		c.Provider, c.Category, c.Purpose = "Google", consent.Statistics, english("Recognises a visitor.")
		cookies = append(cookies, c)
	}
	for name, open := range browsers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newGuardedSite(t, cookies,
				step{guard: charter.GuardDeclared, script: settingTags},
				step{guard: charter.GuardAll, script: settingTags},
				step{script: `await decide({choice: "accept"})`},
				step{guard: charter.GuardAll, script: settingTags},
				step{script: "emptied();" + settingTags},
			)
			told := s.walk(t, open)
			for _, told := range told[:2] {
				assert.Equal(t, `[[],[],[],""]`, string(told))
			}
			assert.Equal(t, string(told[4]), string(told[3]))
			assert.Contains(t, string(told[3]), `"_measure","_store","_visit","_wide_0","_wide_1","_wide_2"],["_measure"],["_visit"],`)
		})
	}
}
