package consent_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
)

// under serves a request under a regime, and returns what passes.
func under(t testing.TB, mw *consent.Middleware, regime consent.Regime, cookies string, change func(*http.Request)) ([]string, consent.Preferences) {
	t.Helper()
	r, w := httptest.NewRequest("GET", "https://www.example.com/", nil), httptest.NewRecorder()
	r.Header.Set("Cookie", cookies)
	r.Header.Set("Regime", regime.String())
	if change != nil {
		change(r)
	}
	var prefs consent.Preferences
	through(t, mw, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		prefs = consent.FromContext(r.Context())
		prefs.Decided()
		set("sessionid=1", "_pk_id.1=1", "profile=1", "ad_id=1", "look=1")(w, r)
	})).ServeHTTP(w, r)
	var passed []string
	for _, name := range names(w.Result()) {
		if name != consent.CookieName {
			passed = append(passed, name)
		}
	}
	return passed, prefs
}

// byHeader is a middleware whose requests say their regime.
func byHeader(t testing.TB, change func(*consent.Config)) *consent.Middleware {
	return middleware(t, func(c *consent.Config) {
		c.Registry = consent.MustRegistry(append(site(),
			consent.Cookie{Provider: "Site", Name: "look", Purpose: text("Remembers the colours."), Category: consent.Appearance})...)
		c.Regime = func(r *http.Request) (regime consent.Regime) {
			assert.NoError(t, regime.UnmarshalText([]byte(r.Header.Get("Regime"))))
			return regime
		}
		if change != nil {
			change(c)
		}
	})
}

func TestNothingIsInventedBeyondWhatARegimePresumes(t *testing.T) {
	mw := byHeader(t, nil)
	for regime, want := range map[consent.Regime]struct {
		plain, gpc []string
		asks       bool
	}{
		consent.OptIn:    {[]string{"sessionid"}, []string{"sessionid"}, true},
		consent.UK:       {[]string{"sessionid", "_pk_id.1", "look"}, []string{"sessionid", "_pk_id.1", "look"}, true},
		consent.OptOut:   {[]string{"sessionid", "_pk_id.1", "profile", "ad_id", "look"}, []string{"sessionid", "_pk_id.1", "profile", "look"}, true},
		consent.NoRegime: {[]string{"sessionid", "_pk_id.1", "profile", "ad_id", "look"}, []string{"sessionid", "_pk_id.1", "profile", "ad_id", "look"}, false},
	} {
		got, prefs := under(t, mw, regime, "", nil)
		assert.Equal(t, want.plain, got, regime)
		assert.Equal(t, regime, prefs.Regime())
		assert.Equal(t, want.asks, prefs.ShouldAsk(), regime)
		assert.False(t, prefs.Decided(), regime)
		got, prefs = under(t, mw, regime, "", func(r *http.Request) { r.Header.Set("Sec-GPC", "1") })
		assert.Equal(t, want.gpc, got, regime)
		assert.Equal(t, regime == consent.OptOut, prefs.RefusedByGPC(), regime)
	}
	unknown := middleware(t, func(c *consent.Config) { c.Regime = everywhere(9) })
	assert.Equal(t, exempt, passed(t, unknown, ""), "a regime that nobody knows is the strictest")
	assert.False(t, consent.Preferences{}.ShouldAsk(), "nobody could answer")
}

func TestNothingIsInventedByADecisionUnderAnotherRegime(t *testing.T) {
	mw := byHeader(t, nil)
	decideUnder := func(regime consent.Regime, choice consent.Choice) string {
		r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
		r.Header.Set("Regime", regime.String())
		through(t, mw, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.NoError(t, mw.Save(w, r, choice))
		})).ServeHTTP(w, r)
		return sent(w.Result())
	}
	strict, british, everything := []string{"sessionid"}, []string{"sessionid", "_pk_id.1", "look"}, []string{"sessionid", "_pk_id.1", "profile", "ad_id", "look"}
	for _, test := range []struct {
		choice      consent.Choice
		taken, then consent.Regime
		want        []string
		decided     bool
	}{
		{consent.RefuseAll(), consent.OptIn, consent.OptOut, strict, true},
		{consent.RefuseAll(), consent.OptIn, consent.UK, strict, true},
		{consent.RefuseAll(), consent.OptIn, consent.NoRegime, strict, true},
		{consent.RefuseAll(), consent.NoRegime, consent.OptIn, strict, true},
		{consent.RefuseAll(), consent.UK, consent.OptOut, strict, true},
		{consent.AcceptAll(), consent.OptIn, consent.OptOut, everything, true},
		{consent.AcceptAll(), consent.OptOut, consent.NoRegime, everything, true},
		{consent.AcceptAll(), consent.OptOut, consent.OptIn, strict, false},
		{consent.AcceptAll(), consent.NoRegime, consent.UK, british, false},
		{consent.AcceptAll(), consent.UK, consent.OptIn, []string{"sessionid", "profile", "ad_id"}, false},
	} {
		got, prefs := under(t, mw, test.then, decideUnder(test.taken, test.choice), nil)
		assert.Equal(t, test.want, got, "%v, then %v", test.taken, test.then)
		assert.Equal(t, test.decided, prefs.Decided(), "%v, then %v", test.taken, test.then)
	}
}

// Only what was presumed may have been ticked already.
func TestNothingIsForgottenOfWhatAVisitorAllowsByThemselves(t *testing.T) {
	mw := byHeader(t, nil)
	decideUnder := func(regime consent.Regime, gpc, cookies string, choice consent.Choice) string {
		r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
		r.Header.Set("Regime", regime.String())
		r.Header.Set("Sec-GPC", gpc)
		r.Header.Set("Cookie", cookies)
		through(t, mw, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.NoError(t, mw.Save(w, r, choice))
		})).ServeHTTP(w, r)
		return sent(w.Result())
	}
	adCo := consent.RefuseAll().WithProviders(consent.ThirdParty, "AdCo")
	byAct, ticked := []string{"sessionid", "ad_id"}, []string{"sessionid"}
	europe := decideUnder(consent.OptIn, "", "", adCo)
	america := decideUnder(consent.OptOut, "", "", adCo)
	for what, test := range map[string]struct {
		cookies string
		want    []string
	}{
		"against GPC":                       {decideUnder(consent.OptOut, "1", "", adCo), byAct},
		"what was presumed":                 {america, ticked},
		"what they had allowed at home":     {decideUnder(consent.OptOut, "", europe, adCo), byAct},
		"what they had refused at home":     {decideUnder(consent.OptOut, "", decideUnder(consent.OptIn, "", "", consent.RefuseAll()), adCo), byAct},
		"what was presumed, saved again":    {decideUnder(consent.OptOut, "", america, adCo), ticked},
		"what was presumed, saved at home":  {decideUnder(consent.OptIn, "", america, adCo), byAct},
		"what was presumed, and then by GB": {decideUnder(consent.UK, "", america, adCo), byAct},
	} {
		got, _ := under(t, mw, consent.OptIn, test.cookies, nil)
		assert.Equal(t, test.want, got, what)
	}
}

// What a visitor has refused stays refused if something new is declared, and so is
// what is new beside it.
func TestNothingIsInventedBesideARefusalUnderAWeakRegime(t *testing.T) {
	declared := site()
	before := middleware(t, func(c *consent.Config) { c.Registry = consent.MustRegistry(declared...) })
	no := decide(t, before, consent.Accept(consent.Statistics))
	after := middleware(t, func(c *consent.Config) {
		c.Registry = consent.MustRegistry(append(declared, consent.Cookie{Provider: "NewAds", Name: "new_ad", Purpose: text("x"), Category: consent.ThirdParty})...)
		c.Regime = everywhere(consent.OptOut)
	})
	assert.Equal(t, []string{"_pk_id.1", "plausible"}, names(serve(t, after, no, set("_pk_id.1=1", "plausible=1", "ad_id=1", "new_ad=1", "profile=1"))))
	raised := middleware(t, func(c *consent.Config) { c.Revision, c.Regime = 1, everywhere(consent.OptOut) })
	assert.Equal(t, []string{"_pk_id.1", "plausible"}, names(serve(t, raised, no, set("_pk_id.1=1", "plausible=1", "ad_id=1", "profile=1"))))
}

// A browser sends a cookie that says SameSite=Lax from another site only if the
// visitor goes to the page.
func TestNothingIsInventedOfADecisionThatTheBrowserHoldsBack(t *testing.T) {
	fetch := func(site, mode, destination string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", site)
			r.Header.Set("Sec-Fetch-Mode", mode)
			r.Header.Set("Sec-Fetch-Dest", destination)
		}
	}
	post := func(change func(*http.Request)) func(*http.Request) {
		return func(r *http.Request) { change(r); r.Method = "POST" }
	}
	from := func(origin string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Origin", origin) }
	}
	storage := func(r *http.Request) {
		fetch("same-origin", "cors", "empty")(r)
		r.Header.Set("Sec-Fetch-Storage-Access", "none")
	}
	lax := byHeader(t, nil)
	framed := byHeader(t, func(c *consent.Config) { c.Framed = true })
	no := decide(t, middleware(t, func(c *consent.Config) { c.Registry = lax.Registry() }), consent.RefuseAll())
	for what, test := range map[string]struct {
		change           func(*http.Request)
		holds, holdsNone bool // back a decision: one that is Lax, and one for frames
	}{
		"a link of another site":             {fetch("cross-site", "navigate", "document"), false, false},
		"a form of another site":             {post(fetch("cross-site", "navigate", "document")), true, false},
		"a form of this site":                {post(fetch("same-origin", "navigate", "document")), false, false},
		"a form of another host":             {post(fetch("same-site", "navigate", "document")), false, false},
		"typed":                              {fetch("none", "navigate", "document"), false, false},
		"a frame of another site":            {fetch("cross-site", "navigate", "iframe"), true, true},
		"a link in a frame":                  {fetch("same-origin", "navigate", "iframe"), true, true},
		"an object of another site":          {fetch("cross-site", "navigate", "object"), true, true},
		"an image on another site":           {fetch("cross-site", "no-cors", "image"), true, true},
		"an image on this site":              {fetch("same-origin", "no-cors", "image"), false, false},
		"a script in a frame":                {storage, true, true},
		"an old browser":                     {func(*http.Request) {}, false, false},
		"an old browser, its own form":       {post(from("https://www.example.com")), false, false},
		"an old browser, another's form":     {post(from("https://bank.example")), true, false},
		"an old browser, nobody's form":      {post(from("null")), true, false},
		"an old browser, a form, no Origin":  {post(func(*http.Request) {}), false, false},
		"an old browser, another's pictures": {from("https://bank.example"), false, false},
	} {
		for mw, holds := range map[*consent.Middleware]bool{lax: test.holds, framed: test.holdsNone} {
			got, prefs := under(t, mw, consent.OptOut, "", test.change)
			assert.Equal(t, !holds, len(got) > 1, "%s, framed: %v: %v", what, mw == framed, got)
			assert.Equal(t, !holds || mw == framed, prefs.ShouldAsk(), "%s, framed: %v", what, mw == framed)
			got, _ = under(t, mw, consent.OptOut, no, test.change)
			assert.Equal(t, []string{"sessionid"}, got, "a decision that does arrive counts")
		}
	}
}

func TestNothingIsForgottenOfTheRegimeInARecord(t *testing.T) {
	l := &ledger{}
	mw := byHeader(t, func(c *consent.Config) { c.Recorder = l })
	strict := middleware(t, func(c *consent.Config) { c.Registry = mw.Registry() })
	for _, regime := range []consent.Regime{consent.OptIn, consent.UK, consent.OptOut, consent.NoRegime} {
		r, w := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
		r.Header.Set("Regime", regime.String())
		through(t, mw, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.NoError(t, mw.Save(w, r, consent.AcceptAll()))
		})).ServeHTTP(w, r)
		kept := l.kept[len(l.kept)-1]
		assert.Equal(t, regime, kept.Regime)
		serve(t, strict, "", func(w http.ResponseWriter, r *http.Request) {
			assert.NoError(t, strict.Restore(w, r, kept))
			prefs := consent.FromContext(r.Context())
			assert.Equal(t, regime <= consent.UK, prefs.Allows(consent.FirstParty), regime)
			assert.Equal(t, regime == consent.OptIn, prefs.Allows(consent.Appearance), regime)
		})
	}
}

func TestNothingIsInventedOfWhatARegimePresumes(t *testing.T) {
	for _, test := range []struct {
		regime        consent.Regime
		category      consent.Category
		gpc, presumes bool
	}{
		{consent.OptIn, consent.Statistics, false, false},
		{consent.UK, consent.Statistics, false, true},
		{consent.UK, consent.Appearance, true, true},
		{consent.UK, consent.ThirdParty, false, false},
		{consent.OptOut, consent.ThirdParty, false, true},
		{consent.OptOut, consent.ThirdParty, true, false},
		{consent.OptOut, consent.Statistics, true, true},
		{consent.NoRegime, consent.Advertising, true, true},
	} {
		assert.Equal(t, test.presumes, test.regime.Presumes(test.category, test.gpc), "%v, %s, %v", test.regime, test.category, test.gpc)
	}
}

func TestNothingIsLostOfARegimeThatIsWrittenAndRead(t *testing.T) {
	for want, regime := range map[string]consent.Regime{"opt-in": consent.OptIn, "uk": consent.UK, "opt-out": consent.OptOut, "none": consent.NoRegime} {
		assert.Equal(t, want, regime.String())
		text, err := json.Marshal(regime)
		require.NoError(t, err)
		assert.Equal(t, `"`+want+`"`, string(text))
		var got consent.Regime
		require.NoError(t, json.Unmarshal(text, &got))
		assert.Equal(t, regime, got)
	}
	var got consent.Regime
	for _, text := range []string{"", "OPT-IN", "eu", "opt-in "} {
		assert.Error(t, got.UnmarshalText([]byte(text)), text)
	}
	_, err := consent.Regime(4).MarshalText()
	assert.Error(t, err)
	assert.Equal(t, "Regime(4)", consent.Regime(4).String())
}

func TestNothingIsInventedOfACountryThatTheSiteDoesNotName(t *testing.T) {
	of := consent.ByCountry("CF-IPCountry", map[string]consent.Regime{"GB": consent.UK, "us": consent.OptOut})
	for what, test := range map[string]struct {
		values []string
		want   consent.Regime
	}{
		"in the table":        {[]string{"GB"}, consent.UK},
		"in another case":     {[]string{"gb"}, consent.UK},
		"given in small ones": {[]string{"US"}, consent.OptOut},
		"with space":          {[]string{" US "}, consent.OptOut},
		"not in the table":    {[]string{"FR"}, consent.OptIn},
		"none":                {nil, consent.OptIn},
		"empty":               {[]string{""}, consent.OptIn},
		"two":                 {[]string{"US", "FR"}, consent.OptIn},
		"two in one":          {[]string{"US, FR"}, consent.OptIn},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		for _, v := range test.values {
			r.Header.Add("CF-IPCountry", v)
		}
		assert.Equal(t, test.want, of(r), what)
	}
}
