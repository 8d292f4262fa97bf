package consent_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

// mistakesIn returns what is wrong with a document, each as "line path: reason".
func mistakesIn(t testing.TB, document string) (all []string) {
	t.Helper()
	registry, err := consent.ReadRegistry(strings.NewReader(document))
	if err == nil {
		return nil
	}
	assert.Nil(t, registry)
	for _, one := range err.(interface{ Unwrap() []error }).Unwrap() {
		mistake, ok := errors.AsType[*consent.DocumentError](one)
		require.True(t, ok, one)
		all = append(all, fmt.Sprintf("%d %s: %s", mistake.Line, mistake.Path, mistake.Reason))
	}
	return all
}

// declaration is a document with one cookie, whose last line holds these fields.
func declaration(fields string) string {
	return "{\"cookies\": [{\n\t\"provider\": \"Site\", \"name\": \"a\", \"purpose\": {\"en\": \"x\"}, \"category\": \"statistics\",\n\t" + fields + "}]}"
}

func TestNothingIsLostOfDeclarationsThatTravelAsJSON(t *testing.T) {
	var full consent.Cookie
	fill(t, reflect.ValueOf(&full).Elem())
	full.Kind, full.Category, full.Domain, full.Path = consent.HTTPCookie, consent.Statistics, "example.org", "/a"
	full.Also, full.Origins = []consent.Place{{Domain: "b.example.org"}, {Path: "/b"}}, []string{"https://*.example.org"}
	var provider consent.Provider
	fill(t, reflect.ValueOf(&provider).Elem())
	provider.Name, provider.Country, provider.Policy = full.Provider, "FR", "https://example.org/privacy"
	cookies := append(site(), full)
	for kind := range consent.Other + 1 {
		cookies = append(cookies, consent.Cookie{Kind: kind, Provider: "Site", Name: "kind", Purpose: text("<é>\u2028\\\"\n\uFFFD\\ud83d"), Category: "chat"})
	}
	registry, err := consent.MustRegistry(cookies...).WithProviders(provider)
	require.NoError(t, err)

	document, err := json.MarshalIndent(registry, "", "\t")
	require.NoError(t, err)
	read, err := consent.ReadRegistry(iotest.OneByteReader(strings.NewReader(string(document))))
	require.NoError(t, err)
	assert.Equal(t, registry.Cookies(), read.Cookies())
	assert.Equal(t, registry.Providers(), read.Providers())
	assert.Equal(t, full, read.Cookies()[len(site())])
	again, err := read.MarshalJSON()
	require.NoError(t, err)
	assert.JSONEq(t, string(document), string(again))
}

func TestNothingIsInventedInADocumentThatIsWritten(t *testing.T) {
	for want, cookies := range map[string][]consent.Cookie{
		`[]`: nil,
		`[{"provider": "Site", "name": "a", "purpose": {"en": "x"}, "category": "chat"}]`: {
			{Provider: "Site", Name: "a", Purpose: text("x"), Category: "chat", Service: consent.Text{}, Also: []consent.Place{}, Origins: []string{}},
		},
	} {
		written, err := json.Marshal(consent.MustRegistry(cookies...))
		require.NoError(t, err)
		assert.JSONEq(t, `{"$schema": "https://raw.githubusercontent.com/cookiecharter/consent/main/docs/declarations.schema.json", "cookies": `+want+`}`, string(written))
	}
}

// fill gives each field of a struct a value, so that a new field has one too.
func fill(t *testing.T, v reflect.Value) {
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.String:
			f.SetString("x")
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Uint8, reflect.Int64, reflect.Map, reflect.Slice:
			switch value := f.Addr().Interface().(type) {
			case *time.Duration:
				*value = 1500 * time.Millisecond
			case *consent.Text:
				*value = consent.Text{language.French: "é", language.MustParse("pt-BR"): "ã", language.Make("x-klingon"): "Q", language.Raw.Make("iw"): "א", language.Raw.Make("en-Latn"): "e"}
			}
		default:
			t.Fatalf("how does a %v travel?", f.Type())
		}
	}
}

func TestNothingIsLostOfALifetime(t *testing.T) {
	const day = 24 * time.Hour
	for lifetime, want := range map[time.Duration]string{
		time.Second: "1 second", 90 * time.Second: "90 seconds", time.Minute: "1 minute", 90 * time.Minute: "90 minutes",
		time.Hour: "1 hour", 36 * time.Hour: "36 hours", day: "1 day", 14 * day: "2 weeks", 15 * day: "15 days", 30 * day: "1 month",
		13 * 30 * day: "13 months", 365 * day: "1 year", 395 * day: "395 days", 730 * day: "2 years",
		time.Second + time.Nanosecond: "1.000000001 seconds", 1500 * time.Millisecond: "1.5 seconds",
		1<<63 - 1: "9223372036.854775807 seconds",
	} {
		c := consent.Cookie{Provider: "Site", Name: "a", Purpose: text("x"), Category: consent.Necessary, Lifetime: lifetime}
		document, err := consent.MustRegistry(c).MarshalJSON()
		require.NoError(t, err)
		assert.Contains(t, string(document), `"lifetime":"`+want+`"`)
		read, err := consent.ReadRegistry(strings.NewReader(string(document)))
		require.NoError(t, err, want)
		assert.Equal(t, lifetime, read.Cookies()[0].Lifetime)
	}
	for written, want := range map[string]time.Duration{"session": 0, "1 months": 30 * day, "02 week": 14 * day, "292 years": 292 * 365 * day} {
		read, err := consent.ReadRegistry(strings.NewReader(declaration(`"lifetime": "` + written + `"`)))
		require.NoError(t, err)
		assert.Equal(t, want, read.Cookies()[0].Lifetime)
	}
}

func TestNothingIsInventedInADocumentWithMistakes(t *testing.T) {
	const units = ` is neither "session" nor a number and a unit, such as "13 months", "14 days" or "30 minutes"`
	const fields = "there are provider, kind, service, name, purpose, category, lifetime, anonymous, domain, path, httpOnly, also, origins"
	for name, test := range map[string]struct {
		document string
		want     []string
	}{
		"nothing":                   {"", []string{"1 : the document ends too early"}},
		"blanks":                    {" \n", []string{"2 : the document ends too early"}},
		"no object":                 {"[]", []string{"1 : is a list and should be an object"}},
		"no cookies":                {"\n{}", []string{`2 : "cookies" is missing`}},
		"cookies by name":           {`{"cookies": {}}`, []string{"1 cookies: is an object and should be a list"}},
		"a cookie of one word":      {`{"cookies": ["a"]}`, []string{"1 cookies[0]: is a text and should be an object"}},
		"a byte order mark":         {"\uFEFF{}", []string{"1 : the document begins with a byte order mark, which JSON does not have (RFC 8259 section 8.1); save it as UTF-8 without one"}},
		"UTF-16":                    {"\xff\xfe{\x00", []string{"1 : here is '\uFFFD', and should be a value"}},
		"more than one":             {declaration(`"path": "/"`) + "\n{}", []string{"4 : the document has ended, and here is more"}},
		"a NUL at the end":          {declaration(`"path": "/"`) + "\x00", []string{"3 : the document has ended, and here is more"}},
		"a comment":                 {declaration(`"path": "/" // the root`), []string{`3 cookies[0]: here is '/', and should be ',' or '}'`}},
		"a comma at the end":        {declaration(`"path": "/",`), []string{"3 cookies[0]: here should be a name in quotation marks"}},
		"a comma in a list":         {declaration(`"origins": ["https://a.example",]`), []string{"3 cookies[0].origins[1]: here is ']', and should be a value"}},
		"no colon":                  {declaration(`"path"`), []string{`3 cookies[0]: here should be ':' and the value of "path"`}},
		"a name without marks":      {declaration(`path: "/"`), []string{"3 cookies[0]: here should be a name in quotation marks"}},
		"a text without end":        {declaration(`"path": "/`), []string{"3 cookies[0].path: a text does not end"}},
		"a line break in a text":    {declaration("\"path\": \"/\n\""), []string{`3 cookies[0].path: a text holds '\n', which JSON writes as an escape`}},
		"an unknown escape":         {declaration(`"path": "/\x"`), []string{"3 cookies[0].path: a text holds an escape that JSON does not have"}},
		"a lone half":               {declaration(`"path": "/\\\ud83d\ude00\uDE00"`), []string{`3 cookies[0].path: holds \uDE00, which is half of a character`}},
		"a half before another":     {declaration(`"path": "/\ud83d\u0041"`), []string{`3 cookies[0].path: holds \ud83d, which is half of a character`}},
		"not UTF-8":                 {declaration("\"path\": \"/\xff\""), []string{"3 cookies[0].path: is not UTF-8"}},
		"a name that is not UTF-8":  {declaration("\"p\xff\": \"/\""), []string{"3 cookies[0]: is not UTF-8", `3 cookies[0]."p\xff": is no field here; ` + fields}},
		"an end too early":          {declaration("")[:80], []string{"2 cookies[0]: a text does not end"}},
		"a name of other letters":   {declaration(`"Path": "/"`), []string{`3 cookies[0].Path: is no field here; perhaps "path"`}},
		"a slip":                    {declaration(`"lifetme": "1 day"`), []string{`3 cookies[0].lifetme: is no field here; perhaps "lifetime"`}},
		"something else":            {declaration(`"x": {"y": [[{"z": null}], 1e5, true, false]}`), []string{`3 cookies[0].x: is no field here; ` + fields}},
		"a field with dots":         {declaration(`"a.b[0]": 1`), []string{`3 cookies[0]."a.b[0]": is no field here; ` + fields}},
		"a field of no letters":     {declaration(`"": 1`), []string{`3 cookies[0]."": is no field here; ` + fields}},
		"an endless field":          {declaration(`"` + strings.Repeat("n", 99) + `": 1`), []string{`3 cookies[0]."` + strings.Repeat("n", 64) + `…": is no field here; ` + fields}},
		"one field twice":           {declaration(`"path": "/", "path": "/"`), []string{"3 cookies[0].path: stands here twice"}},
		"one language twice":        {declaration(`"service": {"fr": "a", "FR": "b"}`), []string{"3 cookies[0].service.FR: stands here twice"}},
		"all cookies twice":         {`{"cookies": [], "cookies": []}`, []string{"1 cookies: stands here twice"}},
		"one place's field twice":   {declaration(`"also": [{"path": "/a", "path": "/b"}]`), []string{"3 cookies[0].also[0].path: stands here twice"}},
		"no language":               {declaration(`"service": {"français": "a", "xx-zzzzzzzzz": "b"}`), []string{`3 cookies[0].service."français": is no language tag such as "fr" or "pt-BR" (language: tag is not well-formed)`, `3 cookies[0].service.xx-zzzzzzzzz: is no language tag such as "fr" or "pt-BR" (language: tag is not well-formed)`}},
		"a text without a language": {`{"cookies": [{"provider": "a", "name": "b", "category": "chat", "purpose": "c"}]}`, []string{`1 cookies[0].purpose: is a text and should be an object with a text for each language, such as {"en": "…"}`}},
		"no text":                   {`{"cookies": [{"provider": "a", "name": "b", "category": "chat", "purpose": {"en": 1}}]}`, []string{"1 cookies[0].purpose.en: is a number and should be a text"}},
		"null":                      {declaration(`"domain": null`), []string{"3 cookies[0].domain: is null and should be a text"}},
		"a word for a yes":          {declaration(`"anonymous": "yes"`), []string{"3 cookies[0].anonymous: is a text and should be true or false"}},
		"a lifetime in seconds":     {declaration(`"lifetime": 3600`), []string{"3 cookies[0].lifetime: is a number and should be a text"}},
		"a while":                   {declaration(`"lifetime": "a while"`), []string{`3 cookies[0].lifetime: "a while"` + units}},
		"a lifetime of no length":   {declaration(`"lifetime": "0 days"`), []string{`3 cookies[0].lifetime: "0 days" is no lifetime; "session" is until the browser is closed`}},
		"a negative lifetime":       {declaration(`"lifetime": "-1 days"`), []string{`3 cookies[0].lifetime: "-1 days"` + units}},
		"part of a month":           {declaration(`"lifetime": "1.5 months"`), []string{`3 cookies[0].lifetime: "1.5 months"` + units}},
		"an endless lifetime":       {declaration(`"lifetime": "293 years"`), []string{`3 cookies[0].lifetime: "293 years" is longer than 292 years`}},
		"a number without end":      {declaration(`"lifetime": "99999999999999999999 days"`), []string{`3 cookies[0].lifetime: "99999999999999999999 days" is longer than 292 years`}},
		"too short a lifetime":      {declaration(`"lifetime": "0.5 seconds"`), []string{"3 cookies[0].lifetime: 500ms is less than a second, the unit in which cookies expire"}},
		"an unknown kind":           {declaration(`"kind": "cookei", "domain": "a.example"`), []string{`3 cookies[0].kind: "cookei" is none of cookie, localStorage, sessionStorage, indexedDB, cacheStorage, other`}},
		"a domain of a database":    {declaration(`"kind": "indexedDB", "domain": "a.example"`), []string{"3 cookies[0].kind: only an HTTP cookie has a Domain, a Path or other places, and this is indexedDB"}},
		"another category":          {`{"cookies": [{"provider": "a", "name": "b", "category": "My own", "purpose": {"en": "c"}}]}`, []string{`1 cookies[0].category: "My own" is not lower-case letters, digits and hyphens`}},
		"what a registry refuses":   {declaration("\"also\": [\n{\"domain\": \"a.example\",\n\"path\": \"b\"},\n{\"domain\": \"a:1\"}],\n\"origins\": [\n\"x\"]"), []string{`5 cookies[0].also[0].path: "b" does not begin with "/"`, `6 cookies[0].also[1].domain: "a:1" is not a host name: it holds ':' (no scheme, no port; other scripts as xn--…)`, `8 cookies[0].origins[0]: "x" is no origin such as "https://player.example.com" or "https://*.example.com"`}},
		"what is still to write":    {strings.Replace(declaration(`"path": "/"`), `"x"`, `"TODO: what it is for"`, 1), []string{`2 cookies[0].purpose: says TODO in "en"`}},
		"a category to choose":      {strings.Replace(declaration(`"path": "/"`), `"statistics"`, `"TODO"`, 1), []string{`2 cookies[0].category: says TODO`}},
		"what is not there":         {"{\"cookies\": [\n{}]}", []string{"2 cookies[0].provider: is empty", "2 cookies[0].purpose: is empty", "2 cookies[0].name: is empty", "2 cookies[0].category: is empty"}},
		"a provider's mistakes":     {"{\"providers\": [{\"name\": \"A\",\n\"country\": \"x\"}], \"cookies\": [{}]}", []string{`1 providers[0].name: no cookie of "A" is declared`, `2 providers[0].country: "x" is not two capital letters`, "2 cookies[0].provider: is empty", "2 cookies[0].purpose: is empty", "2 cookies[0].name: is empty", "2 cookies[0].category: is empty"}},
		"a provider without one":    {`{"providers": [{"name": "Site"}], ` + declaration(`"path": "a"`)[1:], []string{`3 cookies[0].path: "a" does not begin with "/"`}},
		"a revision of half":        {`{"revision": 1.5, "cookies": []}`, []string{"1 revision: is no whole number from 0 to 18446744073709551615"}},
		"a revision of no number":   {`{"revision": 1-, "cookies": []}`, []string{`1 revision: "1-" is no number`}},
		"every kind at once":        {"{\"cookies\": [{\"provider\": 1,\n\"name\": \"a b\",\n\"purpose\": {\"en\": \"x\"},\n\"categori\": \"chat\"},\n7]}", []string{"1 cookies[0].category: is empty", "1 cookies[0].provider: is a number and should be a text", `2 cookies[0].name: "a b" holds ' ', which is illegal in a cookie's name`, `4 cookies[0].categori: is no field here; perhaps "category"`, "5 cookies[1]: is a number and should be an object"}},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, mistakesIn(t, test.document), test.document)
		})
	}
}

// A document that nobody has written by hand is refused about as soon as somebody can look
// through as many bytes.
func TestNothingIsInventedInADocumentWithoutEnd(t *testing.T) {
	const tenMB = 10 << 20
	ones := []byte("[" + strings.Repeat("1,", tenMB/2) + "1]")
	patience := 5 * took(func() { require.True(t, json.Valid(ones)) })
	for name, test := range map[string]struct {
		document string
		want     string
		mistakes int
	}{
		"deep lists":       {`{"x": ` + strings.Repeat("[", tenMB), "1 x: is nested more than 32 deep", 2},
		"deep objects":     {"\n" + strings.Repeat(`{"a":`, tenMB/5), "2 a: is nested more than 32 deep", 2},
		"many mistakes":    {`{"cookies": [` + strings.Repeat("1,\n", tenMB/3), "1001 cookies[1000]: here is one mistake more than 1000; what follows is not read", 1001},
		"many fields":      {`{"cookies": [{` + strings.Repeat("\"x\":1,\n", tenMB/7), "1001 cookies[0].x: here is one mistake more than 1000; what follows is not read", 1001},
		"more than enough": {strings.Repeat(" \n", tenMB), "1 : the document has more than 16 MB", 1},
	} {
		t.Run(name, func(t *testing.T) {
			var mistakes []string
			assert.Less(t, took(func() { mistakes = mistakesIn(t, test.document) }), patience)
			require.Len(t, mistakes, test.mistakes)
			assert.Equal(t, test.want, mistakes[len(mistakes)-1])
		})
	}
	_, err := consent.ReadRegistry(iotest.ErrReader(io.ErrClosedPipe))
	assert.ErrorIs(t, err, io.ErrClosedPipe)
}

// took returns how long f takes, at best: a machine may be busy with something else.
func took(f func()) time.Duration {
	best := time.Hour
	for range 3 {
		began := time.Now()
		f()
		best = min(best, time.Since(began))
	}
	return best
}

// manyDeclarations is a document of n cookies with texts in two languages.
func manyDeclarations(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `, {"provider": "Provider %d", "name": "_pk_id%d*", "service": {"en": "Audience", "fr": "Mesure d'audience"},
			"purpose": {"en": "Recognises a visitor who comes back.", "fr": "Reconnaître un visiteur qui revient."},
			"category": "statistics", "lifetime": "13 months", "domain": "example.com", "path": "/"}`, i%100, i)
	}
	return `{"cookies": [` + b.String()[1:] + "]}"
}

func TestNothingElseChangesTheTimeToReadThanTheBytes(t *testing.T) {
	document := []byte(manyDeclarations(2_500))
	registry, err := consent.ReadRegistry(bytes.NewReader(document))
	require.NoError(t, err)
	cookies := registry.Cookies()
	var any any
	bare := took(func() {
		require.NoError(t, json.Unmarshal(document, &any))
		_, err := consent.NewRegistry(cookies...)
		require.NoError(t, err)
	})
	read := took(func() {
		_, err := consent.ReadRegistry(bytes.NewReader(document))
		require.NoError(t, err)
	})
	// Under the race detector it takes some two times as long; what grew with the square
	// of the bytes would take tens.
	assert.Less(t, read, 8*bare, "of reading without paths and lines, and validating")
}

func BenchmarkReadRegistry(b *testing.B) {
	document := []byte(manyDeclarations(10_000))
	registry, err := consent.ReadRegistry(bytes.NewReader(document))
	require.NoError(b, err)
	cookies := registry.Cookies()
	for name, read := range map[string]func() error{
		"ReadRegistry":   func() error { _, err := consent.ReadRegistry(bytes.NewReader(document)); return err },
		"NewRegistry":    func() error { _, err := consent.NewRegistry(cookies...); return err },
		"json.Unmarshal": func() error { var any any; return json.Unmarshal(document, &any) },
		"json.Decoder.Token": func() error {
			tokens := json.NewDecoder(bytes.NewReader(document))
			for {
				if _, err := tokens.Token(); err != nil {
					return err
				}
			}
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := read(); err != nil && !errors.Is(err, io.EOF) {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestNothingIsLostOfAMistakeThatARegistryFinds(t *testing.T) {
	_, err := consent.ReadRegistry(strings.NewReader(declaration(`"path": "a"`)))
	mistake, ok := errors.AsType[*consent.FieldError](err)
	require.True(t, ok)
	assert.Equal(t, "Path", mistake.Field)
	assert.EqualError(t, err, `consent: line 3: cookies[0].path: "a" does not begin with "/"`)
}

// A document that is read is written and read again without a change.
func FuzzReadRegistry(f *testing.F) {
	for _, seed := range []string{
		`{"cookies": []}`, declaration(`"path": "/"`), declaration(`"lifetime": "1.000000001 seconds"`), declaration(`"lifetime": "session", "anonymous": true`),
		declaration(`"service": {"iw": "a", "he": "b", "en-Latn": "\ud83d\ude00", "x-a": "\ufffd\u2028<", "i-klingon": "c", "en_US-u-co-phonebk": "d"}`),
		declaration(`"kind": "localStorage"`), declaration(`"also": [{"domain": "a.example"}, {"path": "/\t"}], "origins": ["https://a.example"]`),
		`{"$schema": "x", "revision": 7, "regimes": ["uk"], "providers": [{"name": "A", "country": "FR"}], "cookies": [{"provider": "A", "name": "*", "purpose": {"und": "x"}, "category": "chat"}]}`,
		declaration(`"x": [[[]]]`), declaration("\"path\": \"\xff\""), `{"cookies": [{}, 1, {"lifetime": "a while"}]}`, "\uFEFF{}", "{\"cookies\"", strings.Repeat("[", 40),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, document string) {
		registry, err := consent.ReadRegistry(strings.NewReader(document))
		if err != nil {
			for _, mistake := range err.(interface{ Unwrap() []error }).Unwrap() {
				at, ok := errors.AsType[*consent.DocumentError](mistake)
				require.True(t, ok)
				require.GreaterOrEqual(t, at.Line, 1)
				require.LessOrEqual(t, at.Line, 1+strings.Count(document, "\n"))
			}
			return
		}
		require.True(t, json.Valid([]byte(document)))
		written, err := registry.MarshalJSON()
		require.NoError(t, err)
		again, err := consent.ReadRegistry(bytes.NewReader(written))
		require.NoError(t, err, "%s", written)
		require.Equal(t, registry.Cookies(), again.Cookies())
		require.Equal(t, registry.Providers(), again.Providers())
	})
}

func TestNothingElseChangesInAProgramThatReadsNoDocument(t *testing.T) {
	t.Parallel()
	// A program holds the names of all its functions, for the traces of a panic. They are
	// there too without the tables that "go tool nm" reads, and are found without it: from
	// an empty cache that tool alone takes longer to compile than the library.
	program := func(statement string) string {
		directory := t.TempDir()
		source, program := filepath.Join(directory, "main.go"), filepath.Join(directory, "main")
		require.NoError(t, os.WriteFile(source, []byte(`package main

import (
	"net/http"
	"os"

	"github.com/cookiecharter/consent"
)

func main() {
	registry, err := consent.NewRegistry()
	`+statement+`
	mw, err := consent.NewMiddleware(consent.Config{Registry: registry})
	http.ListenAndServe(os.Args[1], mw.Wrap(nil))
	panic(err)
}
`), 0o600))
		out, err := exec.Command("go", "build", "-ldflags=-s -w", "-o", program, source).CombinedOutput()
		require.NoError(t, err, "%s", out)
		content, err := os.ReadFile(program)
		require.NoError(t, err)
		return string(content)
	}
	const reader = "internal/document.(*Document)"
	assert.True(t, strings.Contains(program("registry, err = consent.ReadRegistry(os.Stdin)"), reader))
	assert.False(t, strings.Contains(program(""), reader))
}

func ExampleReadRegistry() {
	cookies, err := consent.ReadRegistry(strings.NewReader(`{
	"cookies": [{
		"provider": "Example",
		"name": "sessionid",
		"purpose": {"en": "Keeps you signed in.", "fr": "Vous garde connecté."},
		"category": "necessary",
		"lifetime": "2 weeks"
	}]
}`))
	fmt.Println(cookies.Cookies()[0].Lifetime, err)
	// Output: 336h0m0s <nil>
}

func ExampleDocumentError() {
	_, err := consent.ReadRegistry(strings.NewReader(`{
	"cookies": [{
		"provider": "Example",
		"name": "sessionid",
		"purpos": {"en": "Keeps you signed in."},
		"category": "necessary",
		"lifetime": "a while"
	}]
}`))
	for _, mistake := range err.(interface{ Unwrap() []error }).Unwrap() {
		if at, ok := errors.AsType[*consent.DocumentError](mistake); ok {
			fmt.Printf("line %d, %s: %s\n", at.Line, at.Path, at.Reason)
		}
	}
	// Output:
	// line 2, cookies[0].purpose: is empty
	// line 5, cookies[0].purpos: is no field here; perhaps "purpose"
	// line 7, cookies[0].lifetime: "a while" is neither "session" nor a number and a unit, such as "13 months", "14 days" or "30 minutes"
}

func TestNothingIsLostInSilenceIfADeclarationIsNotUTF8(t *testing.T) {
	for path, change := range map[string]func(*consent.Cookie){
		"cookies[1].name":         func(c *consent.Cookie) { c.Name = "\xff" },
		"cookies[1].purpose.en":   func(c *consent.Cookie) { c.Purpose = text("\xff") },
		"cookies[1].also[0].path": func(c *consent.Cookie) { c.Also = []consent.Place{{Path: "/\xff"}} },
		"cookies[1].path":         func(c *consent.Cookie) { c.Path = "/\xff" },
	} {
		c := site()[0]
		c.Name = "other"
		change(&c)
		_, err := consent.MustRegistry(site()[0], c).MarshalJSON()
		assert.ErrorContains(t, err, path)
	}
}
