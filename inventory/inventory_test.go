package inventory_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/inventory"
)

// A site is a handler behind a middleware, and what an inventory finds there.
type site struct {
	t     *testing.T
	found *inventory.Inventory
	mw    *consent.Middleware
}

func newSite(t *testing.T, config consent.Config, declared ...consent.Cookie) *site {
	registry, err := consent.NewRegistry(declared...)
	require.NoError(t, err)
	found := inventory.New(registry)
	config.Registry, config.Keys, config.Observe = registry, [][]byte{secret}, found.Observe
	mw, err := consent.NewMiddleware(config)
	require.NoError(t, err)
	return &site{t, found, mw}
}

func declare(name string, category consent.Category) consent.Cookie {
	return consent.Cookie{Provider: "Site", Name: name, Purpose: consent.Text{language.English: "x"}, Category: category}
}

// visit sends a Cookie header to a path that answers with these Set-Cookie lines.
func (s *site) visit(path, cookies string, lines ...string) {
	app := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Set-Cookie"] = lines
	})
	r := httptest.NewRequest("GET", "https://example.org"+path, nil)
	if cookies != "" {
		r.Header.Set("Cookie", cookies)
	}
	s.mw.Wrap(s.found.Wrap(app)).ServeHTTP(httptest.NewRecorder(), r)
}

// show returns the inventory's page in one of its forms.
func show(t testing.TB, found *inventory.Inventory, as string) string {
	w := httptest.NewRecorder()
	found.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/debug/cookies"+as, nil))
	require.Equal(t, http.StatusOK, w.Code)
	return w.Body.String()
}

type seen struct {
	Name          string
	Reason        consent.Reason // of a fault
	Examples      []string
	Set           int
	Requests      int
	First, Last   time.Time
	SetOn, SentTo places
	Attributes    []attributes
	Known         *struct {
		Name, Provider, Service string
		Library, Kind           string
		Category, Purpose       consent.Category
		Seconds                 *int64
	}
}

type places struct {
	Paths []string
	More  bool
}

type attributes struct {
	Domain, Path, SameSite        string
	Seconds                       int64
	Secure, HttpOnly, Partitioned bool
	Lines                         int
}

type report struct {
	Cookies, Faults []seen
	Forgotten       int
}

func read(t testing.TB, found *inventory.Inventory) (r report) {
	require.NoError(t, json.Unmarshal([]byte(show(t, found, "?as=report")), &r))
	return r
}

// names returns those of all that was found.
func names(t testing.TB, found *inventory.Inventory) []string {
	var all []string
	for _, c := range read(t, found).Cookies {
		all = append(all, c.Name)
	}
	return all
}

func TestItCollectsWhatResponsesSetAndWhatRequestsCarry(t *testing.T) {
	s := newSite(t, consent.Config{}, declare("lang", consent.Necessary))
	s.visit("/shop", "theme=dark; lang=fr; both=1", "lang=en; Path=/", "both=2; Path=/; Secure")
	s.visit("/news", "theme=light; lang=fr")

	cookies := read(t, s.found).Cookies
	require.Len(t, cookies, 2)
	assert.Equal(t, "both", cookies[0].Name)
	assert.Equal(t, []int{1, 1}, []int{cookies[0].Set, cookies[0].Requests})
	assert.Equal(t, []places{{Paths: []string{"/shop"}}, {Paths: []string{"/shop"}}}, []places{cookies[0].SetOn, cookies[0].SentTo})
	assert.Equal(t, []attributes{{Path: "/", Secure: true, Lines: 1}}, cookies[0].Attributes)
	assert.Equal(t, "theme", cookies[1].Name)
	assert.Equal(t, []int{0, 2}, []int{cookies[1].Set, cookies[1].Requests})
	assert.Equal(t, []places{{}, {Paths: []string{"/news", "/shop"}}}, []places{cookies[1].SetOn, cookies[1].SentTo})
	assert.Empty(t, cookies[1].Attributes)
	assert.False(t, cookies[1].First.After(cookies[1].Last))
}

func TestAPathThatOnlyReceivedACookieIsNotSaidToSetIt(t *testing.T) {
	s := newSite(t, consent.Config{})
	s.visit("/basket", "", "basket=1; Path=/")
	s.visit("/basket", "basket=1", "basket=1; Path=/")
	for _, path := range []string{"/language/fr", "/login"} {
		s.visit(path, "basket=1")
	}
	cookie := read(t, s.found).Cookies[0]
	assert.Equal(t, places{Paths: []string{"/basket"}}, cookie.SetOn)
	assert.Equal(t, places{Paths: []string{"/basket", "/language/fr", "/login"}}, cookie.SentTo)
	assert.Contains(t, show(t, s.found, "?as=go"), "// Set by this server on \"/basket\". Seen on \"/language/fr\" and \"/login\".\n")
	assert.Contains(t, show(t, s.found, ""), "<ul><li>set on <code>/basket</code></li><li>seen on <code>/language/fr</code></li><li>seen on <code>/login</code></li></ul>")

	s.visit("/a", "basket=1")
	assert.Contains(t, show(t, s.found, "?as=go"), "// Set by this server on \"/basket\". Seen on \"/language/fr\", \"/login\" and others.\n")
	assert.Contains(t, show(t, s.found, ""), "<li>seen on <code>/login</code></li><li>and elsewhere</li></ul>")

	s.visit("/language/fr", "", "basket=1; Path=/")
	s.visit("/login", "", "basket=1; Path=/")
	assert.Contains(t, show(t, s.found, "?as=go"), "// Set by this server on \"/basket\", \"/language/fr\" and \"/login\". Seen elsewhere.\n")
	assert.Contains(t, show(t, s.found, ""), "<li>set on <code>/login</code></li><li>and elsewhere</li></ul>")
}

func TestItIsSilentAboutWhatIsAsItWasDeclared(t *testing.T) {
	s := newSite(t, consent.Config{},
		declare("lang", consent.Necessary), declare("_pk_id*", consent.Statistics), declare("undecided", consent.ThirdParty))
	s.visit("/", "lang=1; _pk_id.1.1fff=2; "+consent.CookieName+"=x",
		"lang=1; Path=/", "_pk_id.1.1fff=2; Path=/", "undecided=3; Path=/", "gone=; Max-Age=0")
	for i := range 2000 {
		s.visit("/", fmt.Sprintf("_pk_id.x%sx=2", letters(i)))
	}
	assert.Equal(t, report{Cookies: []seen{}, Faults: []seen{}}, read(t, s.found), "nor does it take any room")
}

func TestUndeclaredCookiesThatPassAreFoundToo(t *testing.T) {
	s := newSite(t, consent.Config{AllowUndeclared: true})
	s.visit("/", "", "visitor=1")
	cookies := read(t, s.found).Cookies
	require.Len(t, cookies, 1)
	assert.Equal(t, 1, cookies[0].Set)
}

func TestItFindsTheSameWhereNothingIsChanged(t *testing.T) {
	for _, reportOnly := range []bool{true, false} {
		s := newSite(t, consent.Config{ReportOnly: reportOnly})
		s.visit("/", "theme=1", "visitor=1", "visitor=2")
		assert.Equal(t, []string{"theme", "visitor"}, names(t, s.found))
		assert.Equal(t, 2, read(t, s.found).Cookies[1].Set)
		assert.NotContains(t, show(t, s.found, "?as=report"), `"removed"`, "which is not so of all of them")
	}
}

func TestANilRegistryDeclaresNothing(t *testing.T) {
	found := inventory.New(nil)
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", "a=1; "+consent.CookieName+"=x")
	found.Wrap(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r)
	assert.Equal(t, []string{"a"}, names(t, found))
}

func TestNoValueIsEverShown(t *testing.T) {
	const secret = "s3cr3tValue"
	s := newSite(t, consent.Config{}, declare("lang", consent.Necessary))
	s.visit("/?q="+secret, "theme="+secret+"; cart_1="+secret+"; cart_2="+secret+"; cart_3="+secret+"; lang="+secret,
		"visitor="+secret+"; Path=/", "lang="+secret+"; Max-Age=99", "="+secret, "bad\x01="+secret, "a="+secret+"; Max-Age="+secret)
	for _, as := range []string{"", "?as=report", "?as=json", "?as=go"} {
		shown := show(t, s.found, as)
		assert.Contains(t, shown, "visitor")
		assert.NotContains(t, shown, secret, as)
	}
}

func TestNamesThatDifferInSomethingRandomShareAPattern(t *testing.T) {
	tests := []struct {
		names string
		want  []string
	}{
		{"_ga_AB12 _ga_CD34", []string{"_ga_*"}},
		{"_ga _ga_AB12CD34EF", []string{"_ga", "_ga_*"}},
		{"_pk_id.1.1fff", []string{"_pk_id*"}},
		{"mp_0123456789abcdef_mixpanel", []string{"mp_*_mixpanel"}},
		{"cart_1a2b3c4d cart_5e6f7a8b cart_9c0d1e2f", []string{"cart_*"}},
		{"cart_1a2b3c4d cart_5e6f7a8b", []string{"cart_1a2b3c4d", "cart_5e6f7a8b"}},
		{"cart-5 cart-17 cart-1000", []string{"cart-*"}},
		{"17_seen 18_seen 19_seen", []string{"*_seen"}},
		{"step1 step2 step3", []string{"step*"}},
		{
			"s.6ba7b810-9dad-11d1-80b4-00c04fd430c8 s_6ba7b811-9dad-11d1-80b4-00c04fd430c8",
			[]string{"s.6ba7b810-9dad-11d1-80b4-00c04fd430c8", "s_6ba7b811-9dad-11d1-80b4-00c04fd430c8"},
		},
		{
			"user.6ba7b810-9dad-11d1-80b4-00c04fd430c8.seen user.6ba7b811-9dad-11d1-80b4-00c04fd430c8.seen user.6ba7b812-9dad-11d1-80b4-00c04fd430c8.seen",
			[]string{"user.*.seen"},
		},
		{"sid_Ab3dEf5hIj7k sid_Zy9xWv7uTs5r sid_Qw2eRt4yUi6o sid_AbideEfghiJk", []string{"sid_*"}}, // the last has letters only
		{"theme_dark theme_light theme_system", []string{"theme_dark", "theme_light", "theme_system"}},
		{"consent_v1 consent_v2 consent_v3", []string{"consent_v1", "consent_v2", "consent_v3"}},
		{"session lang basket", []string{"basket", "lang", "session"}},
		{"123 456 789", []string{"123", "456", "789"}},                   // nothing would be left beside the '*'
		{"a*1000 a*1001 a*1002", []string{"a*1000", "a*1001", "a*1002"}}, // a '*' of theirs is no pattern
	}
	for _, test := range tests {
		t.Run(test.names, func(t *testing.T) {
			s := newSite(t, consent.Config{})
			for name := range strings.FieldsSeq(test.names) {
				s.visit("/", name+"=1")
			}
			assert.Equal(t, test.want, names(t, s.found))

			s = newSite(t, consent.Config{})
			for name := range strings.FieldsSeq(test.names) {
				s.visit("/", "", name+"=1")
			}
			assert.Equal(t, test.want, names(t, s.found), "of responses")
		})
	}
}

func TestAPatternKeepsWhatIsKnownOfItsNames(t *testing.T) {
	s := newSite(t, consent.Config{})
	for i, name := range []string{"cart_1000", "cart_1001", "cart_1002", "cart_1003"} {
		s.visit(fmt.Sprintf("/%d", i%2), name+"=1", name+"=2; Path=/; Max-Age=60")
	}
	cookies := read(t, s.found).Cookies
	require.Len(t, cookies, 1)
	assert.Equal(t, "cart_*", cookies[0].Name)
	assert.Len(t, cookies[0].Examples, 3)
	assert.Equal(t, []int{4, 4}, []int{cookies[0].Set, cookies[0].Requests})
	assert.Equal(t, []places{{Paths: []string{"/0", "/1"}}, {Paths: []string{"/0", "/1"}}}, []places{cookies[0].SetOn, cookies[0].SentTo})
	assert.Equal(t, []attributes{{Path: "/", Seconds: 60, Lines: 4}}, cookies[0].Attributes)
}

func TestNamesOfResponsesAndOfRequestsComeUnderOnePattern(t *testing.T) {
	s := newSite(t, consent.Config{})
	s.visit("/", "cart_1000=1; cart_1001=1", "cart_1002=1")
	cookies := read(t, s.found).Cookies
	require.Len(t, cookies, 1)
	assert.Equal(t, "cart_*", cookies[0].Name)
	assert.Equal(t, []int{1, 2}, []int{cookies[0].Set, cookies[0].Requests})
}

func TestAPatternNeverTakesFromWhatIsDeclared(t *testing.T) {
	for _, declared := range []string{"cart_main", "cart_*", "cart_*x", "ca*", "*t_1x", "_ga_MINE"} {
		t.Run(declared, func(t *testing.T) {
			s := newSite(t, consent.Config{}, declare(declared, consent.Necessary))
			for i := range 6 {
				s.visit("/", fmt.Sprintf("cart_%d=1; _ga_%dABC=1", 1000+i, i))
			}
			for _, c := range read(t, s.found).Cookies {
				if c.Examples == nil {
					continue
				}
				require.NotContains(t, c.Name, declared)
				before, after, _ := strings.Cut(c.Name, "*")
				name := strings.ReplaceAll(declared, "*", "")
				assert.False(t, strings.HasPrefix(name, before) && strings.HasSuffix(name, after), "%s takes from %s", c.Name, declared)
			}
		})
	}
}

func TestNamesMadeToExplodeTheGroupingDoNot(t *testing.T) {
	s := newSite(t, consent.Config{})
	for i := range 300 {
		n := fmt.Sprintf("%04d", i)
		for _, name := range []string{
			n, "_" + n, n + "*", "*" + n, "**", strings.Repeat("*", i%250+1),
			strings.Repeat("a1-", 80) + n, strings.Repeat("-", 250) + n, strings.Repeat(n+"_x_", 30),
			strings.Repeat("f", 250) + n, strings.Repeat("é", 100) + n, "\xff\xfe" + n, strings.Repeat("x", 4000) + n,
		} {
			s.visit("/", name+"=1", name+"=1")
		}
	}
	r := read(t, s.found)
	assert.LessOrEqual(t, len(r.Cookies), 2*1024)
	assert.Positive(t, r.Forgotten)
	for _, c := range r.Cookies {
		assert.LessOrEqual(t, len(c.Name), 3*256) // an invalid byte is three of JSON's
		if c.Examples == nil {
			continue
		}
		before, after, one := strings.Cut(c.Name, "*")
		assert.True(t, one)
		assert.Greater(t, len(before+after), 1, "%q covers everything", c.Name)
		for _, example := range c.Examples {
			assert.True(t, strings.HasPrefix(example, before) && strings.HasSuffix(example, after), "%q of %q", example, c.Name)
		}
	}
}

func TestWhatComesOftenOutlivesAFlood(t *testing.T) {
	found := inventory.New(nil)
	handler := found.Wrap(http.NotFoundHandler())
	r := httptest.NewRequest("GET", "/", nil)
	event := consent.Event{Outcome: consent.OutcomeRemoved, Reason: consent.ReasonUndeclared}
	for i := range 50_000 {
		if i%500 == 0 {
			event.Cookie = "session"
			r.Header["Cookie"] = []string{"theme=1"}
		} else {
			event.Cookie = random("no pattern", i)
			r.Header["Cookie"] = []string{event.Cookie + "=1"}
		}
		found.Observe(r, event)
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	all := names(t, found)
	assert.Contains(t, all, "session")
	assert.Contains(t, all, "theme")
	assert.Positive(t, read(t, found).Forgotten)
}

func TestAFloodOfRequestsTakesNoRoomFromResponses(t *testing.T) {
	s := newSite(t, consent.Config{})
	s.visit("/", "", "once=1")
	handler := s.found.Wrap(http.NotFoundHandler())
	r := httptest.NewRequest("GET", "/", nil)
	for i := range 20_000 {
		r.Header["Cookie"] = []string{random("no pattern", i) + "=1"}
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	assert.Contains(t, names(t, s.found), "once")
}

func TestAttributesAreCountedAndTheMostFrequentComeFirst(t *testing.T) {
	s := newSite(t, consent.Config{})
	s.visit("/shop/basket", "", "a=1; Max-Age=60")
	for range 3 {
		s.visit("/shop/basket", "", "a=1; Domain=.Example.ORG; Path=/; Max-Age=90; Secure; HttpOnly; Partitioned; SameSite=None")
	}
	s.visit("/shop/basket", "", "a=1")
	cookies := read(t, s.found).Cookies
	require.Len(t, cookies, 1)
	assert.Equal(t, []attributes{
		{Domain: "example.org", Path: "/", Seconds: 90, Secure: true, HttpOnly: true, Partitioned: true, SameSite: "None", Lines: 3},
		{Path: "/shop", Seconds: 60, Lines: 1},
		{Path: "/shop", Lines: 1},
	}, cookies[0].Attributes)
}

func TestALifetimeThatIsCountedFromEachRequestIsOne(t *testing.T) {
	found := inventory.New(nil)
	r := httptest.NewRequest("GET", "/", nil)
	for _, missing := range []time.Duration{0, 300 * time.Millisecond, time.Second} {
		found.Observe(r, consent.Event{Cookie: "a", Outcome: consent.OutcomeRemoved, Reason: consent.ReasonUndeclared,
			Attributes: consent.Attributes{Path: "/", Lifetime: 24*time.Hour - missing}})
	}
	assert.Equal(t, []attributes{{Path: "/", Seconds: 86400, Lines: 3}}, read(t, found).Cookies[0].Attributes)
}

func TestItTellsOfDeclaredCookiesThatAreNotAsDeclared(t *testing.T) {
	kept := declare("lang_*", consent.Necessary)
	kept.Lifetime = time.Hour
	s := newSite(t, consent.Config{}, kept)
	s.visit("/", "", "lang_fr=1; Path=/; Max-Age=7200", "lang_de=1; Path=/; Max-Age=7200", "lang_fr=1; Path=/x; Max-Age=60", "nameless")
	r := read(t, s.found)
	assert.Empty(t, r.Cookies)
	var faults []string
	for _, f := range r.Faults {
		faults = append(faults, fmt.Sprintf("%s %s %d", f.Name, f.Reason, f.Set))
	}
	assert.Equal(t, []string{" undeclared 1", "lang_* lifetime 2", "lang_* path 1"}, faults)
}

func TestTheNamesOfWellKnownCookiesTell(t *testing.T) {
	const days = 24 * 60 * 60
	tests := []struct {
		name, provider, service string
		category, purpose       consent.Category
		seconds                 int64
	}{
		{"_ga", "Google", "Google Analytics", consent.Statistics, consent.Statistics, 730 * days},
		{"_ga_XYZ1", "Google", "Google Analytics", consent.Statistics, consent.Statistics, 730 * days},
		{"_fbp", "Facebook", "", consent.ThirdParty, consent.Advertising, 120 * days},
		{"PHPSESSID", "PHP.net", "", consent.Necessary, consent.Necessary, 0},
		{"_hjSession_1234", "Hotjar", "", consent.FirstParty, "", 1800}, // "Functional" in the data
		{"wordpress_logged_in_0123456789abcdef0123456789abcdef", "WordPress", "", consent.Necessary, consent.Necessary, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t, consent.Config{})
			s.visit("/", test.name+"=1")
			cookies := read(t, s.found).Cookies
			require.Len(t, cookies, 1)
			k := cookies[0].Known
			require.NotNil(t, k)
			assert.Equal(t, []string{test.provider, test.service, string(test.category), string(test.purpose)}, []string{k.Provider, k.Service, string(k.Category), string(k.Purpose)})
			require.NotNil(t, k.Seconds)
			assert.Equal(t, test.seconds, *k.Seconds)
		})
	}
	for _, name := range []string{"sessions", "uid", "lang", "id", "_id", "token", "_gate", "PHPSESSIDX", "phpsessid"} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, consent.Config{})
			s.visit("/", name+"=1")
			assert.Nil(t, read(t, s.found).Cookies[0].Known, "anybody may use such a name")
		})
	}
}

func TestTheDefaultNamesOfGoLibrariesTellWhatTheyAreFor(t *testing.T) {
	const hours = 60 * 60
	for _, test := range []struct {
		name, library, kind string
		seconds             int64
	}{
		{"_gorilla_csrf", "gorilla/csrf", "a CSRF token", 12 * hours},
		{"csrf_token", "justinas/nosurf", "a CSRF token", 365 * 24 * hours},
		{"_csrf", "labstack/echo", "a CSRF token", 24 * hours},
		{"session", "alexedwards/scs", "a session", 24 * hours},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSite(t, consent.Config{})
			s.visit("/", test.name+"=1")
			k := read(t, s.found).Cookies[0].Known
			require.NotNil(t, k)
			assert.Equal(t, []string{test.library, test.kind, "", "", "necessary"}, []string{k.Library, k.Kind, k.Provider, k.Service, string(k.Category)})
			require.NotNil(t, k.Seconds)
			assert.Equal(t, test.seconds, *k.Seconds)

			source := show(t, s.found, "?as=go")
			assert.Contains(t, source, "// The default name of "+test.kind+" by "+test.library+".\n"+
				"\t// That one is exempt from consent, and the provider is you.\n")
			assert.Contains(t, source, `Provider: "TODO: `)
			assert.Contains(t, source, `"TODO: what it is for, in words for visitors, after a check that it is the well-known cookie of this name. It is `+test.kind+`."`)
			assert.Contains(t, source, "consent.Necessary")
			assert.Contains(t, show(t, s.found, ""), "<div>"+test.kind+" by "+test.library+" <small>necessary")
		})
	}
}

func TestEverythingThatIsKnownCanBeDeclared(t *testing.T) {
	text, err := os.ReadFile("known/known.txt")
	require.NoError(t, err)
	var known []string
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 2 && !strings.ContainsAny(fields[0], "#@%") {
			category, _, _ := strings.Cut(fields[0], "/")
			assert.Contains(t, []string{"necessary", "statistics", "first-party", "third-party"}, category)
			assert.Regexp(t, `^(0|\?|[1-9][0-9]*[dhms])$`, fields[1])
			known = append(known, fields[2:]...)
		}
	}
	require.Greater(t, len(known), 1900)
	for some := range slices.Chunk(known, 500) {
		found := inventory.New(nil)
		r := httptest.NewRequest("GET", "/", nil)
		for _, name := range some {
			found.Observe(r, consent.Event{Cookie: strings.Replace(name, "*", "1", 1), Outcome: consent.OutcomeRemoved, Reason: consent.ReasonUndeclared})
		}
		cookies := read(t, found).Cookies
		assert.NotEmpty(t, cookies)
		for _, c := range cookies {
			assert.NotNil(t, c.Known, c.Name)
		}
		assert.NotContains(t, show(t, found, "?as=go"), "cannot be declared")
	}
}

func TestObserversAndHandlersMayRunAtOnce(t *testing.T) {
	s := newSite(t, consent.Config{})
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range 100 {
				switch worker % 4 {
				case 0, 1:
					s.visit("/", random("one pattern", i)+"=1; theme=2", random("no pattern", i)+"=1", "nameless")
				case 2:
					s.visit("/", "_ga_"+fmt.Sprint(i)+"=1", "session=1; Path=/")
				default:
					as := []string{"", "?as=report", "?as=json", "?as=go"}[i%4]
					s.found.Handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/"+as, nil))
				}
			}
		})
	}
	group.Wait()
	for _, c := range read(t, s.found).Cookies {
		switch c.Name {
		case "session":
			assert.Equal(t, 200, c.Set)
		case "theme":
			assert.Equal(t, 400, c.Requests)
		}
	}
}

func TestNothingLeaksOfACookieWithoutAName(t *testing.T) {
	found := inventory.New(nil)
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", "theme=1; its-secret-value") // as Chromium sends one
	found.Wrap(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r)
	w := httptest.NewRecorder()
	found.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/?as=json", nil))
	assert.Contains(t, w.Body.String(), "theme")
	assert.NotContains(t, w.Body.String(), "secret")
}
