package declare_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/proxy/declare"
)

// mistakes are those of a document, each as "line path: reason".
func mistakes(t testing.TB, err error) (found []string) {
	t.Helper()
	if err == nil {
		return nil
	}
	all, isJoined := err.(interface{ Unwrap() []error })
	require.True(t, isJoined, "%T", err)
	for _, err := range all.Unwrap() {
		m, isMistake := errors.AsType[*consent.DocumentError](err)
		require.True(t, isMistake, "%T", err)
		found = append(found, fmt.Sprintf("%d %s: %s", m.Line, m.Path, m.Reason))
	}
	return found
}

func TestADocumentInYAMLDeclaresWhatTheSameInJSONDoes(t *testing.T) {
	inYAML, err := declare.Read(strings.NewReader(`# What the shop sets.
providers:
  - name: Example   # the company
    country: FR
cookies:
  - &session
    provider: Example
    name: sid
    category: necessary
    purpose: {en: Keeps the basket., no: Husker kurven.}
    lifetime: 2 weeks
  - <<: *session
    name: _ga*
    category: statistics
    lifetime: session
    origins: [https://stats.example]
  - provider: Other
    name: "42"
    category: third-party
    purpose:
      fr: >-
        Relie les visites
        entre elles.
      en: no
      de: 2024-01-31
      it: "7"
    kind: localStorage
`))
	require.NoError(t, err)
	inJSON, err := declare.Read(strings.NewReader(` {"providers": [{"name": "Example", "country": "FR"}], "cookies": [
{"provider": "Example", "name": "sid", "category": "necessary", "purpose": {"en": "Keeps the basket.", "no": "Husker kurven."}, "lifetime": "2 weeks"},
{"provider": "Example", "name": "_ga*", "category": "statistics", "purpose": {"en": "Keeps the basket.", "no": "Husker kurven."}, "lifetime": "session", "origins": ["https://stats.example"]},
{"provider": "Other", "name": "42", "category": "third-party", "purpose": {"fr": "Relie les visites entre elles.", "en": "no", "de": "2024-01-31", "it": "7"}, "kind": "localStorage"}]}`))
	require.NoError(t, err)
	assert.Equal(t, inJSON.Cookies(), inYAML.Cookies())
	assert.Equal(t, inJSON.Providers(), inYAML.Providers())
	assert.Equal(t, 14*24*time.Hour, inYAML.Cookies()[0].Lifetime)
	assert.Equal(t, "Husker kurven.", inYAML.Cookies()[1].Purpose[language.Norwegian])
}

// Each pair has the same mistakes, but for the lines.
func TestTheMistakesAreThoseOfTheSameDocumentInJSON(t *testing.T) {
	for _, test := range []struct {
		name, yaml, json string
		lines            []int // in the YAML
	}{
		{"no cookies", "providers: []\n", `{"providers": []}`, []int{1}},
		{"a field that is misspelt", "cookies:\n  - name: a\n    provider: p\n    purpos: {en: x}\n    purpose: {en: x}\n    category: necessary\n",
			`{"cookies": [{"name": "a", "provider": "p", "purpos": {"en": "x"}, "purpose": {"en": "x"}, "category": "necessary"}]}`, []int{4}},
		{"what is missing", "cookies:\n\n  - name: a\n  - provider: p\n", `{"cookies": [{"name": "a"}, {"provider": "p"}]}`, []int{3, 3, 3, 4, 4, 4}},
		{"a purpose that is a number", "cookies:\n  - name: a\n    provider: p\n    purpose:\n      en: 12\n    category: necessary\n",
			`{"cookies": [{"name": "a", "provider": "p", "purpose": {"en": 12}, "category": "necessary"}]}`, []int{5}},
		{"a purpose that is true", "cookies:\n- {name: a, provider: p,\n   purpose: {en: True}, category: necessary}\n",
			`{"cookies": [{"name": "a", "provider": "p", "purpose": {"en": true}, "category": "necessary"}]}`, []int{3}},
		{"nothing where something should be", "cookies:\n  - name: a\n    provider: ~\n    purpose:\n    category: necessary\n",
			`{"cookies": [{"name": "a", "provider": null, "purpose": null, "category": "necessary"}]}`, []int{3, 4}},
		{"the same twice", "cookies:\n  - name: a\n    name: b\n    provider: p\n    purpose: {en: x, en: y}\n    category: necessary\n",
			`{"cookies": [{"name": "a", "name": "b", "provider": "p", "purpose": {"en": "x", "en": "y"}, "category": "necessary"}]}`, []int{3, 5}},
		{"a date for a lifetime", "cookies:\n  - name: a\n    lifetime: 2024-01-31\n    provider: p\n    purpose: {en: x}\n    category: necessary\n",
			`{"cookies": [{"name": "a", "lifetime": "2024-01-31", "provider": "p", "purpose": {"en": "x"}, "category": "necessary"}]}`, []int{3}},
		{"a list for an object", "- name: a\n", `[{"name": "a"}]`, []int{1}},
		{"a word", "cookies\n", `"cookies"`, []int{1}},
		{"lines that end in CR LF", "cookies:\r\n  - name: a\r\n    provider: p\r\n    category: Ads\r\n    purpose: {en: x}\r\n",
			`{"cookies": [{"name": "a", "provider": "p", "category": "Ads", "purpose": {"en": "x"}}]}`, []int{4}},
		{"a language that is none", "cookies:\n  - name: a\n    provider: p\n    category: necessary\n    purpose:\n      english language: x\n",
			`{"cookies": [{"name": "a", "provider": "p", "category": "necessary", "purpose": {"english language": "x"}}]}`, []int{6}},
		{"providers of nothing", "cookies: []\nproviders:\n- name: x\n  policy: there\n", `{"cookies": [], "providers": [{"name": "x", "policy": "there"}]}`, []int{3, 4}},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := declare.Read(strings.NewReader(test.yaml))
			inYAML := mistakes(t, err)
			_, err = consent.ReadRegistry(strings.NewReader(test.json))
			inJSON := mistakes(t, err)
			require.NotEmpty(t, inJSON)
			require.Len(t, inYAML, len(inJSON), "%q", inYAML)
			for i := range inJSON {
				_, want, _ := strings.Cut(inJSON[i], " ")
				assert.Equal(t, fmt.Sprintf("%d %s", test.lines[i], want), inYAML[i])
			}
		})
	}
}

func TestWhatYAMLAloneHasIsSaidAtItsLine(t *testing.T) {
	const good = "cookies:\n  - name: a\n    provider: p\n    category: necessary\n    purpose: {en: x}\n"
	bomb := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c < 'k'; c++ {
		bomb += fmt.Sprintf("%c: &%c [*%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c, *%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	for _, test := range []struct {
		name, document string
		want           []string
	}{
		{"nothing", "", []string{"1 : the document is empty"}},
		{"comments alone", "# cookies\n", []string{"1 : the document is empty"}},
		{"a tab", "cookies:\n\t- name: a\n", []string{"2 : found character that cannot start any token; a tab cannot indent: write spaces"}},
		{"a broken indentation", "cookies:\n  - name: a\n   provider: p\n", []string{"3 : "}},
		{"a beginning alone", "---", []string{"1 : is null and should be an object"}},
		{"an end without a line's end", "    :\n    0", []string{"2 : "}},
		{"a text that does not end", good + "  - name: 'b\n    provider: p\n", []string{"6 : found unexpected end of stream"}},
		{"an anchor that is none", "cookies: *all\n", []string{`1 : unknown anchor 'all' referenced; a text that begins with "*" stands in quotation marks`}},
		{"a pattern of nothing else", good + "  - name: *\n", []string{`6 : did not find expected alphabetic or numeric character; a text that begins with "*" or "&"`}},
		{"a colon in a text", "cookies:\n  - purpose:\n      en: Plays: the video\n", []string{`3 : mapping values are not allowed in this context; a text that holds ": " stands in quotation marks`}},
		{"a colon in a text within braces", "cookies:\n  - purpose: {en: Plays: the video}\n", []string{`2 : did not find expected ',' or '}'; a text that holds ": " or one of`}},
		{"a bracket in a text", "cookies: [a [b], c]\n", []string{`1 : did not find expected ',' or ']'; a text that holds one of`}},
		{"a text that begins with an at sign", good + "  - name: @a\n", []string{`6 : found character that cannot start any token; a text that begins with "@"`}},
		{"a second document", good + "---\n" + good, []string{"6 : here begins a second document"}},
		{"an octal number", good + "revision: 014\n", []string{`6 revision: "014" is a number as JSON does not write it`}},
		{"another octal number", good + "revision: 0o14\n", []string{`6 revision: "0o14" is a number as JSON`}},
		{"a number with gaps", good + "revision: 1_000\n", []string{`6 revision: "1_000" is a number as JSON`}},
		{"an infinite one", good + "revision: .inf\n", []string{`6 revision: ".inf" is a number as JSON`}},
		{"a tag", good + "  - !cookie {name: b, provider: p, category: necessary, purpose: {en: x}}\n", []string{`6 cookies[1]: has the tag "!cookie"`}},
		{"bytes in base 64", strings.Replace(good, "{en: x}", "{en: !!binary eA==}", 1), []string{`5 cookies[0].purpose.en: has the tag "!!binary"`}},
		{"a key that is a list", good + "? [a]\n: b\n", []string{"6 : has a key that is no text"}},
		{"an anchor within itself", "cookies: &all\n  - *all\n", []string{`2 cookies[0]: the anchor "all" stands for something that holds it`}},
		{"a merge of a text", "cookies:\n  - <<: x\n    name: a\n    provider: p\n    category: necessary\n    purpose: {en: x}\n", []string{`2 cookies[0]: "<<" merges neither`}},
		{"a merge within itself", "cookies:\n  - &a\n    <<: *a\n", []string{`3 cookies[0]: the anchor "a" stands for something that holds it`}},
		{"billions of laughs", bomb, []string{"7 g: with what its anchors repeat, the document has more than 16 MB"}},
		{"too deep", strings.Repeat("[", 40) + strings.Repeat("]", 40), []string{"1 " + strings.Repeat("[0]", 33) + ": is nested more than 32 deep"}},
		{"much too deep", strings.Repeat("[", 100_000), []string{"1 : exceeded max depth"}},
		{"another encoding", "cookies:\n  - name: caf\xe9\n", []string{"2 : is not UTF-8"}},
		{"a control character", "cookies:\n  - name: \"a\x07\"\n", []string{"2 : holds the control character U+0007"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			begin := time.Now()
			registry, err := declare.Read(strings.NewReader(test.document))
			assert.Less(t, time.Since(begin), 20*time.Second)
			assert.Nil(t, registry)
			got := mistakes(t, err)
			require.Len(t, got, len(test.want), "%q", got)
			for i := range got {
				assert.True(t, strings.HasPrefix(got[i], test.want[i]), "%q begins with %q", got[i], test.want[i])
			}
		})
	}
}

func TestAByteOrderMarkIsAMistakeInJSONAlone(t *testing.T) {
	_, err := declare.Read(strings.NewReader("\uFEFFcookies:\n  - {name: a, provider: p, category: necessary, purpose: {en: x}}\n"))
	assert.NoError(t, err)
	_, err = declare.Read(strings.NewReader("\uFEFF{\"cookies\": []}"))
	assert.ErrorContains(t, err, "byte order mark")
}

func TestOfAConsentproxyYAMLTheDeclarationsAreRead(t *testing.T) {
	const file = "listen: :80\ndeclarations:\n  cookies:\n    - {name: a, provider: p, category: necessary, purpose: {en: x}, lifetime: %s}\ntargets: []\n"
	registry, err := declare.Read(strings.NewReader(fmt.Sprintf(file, "1 day")))
	require.NoError(t, err)
	assert.Equal(t, 24*time.Hour, registry.Lookup("a")[0].Lifetime)

	_, err = declare.Read(strings.NewReader(fmt.Sprintf(file, "long")))
	found := mistakes(t, err)
	require.Len(t, found, 1)
	assert.Contains(t, found[0], "4 declarations.cookies[0].lifetime: ")

	_, err = declare.Read(strings.NewReader("declarations: cookies.yaml\ntargets: []\n"))
	assert.ErrorContains(t, err, "declarations: is no field here")
}

func TestMistakesOfYAMLAndOfDeclarationsComeTogether(t *testing.T) {
	_, err := declare.Read(strings.NewReader("cookies:\n  - name: a\n    purpose: {en: !x y}\n    category: no such\nrevision: 0x10\n"))
	assert.Equal(t, []string{
		`2 cookies[0].provider: is empty`,
		`3 cookies[0].purpose.en: has the tag "!x", which says nothing here`,
		`4 cookies[0].category: "no such" is not lower-case letters, digits and hyphens`,
		`5 revision: "0x10" is a number as JSON does not write it; if it is a text, put it in quotation marks`,
	}, mistakes(t, err))
}

func TestAThousandMistakesAreEnough(t *testing.T) {
	_, err := declare.Read(strings.NewReader("cookies: [" + strings.Repeat("!x a, ", 5000) + "]"))
	assert.LessOrEqual(t, len(mistakes(t, err)), 2002)
	assert.ErrorContains(t, err, "what follows is not read")
}

// many are so many declarations in YAML.
func many(n int) string {
	var b strings.Builder
	b.WriteString("cookies:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - provider: Provider %d\n    name: cookie_%d\n    category: statistics\n    lifetime: 13 months\n    purpose:\n      fr: Reconnaît un visiteur, no %d.\n      en: Recognises a visitor, no %d.\n", i%50, i, i, i)
	}
	return b.String()
}

func TestTenThousandDeclarationsAreReadAtOnce(t *testing.T) {
	begin := time.Now()
	registry, err := declare.Read(strings.NewReader(many(10_000)))
	require.NoError(t, err)
	assert.Len(t, registry.Cookies(), 10_000)
	assert.Less(t, time.Since(begin), 20*time.Second)

	_, err = declare.Read(strings.NewReader(many(10_000) + "  - name: last\n"))
	assert.Equal(t, []string{"70002 cookies[10000].provider: is empty", "70002 cookies[10000].purpose: is empty", "70002 cookies[10000].category: is empty"}, mistakes(t, err))
}

func TestWhatCannotBeReadIsTheReadersError(t *testing.T) {
	_, err := declare.Read(broken{})
	assert.Equal(t, errBroken, err)
}

var errBroken = errors.New("broken")

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errBroken }

func BenchmarkRead(b *testing.B) {
	document := many(10_000)
	b.SetBytes(int64(len(document)))
	for b.Loop() {
		if _, err := declare.Read(strings.NewReader(document)); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, file := range []string{"../cmd/consentproxy/declarations/opendata.yaml", "../cmd/consentproxy/declarations/shop.yaml"} {
		document, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(document)
	}
	for _, seed := range []string{
		"", "{}", "cookies: []", "cookies:\n  - &a {name: x, purpose: {en: |\n  a\n  b\n}}\n  - <<: *a\n", "a: &a [*a]", "? [a]\n: b", "- !!str 1\n- 0o7\n- 1e400",
		"cookies:\r\n\t- x", "\uFEFFcookies: 'a", "a: \"\\ud83d\"", "<<: [{a: 1}, {a: 2}]", "--- a\n--- b", "%YAML 1.1\n---\ncookies: no", "a: >+\n  x\n\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		registry, err := declare.Read(bytes.NewReader(document))
		lines := bytes.Count(document, []byte("\n")) + 1
		if err == nil {
			written, err := registry.MarshalJSON()
			require.NoError(t, err)
			again, err := declare.Read(bytes.NewReader(written))
			require.NoError(t, err)
			require.Equal(t, registry.Cookies(), again.Cookies())
			return
		}
		require.Nil(t, registry)
		all, isJoined := err.(interface{ Unwrap() []error })
		require.True(t, isJoined)
		last := 1
		for _, err := range all.Unwrap() {
			m, isMistake := errors.AsType[*consent.DocumentError](err)
			require.True(t, isMistake)
			require.NotEmpty(t, m.Reason)
			require.GreaterOrEqual(t, m.Line, last, "in the order of their lines")
			// A lone CR ends a line for YAML.
			require.LessOrEqual(t, m.Line, lines+bytes.Count(document, []byte("\r"))+bytes.Count(document, []byte("\u2028"))+bytes.Count(document, []byte("\u2029"))+bytes.Count(document, []byte("\u0085")))
			last = m.Line
		}
	})
}
