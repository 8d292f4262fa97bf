package consent_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

// Each test belongs to one of the library's six promises, and its name says to
// which.

func TestNothingLeaksBeyondTheChoice(t *testing.T) {
	mw := middleware(t, nil)
	for name, test := range map[string]struct {
		choice consent.Choice
		want   []string
	}{
		"everything":      {consent.AcceptAll(), all},
		"nothing":         {consent.RefuseAll(), exempt},
		"the zero choice": {consent.Choice{}, exempt},
		"a category":      {consent.Accept(consent.Statistics), []string{"sessionid", "visits", "_pk_id.1", "plausible"}},
		"two categories":  {consent.Accept("comfort", consent.FirstParty), []string{"sessionid", "visits", "profile", "mood"}},
		"both that share": {consent.Accept(consent.FirstParty, consent.ThirdParty), []string{"sessionid", "visits", "profile", "ad_id", "shared"}},
		"a provider":      {consent.RefuseAll().WithProviders(consent.Statistics, "Matomo"), []string{"sessionid", "visits", "_pk_id.1"}},
		"its namesake":    {consent.RefuseAll().WithProviders(consent.Statistics, "Site"), []string{"sessionid", "visits"}},
		"an objection":    {consent.Accept(consent.Statistics).WithObjection(), []string{"sessionid", "_pk_id.1", "plausible"}},
		"necessary ones":  {consent.Accept(consent.Necessary), exempt},
		"all, and one":    {consent.AcceptAll().WithProviders(consent.Statistics, "Matomo"), all},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, passed(t, mw, decide(t, mw, test.choice)))
		})
	}
	assert.Equal(t, exempt, passed(t, mw, ""), "before any choice")
}

// A Choice never changes, whatever becomes of what it was made of or is made of it.
func TestNothingLeaksBetweenChoicesOfOneOrigin(t *testing.T) {
	mw := middleware(t, nil)
	categories := []consent.Category{consent.FirstParty}
	accepted := consent.Accept(categories...)
	categories[0] = consent.ThirdParty
	assert.Equal(t, []string{"sessionid", "visits", "profile"}, passed(t, mw, decide(t, mw, accepted)))

	// Three take room for four.
	three := consent.RefuseAll().WithProviders(consent.Statistics, "Matomo", "Plausible", "Site")
	first := three.WithProviders(consent.FirstParty, "Site")
	three.WithProviders(consent.ThirdParty, "AdCo")
	assert.Equal(t, []string{"sessionid", "visits", "_pk_id.1", "plausible", "profile"}, passed(t, mw, decide(t, mw, first)))
}

func TestNothingLeaksThroughALineThatBrowsersReadOtherwise(t *testing.T) {
	for line, passes := range map[string]bool{
		"profile=1":                        false,
		" \tprofile \t=1":                  false,
		"profile":                          false, // nameless in Chromium
		"sessionid":                        false,
		"=profile=1":                       false,
		"profile=1; Max-Age=0":             true,
		"profile=1; Max-Age=0; Max-Age=5":  false,
		"profile=1; Max-Age=0; Max-Age=x":  false,
		"profile=1; Max-Age=-1.5":          false,
		"nobody=1; Max-Age=0":              true,
		"profile=1; Expires=0":             false,
		"profile=1; Expires=01 Jan 1970":   false,
		"sessionid=1; Expires=Max-Age=0":   true,
		"sess\x01ionid=1":                  false,
		"sessionid=1; X=\x00":              false,
		"profil\xe9=1":                     false,
		"cookies_preferences=1":            true,
		"cookies_preferences":              false,
		"Sessionid=1":                      false,
		"":                                 false,
		"; profile=1":                      false,
		"_pk_id=1":                         false,
		"visits=\"a; profile=1\"; Path=/;": true,
	} {
		t.Run(fmt.Sprintf("%q", line), func(t *testing.T) {
			want := []string{"sessionid=2"}
			if passes {
				want = []string{line, "sessionid=2"}
			}
			assert.Equal(t, want, serve(t, middleware(t, nil), "", set(line, "sessionid=2")).Header["Set-Cookie"])
		})
	}
}

func TestNothingLeaksThroughAResponseThatIsDatedWrong(t *testing.T) {
	const past = "profile=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
	for date, want := range map[string][]string{
		"Fri, 01 Jan 1960 00:00:00 GMT": {"sessionid=1"}, // for a browser, the cookie has ten years
		"yesterday":                     {past + "; Max-Age=0", "sessionid=1"},
		"\xe9 " + time.Now().UTC().Format(http.TimeFormat): {past, "sessionid=1"},
		time.Now().UTC().Format(http.TimeFormat):           {past, "sessionid=1"},
		time.Now().UTC().Format(time.RFC1123Z):             {past, "sessionid=1"},
		"Fri, 01 Jan 2100 00:00:00 GMT":                    {past, "sessionid=1"},
	} {
		for _, key := range []string{"Date", "dATE"} {
			got := serve(t, middleware(t, nil), "", func(w http.ResponseWriter, _ *http.Request) {
				w.Header()[key] = []string{date}
				w.Header()["Set-Cookie"] = []string{past, "sessionid=1"}
			}).Header["Set-Cookie"]
			assert.Equal(t, want, got, "%s: %s", key, date)
		}
	}
}

func TestNothingLeaksUnderAnySpellingOfTheHeader(t *testing.T) {
	response := serve(t, middleware(t, nil), "", func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["set-cookie"] = []string{"profile=1"}
		w.Header()["SET-COOKIE"] = []string{"profile=2", "sessionid=1", "sessionid=2"}
		w.Header()["Set-Cookie"] = []string{"profile=3", "sessionid=3"}
	})
	assert.Equal(t, http.Header{"SET-COOKIE": {"sessionid=1", "sessionid=2"}, "Set-Cookie": {"sessionid=3"}, "Cache-Control": {"private"}}, response.Header)
}

func TestNothingLeaksFromASharedCache(t *testing.T) {
	mw := middleware(t, nil)
	yes := decide(t, mw, consent.AcceptAll())
	cacheable := func(line string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "public, max-age=60, s-maxage=600")
			w.Header().Set("CDN-Cache-Control", "max-age=600")
			w.Header().Set("Set-Cookie", line)
		}
	}
	no := decide(t, mw, consent.RefuseAll().WithObjection())
	for name, test := range map[string]struct{ decision, line string }{
		"a consented line":         {yes, "profile=1"},
		"one without an objection": {yes, "visits=1"},
		// A cache keeps a response with Set-Cookie out by default. Without its only line
		// the page of this visitor would be anybody's.
		"a refused line removed":    {no, "profile=1"},
		"an open line removed":      {"", "profile=1"},
		"an objected line removed":  {no, "visits=1"},
		"an undeclared one removed": {yes, "other=1"},
		"an unreadable one removed": {yes, "sess\x01ionid=1"},
	} {
		got := serve(t, mw, test.decision, cacheable(test.line))
		assert.Equal(t, "private, max-age=60", got.Header.Get("Cache-Control"), name)
		assert.Empty(t, got.Header.Get("CDN-Cache-Control"), name)
		got = serve(t, mw, test.decision, set(test.line))
		assert.Equal(t, "private", got.Header.Get("Cache-Control"), "%s, and no Cache-Control of its own", name)
	}
	for _, line := range []string{"sessionid=1", "profile=; Max-Age=0"} {
		other := serve(t, mw, yes, cacheable(line))
		assert.Equal(t, "public, max-age=60, s-maxage=600", other.Header.Get("Cache-Control"), line)
		assert.Equal(t, "max-age=600", other.Header.Get("CDN-Cache-Control"), line)
		assert.Empty(t, serve(t, mw, yes, set(line)).Header.Get("Cache-Control"), line)
	}
	reporting := middleware(t, reportOnly)
	assert.Equal(t, "public, max-age=60, s-maxage=600", serve(t, reporting, "", cacheable("profile=1")).Header.Get("Cache-Control"), "only reported")
}

func TestNothingLeaksFromASharedCacheOnAnyRoad(t *testing.T) {
	const public = "Cache-Control: public, max-age=60"
	for name, h := range map[string]http.HandlerFunc{
		"a head by hand": func(w http.ResponseWriter, r *http.Request) { byHand(t, headWith(public))(w, r) },
		"a trailer": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Cache-Control", "public, max-age=60")
			w.Header().Set("Trailer", "Set-Cookie")
			io.WriteString(w, "x")
			w.Header().Set("Set-Cookie", "profile=1")
		},
		"a trailer that nobody announced": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Cache-Control", "public, max-age=60")
			w.Header().Set(http.TrailerPrefix+"Set-Cookie", "profile=1")
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, rawGet(t, h, plainGet), public, "bare")
			raw := rawGet(t, wrapped(t, h), plainGet)
			assert.Contains(t, raw, "Cache-Control: private, max-age=60")
			assert.NotContains(t, raw, gone)
		})
	}
	early := rawGet(t, wrapped(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Set-Cookie", "profile=1")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Set-Cookie")
		w.WriteHeader(http.StatusOK)
	})), plainGet)
	assert.Contains(t, early, "103 Early Hints")
	assert.NotContains(t, early, "private", "no cache keeps an informational head")
}

func TestNothingLeaksFromASharedCacheUnderAnySpellingOfTheHeader(t *testing.T) {
	mw := middleware(t, nil)
	yes := decide(t, mw, consent.AcceptAll())
	for range 20 { // the order of a map must not matter
		response := serve(t, mw, yes, func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Cache-Control"] = []string{"public", "max-age=60"}
			w.Header()["cache-control"] = []string{"s-maxage=600, no-transform"}
			w.Header()["CACHE-CONTROL"] = []string{"public"}
			w.Header()["cdn-cache-control"] = []string{"max-age=600"}
			set("profile=1")(w, nil)
		})
		assert.Equal(t, []string{"profile"}, names(response))
		directives := strings.Split(response.Header.Get("Cache-Control"), ", ")
		assert.Equal(t, "private", directives[0])
		assert.ElementsMatch(t, []string{"private", "max-age=60", "no-transform"}, directives)
		assert.Len(t, response.Header, 2, "and no other spelling stays")
	}
}

func TestNothingIsLostOfWhatPasses(t *testing.T) {
	lines := []string{
		"sessionid=1; Path=/", "a=1", "sessionid=2 ;  weird", "b=", "visits=\"x\"", "c=; Max-Age=0", "profile=1",
		"sessionid=3", "sessionid=4", "sessionid=5", "sessionid=6", "d=; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "e=1",
	}
	given := slices.Clone(lines)
	response := serve(t, middleware(t, nil), "", func(w http.ResponseWriter, _ *http.Request) { w.Header()["Set-Cookie"] = lines })
	assert.Equal(t, []string{
		"sessionid=1; Path=/", "sessionid=2 ;  weird", "visits=\"x\"", "c=; Max-Age=0",
		"sessionid=3", "sessionid=4", "sessionid=5", "sessionid=6", "d=; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
	}, response.Header["Set-Cookie"])
	assert.Equal(t, given, lines, "a slice that the handler may share between requests is not written to")
}

// A slice may have room, which is not the response's own.
func TestNothingIsLostOfLinesThatRequestsShare(t *testing.T) {
	mw := middleware(t, nil)
	shared := append(make([]string, 0, 8), "sessionid=1", "sessionid=2")
	announced := []string{"X-Sum, Set-Cookie"}
	var group sync.WaitGroup // -race tells, too
	for _, test := range []struct {
		choice consent.Choice
		want   []string
	}{
		{consent.Accept(consent.FirstParty), []string{"sessionid", "visits", "profile"}},
		{consent.Accept("comfort"), []string{"sessionid", "visits", "mood"}},
	} {
		group.Go(func() {
			response := serve(t, mw, "", func(w http.ResponseWriter, r *http.Request) {
				w.Header()["Set-Cookie"], w.Header()["Trailer"] = shared, announced
				assert.NoError(t, mw.Save(w, r, test.choice))
			})
			assert.Equal(t, []string{"sessionid", "sessionid", consent.CookieName}, names(response))
			assert.Equal(t, test.want, passed(t, mw, sent(response)))
		})
	}
	group.Wait()
	assert.Equal(t, make([]string, 6), shared[2:8])
	assert.Equal(t, []string{"X-Sum, Set-Cookie"}, announced)
}

func TestNothingIsLostOfADeletionWhereAClockIsBehind(t *testing.T) {
	line := "profile=; Expires=" + time.Now().Add(-time.Minute).UTC().Format(http.TimeFormat)
	assert.Equal(t, []string{line + "; Max-Age=0"}, serve(t, middleware(t, nil), "", set(line)).Header["Set-Cookie"])
}

func TestNothingIsInventedFromAnInvalidDecision(t *testing.T) {
	mw := middleware(t, nil)
	yes := decide(t, mw, consent.AcceptAll())
	other := middleware(t, func(c *consent.Config) { c.Keys = [][]byte{bytes.Repeat([]byte("o"), 32)} })
	name, value, _ := strings.Cut(yes, "=")
	flipped := []byte(value)
	flipped[30] ^= 1
	codec := securecookie.New(key, nil).SetSerializer(securecookie.NopEncoder{})
	foreign, err := codec.Encode("other", []byte{1, 0, 0, 0})
	require.NoError(t, err)
	malformed, err := codec.Encode(consent.CookieName, []byte("junk"))
	require.NoError(t, err)
	unsigned := base64.URLEncoding.EncodeToString([]byte(fmt.Sprintf("%d|AQAAAA==|", time.Now().Unix())))
	for what, cookies := range map[string]string{
		"nothing":                  name + "=",
		"a changed bit":            name + "=" + string(flipped),
		"a signature cut short":    yes[:len(yes)-4],
		"a longer signature":       yes + "AAAA",
		"no signature":             name + "=" + unsigned,
		"another site's key":       decide(t, other, consent.AcceptAll()),
		"another cookie's value":   name + "=" + foreign,
		"junk under our signature": name + "=" + malformed,
		"another letter case":      strings.ToUpper(name) + "=" + value,
		"a longer name":            "x" + yes,
		"NUL bytes":                name + "=\x00" + value,
		"invalid UTF-8":            name + "=\xff\xfe" + value,
		"64 KB":                    name + "=" + strings.Repeat("A", 64<<10),
		"500 of them":              strings.Repeat(name+"="+unsigned+"; ", 500),
	} {
		t.Run(what, func(t *testing.T) {
			assert.Equal(t, exempt, passed(t, mw, cookies))
			serve(t, mw, cookies, func(_ http.ResponseWriter, r *http.Request) {
				prefs := consent.FromContext(r.Context())
				assert.False(t, prefs.Decided())
				assert.True(t, prefs.DecidedAt().IsZero())
			})
		})
	}
}

func TestNothingIsInventedOutsideOfWrap(t *testing.T) {
	for _, prefs := range []consent.Preferences{{}, consent.FromContext(t.Context())} {
		assert.True(t, prefs.Allows(consent.Necessary))
		assert.False(t, prefs.Allows(consent.Statistics))
		assert.False(t, prefs.AllowsProvider(consent.Necessary, "Site"))
		assert.False(t, prefs.Consented(consent.Statistics, "Matomo"))
		assert.False(t, prefs.HasObjected())
		assert.False(t, prefs.AllowsCookie("sessionid"))
		assert.True(t, prefs.AllowsCookie(consent.CookieName))
		assert.False(t, prefs.Decided())
		assert.True(t, prefs.DecidedAt().IsZero())
	}
}

func TestNothingIsInventedFromAnUnknownChoice(t *testing.T) {
	mw := middleware(t, nil)
	for want, choice := range map[*consent.ChoiceError]consent.Choice{
		{Category: "nonsense"}:                               consent.Accept(consent.Statistics, "nonsense"),
		{Category: consent.Statistics, Provider: "AdCo"}:     consent.AcceptAll().WithProviders(consent.Statistics, "AdCo"),
		{Category: "nonsense", Provider: "Site"}:             consent.RefuseAll().WithProviders("nonsense", "Site"),
		{Category: consent.FirstParty, Provider: "anything"}: consent.Accept(consent.FirstParty).WithProviders(consent.FirstParty, "anything"),
	} {
		response := serve(t, mw, "", func(w http.ResponseWriter, r *http.Request) {
			err := mw.Save(w, r, choice)
			var mistake *consent.ChoiceError
			require.ErrorAs(t, err, &mistake)
			assert.Equal(t, want, mistake)
			assert.Contains(t, err.Error(), string(want.Category))
			assert.Contains(t, err.Error(), want.Provider)
			assert.False(t, consent.FromContext(r.Context()).Decided())
			set("profile=1", "sessionid=1")(w, r)
		})
		assert.Equal(t, []string{"sessionid"}, names(response))
	}
	_, err := save(t, mw, "", consent.Accept("nonsense", "rubbish").WithProviders(consent.Statistics, "AdCo"))
	for _, each := range []string{"nonsense", "rubbish", "AdCo"} {
		assert.ErrorContains(t, err, each, "each mistake at once")
	}
	nothing := middleware(t, func(c *consent.Config) { c.Registry = consent.MustRegistry() })
	for _, category := range []consent.Category{consent.Necessary, consent.Statistics, consent.FirstParty, consent.ThirdParty} {
		assert.NotEmpty(t, decide(t, nothing, consent.Accept(category)), "a built-in category may be accepted where nothing is declared in it")
	}
}

func TestNothingIsInventedOnceADecisionHasExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mw := middleware(t, nil)
		yes := decide(t, mw, consent.AcceptAll())
		time.Sleep(180*24*time.Hour - time.Second)
		assert.Equal(t, all, passed(t, mw, yes))
		time.Sleep(2 * time.Second)
		assert.Equal(t, exempt, passed(t, mw, yes))
	})
	synctest.Test(t, func(t *testing.T) {
		mw := middleware(t, func(c *consent.Config) { c.Lifetime = time.Minute })
		yes := decide(t, mw, consent.AcceptAll())
		time.Sleep(59 * time.Second)
		assert.Equal(t, all, passed(t, mw, yes))
		time.Sleep(2 * time.Second)
		assert.Equal(t, exempt, passed(t, mw, yes))
	})
}

func TestNothingIsInventedFromTheFuture(t *testing.T) {
	// Each bubble's clock begins at the same moment.
	from := func(ahead time.Duration) (decision string) {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(ahead)
			decision = decide(t, middleware(t, nil), consent.AcceptAll())
		})
		return decision
	}
	near, far := from(time.Minute), from(time.Hour)
	synctest.Test(t, func(t *testing.T) {
		assert.Equal(t, all, passed(t, middleware(t, nil), near), "the clocks of a site's servers differ a little")
		assert.Equal(t, exempt, passed(t, middleware(t, nil), far))
	})
}

func TestNothingIsForgottenThatStillHolds(t *testing.T) {
	declared := site()
	without := func(i int) []consent.Cookie { return slices.Delete(site(), i, i+1) }
	with := func(c consent.Cookie) []consent.Cookie { c.Purpose = text("New."); return append(site(), c) }
	reworded := site()
	for i := range reworded {
		reworded[i].Purpose = consent.Text{language.German: "Anders gesagt."}
	}
	for what, test := range map[string]struct {
		now      []consent.Cookie
		revision uint64
		decided  bool
		want     []string
	}{
		"nothing changes":               {declared, 3, true, all},
		"a text is reworded":            {reworded, 3, true, all},
		"a provider leaves":             {without(3), 3, true, []string{"sessionid", "visits", "_pk_id.1", "profile", "ad_id", "mood", "shared"}},
		"a provider joins":              {with(consent.Cookie{Provider: "New", Name: "new", Category: consent.Statistics}), 3, false, []string{"sessionid", "visits", "profile", "ad_id", "mood", "shared"}},
		"a provider adds a cookie":      {with(consent.Cookie{Provider: "Matomo", Name: "new", Category: consent.Statistics}), 3, true, all},
		"a provider enters a category":  {with(consent.Cookie{Provider: "Matomo", Name: "new", Category: consent.ThirdParty}), 3, false, []string{"sessionid", "visits", "_pk_id.1", "plausible", "profile", "mood"}},
		"a category appears":            {with(consent.Cookie{Provider: "New", Name: "new", Category: "chat"}), 3, false, all},
		"an exempt cookie joins":        {with(consent.Cookie{Provider: "New", Name: "new", Category: consent.Necessary}), 3, true, all},
		"the revision is raised":        {declared, 4, false, exempt},
		"the revision is lowered again": {declared, 2, true, all},
	} {
		t.Run(what, func(t *testing.T) {
			yes := decide(t, middleware(t, func(c *consent.Config) { c.Revision = 3 }), consent.AcceptAll())
			mw := middleware(t, func(c *consent.Config) {
				c.Registry = consent.MustRegistry(test.now...)
				c.Revision = test.revision
			})
			assert.Equal(t, test.want, passed(t, mw, yes))
			serve(t, mw, yes, func(_ http.ResponseWriter, r *http.Request) {
				assert.Equal(t, test.decided, consent.FromContext(r.Context()).Decided())
				assert.WithinDuration(t, time.Now(), consent.FromContext(r.Context()).DecidedAt(), time.Minute)
			})
		})
	}
}

func TestNothingIsForgottenOfAnObjection(t *testing.T) {
	no := decide(t, middleware(t, nil), consent.RefuseAll().WithObjection())
	raised := middleware(t, func(c *consent.Config) { c.Revision = 1 })
	assert.Equal(t, []string{"sessionid"}, passed(t, raised, no))
}

func TestNothingIsForgottenWhenKeysAreRotated(t *testing.T) {
	newKey := bytes.Repeat([]byte("n"), 32)
	yes := decide(t, middleware(t, nil), consent.AcceptAll())
	rotated := middleware(t, func(c *consent.Config) { c.Keys = [][]byte{newKey, key} })
	assert.Equal(t, all, passed(t, rotated, yes))
	fresh := decide(t, rotated, consent.AcceptAll())
	assert.Equal(t, all, passed(t, middleware(t, func(c *consent.Config) { c.Keys = [][]byte{newKey} }), fresh), "the first key signs")
	assert.Equal(t, exempt, passed(t, middleware(t, nil), fresh))
}

func TestNothingIsForgottenAmongSeveralDecisions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mw := middleware(t, nil)
		old := decide(t, mw, consent.AcceptAll())
		time.Sleep(5 * time.Millisecond) // in the same second, which is all that the signature tells
		newer := decide(t, mw, consent.Accept(consent.FirstParty))
		want := []string{"sessionid", "visits", "profile"}
		assert.Equal(t, want, passed(t, mw, old+"; "+newer))
		assert.Equal(t, want, passed(t, mw, newer+"; "+old))
		planted := consent.CookieName + "=" + base64.URLEncoding.EncodeToString([]byte(fmt.Sprintf("%d|AQAAAA==|x", time.Now().Unix()+1)))
		assert.Equal(t, want, passed(t, mw, planted+"; "+strings.Repeat(old+"; ", 200)+newer+"; "+planted))
		time.Sleep(time.Hour)
		latest := decide(t, mw, consent.RefuseAll())
		assert.Equal(t, exempt, passed(t, mw, old+"; "+latest+"; "+newer))
	})
}

func TestNothingIsForgottenForPlantedOnes(t *testing.T) {
	mw := middleware(t, nil)
	no := decide(t, mw, consent.RefuseAll().WithObjection())
	var planted strings.Builder
	for i := range 300 {
		date := time.Now().Add(time.Hour + time.Duration(i)*time.Second).Unix()
		fmt.Fprintf(&planted, "%s=%s; ", consent.CookieName, base64.URLEncoding.EncodeToString(fmt.Appendf(nil, "%d|AQAAAA==|x", date)))
	}
	assert.Equal(t, []string{"sessionid"}, passed(t, mw, planted.String()+no), "claims from the future push no decision aside")
}

func TestNothingIsForgottenWithinTheResponse(t *testing.T) {
	mw := middleware(t, nil)
	response := serve(t, mw, decide(t, mw, consent.Accept(consent.ThirdParty)), func(w http.ResponseWriter, r *http.Request) {
		prefs := consent.FromContext(r.Context())
		w.Header().Add("Set-Cookie", "profile=1")
		assert.True(t, prefs.Allows(consent.ThirdParty))
		assert.NoError(t, mw.Save(w, r, consent.Accept(consent.Statistics)))
		assert.NoError(t, mw.Save(w, r, consent.Accept(consent.FirstParty)))
		w.Header().Add("Set-Cookie", "profile=2")
		w.Header().Add("Set-Cookie", "ad_id=2")
		assert.True(t, prefs.Allows(consent.FirstParty))
		assert.False(t, prefs.Allows(consent.ThirdParty), "a choice replaces the one before it")
		assert.True(t, prefs.Decided())
	})
	assert.Equal(t, []string{"profile", "profile", consent.CookieName}, names(response))
	assert.Equal(t, "private", response.Header.Get("Cache-Control"))
}

// Many sites delete each cookie of a request when somebody signs out.
func TestNothingIsForgottenWhenAHandlerDeletesEveryCookie(t *testing.T) {
	var events []consent.Event
	mw := middleware(t, func(c *consent.Config) {
		c.Observe = func(_ *http.Request, e consent.Event) { events = append(events, e) }
	})
	yes := decide(t, mw, consent.AcceptAll())
	recent := time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)
	for _, deletion := range []string{
		"cookies_preferences=; Path=/; Max-Age=0",
		"cookies_preferences=; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
		"cookies_preferences=; Expires=" + recent,
		"cookies_preferences; Max-Age=0", // of that name in Firefox
	} {
		events = nil
		response := serve(t, mw, yes, set("sessionid=; Path=/; Max-Age=0", deletion))
		assert.Equal(t, []string{"sessionid=; Path=/; Max-Age=0"}, response.Header["Set-Cookie"])
		require.Len(t, events, 1, deletion)
		assert.Equal(t, consent.OutcomeRemoved, events[0].Outcome)
		assert.Equal(t, consent.ReasonOwnCookie, events[0].Reason)
	}
	response := serve(t, mw, yes, func(w http.ResponseWriter, r *http.Request) {
		set("cookies_preferences=; Max-Age=0")(w, r)
		assert.NoError(t, mw.Save(w, r, consent.RefuseAll()))
	})
	assert.NotEmpty(t, sent(response), "a new decision goes out all the same")
}

func TestNothingIsForgottenWhereNothingIsAsked(t *testing.T) {
	mw := middleware(t, func(c *consent.Config) { c.Registry = consent.MustRegistry(site()[:2]...) })
	serve(t, mw, "", func(_ http.ResponseWriter, r *http.Request) {
		assert.True(t, consent.FromContext(r.Context()).Decided())
	})
}

func TestRefusingExpiresWhatTheBrowserStillHas(t *testing.T) {
	mw := middleware(t, func(c *consent.Config) { c.Insecure = true })
	yes := decide(t, mw, consent.AcceptAll())
	cookies := "sessionid=1; visits=1; _pk_id.1.1fff=1; _pk_id.2=1; profile=1; profile=2; ad_id=1; nobody=1; " + yes
	response := serve(t, mw, cookies, func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, mw.Save(w, r, consent.RefuseAll().WithProviders(consent.FirstParty, "Site")))
	})
	const gone = "; Max-Age=0"
	lines := response.Header["Set-Cookie"]
	require.NotEmpty(t, lines)
	assert.True(t, strings.HasPrefix(lines[0], consent.CookieName+"="))
	assert.Equal(t, []string{
		"_pk_id.1.1fff=; Path=/" + gone,
		"_pk_id.1.1fff=; Path=/" + gone + "; Domain=example.com",
		"_pk_id.1.1fff=; Path=/" + gone + "; Domain=www.example.com",
		"_pk_id.2=; Path=/" + gone,
		"_pk_id.2=; Path=/" + gone + "; Domain=example.com",
		"_pk_id.2=; Path=/" + gone + "; Domain=www.example.com",
		"ad_id=; Path=/" + gone + "; Domain=example.com",
	}, lines[1:])

	several := serve(t, mw, "shared=1", func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, mw.Save(w, r, consent.RefuseAll()))
	})
	assert.Equal(t, []string{
		"shared=; Path=/" + gone,
		"shared=; Path=/" + gone + "; Domain=example.com",
		"shared=; Path=/" + gone + "; Domain=www.example.com",
	}, several.Header["Set-Cookie"][1:], "once, of the several who declare it")

	objected := serve(t, mw, "visits=1; "+yes, func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, mw.Save(w, r, consent.AcceptAll().WithObjection()))
	})
	assert.Contains(t, objected.Header["Set-Cookie"], "visits=; Path=/"+gone)
}

func TestRefusingIsBoundedOnHostileRequests(t *testing.T) {
	mw := middleware(t, nil)
	var cookies strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&cookies, "_pk_id.%d=1; ", i)
	}
	for _, c := range []string{cookies.String(), strings.Repeat(";=\x00\xff", 16<<10), "profile\r\nX: y=1", strings.Repeat("profile", 10_000) + "=1"} {
		response := serve(t, mw, c, func(w http.ResponseWriter, r *http.Request) {
			assert.NoError(t, mw.Save(w, r, consent.RefuseAll()))
		})
		assert.NotEmpty(t, sent(response))
		size := 0
		for _, line := range response.Header["Set-Cookie"][1:] {
			assert.NotContains(t, line, "\r")
			size += len("Set-Cookie: \r\n") + len(line)
		}
		assert.LessOrEqual(t, size, 2<<10, "beside the decision's own line")
	}
}

func TestRefusingFailsCleanlyWhereItComesTooLate(t *testing.T) {
	mw := middleware(t, nil)
	other := middleware(t, nil)
	for _, send := range []func(http.ResponseWriter){
		func(w http.ResponseWriter) { w.WriteHeader(204) },
		func(w http.ResponseWriter) { io.WriteString(w, "x") },
		func(w http.ResponseWriter) { w.(http.Flusher).Flush() },
	} {
		response := serve(t, mw, "profile=1", func(w http.ResponseWriter, r *http.Request) {
			set("profile=1", "sessionid=1")(w, r)
			send(w)
			assert.ErrorIs(t, mw.Save(w, r, consent.AcceptAll()), consent.ErrTooLate)
			assert.False(t, consent.FromContext(r.Context()).Decided())
			assert.ErrorIs(t, other.Save(w, r, consent.AcceptAll()), consent.ErrOutside)
		})
		assert.Equal(t, []string{"sessionid"}, names(response))
	}
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil)
	assert.ErrorIs(t, mw.Save(w, r, consent.RefuseAll()), consent.ErrOutside)
	assert.Empty(t, w.Header())
}

func TestRefusingWorksThroughSeveralMiddlewares(t *testing.T) {
	inner, outer := middleware(t, nil), middleware(t, nil)
	response := serve(t, outer, "", func(w http.ResponseWriter, r *http.Request) {
		through(t, inner, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.NoError(t, outer.Save(w, r, consent.RefuseAll()))
			assert.False(t, consent.FromContext(r.Context()).Decided(), "the context answers for the innermost")
			assert.NoError(t, inner.Save(w, r, consent.RefuseAll()))
			assert.True(t, consent.FromContext(r.Context()).Decided())
		})).ServeHTTP(w, r)
	})
	assert.Equal(t, []string{consent.CookieName, consent.CookieName}, names(response))
}

func TestRefusingWorksThroughTheSameMiddlewareTwice(t *testing.T) {
	mw := middleware(t, nil)
	response := serve(t, mw, "", func(w http.ResponseWriter, r *http.Request) {
		through(t, mw, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.NoError(t, mw.Save(w, r, consent.Accept(consent.FirstParty)))
			set("profile=1", "ad_id=1")(w, r)
		})).ServeHTTP(w, r)
		assert.True(t, consent.FromContext(r.Context()).Allows(consent.FirstParty), "the outer one goes by it too")
	})
	assert.Equal(t, []string{"profile", consent.CookieName}, names(response))
}

func TestNothingIsForgottenForWantOfAnAttribute(t *testing.T) {
	for want, change := range map[string]func(*consent.Config){
		"; Path=/; Max-Age=15552000; Secure; SameSite=Lax":                     nil,
		"; Path=/; Max-Age=15552000; SameSite=Lax":                             func(c *consent.Config) { c.Insecure = true },
		"; Path=/; Max-Age=15552000; HttpOnly; Secure; SameSite=Lax":           func(c *consent.Config) { c.HttpOnly = true },
		"; Path=/; Domain=example.com; Max-Age=15552000; Secure; SameSite=Lax": func(c *consent.Config) { c.Domain = ".example.com" },
		"; Path=/; Max-Age=90; Secure; SameSite=Lax":                           func(c *consent.Config) { c.Lifetime = 90*time.Second + 5 },
	} {
		mw := middleware(t, change)
		line := serve(t, mw, "", func(w http.ResponseWriter, r *http.Request) {
			assert.NoError(t, mw.Save(w, r, consent.RefuseAll()))
		}).Header.Get("Set-Cookie")
		_, attributes, _ := strings.Cut(line, ";")
		assert.Equal(t, want, ";"+attributes)
	}
}

func TestNothingIsForgottenSinceTheCookieStaysSmall(t *testing.T) {
	providers := func(n, categories int) (*consent.Middleware, error) {
		var cookies []consent.Cookie
		for i := range n {
			cookies = append(cookies, consent.Cookie{
				Provider: fmt.Sprintf("Provider %d", i), Name: fmt.Sprintf("c%d", i), Purpose: text("x"),
				Category: consent.Category(fmt.Sprintf("category-%d-%s", i%categories, strings.Repeat("x", 50))),
			})
		}
		return consent.NewMiddleware(consent.Config{Registry: consent.MustRegistry(cookies...), Keys: [][]byte{key}})
	}
	mw, err := providers(100, 10)
	require.NoError(t, err)
	for _, choice := range []consent.Choice{consent.AcceptAll(), consent.RefuseAll()} {
		line := serve(t, mw, "", func(w http.ResponseWriter, r *http.Request) {
			assert.NoError(t, mw.Save(w, r, choice))
		}).Header.Get("Set-Cookie")
		assert.Less(t, len(line), 1024)
	}
	full, err := providers(550, 3)
	require.NoError(t, err)
	assert.NotEmpty(t, decide(t, full, consent.AcceptAll()))
	_, err = providers(1000, 3)
	var mistake *consent.FieldError
	require.ErrorAs(t, err, &mistake, "what fits into no cookie is said at the start, not to a visitor")
	assert.Equal(t, "Registry", mistake.Field)
	assert.ErrorContains(t, err, "1000 providers")

	// The most that a site without records may have is too much for one with them,
	// whose cookie holds a reference as well.
	declare := func(n int, recorder consent.Recorder) error {
		var cookies []consent.Cookie
		for i := range n {
			name := fmt.Sprint("c", i)
			cookies = append(cookies, consent.Cookie{Provider: name, Name: name, Purpose: text("x"), Category: consent.ThirdParty})
		}
		_, err := consent.NewMiddleware(consent.Config{Registry: consent.MustRegistry(cookies...), Keys: [][]byte{key}, Recorder: recorder})
		return err
	}
	most := sort.Search(1000, func(n int) bool { return declare(n, nil) != nil }) - 1
	require.Greater(t, most, 500)
	assert.NoError(t, declare(most, nil))
	assert.Error(t, declare(most, new(ledger)))
}

func TestNothingIsInventedInWhatPreferencesAnswer(t *testing.T) {
	mw := middleware(t, nil)
	ask := func(choice consent.Choice, check func(consent.Preferences)) {
		t.Helper()
		serve(t, mw, decide(t, mw, choice), func(_ http.ResponseWriter, r *http.Request) { check(consent.FromContext(r.Context())) })
	}
	ask(consent.RefuseAll().WithProviders(consent.Statistics, "Matomo"), func(prefs consent.Preferences) {
		assert.False(t, prefs.Allows(consent.Statistics))
		assert.True(t, prefs.AllowsProvider(consent.Statistics, "Matomo"))
		assert.False(t, prefs.AllowsProvider(consent.Statistics, "Plausible"))
		assert.True(t, prefs.AllowsProvider(consent.Statistics, "Site"), "its statistics are anonymous")
		assert.False(t, prefs.AllowsProvider(consent.Statistics, "Nobody"))
		assert.True(t, prefs.Consented(consent.Statistics, "Matomo"))
		assert.False(t, prefs.Consented(consent.Statistics, "Plausible"))
		assert.False(t, prefs.Consented(consent.Statistics, "Site"), "nothing is asked for it")
		assert.True(t, prefs.AllowsCookie("_pk_id.1.1fff"))
		assert.False(t, prefs.AllowsCookie("nobody"))
		assert.True(t, prefs.AllowsCookie(consent.CookieName))
		assert.True(t, prefs.Decided())
		assert.False(t, prefs.HasObjected())
	})
	ask(consent.Accept(consent.Statistics), func(prefs consent.Preferences) {
		assert.True(t, prefs.Allows(consent.Statistics))
		assert.True(t, prefs.Allows(consent.Necessary))
		assert.False(t, prefs.Allows("comfort"))
		assert.False(t, prefs.Allows("undeclared"))
	})
	nothing := middleware(t, func(c *consent.Config) { c.Registry = consent.MustRegistry() })
	serve(t, nothing, "", func(_ http.ResponseWriter, r *http.Request) {
		assert.True(t, consent.FromContext(r.Context()).Allows(consent.Necessary), "even if nothing is declared")
	})
	lenient := middleware(t, func(c *consent.Config) { c.AllowUndeclared = true })
	serve(t, lenient, "", func(_ http.ResponseWriter, r *http.Request) {
		assert.True(t, consent.FromContext(r.Context()).AllowsCookie("nobody"))
		assert.False(t, consent.FromContext(r.Context()).AllowsCookie("profile"))
	})
	ask(consent.AcceptAll().WithObjection(), func(prefs consent.Preferences) {
		assert.True(t, prefs.HasObjected())
		assert.False(t, prefs.Allows(consent.Statistics), "the anonymous ones are objected to")
		assert.False(t, prefs.AllowsCookie("visits"))
		assert.True(t, prefs.Allows(consent.ThirdParty))
	})
}

func TestNothingElseChangesUnderConcurrentUse(t *testing.T) {
	mw := middleware(t, nil)
	response := serve(t, mw, decide(t, mw, consent.AcceptAll()), func(w http.ResponseWriter, r *http.Request) {
		var group sync.WaitGroup
		for range 20 {
			group.Go(func() {
				prefs := consent.FromContext(r.Context())
				prefs.Allows(consent.Statistics)
				prefs.AllowsCookie("visits")
				prefs.Decided()
				assert.NoError(t, mw.Save(w, r, consent.Accept(consent.FirstParty)))
			})
		}
		group.Wait()
		set("profile=1", "ad_id=1")(w, r)
	})
	assert.Equal(t, []string{"profile", consent.CookieName}, names(response))
}

func TestNothingIsLostUnobserved(t *testing.T) {
	var events []consent.Event
	config := func(c *consent.Config) {
		c.Observe = func(r *http.Request, e consent.Event) {
			assert.Equal(t, "/", r.URL.Path)
			assert.False(t, e.ReportOnly)
			e.Attributes = consent.Attributes{}
			events = append(events, e)
		}
	}
	mw := middleware(t, config)
	serve(t, mw, "", set("profile=1", "nobody=1", "\x01=1", "sessionid=1", "bare", "profile=; Max-Age=0"))
	assert.Equal(t, []consent.Event{
		{Cookie: "profile", Outcome: consent.OutcomeRemoved, Reason: consent.ReasonUndecided},
		{Cookie: "nobody", Outcome: consent.OutcomeRemoved, Reason: consent.ReasonUndeclared},
		{Cookie: "", Outcome: consent.OutcomeRemoved, Reason: consent.ReasonUnreadable},
		{Cookie: "", Outcome: consent.OutcomeRemoved, Reason: consent.ReasonUndeclared},
	}, events)

	events = nil
	serve(t, mw, "profile=1; sessionid=1", func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, mw.Save(w, r, consent.RefuseAll().WithObjection()))
		set("visits=1", "profile=1")(w, r)
	})
	assert.Equal(t, []consent.Event{
		{Cookie: "profile", Outcome: consent.OutcomeExpired, Reason: consent.ReasonRefused},
		{Cookie: "visits", Outcome: consent.OutcomeRemoved, Reason: consent.ReasonObjected},
		{Cookie: "profile", Outcome: consent.OutcomeRemoved, Reason: consent.ReasonRefused},
	}, events)

	events = nil
	lenient := middleware(t, func(c *consent.Config) { config(c); c.AllowUndeclared = true })
	response := serve(t, lenient, "", func(w http.ResponseWriter, r *http.Request) {
		set("nobody=1", "profile=1")(w, r)
		io.WriteString(w, "told once, ")
		io.WriteString(w, "however often the head is judged")
	})
	assert.Equal(t, []string{"nobody"}, names(response))
	assert.Equal(t, []consent.Event{
		{Cookie: "nobody", Outcome: consent.OutcomePassed, Reason: consent.ReasonUndeclared},
		{Cookie: "profile", Outcome: consent.OutcomeRemoved, Reason: consent.ReasonUndecided},
	}, events)
}

func TestNothingIsInventedInPlaceOfAMistakenConfig(t *testing.T) {
	_, err := consent.NewMiddleware(consent.Config{Keys: [][]byte{key, []byte("short")}, Lifetime: -1, Domain: "http://x"})
	assert.Equal(t, []string{"Registry", "Keys[1]", "Lifetime", "Domain"}, fields(err))
	_, err = consent.NewMiddleware(consent.Config{Registry: consent.MustRegistry(), Keys: [][]byte{make([]byte, 32)}, Recorder: (*ledger)(nil)})
	assert.Equal(t, []string{"Keys[0]", "Recorder"}, fields(err), "a key that nobody has filled, a ledger that nobody has opened")
	_, err = consent.NewMiddleware(consent.Config{Registry: consent.MustRegistry(), Keys: [][]byte{append(make([]byte, 31), 1), key[:31]}})
	assert.Equal(t, []string{"Keys[1]"}, fields(err), "a random key may hold a zero, and has 32 bytes")
	_, err = consent.NewMiddleware(consent.Config{Registry: consent.MustRegistry(), Lifetime: time.Millisecond})
	assert.Equal(t, []string{"Keys", "Lifetime"}, fields(err))
	for _, domain := range []string{"under_score.org", "-a.org", "a-.org", "1.2", "123", "127.0.0.1", "a..b", "http://a.org", "a.org:80"} {
		_, err = consent.NewMiddleware(consent.Config{Registry: consent.MustRegistry(), Keys: [][]byte{key}, Domain: domain, Lifetime: -1})
		assert.Equal(t, []string{"Lifetime", "Domain"}, fields(err), domain)
	}
}

// fields returns the fields of every FieldError in err.
func fields(err error) []string {
	var names []string
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			var mistake *consent.FieldError
			if errors.As(e, &mistake) {
				names = append(names, mistake.Field)
			}
		}
	}
	return names
}
