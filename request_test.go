package consent_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
)

func TestNothingLeaksToHandlersBelowWhereItIsHidden(t *testing.T) {
	hide := func(c *consent.Config) { c.HideRefused = true }
	mw := middleware(t, hide)
	partly := decide(t, mw, consent.RefuseAll().WithProviders(consent.FirstParty, "Site"))
	for name, test := range map[string]struct{ cookies, want string }{
		"before any choice": {"sessionid=1; profile=1;  nobody=\"x\";_pk_id.2=3; visits=1", "sessionid=1;  nobody=\"x\"; visits=1"},
		"by the choice":     {"profile=1; ad_id=1; " + partly, "profile=1; " + partly},
		"nothing to hide":   {"sessionid=1;;x", "sessionid=1;;x"},
		"all of it":         {"profile=1", ""},
		"none at all":       {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			outside := httptest.NewRequest("GET", "/", nil)
			if test.cookies != "" {
				outside.Header.Set("Cookie", test.cookies)
			}
			mw.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				assert.Equal(t, test.want, r.Header.Get("Cookie"))
				_, has := r.Header["Cookie"]
				assert.Equal(t, test.want != "", has)
			})).ServeHTTP(httptest.NewRecorder(), outside)
			assert.Equal(t, test.cookies, outside.Header.Get("Cookie"), "the request outside stays as it is")
		})
	}
	saved := serve(mw, "profile=1", func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, mw.Save(w, r, consent.RefuseAll()))
	})
	assert.Contains(t, saved.Header["Set-Cookie"], "profile=; Path=/; Max-Age=0", "what is hidden is expired all the same")
	reported := middleware(t, func(c *consent.Config) { c.HideRefused, c.ReportOnly = true, true })
	serve(reported, "profile=1", func(_ http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "profile=1", r.Header.Get("Cookie"))
	})
}

func TestRefusingCleansUpWhatWasSetBefore(t *testing.T) {
	mw := middleware(t, nil)
	expire := func(w http.ResponseWriter, r *http.Request) { assert.NoError(t, mw.ExpireRefused(w, r)) }
	before := serve(mw, "profile=1; sessionid=1; visits=1; nobody=1", expire)
	assert.Equal(t, []string{"profile=; Path=/; Max-Age=0", "profile=; Path=/; Max-Age=0; Domain=example.com", "profile=; Path=/; Max-Age=0; Domain=www.example.com"},
		before.Header["Set-Cookie"])
	assert.Equal(t, "private", before.Header.Get("Cache-Control"), "whoever consents keeps theirs")
	yes := decide(t, mw, consent.AcceptAll())
	assert.Empty(t, serve(mw, "profile=1; "+yes, expire).Header["Set-Cookie"])
	assert.Empty(t, serve(mw, "", expire).Header)

	serve(mw, "profile=1", func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		assert.ErrorIs(t, mw.ExpireRefused(w, r), consent.ErrTooLate)
	})
	assert.ErrorIs(t, mw.ExpireRefused(nil, httptest.NewRequest("GET", "/", nil)), consent.ErrOutside)
	reported := middleware(t, reportOnly)
	assert.Empty(t, serve(reported, "profile=1", func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, reported.ExpireRefused(w, r))
	}).Header)
}

func TestNothingLeaksToOriginsThatAreNotAllowed(t *testing.T) {
	declared := append(site(),
		consent.Cookie{Provider: "Video", Name: "v", Purpose: text("x"), Category: consent.ThirdParty, Origins: []string{"https://*.video.example", "wss://live.video.example:8443"}},
		consent.Cookie{Provider: "Video", Name: "v2", Purpose: text("x"), Category: consent.ThirdParty, Origins: []string{"https://*.video.example"}},
		consent.Cookie{Provider: "CDN", Name: "cdn", Purpose: text("x"), Category: consent.Necessary, Origins: []string{"https://cdn.example"}},
		consent.Cookie{Provider: "Count", Name: "count", Purpose: text("x"), Category: consent.Statistics, Anonymous: true, Origins: []string{"http://127.0.0.1:8081"}},
	)
	mw := middleware(t, func(c *consent.Config) { c.Registry = consent.MustRegistry(declared...) })
	for _, test := range []struct {
		cookies string
		want    []string
	}{
		{"", []string{"http://127.0.0.1:8081", "https://cdn.example"}},
		{decide(t, mw, consent.AcceptAll()), []string{"http://127.0.0.1:8081", "https://*.video.example", "https://cdn.example", "wss://live.video.example:8443"}},
		{decide(t, mw, consent.RefuseAll().WithObjection()), []string{"https://cdn.example"}},
	} {
		serve(mw, test.cookies, func(_ http.ResponseWriter, r *http.Request) {
			assert.Equal(t, test.want, consent.FromContext(r.Context()).Origins())
		})
	}
	assert.Nil(t, consent.Preferences{}.Origins())

	for _, origin := range []string{"", "video.example", "https://", "https://video.example/", "https://a b", "https://a;script-src *", "https://a'", "javascript://x", "https://*", "*", "https://a.*.b", "https://a:", "https://a:x", "https://u@a", "https://.a", "https://a?b", "https://a:65536", "https://a:+1", "https://*.127.0.0.1"} {
		_, err := consent.NewRegistry(consent.Cookie{Provider: "P", Name: "n", Purpose: text("x"), Category: consent.ThirdParty, Origins: []string{"https://ok.example", origin}})
		assert.Equal(t, []string{"Origins[1]"}, fields(err), origin)
	}
}

func TestNothingLeaksWhereAnAllowedAndARefusedCookieShareAnOrigin(t *testing.T) {
	for name, test := range map[string]struct {
		asked, allowed string // of the cookie that needs consent, and of the one that needs none
		shared         bool
	}{
		"the same":                        {"https://suite.example", "https://suite.example", true},
		"in other letters":                {"https://Suite.example", "https://suite.Example", true},
		"of another scheme":               {"https://suite.example", "http://suite.example", true},
		"with its default port":           {"https://suite.example:443", "https://suite.example", true},
		"one of all that are allowed":     {"https://ads.suite.example", "https://*.suite.example", true},
		"all, of which one is allowed":    {"https://*.suite.example:8443", "https://cdn.suite.example:8443", true},
		"all of one of all":               {"https://*.ads.suite.example", "https://*.suite.example", true},
		"another host":                    {"https://ads.suite.example", "https://cdn.suite.example", false},
		"another port":                    {"https://suite.example:8443", "https://suite.example", false},
		"the host above all the others":   {"https://*.suite.example", "https://suite.example", false},
		"a host that ends like another":   {"https://*.suite.example", "https://mysuite.example", false},
		"a host that holds the other one": {"https://suite.example", "https://suite.example.org", false},
	} {
		t.Run(name, func(t *testing.T) {
			mw := middleware(t, func(c *consent.Config) {
				c.Registry = consent.MustRegistry(
					consent.Cookie{Provider: "Suite", Name: "basket", Purpose: text("x"), Category: consent.Necessary, Origins: []string{test.allowed}},
					consent.Cookie{Provider: "Suite", Name: "ad", Purpose: text("x"), Category: consent.ThirdParty, Origins: []string{test.asked}},
				)
			})
			both := []string{test.allowed, test.asked}
			slices.Sort(both)
			without := []string{test.allowed}
			if test.shared {
				without = nil
			}
			for _, step := range []struct {
				cookies string
				want    []string
			}{
				{"", without},
				{decide(t, mw, consent.RefuseAll()), without},
				{decide(t, mw, consent.AcceptAll()), slices.Compact(both)},
			} {
				serve(mw, step.cookies, func(_ http.ResponseWriter, r *http.Request) {
					assert.Equal(t, step.want, consent.FromContext(r.Context()).Origins())
				})
			}
		})
	}
}

func TestNothingIsForgottenOfOptOutWithinTheResponse(t *testing.T) {
	l := &ledger{}
	american := func(c *consent.Config) {
		c.OptOut, c.Recorder = func(*http.Request) bool { return true }, l
	}
	before := middleware(t, func(c *consent.Config) { american(c); c.Registry = consent.MustRegistry(site()[:3]...) })
	_, err := save(t, before, "", consent.AcceptAll())
	require.NoError(t, err)
	mw := middleware(t, american)
	response := serve(mw, "", func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, mw.Restore(w, r, l.kept[0]))
		prefs := consent.FromContext(r.Context())
		assert.True(t, prefs.OptOut() && prefs.Presumed(consent.FirstParty))
		set("profile=1")(w, r)
	})
	assert.Equal(t, "profile=1", response.Header["Set-Cookie"][0])
	serve(mw, "", func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, mw.Save(w, r, consent.RefuseAll()))
		prefs := consent.FromContext(r.Context())
		assert.True(t, prefs.OptOut() && prefs.Decided())
		assert.False(t, prefs.Allows(consent.FirstParty))
	})
}

func TestNothingIsInventedByOptOut(t *testing.T) {
	american := func(c *consent.Config) {
		c.OptOut = func(r *http.Request) bool {
			assert.False(t, consent.FromContext(r.Context()).Decided(), "the function knows nothing of the visitor")
			return r.Header.Get("Country") == "US"
		}
	}
	mw := middleware(t, american)
	ask := func(cookies string, headers ...string) (names []string, prefs consent.Preferences, response *http.Response) {
		r := httptest.NewRequest("GET", "https://www.example.com/", nil)
		r.Header.Set("Cookie", cookies)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Add(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			prefs = consent.FromContext(r.Context())
			set("sessionid=1", "profile=1", "ad_id=1", "mood=1", "other=1")(w, r)
		})).ServeHTTP(w, r)
		for _, c := range w.Result().Cookies() {
			names = append(names, c.Name)
		}
		return names, prefs, w.Result()
	}
	all, strict, gpc := []string{"sessionid", "profile", "ad_id", "mood"}, []string{"sessionid"}, []string{"sessionid", "profile", "mood"}
	no, yes := decide(t, mw, consent.RefuseAll()), decide(t, mw, consent.AcceptAll())

	names, prefs, response := ask("", "Country", "US")
	assert.Equal(t, all, names)
	assert.Equal(t, "private", response.Header.Get("Cache-Control"))
	assert.True(t, prefs.OptOut() && prefs.Allows(consent.ThirdParty) && prefs.Consented(consent.ThirdParty, "AdCo"))
	assert.False(t, prefs.Decided() || prefs.RefusedByGPC())
	assert.True(t, prefs.DecidedAt().IsZero())
	assert.True(t, prefs.Presumed(consent.FirstParty) && prefs.Presumed(consent.ThirdParty))
	assert.False(t, prefs.Presumed(consent.Necessary) || prefs.Presumed("undeclared"), "where nobody is asked nothing is presumed")

	names, _, _ = ask("", "Country", "US", "Sec-GPC", "0", "Sec-GPC", "1")
	assert.Equal(t, gpc, names, "of several values one is enough")
	names, prefs, _ = ask("", "Country", "US", "Sec-GPC", "1")
	assert.Equal(t, gpc, names)
	assert.True(t, prefs.RefusedByGPC() && prefs.OptOut())
	assert.False(t, prefs.Allows(consent.ThirdParty) || prefs.Decided())
	assert.True(t, prefs.Presumed(consent.FirstParty))
	assert.False(t, prefs.Presumed(consent.ThirdParty))

	for _, test := range []struct {
		what, cookies string
		headers, want []string
	}{
		{"opt-in elsewhere", "", nil, strict},
		{"GPC changes nothing there", yes, []string{"Sec-GPC", "1"}, all},
		{"nor before a choice", "", []string{"Sec-GPC", "1"}, strict},
		{"a refusal stands", no, []string{"Country", "US"}, strict},
		{"an explicit choice wins over GPC", yes, []string{"Country", "US", "Sec-GPC", "1"}, all},
		{"another value is no signal", "", []string{"Country", "US", "Sec-GPC", "0"}, all},
	} {
		names, prefs, _ := ask(test.cookies, test.headers...)
		assert.Equal(t, test.want, names, test.what)
		assert.Equal(t, slices.Contains(test.headers, "US"), prefs.OptOut(), test.what)
		assert.False(t, prefs.RefusedByGPC(), test.what)
		assert.Equal(t, test.what == "another value is no signal", prefs.Presumed(consent.FirstParty), test.what)
	}
	require.NotNil(t, response)
	assert.False(t, consent.Preferences{}.Presumed(consent.FirstParty))

	objecting := decide(t, mw, consent.AcceptAll().WithObjection())
	raised := middleware(t, func(c *consent.Config) { american(c); c.Revision = 1 })
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Cookie", objecting)
	r.Header.Set("Country", "US")
	w := httptest.NewRecorder()
	raised.Wrap(set("visits=1", "profile=1")).ServeHTTP(w, r)
	assert.Equal(t, []string{"profile=1"}, w.Result().Header["Set-Cookie"], "an objection stands, whatever is asked for again")
}
