package scantest_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/consentscan/scantest"
	"github.com/cookiecharter/consent/internal/browsertest"
)

// newShop makes a shop whose pages hold more, with the middleware that it is wrapped in.
func newShop(t *testing.T, more string) (*consent.Middleware, http.Handler) {
	en := func(s string) consent.Text { return consent.Text{language.English: s} }
	mw, err := consent.NewMiddleware(consent.Config{
		Registry: consent.MustRegistry(
			consent.Cookie{Provider: "Shop", Name: "basket", Purpose: en("Keeps what you buy."), Category: consent.Necessary},
			consent.Cookie{Provider: "Matomo", Name: "_pk_id", Purpose: en("Counts visitors."), Category: consent.Statistics},
			consent.Cookie{Kind: consent.LocalStorage, Provider: "Shop", Name: "recent", Purpose: en("Suggests what you may like."), Category: consent.FirstParty},
		),
		Keys:     [][]byte{bytes.Repeat([]byte("k"), 32)},
		Insecure: true,
		Regime:   consent.ByCountry("Country", map[string]consent.Regime{"US": consent.OptOut}),
	})
	require.NoError(t, err)
	site, err := charter.New(charter.Config{Middleware: mw, Name: "Shop"})
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle("/cookies/", site.Handler())
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "basket", Value: "1", Path: "/"})
		http.SetCookie(w, &http.Cookie{Name: "_pk_id", Value: "1", Path: "/"})
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, `<!doctype html><html lang="en"><head><title>Shop</title><link rel="icon" href="data:,">%s%s</head><body>%s<h1>Shop</h1><a href="/two">two</a>%s
<script type="text/plain" data-consent="first-party">localStorage.setItem("recent", "1")</script>%s`, site.Head(r), site.Script(r), site.Banner(r), site.Link(r), more)
	})
	return mw, mw.Wrap(mux)
}

// failures has what a test would have said.
type failures struct {
	testing.TB
	said []string
}

func (f *failures) Errorf(format string, args ...any) {
	f.said = append(f.said, fmt.Sprintf(format, args...))
}
func (f *failures) Logf(string, ...any) {}
func (f *failures) Helper()             {}

func (f *failures) Fatalf(format string, args ...any) {
	f.Errorf(format, args...)
	panic(f) // as the end of the test
}

func (f *failures) Fatal(args ...any) { f.Fatalf("%s", fmt.Sprint(args...)) }

func run(t *testing.T, handler http.Handler, o scantest.Options) (said string) {
	t.Helper()
	f := &failures{TB: t}
	defer func() {
		if ended := recover(); ended != nil && ended != any(f) {
			panic(ended)
		}
		said = strings.Join(f.said, "\n")
	}()
	scantest.Run(f, handler, o)
	return ""
}

func TestASiteThatDoesAsItDeclaresPasses(t *testing.T) {
	browsertest.FindChromium(t)
	mw, shop := newShop(t, "")
	for name, options := range map[string]scantest.Options{
		"by the states of the package":            {},
		"in every subset of its categories":       {States: scantest.Subsets(consent.Statistics, consent.FirstParty)},
		"by https, under a name of its own":       {URL: "https://shop.example"},
		"by http, under a name of its own":        {URL: "http://shop.localhost"},
		"on the pages that are named":             {Pages: []string{"/", "/two"}},
		"under opt-out, with Sec-GPC and without": {States: []scantest.State{{Header: map[string]string{"Country": "US"}}, {Header: map[string]string{"Country": "US"}, GPC: true}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			options.Middleware = mw
			assert.Empty(t, run(t, shop, options))
		})
	}
}

func TestEachFaultOfASiteFailsItsTest(t *testing.T) {
	browsertest.FindChromium(t)
	for name, test := range map[string]struct {
		more    string
		options scantest.Options
		want    []string
	}{
		"stored without consent": {`<script>document.cookie = "_pk_id=2"</script>`, scantest.Options{}, []string{`stored-without-consent: "_pk_id"`, "for: new, refused", "mend: "}},
		"undeclared":             {`<script>sessionStorage.setItem("tab", "1")</script>`, scantest.Options{}, []string{`undeclared: "tab" in session storage`}},
		"a third party":          {`<img src="https://pixel.example/p.gif" alt="">`, scantest.Options{}, []string{"undeclared-origin: ", "pixel.example"}},
		"only in one subset":     {`<script>if (window.consent?.state || 1) addEventListener("load", () => { const a = consent.state.allowed; if (a["first-party"].length && !a.statistics.length) document.cookie = "_pk_id=3" })</script>`, scantest.Options{States: scantest.Subsets(consent.Statistics, consent.FirstParty)}, []string{`stored-without-consent: "_pk_id"`, "for: only first-party"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mw, shop := newShop(t, test.more)
			test.options.Middleware = mw
			said := run(t, shop, test.options)
			for _, want := range test.want {
				assert.Contains(t, said, want)
			}
		})
	}
}

func TestMistakesOfTheOptionsAreNamed(t *testing.T) {
	mw, shop := newShop(t, "")
	for want, options := range map[string]scantest.Options{
		"Options.Middleware is nil":           {},
		"Options.URL: \"ftp://shop.example\"": {Middleware: mw, URL: "ftp://shop.example"},
		"has a path: name it in Pages":        {Middleware: mw, URL: "http://shop.example/basket"},
		"two are named \"a\"":                 {Middleware: mw, States: []scantest.State{{Name: "a"}, {Name: "a"}}},
		"a: ":                                 {Middleware: mw, States: []scantest.State{{Name: "a", Answered: true, Choice: consent.Accept("none")}}},
	} {
		assert.Contains(t, run(t, shop, options), want)
	}
}

func TestSubsetsAreAllStatesThatVisitorsCanBeIn(t *testing.T) {
	var names []string
	for _, state := range scantest.Subsets("a", "b") {
		assert.True(t, state.Answered)
		names = append(names, state.Name)
	}
	assert.Equal(t, []string{"refused", "only a", "only b", "only a, b"}, names)
	assert.Len(t, scantest.Subsets("a", "b", "c", "d"), 16)
}
