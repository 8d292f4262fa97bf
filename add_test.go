package consent_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
)

// films are declarations of which a visitor may allow one alone.
func films(more ...consent.Cookie) []consent.Cookie {
	return append([]consent.Cookie{
		{Provider: "Vimeo", Name: "vuid", Purpose: text("Measures how films are watched."), Category: consent.ThirdParty},
		{Provider: "Dailymotion", Name: "dmvk", Purpose: text("Tells visits apart."), Category: consent.ThirdParty},
		{Provider: "Matomo", Name: "_pk_id", Purpose: text("Recognises a visitor."), Category: consent.Statistics},
		{Provider: "Site", Name: "visits", Purpose: text("Counts."), Category: consent.Statistics, Anonymous: true},
	}, more...)
}

var oneFilm = consent.Add(consent.ThirdParty, "Vimeo")

// allowedBy returns the cookies of films that pass, and whether the visitor has decided.
func allowedBy(t testing.TB, mw *consent.Middleware, cookies string) (passed []string, decided bool) {
	t.Helper()
	response := serve(t, mw, cookies, func(w http.ResponseWriter, r *http.Request) {
		set("vuid=1", "dmvk=1", "_pk_id=1", "visits=1", "new=1")(w, r)
		decided = consent.FromContext(r.Context()).Decided()
	})
	return names(response), decided
}

func TestNothingElseChangesByAYesToOneProvider(t *testing.T) {
	declare := func(cookies []consent.Cookie, revision uint64) *consent.Middleware {
		return middleware(t, func(c *consent.Config) { c.Registry, c.Revision = consent.MustRegistry(cookies...), revision })
	}
	mw := declare(films(), 0)
	grown := declare(films(consent.Cookie{Provider: "New", Name: "new", Purpose: text("New."), Category: consent.ThirdParty}), 0)
	for name, test := range map[string]struct {
		before  []consent.Choice
		later   *consent.Middleware
		passed  []string
		decided bool
	}{
		"nothing was answered":         {nil, mw, []string{"vuid", "visits"}, false},
		"everything was refused":       {[]consent.Choice{consent.RefuseAll()}, mw, []string{"vuid", "visits"}, true},
		"the other one was accepted":   {[]consent.Choice{consent.RefuseAll().WithProviders(consent.ThirdParty, "Dailymotion")}, mw, []string{"vuid", "dmvk", "visits"}, true},
		"everything was accepted":      {[]consent.Choice{consent.AcceptAll()}, mw, []string{"vuid", "dmvk", "_pk_id", "visits"}, true},
		"there was an objection":       {[]consent.Choice{consent.RefuseAll().WithObjection()}, mw, []string{"vuid"}, true},
		"another one was added before": {[]consent.Choice{consent.Add(consent.ThirdParty, "Dailymotion")}, mw, []string{"vuid", "dmvk", "visits"}, false},
		"a provider joins":             {nil, grown, []string{"vuid", "visits"}, false},
		"a provider joins others":      {[]consent.Choice{consent.AcceptAll()}, grown, []string{"vuid", "_pk_id", "visits"}, false},
		"another one was added before, and a provider joins": {
			[]consent.Choice{consent.Add(consent.ThirdParty, "Dailymotion")}, grown, []string{"vuid", "dmvk", "visits"}, false,
		},
		"everything is to be asked for again":  {nil, declare(films(), 1), []string{"visits"}, false},
		"the provider has left the site since": {nil, declare(films()[1:], 0), []string{"visits"}, false},
	} {
		cookies := ""
		for _, choice := range append(test.before, oneFilm) {
			var err error
			cookies, err = save(t, mw, cookies, choice)
			require.NoError(t, err, name)
		}
		passed, decided := allowedBy(t, test.later, cookies)
		assert.ElementsMatch(t, test.passed, passed, name)
		assert.Equal(t, test.decided, decided, name)
	}
	cookies := decide(t, mw, oneFilm)
	cookies, err := save(t, mw, cookies, consent.RefuseAll())
	require.NoError(t, err)
	passed, _ := allowedBy(t, mw, cookies)
	assert.Equal(t, []string{"visits"}, passed, "a refusal of everything takes it back")
	_, err = save(t, mw, "", consent.Add(consent.ThirdParty, "Nobody"))
	assert.ErrorAs(t, err, new(*consent.ChoiceError))
}

// Nobody was asked about anything else, so that a law presumes of it what it did.
func TestNothingIsInventedByAYesToOneProviderUnderAnotherRegime(t *testing.T) {
	mw := byHeader(t, nil)
	saveUnder := func(regime consent.Regime, cookies string, choice consent.Choice) string {
		after, err := save(t, byHeader(t, func(c *consent.Config) { c.Regime = everywhere(regime) }), cookies, choice)
		require.NoError(t, err)
		return after
	}
	one := consent.Add(consent.ThirdParty, "AdCo")
	gpc := func(r *http.Request) { r.Header.Set("Sec-GPC", "1") }
	for _, regime := range []consent.Regime{consent.OptIn, consent.OptOut} {
		cookies := saveUnder(regime, "", one)
		got, _ := under(t, mw, consent.OptIn, cookies, nil)
		assert.Equal(t, []string{"sessionid", "ad_id"}, got, "an act counts everywhere: %v", regime)
		got, _ = under(t, mw, consent.OptOut, cookies, gpc)
		assert.Equal(t, []string{"sessionid", "_pk_id.1", "profile", "ad_id", "look"}, got, regime)
	}
	cookies := saveUnder(consent.OptOut, saveUnder(consent.OptIn, "", consent.RefuseAll()), one)
	got, _ := under(t, mw, consent.OptOut, cookies, nil)
	assert.Equal(t, []string{"sessionid", "ad_id"}, got, "what was refused stays so")
}

func TestNothingIsInventedByAYesToOneProviderThatCouldNotBeRecorded(t *testing.T) {
	l := &ledger{}
	mw := middleware(t, func(c *consent.Config) { c.Registry, c.Recorder = consent.MustRegistry(films()...), l })
	cookies, err := save(t, mw, "", consent.Accept(consent.Statistics))
	require.NoError(t, err)
	l.fails = errors.New("full")
	after, err := save(t, mw, cookies, oneFilm)
	assert.ErrorIs(t, err, consent.ErrNotRecorded)
	assert.Empty(t, after)
	l.fails = nil
	_, err = save(t, mw, "", oneFilm)
	require.NoError(t, err)
	assert.Equal(t, []consent.Answer{{Category: consent.ThirdParty, Provider: "Vimeo", Allowed: true}}, l.kept[len(l.kept)-1].Answers, "the record holds what was answered")
}
