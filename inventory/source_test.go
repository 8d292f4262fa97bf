package inventory_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/inventory"
)

// printer is the rest of a program whose cookies an inventory has declared.
const printer = `package main

import (
	"encoding/json"
	"os"
)

func main() { json.NewEncoder(os.Stdout).Encode(cookies.Cookies()) }
`

// answer gives every TODO of a generated source its answer.
func answer(source string) string {
	return strings.NewReplacer(`Category: "TODO"`, `Category: "answered"`, `"TODO: `, `"`).Replace(source)
}

// compile returns the declarations of a registry that the generated source makes
// when it runs as a program beside this module, with an answer to every TODO.
func compile(t *testing.T, source string) (cookies []consent.Cookie) {
	out, complaint, err := run(t, answer(source))
	require.NoError(t, err, "%s\n%s", complaint, source)
	require.NoError(t, json.Unmarshal(out, &cookies))
	return cookies
}

// run runs a generated source as a program beside this module.
func run(t *testing.T, source string) (out []byte, complaint string, err error) {
	directory := t.TempDir()
	source = regexp.MustCompile(`^package \w+`).ReplaceAllString(source, "package main")
	files := []string{filepath.Join(directory, "cookies.go"), filepath.Join(directory, "main.go")}
	require.NoError(t, os.WriteFile(files[0], []byte(source), 0o600))
	require.NoError(t, os.WriteFile(files[1], []byte(printer), 0o600))
	command := exec.Command("go", append([]string{"run"}, files...)...)
	var b strings.Builder
	command.Stderr = &b
	out, err = command.Output()
	return out, b.String(), err
}

func TestADraftCompilesAndIsRefusedUntilEveryTODOHasAnAnswer(t *testing.T) {
	t.Parallel()
	for _, set := range []string{"nobody=1", "_hjSession_1234=1"} { // nothing is known of it; its purpose is not
		s := newSite(t, consent.Config{})
		s.visit("/", "", set)
		_, complaint, err := run(t, show(t, s.found, "?as=go"))
		assert.Error(t, err)
		assert.Contains(t, complaint, "panic: ")
		assert.Regexp(t, `Category: says TODO`, complaint, set)
	}
}

func TestTheSourceProposesCategoriesByPurpose(t *testing.T) {
	const asked = "If the site asks by who sets a cookie, it is consent."
	tests := []struct{ name, category, comment string }{
		{"PHPSESSID", "consent.Necessary", "That one is exempt from consent."},
		{"_ga", "consent.Statistics", "(Anonymous)"},
		{"_fbp", "consent.Advertising", asked + "ThirdParty."},
		{"_gcl_au", "consent.Advertising", asked + "ThirdParty."},
		{"VISITOR_INFO1_LIVE", "consent.EmbeddedMedia", asked + "ThirdParty."},
		{"intercom-id-abc", "consent.Chat", "It needs consent, since it is not clearly exempt."},
		{"__lc2_cid", "consent.Chat", asked + "ThirdParty."},
		{"li_gc", "consent.SocialNetworks", asked + "ThirdParty."},
		{"waveUserPrefFinderLeftNav", "consent.Personalisation", asked + "FirstParty."},
		{"_hjSession_1234", `"TODO"`, "By who sets it, it is consent.FirstParty."},
		{"nobody", `"TODO"`, "Nothing is known of it: choose its category."},
	}
	for _, test := range tests {
		s := newSite(t, consent.Config{})
		s.visit("/", "", test.name+"=1")
		source := show(t, s.found, "?as=go")
		assert.Contains(t, source, "\t\tCategory: "+test.category+",\n", test.name)
		assert.Contains(t, source, test.comment, test.name)
	}
	known, err := os.ReadFile("known/known.txt")
	require.NoError(t, err)
	for _, purpose := range regexp.MustCompile(`(?m)^[a-z-]+/([a-z-]+) `).FindAllStringSubmatch(string(known), -1) {
		constant := strings.ReplaceAll("consent."+purpose[1], "-", "")
		assert.Condition(t, func() bool {
			for _, test := range tests {
				if strings.EqualFold(test.category, constant) {
					return true
				}
			}
			return false
		}, "no test has a name for %s", purpose[1])
	}
}

func TestTheSourceCompilesAndDeclaresWhatWasFound(t *testing.T) {
	t.Parallel()
	s := newSite(t, consent.Config{}, declare("lang", consent.Necessary))
	s.visit("/shop", "theme=1; _ga_AB12=1; _hjSession_1234=1; XSRF-TOKEN=1",
		"visitor=1; Path=/shop; Domain=example.org; Max-Age=5400; HttpOnly", "visitor=1", "visitor=1; Path=/shop; Domain=example.org; Max-Age=7200; HttpOnly",
		"PHPSESSID=1; Path=/", "cart_1000=1; Max-Age=1", "cart_1001=1", "cart_1002=1", "lang=1; Path=/x", "nameless")
	source := show(t, s.found, "?as=go")

	const (
		todoProvider = "who sets it and answers for it"
		day          = 24 * time.Hour
	)
	todo := consent.Text{language.English: "what it is for, in words for visitors"}
	check := consent.Text{language.English: todo[language.English] + ", after a check that it is the well-known cookie of this name"}
	others := consent.Text{language.English: todo[language.English] + ". Check Domain, Path and Lifetime: it was seen with others too."}
	analytics := consent.Text{language.English: "Google Analytics"}
	assert.Equal(t, []consent.Cookie{
		{Provider: "PHP.net", Name: "PHPSESSID", Purpose: check, Category: consent.Necessary, Path: "/"},
		{Provider: todoProvider, Name: "XSRF-TOKEN", Purpose: check, Category: consent.Necessary},
		{Provider: "Google", Service: analytics, Name: "_ga_*", Purpose: check, Category: consent.Statistics, Lifetime: 730 * day},
		{Provider: "Hotjar", Name: "_hjSession_*", Purpose: check, Category: "answered", Lifetime: 30 * time.Minute},
		{Provider: todoProvider, Name: "cart_*", Purpose: others, Category: "answered", Path: "/", Lifetime: time.Second},
		{Provider: todoProvider, Name: "theme", Purpose: todo, Category: "answered"},
		{
			Provider: todoProvider, Name: "visitor", Purpose: others, Category: "answered",
			Domain: "example.org", Path: "/shop", Lifetime: 2 * time.Hour,
		},
	}, compile(t, source))

	for _, want := range []string{
		"// Nothing is known of it: choose its category.",
		"// Its name is that of a well-known cookie.",
		"// It was seen with other attributes too: kept until the browser is closed; path \"/\".",
		`// "lang" has another Path than the declared one: on "/shop".`,
		"// A cookie has no name, so that it cannot be declared: on \"/shop\".",
		"\t\tLifetime: 2 * time.Hour,",
	} {
		assert.Contains(t, source, want)
	}
}

func TestTheSourceOfHostileNamesCompilesAndIsValid(t *testing.T) {
	t.Parallel()
	found := flaunt(hostile...)
	source := show(t, found, "?as=go")
	declared := make(map[string]bool)
	for _, c := range compile(t, source) {
		declared[c.Name] = true
	}
	impossible := make(map[string]bool)
	for _, comment := range regexp.MustCompile(`(?m)^// (".*") cannot be declared: .`).FindAllStringSubmatch(source, -1) {
		name, err := strconv.Unquote(comment[1])
		require.NoError(t, err)
		impossible[name] = true
	}
	cookies := read(t, found).Cookies
	assert.Len(t, cookies, len(declared)+len(impossible), "each is either declared, or said to be impossible")
	for _, name := range []string{"<script>alert(1)</script>", `"`, `\u0022`, "\u202egnp.exe", "日本語", "`", `\`, "<!--", "${x}", "{{.}}", "__Host-x", "TODO"} {
		assert.True(t, declared[name], name)
	}
	for _, name := range []string{"a b", "a,b", "a*b", "**", "*", "*/", "\x1b[31mred", `");panic(1)//`, "\n)\nfunc init() { panic(1) }\n"} {
		assert.True(t, impossible[name], name)
	}
}

func TestTheSourceOfNothingCompilesAndWarnsOfItsUse(t *testing.T) {
	t.Parallel()
	s := newSite(t, consent.Config{}, declare("lang", consent.Necessary))
	for _, line := range []string{"", "lang=1; Path=/", "a*b=1"} { // nothing, nothing undeclared, nothing that can be declared
		if line != "" {
			s.visit("/", "", line)
		}
		source := show(t, s.found, "?as=go")
		assert.Contains(t, source, "// Nothing is left to declare. Do not put this file in place of the declarations\n// that there are: it has none of them.\n")
		assert.NotContains(t, source, "draft")
		if line == "" {
			assert.Empty(t, compile(t, source))
		}
	}
	s.visit("/", "", "visitor=1")
	assert.NotContains(t, show(t, s.found, "?as=go"), "Nothing is left")
}

func TestTheSourceIsOfThePackageThatItIsFor(t *testing.T) {
	s := newSite(t, consent.Config{})
	s.visit("/", "", "visitor=1")
	assert.True(t, strings.HasPrefix(show(t, s.found, "?as=go"), "package inventory_test\n"), "the package that made the inventory")
	assert.True(t, strings.HasPrefix(show(t, s.found, "?as=go&package=shop"), "package shop\n"))
	assert.True(t, strings.HasPrefix(show(t, inventory.New(nil), "?as=go&package=shop"), "package shop\n"))
}

func TestTheDocumentIsWhatTheSourceDeclares(t *testing.T) {
	t.Parallel()
	s := newSite(t, consent.Config{}, declare("lang", consent.Necessary))
	s.visit("/shop", "theme=1; _ga_AB12=1; é\xff=1", "visitor=1; Path=/shop; Domain=example.org; Max-Age=5400", "a*b=1", "lang=1; Path=/x", "PHPSESSID=1; Path=/")
	document := show(t, s.found, "?as=json")
	_, err := consent.ReadRegistry(strings.NewReader(document))
	for _, want := range []string{
		`line 19: cookies[1].purpose: says TODO in "en"`, // that of _ga_*, whose provider is known
		`line 26: cookies[2].provider: says TODO`, `: cookies[2].purpose: says TODO in "en"`,
		`: cookies[2].category: says TODO`,
	} {
		assert.ErrorContains(t, err, want, document)
	}
	read, err := consent.ReadRegistry(strings.NewReader(strings.NewReplacer("\"TODO: ", "\"", `"TODO"`, `"answered"`).Replace(document)))
	require.NoError(t, err)
	declared := compile(t, show(t, s.found, "?as=go"))
	names := func(cookies []consent.Cookie) (all []string) {
		for _, c := range cookies {
			all = append(all, fmt.Sprint(c.Name, c.Domain, c.Path, c.Lifetime, c.Category))
		}
		return all
	}
	assert.Equal(t, names(declared)[:4], names(read.Cookies()))
	assert.Len(t, declared, 5, "a name that is not UTF-8 has no place in JSON")

	read, err = consent.ReadRegistry(strings.NewReader(show(t, inventory.New(nil), "?as=json")))
	require.NoError(t, err)
	assert.Empty(t, read.Cookies())
}

func TestWhatOnlyBrowsersSendIsMarkedAsSetElsewhere(t *testing.T) {
	s := newSite(t, consent.Config{})
	s.visit("/", "_ga=1; both=1", "both=1", "visitor=1")
	marked := regexp.MustCompile(`(?s)consent\.Cookie\{([^\n]*)\n.*?Name: +"([^"]*)"`).FindAllStringSubmatch(show(t, s.found, "?as=go"), -1)
	require.Len(t, marked, 3)
	assert.Equal(t, []string{" // consentvet: set elsewhere", "_ga"}, marked[0][1:])
	assert.Equal(t, []string{"", "both"}, marked[1][1:])
	assert.Equal(t, []string{"", "visitor"}, marked[2][1:])
}

func TestTheFactsAreInThisPackageAlone(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "github.com/cookiecharter/consent", "github.com/cookiecharter/consent/charter").Output()
	require.NoError(t, err)
	packages := strings.Fields(string(out))
	assert.Contains(t, packages, "github.com/cookiecharter/consent/charter")
	assert.NotContains(t, packages, "github.com/cookiecharter/consent/inventory")
}
