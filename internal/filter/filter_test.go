package filter_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/internal/decision"
	"github.com/cookiecharter/consent/internal/filter"
	"github.com/cookiecharter/consent/internal/policy"
	"github.com/cookiecharter/consent/internal/preference"
	"github.com/cookiecharter/consent/internal/rawhead"
	"github.com/cookiecharter/consent/internal/visitor"
)

const name = "prefs"

var (
	matomo = policy.Party{Category: "statistics", Provider: "Matomo"}
	adCo   = policy.Party{Category: "third-party", Provider: "AdCo"}
	forum  = policy.Party{Category: "comfort", Provider: "Forum"}

	cookie = preference.New(http.Cookie{Name: name, MaxAge: 3600}, "", [][]byte{bytes.Repeat([]byte("k"), 32)})
	site   = newSite()
)

func at(domain, path string) []policy.Place { return []policy.Place{{Domain: domain, Path: path}} }

// lenient is a law that presumes everything.
var lenient = visitor.Law{Regime: 2}

func presumption(law visitor.Law, _ string) policy.Answer {
	if law.Regime == lenient.Regime {
		return policy.Presumed
	}
	return policy.Open
}

func newSite() *visitor.Site {
	p := policy.New([]policy.Declaration{
		{Party: policy.Party{Category: "necessary", Provider: "Site"}, Name: "sessionid", Places: at("", "/")},
		{Party: policy.Party{Category: "necessary", Provider: "Site"}, Name: "kept", Lifetime: time.Hour, Places: at(".Example.org", "/shop")},
		{Party: policy.Party{Category: "statistics", Provider: "Site"}, Name: "visits", Need: policy.NoObjection, Places: at("", "/")},
		{Party: matomo, Name: "_pk*", Need: policy.Consent, Places: at("", "/")},
		{Party: adCo, Name: "ad", Need: policy.Consent, Places: at("example.org", "/ads")},
		{Party: forum, Name: "mood", Need: policy.Consent, Places: at("", "/")},
		{Party: matomo, Name: "shared", Need: policy.Consent, Places: at("", "/a")},
		{Party: adCo, Name: "shared", Need: policy.Consent, Places: at("", "/b")},
	})
	return visitor.NewSite(&p, cookie, 0, presumption)
}

// decided is who accepts statistics, refuses third parties, was not asked for
// comfort, and objects to anonymous statistics.
func decided() *decision.Decision {
	return &decision.Decision{Time: time.Now(), Objection: true, Answers: decision.MakeAnswers(map[decision.Mark]decision.Answer{
		decision.MarkOf(matomo.Category, matomo.Provider): decision.Yes, decision.MarkOf(adCo.Category, adCo.Provider): decision.No,
	})}
}

// A tested filter keeps what was observed as "outcome cookie reason".
type tested struct {
	filter.Filter
	config  filter.Config
	request *http.Request
	events  []string
}

// goTo makes the request one of a page that the visitor goes to.
func goTo(f *tested) {
	f.request.Header.Set("Sec-Fetch-Mode", "navigate")
	f.request.Header.Set("Sec-Fetch-Dest", "document")
	f.comes()
}

// comes makes the filter anew for the request as it is, with these cookies.
func (f *tested) comes() { f.Init(&f.config, f.request, f.request, nil) }

// observing returns the filter of a response to this request.
func observing(t testing.TB, config filter.Config, cookies string, d *decision.Decision) *tested {
	t.Helper()
	r := httptest.NewRequest("GET", "http://www.example.org/", nil)
	f := &tested{request: r}
	config.Observe = func(of *http.Request, e filter.Event) {
		assert.Same(t, r, of)
		f.events = append(f.events, strings.TrimSpace(e.Outcome+" "+e.Cookie+" "+e.Reason))
	}
	if d != nil {
		line, err := cookie.Line(d)
		require.NoError(t, err)
		pair, _, _ := strings.Cut(line, ";")
		cookies = strings.TrimPrefix(cookies+"; "+pair, "; ")
	}
	f.config = config
	f.Visitor.Init(site, cookies, visitor.Law{}, nil)
	f.comes()
	return f
}

var (
	plain           = filter.Config{}
	allowUndeclared = filter.Config{AllowUndeclared: true}
	reportOnly      = filter.Config{ReportOnly: true}
)

// A test of one line: what is sent in its place, "" for nothing.
var lines = map[string]struct {
	config  filter.Config
	line    string
	sent    string
	private bool
	event   string
}{
	"necessary":               {plain, "sessionid=1", "sessionid=1", false, ""},
	"consented":               {plain, "_pk.1=1", "_pk.1=1", true, ""},
	"refused":                 {plain, "ad=1", "", true, "removed ad refused"},
	"undecided":               {plain, "mood=1", "", true, "removed mood undecided"},
	"objected to":             {plain, "visits=1", "", true, "removed visits objected"},
	"one of two refused":      {plain, "shared=1", "", true, "removed shared refused"},
	"undeclared":              {plain, "other=1", "", true, "removed other undeclared"},
	"undeclared, allowed":     {allowUndeclared, "other=1", "other=1", false, "passed other undeclared"},
	"refused, others allowed": {allowUndeclared, "ad=1", "", true, "removed ad refused"},
	"the own cookie":          {plain, name + "=1; Path=/x; Max-Age=9", name + "=1; Path=/x; Max-Age=9", true, ""},
	"a deletion":              {plain, "ad=; Max-Age=0", "ad=; Max-Age=0", false, ""},
	"an undeclared deletion":  {plain, "other=; Max-Age=0", "other=; Max-Age=0", false, ""},
	"an old deletion":         {plain, "ad=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "ad=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", false, ""},
	"a recent deletion":       {plain, "ad=; " + recent, "ad=; " + recent + "; Max-Age=0", false, ""},
	"unreadable":              {plain, "ad=\x01", "", true, "removed  unreadable"},
	"unreadable, allowed":     {allowUndeclared, "\x01=1", "", true, "removed  unreadable"},
	"empty":                   {plain, "", "", true, "removed  unreadable"},
	"nameless":                {plain, "=sessionid=1", "", true, "removed  undeclared"},
	"nameless, allowed":       {allowUndeclared, "=sessionid", "=sessionid", false, "passed  undeclared"},
	"allowed by one reading":  {allowUndeclared, "sessionid", "sessionid", false, "passed  undeclared"},
	"nameless, but refused":   {allowUndeclared, "ad", "", true, "removed ad refused"},
	"with the end of a line":  {plain, "ad=1\r\n", "", true, "removed ad refused"},
	"two lines in one":        {plain, "sessionid=1\nad=2", "sessionid=1 ad=2", false, ""},
	"a deletion with an end":  {plain, "ad=;\r\nMax-Age=0\n", "ad=;  Max-Age=0", false, ""},
	"with spaces":             {plain, " sessionid = 1 ", " sessionid = 1 ", false, ""},
	"drifts: lives longer":    {plain, "sessionid=1; Path=/; Max-Age=3600", "sessionid=1; Path=/; Max-Age=3600", false, "passed sessionid lifetime"},
	"drifts: another path":    {plain, "sessionid=1; Path=/x", "sessionid=1; Path=/x", false, "passed sessionid path"},
	"drifts: another domain":  {plain, "kept=1; Path=/shop", "kept=1; Path=/shop", false, "passed kept domain"},
	"as it was declared":      {plain, "kept=1; Path=/shop; Domain=example.org; Max-Age=3600", "kept=1; Path=/shop; Domain=example.org; Max-Age=3600", false, ""},
	"reported: necessary":     {reportOnly, "sessionid=1", "sessionid=1", false, ""},
	"reported: consented":     {reportOnly, "_pk.1=1", "_pk.1=1", false, ""},
	"reported: refused":       {reportOnly, "ad=1", "ad=1", false, "removed ad refused"},
	"reported: undeclared":    {reportOnly, "other=1", "other=1", false, "removed other undeclared"},
	"reported: unreadable":    {reportOnly, "ad=\x01", "ad=\x01", false, "removed  unreadable"},
	"reported: a deletion":    {reportOnly, "ad=; " + recent, "ad=; " + recent, false, ""},
	"reported: two lines":     {reportOnly, "ad=1\nb=2", "ad=1\nb=2", false, "removed ad refused"},
	"reported: drifts":        {reportOnly, "sessionid=1; Path=/x", "sessionid=1; Path=/x", false, "passed sessionid path"},
}

var recent = "Expires=" + time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)

func TestHeadDecidesAboutALine(t *testing.T) {
	for what, test := range lines {
		for _, key := range []string{"Set-Cookie", "set-cookie", "SET-COOKIE"} {
			t.Run(what+" in "+key, func(t *testing.T) {
				f := observing(t, test.config, "", decided())
				h := http.Header{key: {test.line}, "X": {"y"}}
				assert.False(t, f.Head(h, true))
				want := http.Header{"X": {"y"}}
				if test.sent != "" || test.line == "" && test.config.ReportOnly {
					want[key] = []string{test.sent}
				}
				if test.private {
					want["Cache-Control"] = []string{"private"}
				}
				assert.Equal(t, want, h)
				assert.Equal(t, nonEmpty(test.event), f.events)
			})
		}
	}
}

func TestFieldsDecidesAboutALineAsHeadDoes(t *testing.T) {
	for what, test := range lines {
		t.Run(what, func(t *testing.T) {
			f := observing(t, test.config, "", decided())
			x := rawhead.Field{Name: "X", Value: "y"}
			want := []rawhead.Field{}
			if test.sent != "" || test.line == "" && test.config.ReportOnly {
				want = append(want, rawhead.Field{Name: "sEt-CooKie", Value: test.sent})
			}
			want = append(want, x)
			if test.private {
				want = append(want, rawhead.Field{Name: "Cache-Control", Value: "private"})
			}
			assert.Equal(t, want, f.Fields(200, []rawhead.Field{{Name: "sEt-CooKie", Value: test.line}, x}))
			assert.Equal(t, nonEmpty(test.event), f.events)
		})
	}
}

func nonEmpty(event string) []string {
	if event == "" {
		return nil
	}
	return []string{strings.TrimSpace(event)}
}

func TestHeadKeepsTheOrderOfLines(t *testing.T) {
	given := func() []string {
		return []string{"ad=1", "sessionid=1", "mood=1", "_pk.1=1", "ad=; Max-Age=0", "other=1", "_pk.2=1", "sessionid=2"}
	}
	kept := []string{"sessionid=1", "_pk.1=1", "ad=; Max-Age=0", "_pk.2=1", "sessionid=2"}
	f := observing(t, plain, "", decided())
	h := http.Header{"Set-Cookie": given()}
	f.Head(h, true)
	assert.Equal(t, kept, h["Set-Cookie"])
	assert.Equal(t, []string{"removed ad refused", "removed mood undecided", "removed other undeclared"}, f.events)

	f.Head(h, true)
	assert.Equal(t, kept, h["Set-Cookie"], "and again")
	assert.Len(t, f.events, 3)
}

func TestALineIsReportedOnceWhenTheHeadComesByAgain(t *testing.T) {
	for what, test := range map[string]struct {
		config filter.Config
		key    string
		want   []string
	}{
		"removed":                         {plain, "Set-Cookie", []string{"removed ad refused", "removed mood undecided"}},
		"removed, in another letter case": {plain, "set-cookie", []string{"removed ad refused", "removed mood undecided"}},
		"reported":                        {reportOnly, "Set-Cookie", []string{"removed ad refused", "removed mood undecided"}},
		"reported in another letter case": {reportOnly, "set-cookie", []string{"removed ad refused"}},
	} {
		t.Run(what, func(t *testing.T) {
			f := observing(t, test.config, "", decided())
			h := http.Header{test.key: {"ad=1"}}
			f.Head(h, true)
			h[test.key] = append(h[test.key], "mood=1") // by a handler outside
			f.Head(h, true)
			f.Head(h, true)
			assert.Equal(t, test.want, f.events)
		})
	}
}

func TestWhatPassesIsReportedOnce(t *testing.T) {
	for what, config := range map[string]filter.Config{
		"filtered": allowUndeclared, "reported": {AllowUndeclared: true, ReportOnly: true},
	} {
		f := observing(t, config, "", nil)
		h := http.Header{"Set-Cookie": {"other=1", "sessionid=1; Path=/x"}}
		f.Head(h, false)
		assert.Empty(t, f.events, "%s: an early head, which the final one follows", what)
		f.Head(h, true)
		f.Head(h, true)
		assert.Equal(t, []string{"passed other undeclared", "passed sessionid path"}, f.events, what)
	}
}

func TestAReportMayFindFewerLinesThanBefore(t *testing.T) {
	f := observing(t, reportOnly, "", nil)
	f.Head(http.Header{"Set-Cookie": {"ad=1", "mood=1"}}, true)
	f.Head(http.Header{"Set-Cookie": {"ad=1"}}, true)
	f.Head(http.Header{"Set-Cookie": {"ad=1", "ad=2"}}, true)
	assert.Equal(t, []string{"removed ad undecided", "removed mood undecided", "removed ad undecided"}, f.events)
}

func TestAnEarlyHeadIsFilteredAndCarriesNoNews(t *testing.T) {
	f := observing(t, plain, "ad=1", nil)
	decide(t, f)
	h := http.Header{"Set-Cookie": {"ad=1", "_pk.1=1"}}
	f.Head(h, false)
	assert.Equal(t, http.Header{"Set-Cookie": {"_pk.1=1"}, "Cache-Control": {"private"}}, h)
	assert.Equal(t, rawhead.Field{Name: "X", Value: "y"}, f.Fields(103, []rawhead.Field{{Name: "Set-Cookie", Value: "ad=1"}, {Name: "X", Value: "y"}})[0])
	assert.False(t, f.Visitor.HeadSent())
	f.Head(h, true)
	assert.True(t, f.Visitor.HeadSent())
	assert.Len(t, h["Set-Cookie"], 1+1+len(below), "the decision, and the end of ad and of shared")
}

func decide(t testing.TB, f *tested) {
	t.Helper()
	sent, err := f.Visitor.Decide(decided())
	require.NoError(t, err)
	require.False(t, sent)
}

// expiries are the lines for a cookie of which no domain is declared.
func expiries(cookie string) []string {
	line := cookie + "=; Path=/; Max-Age=0"
	return []string{line, line + "; Domain=example.org", line + "; Domain=www.example.org"}
}

// below are the ends of ad and of shared, which no request for "/" carries.
var below = append([]string{"ad=; Path=/ads; Max-Age=0; Domain=example.org"}, func() (lines []string) {
	for _, path := range []string{"/a", "/b"} {
		for _, line := range expiries("shared") {
			lines = append(lines, strings.Replace(line, "Path=/", "Path="+path, 1))
		}
	}
	return lines
}()...)

func TestADecisionIsAddedWithTheEndOfWhatItRefuses(t *testing.T) {
	const request = "sessionid=1; ad=1; mood=1; visits=1; _pk.1=1; other=1; " + name + "=forged; ad=2; shared=1"
	shared := []string{}
	for _, path := range []string{"/a", "/b"} {
		for _, line := range expiries("shared") {
			shared = append(shared, strings.Replace(line, "Path=/", "Path="+path, 1))
		}
	}
	added := slices.Concat([]string{"ad=; Path=/ads; Max-Age=0; Domain=example.org"}, expiries("visits"), shared)
	events := []string{"expired ad refused", "expired visits objected", "expired shared refused"}

	head := func(f *tested) []string {
		h := http.Header{"Set-Cookie": {"ad=3", "sessionid=2"}}
		f.Head(h, true)
		assert.Equal(t, []string{"private"}, h["Cache-Control"])
		return h["Set-Cookie"]
	}
	raw := func(f *tested) (lines []string) {
		for _, field := range f.Fields(101, []rawhead.Field{{Name: "Set-Cookie", Value: "ad=3"}, {Name: "Set-Cookie", Value: "sessionid=2"}}) {
			if field.Name == "Set-Cookie" {
				lines = append(lines, field.Value)
			} else {
				assert.Equal(t, rawhead.Field{Name: "Cache-Control", Value: "private"}, field)
			}
		}
		return lines
	}
	for what, send := range map[string]func(*tested) []string{"by the server": head, "by hand": raw} {
		t.Run(what, func(t *testing.T) {
			f := observing(t, plain, request, nil)
			decide(t, f)
			got := send(f)
			require.Greater(t, len(got), 2)
			assert.Equal(t, "sessionid=2", got[0])
			assert.True(t, strings.HasPrefix(got[1], name+"="))
			assert.Equal(t, added, got[2:])
			assert.Equal(t, append(events, "removed ad refused"), f.events)
		})
		t.Run(what+", without a decision", func(t *testing.T) {
			f := observing(t, plain, request, decided())
			goTo(f)
			assert.Equal(t, append([]string{"sessionid=2"}, added...), send(f))
		})
	}
}

func TestWhatIsAddedIsAddedOnce(t *testing.T) {
	f := observing(t, plain, "ad=1", nil)
	decide(t, f)
	h := http.Header{}
	f.Head(h, true)
	once := slices.Clone(h["Set-Cookie"])
	assert.Len(t, once, 1+len(below))
	f.Head(h, true)
	assert.Equal(t, once, h["Set-Cookie"])
}

func TestReportOnlyAddsTheDecisionAlone(t *testing.T) {
	f := observing(t, reportOnly, "ad=1", nil)
	decide(t, f)
	h := http.Header{"Set-Cookie": {"ad=2"}}
	f.Head(h, true)
	require.Len(t, h["Set-Cookie"], 2)
	assert.Equal(t, "ad=2", h["Set-Cookie"][0])
	assert.True(t, strings.HasPrefix(h["Set-Cookie"][1], name+"="))
	assert.Equal(t, []string{"private"}, h["Cache-Control"])
	assert.Equal(t, []string{"expired shared refused", "expired ad refused", "removed ad refused"}, f.events)
}

// Two providers may declare one name in the same place.
func TestALineThatExpiresIsAddedOnce(t *testing.T) {
	p := policy.New([]policy.Declaration{
		{Party: matomo, Name: "n", Need: policy.Consent, Places: at("example.org", "/")},
		{Party: adCo, Name: "n", Need: policy.Consent, Places: at("example.org", "/")},
	})
	config := plain
	config.ExpireUndecided = true
	f := observing(t, config, "", nil)
	f.Visitor = visitor.Visitor{}
	f.Visitor.Init(visitor.NewSite(&p, cookie, 0, presumption), "n=1", visitor.Law{}, nil)
	goTo(f)
	h := http.Header{}
	f.Head(h, true)
	assert.Equal(t, []string{"n=; Path=/; Max-Age=0; Domain=example.org"}, h["Set-Cookie"])
}

func TestASharedSliceIsNotWrittenTo(t *testing.T) {
	for what, given := range map[string][]string{
		"lines that all stay":      {"sessionid=1", "_pk.1=1"},
		"a line that goes first":   {"ad=1", "sessionid=1", "sessionid=2"},
		"a line that goes between": {"sessionid=1", "ad=1", "sessionid=2"},
		"a line that changes":      {"sessionid=1", "ad=; " + recent, "sessionid=2"},
		"none":                     {},
	} {
		t.Run(what, func(t *testing.T) {
			shared := append(slices.Clone(given), "room")
			trailer := []string{"Set-Cookie, Server-Timing", "room"}
			f := observing(t, plain, "", nil)
			decide(t, f)
			h := http.Header{"Set-Cookie": shared[:len(given)], "Trailer": trailer[:1]}
			f.Head(h, true)
			assert.Equal(t, append(slices.Clone(given), "room"), shared)
			assert.Equal(t, []string{"Set-Cookie, Server-Timing", "room"}, trailer)
			assert.Len(t, h["Trailer"], 1)
		})
	}
}

// The room for two lines is taken once, or a second edit would write over what
// the first has left in the map.
func TestASecondEditLeavesTheLinesOfTheFirst(t *testing.T) {
	f := observing(t, plain, "", decided())
	first := http.Header{"Set-Cookie": {"sessionid=1", "ad=1", "sessionid=2"}}
	f.Head(first, false)
	second := http.Header{"Set-Cookie": {"sessionid=3", "ad=1", "sessionid=4"}}
	f.Head(second, true)
	lower := strings.ToLower("Set-Cookie")
	third := http.Header{"Set-Cookie": {"sessionid=5", "sessionid=6", "ad=1", "sessionid=7"}, lower: {"sessionid=8", "ad=1"}}
	f.Head(third, true)
	assert.Equal(t, []string{"sessionid=1", "sessionid=2"}, first["Set-Cookie"])
	assert.Equal(t, []string{"sessionid=3", "sessionid=4"}, second["Set-Cookie"])
	assert.Equal(t, []string{"sessionid=5", "sessionid=6", "sessionid=7"}, third["Set-Cookie"])
	assert.Equal(t, []string{"sessionid=8"}, third[lower])
}

func TestNoCookieIsAnnouncedForATrailer(t *testing.T) {
	for given, want := range map[string]string{
		"Server-Timing":                "Server-Timing",
		"Set-Cookie":                   "",
		"Server-Timing, Set-Cookie":    "Server-Timing",
		"set-cookie ,Server-Timing":    "Server-Timing",
		"A,SET-COOKIE, Set-Cookie,\tB": "A,\tB",
		"Set-Cookie2, X-Set-Cookie":    "Set-Cookie2, X-Set-Cookie",
		"":                             "",
	} {
		f := observing(t, plain, "", nil)
		h := http.Header{"Trailer": {given, "X"}}
		assert.False(t, f.Head(h, true))
		kept := http.Header{"Trailer": {want, "X"}}
		if want != given {
			kept["Cache-Control"] = []string{"private"}
		}
		assert.Equal(t, kept, h, given)

		f = observing(t, reportOnly, "", nil)
		h = http.Header{"Trailer": {given}}
		f.Head(h, true)
		assert.Equal(t, http.Header{"Trailer": {given}}, h, given)
	}
}

func TestTrailerHoldsNoCookie(t *testing.T) {
	for _, key := range []string{"Trailer:Set-Cookie", "Trailer:set-cookie", "trailer:SET-COOKIE"} {
		f := observing(t, plain, "", decided())
		h := http.Header{key: {"sessionid=1", "ad=1; Max-Age=60"}, "Trailer:X": {"y"}, "Set-Cookie": {"sessionid=2"}}
		assert.True(t, f.Head(h, true), key)
		assert.Contains(t, h, key, "it leaves later than the head, and is edited by then")
		f.Trailer(h)
		assert.Equal(t, http.Header{"Trailer:X": {"y"}, "Set-Cookie": {"sessionid=2"}, "Cache-Control": {"private"}}, h)
		assert.Equal(t, []string{"removed sessionid trailer", "removed ad trailer"}, f.events)
		f.Trailer(h)
		assert.Len(t, f.events, 2)

		f = observing(t, reportOnly, "", nil)
		h = http.Header{key: {"sessionid=1"}}
		f.Trailer(h)
		assert.Equal(t, http.Header{key: {"sessionid=1"}}, h)
		assert.Equal(t, []string{"removed sessionid trailer"}, f.events)
	}
	f := observing(t, plain, "", nil)
	assert.False(t, f.Head(http.Header{"Trailer:X": {"y"}}, true))
}

func TestAFieldThatStaysKeepsItsPlace(t *testing.T) {
	f := observing(t, plain, "", decided())
	given := []rawhead.Field{
		{Name: "A", Value: "1"}, {Name: "Set-Cookie", Value: "ad=1"}, {Name: "set-cookie", Value: "sessionid=1"},
		{Value: "no colon"}, {Name: "Set-Cookie", Value: "ad=; " + recent}, {Name: "B", Value: "2"},
	}
	before := slices.Clone(given)
	assert.Equal(t, []rawhead.Field{
		before[0], before[2], before[3], {Name: "Set-Cookie", Value: "ad=; " + recent + "; Max-Age=0"}, before[5],
		{Name: "Cache-Control", Value: "private"},
	}, f.Fields(200, given))
	assert.Equal(t, before, given)
}

func TestAFieldThatStaysKeepsItsBytes(t *testing.T) {
	f := observing(t, plain, "", decided())
	var sent bytes.Buffer
	_, err := rawhead.NewWriter(&sent, f.Fields, false).Write([]byte("HTTP/1.1 200 OK\r\nset-cookie :  sessionid=1 \r\nSet-Cookie: ad=1\r\nX:y\r\n\r\n"))
	require.NoError(t, err)
	assert.Equal(t, "HTTP/1.1 200 OK\r\nset-cookie :  sessionid=1 \r\nX:y\r\nCache-Control: private\r\n\r\n", sent.String())
}

func TestTheHeadByHandIsFinalUnlessItIsInformational(t *testing.T) {
	for status, want := range map[int]bool{0: true, 100: false, 101: true, 102: false, 103: false, 199: false, 200: true, 404: true, 599: true} {
		f := observing(t, plain, "", nil)
		f.Fields(status, nil)
		assert.Equal(t, want, f.Visitor.HeadSent(), status)
	}
}

func TestADateOfTheResponseDecidesWhatHasExpired(t *testing.T) {
	const line, date = "ad=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 01 Jan 1960 00:00:00 GMT"
	f := observing(t, plain, "", decided())
	h := http.Header{"Set-Cookie": {line}, "date": {date}}
	f.Head(h, true)
	assert.NotContains(t, h, "Set-Cookie", "a browser counts from the Date")
	f = observing(t, plain, "", decided())
	kept := f.Fields(200, []rawhead.Field{{Name: "DATE", Value: date}, {Name: "Set-Cookie", Value: line}})
	assert.Equal(t, []rawhead.Field{{Name: "DATE", Value: date}, {Name: "Cache-Control", Value: "private"}}, kept)
}

// Of a line without a '=' browsers read two names.
func TestAReadingThatNeedsConsentKeepsTheLinePrivate(t *testing.T) {
	p := policy.New([]policy.Declaration{{Party: matomo, Name: "*", Need: policy.Consent, Places: at("", "/")}, {Party: adCo, Name: "n", Places: at("", "/")}})
	f := observing(t, plain, "", nil)
	f.Visitor = visitor.Visitor{}
	f.Visitor.Init(visitor.NewSite(&p, cookie, 0, presumption), "", lenient, nil)
	h := http.Header{"Set-Cookie": {"n"}}
	f.Head(h, true)
	assert.Equal(t, http.Header{"Set-Cookie": {"n"}, "Cache-Control": {"private"}}, h)
}

func TestPasses(t *testing.T) {
	for cookie, want := range map[string]bool{"sessionid": true, "_pk.1": true, name: true, "ad": false, "mood": false, "visits": false} {
		f := observing(t, allowUndeclared, "", decided())
		assert.Equal(t, want, f.Passes(cookie), cookie)
		assert.Empty(t, f.events)
	}
	for config, want := range map[*filter.Config]bool{&plain: false, &allowUndeclared: true, &reportOnly: false} {
		assert.Equal(t, want, observing(t, *config, "", nil).Passes("other"))
	}
	f := observing(t, plain, "", nil)
	assert.False(t, f.Passes("_pk.1"))
	decide(t, f)
	assert.True(t, f.Passes("_pk.1"))
}

func TestNobodyHasToObserve(t *testing.T) {
	for _, config := range []filter.Config{plain, allowUndeclared, reportOnly} {
		var f filter.Filter
		r := httptest.NewRequest("GET", "/", nil)
		f.Init(&config, r, r, nil)
		f.Visitor.Init(site, "ad=1", visitor.Law{}, nil)
		h := http.Header{"Set-Cookie": {"ad=1", "other=1", "sessionid=1; Path=/x"}, "Trailer:Set-Cookie": {"ad=1"}}
		f.Head(h, true)
		f.Trailer(h)
		assert.Contains(t, fmt.Sprint(h["Set-Cookie"]), "sessionid=1; Path=/x")
	}
}

// A panic in Observe must let nothing leak: the head is as it may leave by then.
func TestObserveComesLast(t *testing.T) {
	for what, edit := range map[string]func(*filter.Filter, http.Header){
		"a head":    func(f *filter.Filter, h http.Header) { f.Head(h, true) },
		"a trailer": func(f *filter.Filter, h http.Header) { f.Trailer(h) },
	} {
		h := http.Header{"Set-Cookie": {"ad=1", "_pk.1=1"}, "Trailer:Set-Cookie": {"ad=1"}}
		config := filter.Config{Observe: func(*http.Request, filter.Event) { panic("observed") }}
		f := observing(t, plain, "", decided())
		r := httptest.NewRequest("GET", "/", nil)
		f.Init(&config, r, r, nil)
		assert.Panics(t, func() { edit(&f.Filter, h) }, what)
		if what == "a head" {
			assert.Equal(t, []string{"_pk.1=1"}, h["Set-Cookie"])
			assert.Equal(t, []string{"private"}, h["Cache-Control"])
		} else {
			assert.NotContains(t, h, "Trailer:Set-Cookie")
		}
	}
}
