package consent_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent"
)

// ask serves one request under a regime and returns what the browser sends from then on.
func ask(t testing.TB, mw *consent.Middleware, regime consent.Regime, cookies string, change func(*http.Request), do func(http.ResponseWriter, *http.Request)) string {
	t.Helper()
	r, w := httptest.NewRequest("POST", "https://www.example.com/", nil), httptest.NewRecorder()
	r.Header.Set("Cookie", cookies)
	r.Header.Set("Regime", regime.String())
	if change != nil {
		change(r)
	}
	through(t, mw, http.HandlerFunc(do)).ServeHTTP(w, r)
	if s := sent(w.Result()); s != "" {
		return s
	}
	return cookies
}

func saving(t testing.TB, mw *consent.Middleware, choice consent.Choice) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) { assert.NoError(t, mw.Save(w, r, choice)) }
}

// Who has answered for everything under the regime of this request has decided: the
// next page does not ask again.
func TestNothingIsForgottenOfAYesAfterOneUnderAWeakerRegime(t *testing.T) {
	mw := byHeader(t, nil)
	america := ask(t, mw, consent.OptOut, "", nil, saving(t, mw, consent.AcceptAll()))
	britain := ask(t, mw, consent.UK, america, nil, saving(t, mw, consent.AcceptAll()))
	got, prefs := under(t, mw, consent.UK, britain, nil)
	assert.Equal(t, []string{"sessionid", "_pk_id.1", "profile", "ad_id", "look"}, got)
	assert.False(t, prefs.ShouldAsk(), "they have just answered")
}

// A yes that somebody has given by themselves in Britain stays one when they save the
// form again under a regime that presumes it.
func TestNothingIsForgottenOfAYesThatIsSavedAgainUnderAWeakerRegime(t *testing.T) {
	mw := byHeader(t, nil)
	britain := ask(t, mw, consent.UK, "", nil, saving(t, mw, consent.AcceptAll()))
	america := ask(t, mw, consent.OptOut, britain, nil, saving(t, mw, consent.AcceptAll()))
	_, prefs := under(t, mw, consent.UK, america, nil)
	assert.True(t, prefs.Allows(consent.ThirdParty))
}

func TestNothingIsInventedOfAQuestionThatAnotherRegimePut(t *testing.T) {
	const none, everything = "", "_pk_id.1 profile ad_id look"
	gpc := func(r *http.Request) { r.Header.Set("Sec-GPC", "1") }
	for name, test := range map[string]struct {
		before consent.Regime // under which everything is refused first; OptIn for nothing before
		asked  func(consent.Choice) consent.Choice
		posted consent.Regime
		change func(*http.Request)

		regime        consent.Regime // of the record
		optIn, optOut string         // what passes there from then on
	}{
		"the request's":                   {0, nil, consent.OptOut, nil, consent.OptOut, none, everything},
		"one that nobody knows":           {0, asked(9, false), consent.OptIn, nil, consent.OptIn, everything, everything},
		"one that nobody knows, abroad":   {0, asked(9, false), consent.OptOut, nil, consent.OptOut, none, everything},
		"a laxer one":                     {0, asked(consent.OptOut, false), consent.OptIn, nil, consent.OptOut, none, everything},
		"one that asks nobody":            {0, asked(consent.NoRegime, false), consent.OptIn, nil, consent.NoRegime, none, everything},
		"a stricter one":                  {0, asked(consent.OptIn, false), consent.OptOut, nil, consent.OptIn, everything, everything},
		"before the browser sent Sec-GPC": {0, asked(consent.OptOut, false), consent.OptOut, gpc, consent.OptOut, none, everything},
		"with Sec-GPC":                    {0, asked(consent.OptOut, true), consent.OptOut, nil, consent.OptOut, "ad_id", everything},
		"before everything was refused":   {consent.OptOut, asked(consent.OptOut, false), consent.OptOut, nil, consent.OptOut, none, everything},
		"after everything was refused":    {consent.OptOut, nil, consent.OptOut, nil, consent.OptOut, everything, everything},
	} {
		t.Run(name, func(t *testing.T) {
			l := &ledger{}
			mw := byHeader(t, func(c *consent.Config) { c.Recorder = l })
			cookies := ""
			if test.before != consent.OptIn {
				cookies = ask(t, mw, test.before, "", nil, saving(t, mw, consent.RefuseAll()))
			}
			choice := consent.AcceptAll()
			if test.asked != nil {
				choice = test.asked(choice)
			}
			cookies = ask(t, mw, test.posted, cookies, test.change, saving(t, mw, choice))
			record := l.kept[len(l.kept)-1]
			assert.Equal(t, test.regime, record.Regime)
			optIn, _ := under(t, mw, consent.OptIn, cookies, nil)
			assert.Equal(t, test.optIn, strings.Join(optIn[1:], " "))
			optOut, _ := under(t, mw, consent.OptOut, cookies, nil)
			assert.Equal(t, test.optOut, strings.Join(optOut[1:], " "))
			refused := ask(t, mw, test.posted, cookies, nil, saving(t, mw, consent.RefuseAll().WithRegime(consent.NoRegime, false)))
			for _, regime := range []consent.Regime{consent.OptIn, consent.UK, consent.OptOut, consent.NoRegime} {
				got, _ := under(t, mw, regime, refused, nil)
				assert.Equal(t, []string{"sessionid"}, got, "a refusal is one by whatever question")
			}
		})
	}
}

func asked(regime consent.Regime, gpc bool) func(consent.Choice) consent.Choice {
	return func(c consent.Choice) consent.Choice { return c.WithRegime(regime, gpc) }
}

func TestNothingIsForgottenOfAYesThatOneVideoLeavesAsItWas(t *testing.T) {
	mw := byHeader(t, nil)
	for regime, want := range map[consent.Regime][]string{consent.OptIn: {"sessionid", "_pk_id.1", "profile", "ad_id", "look"}, consent.OptOut: {"sessionid", "ad_id"}} {
		cookies := ask(t, mw, regime, "", nil, saving(t, mw, consent.AcceptAll()))
		cookies = ask(t, mw, regime, cookies, nil, saving(t, mw, consent.Add(consent.ThirdParty, "AdCo").WithRegime(consent.OptIn+consent.OptOut-regime, false)))
		got, _ := under(t, mw, consent.OptIn, cookies, nil)
		assert.Equal(t, want, got, "what it says nothing of was asked under %v", regime)
	}
}

// The form was drawn with what the regime presumes; that the browser held the decision
// back when it was posted (Safari before 16.4 with "Referrer-Policy: no-referrer", or a
// proxy that rewrites Host) does not make a ticked box an act.
func TestNothingIsInventedOfTickedBoxesThatArePostedWithoutFetchMetadata(t *testing.T) {
	mw := byHeader(t, nil)
	for what, change := range map[string]func(*http.Request){
		"no referrer":                func(r *http.Request) { r.Header.Set("Origin", "null") },
		"a proxy that rewrites Host": func(r *http.Request) { r.Header.Set("Origin", "https://www.example.com"); r.Host = "backend:8080" },
		"the port that is understood": func(r *http.Request) {
			r.Header.Set("Origin", "https://www.example.com")
			r.Host = "www.example.com:443"
		},
	} {
		yes := ask(t, mw, consent.OptOut, "", change, saving(t, mw, consent.AcceptAll()))
		got, _ := under(t, mw, consent.OptIn, yes, nil)
		assert.Equal(t, []string{"sessionid"}, got, what)
	}
}

// What a visitor has refused as a whole category stays refused if all that was
// declared in it is replaced.
func TestNothingIsInventedInACategoryThatWasRefusedAndIsFilledAnew(t *testing.T) {
	ad := func(provider, name string) consent.Cookie {
		return consent.Cookie{Provider: provider, Name: name, Purpose: text("x"), Category: consent.ThirdParty}
	}
	stats := consent.Cookie{Provider: "Matomo", Name: "_pk_id*", Purpose: text("x"), Category: consent.Statistics}
	before := middleware(t, func(c *consent.Config) {
		c.Registry, c.Regime = consent.MustRegistry(stats, ad("AdCo", "ad_id")), everywhere(consent.OptOut)
	})
	no := decide(t, before, consent.Accept(consent.Statistics))
	after := middleware(t, func(c *consent.Config) {
		c.Registry, c.Regime = consent.MustRegistry(stats, ad("NewAds", "new_ad")), everywhere(consent.OptOut)
	})
	assert.Equal(t, []string{"_pk_id.1"}, names(serve(t, after, no, set("_pk_id.1=1", "new_ad=1"))))
}

// A cross-site POST (a return from SAML, which signs in) comes without the Lax cookie:
// the browser's own refusal may be newer than the account's record.
func TestNothingIsInventedByARestoreWhereTheBrowserHoldsBack(t *testing.T) {
	l := &ledger{}
	mw := byHeader(t, func(c *consent.Config) { c.Recorder = l })
	ask(t, mw, consent.OptIn, "", nil, saving(t, mw, consent.AcceptAll())) // on another device, earlier
	record := l.kept[0]
	time.Sleep(2 * time.Millisecond)
	no := ask(t, mw, consent.OptIn, "", nil, saving(t, mw, consent.RefuseAll())) // on this one, later
	for _, regime := range []consent.Regime{consent.OptIn, consent.OptOut} {
		restored := ask(t, mw, regime, "", func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Sec-Fetch-Mode", "navigate")
			r.Header.Set("Sec-Fetch-Dest", "document")
		}, func(w http.ResponseWriter, r *http.Request) { assert.NoError(t, mw.Restore(w, r, record)) })
		if restored == "" {
			restored = no // nothing was sent, the browser still has its own
		}
		got, _ := under(t, mw, regime, restored, nil)
		assert.Equal(t, []string{"sessionid"}, got, regime)
	}
}

// A record that covers less than what is declared now leaves the rest as unknown as the
// held-back decision is.
func TestNothingIsInventedByARestoreIfTheBrowserHoldsBack(t *testing.T) {
	mw := byHeader(t, nil)
	ask(t, mw, consent.OptOut, "", func(r *http.Request) {
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Sec-Fetch-Mode", "navigate")
		r.Header.Set("Sec-Fetch-Dest", "document")
	}, func(w http.ResponseWriter, r *http.Request) {
		record := consent.Record{Time: time.Now(), Answers: []consent.Answer{{Category: consent.Statistics, Provider: "Matomo", Allowed: true}, {Category: consent.Statistics, Provider: "Plausible", Allowed: true}}}
		assert.NoError(t, mw.Restore(w, r, record))
		assert.False(t, consent.FromContext(r.Context()).Allows(consent.ThirdParty))
	})
}

// An independent model of docs/rules.md#which-law.
type modelled struct {
	yes, no  map[string]bool // the last answer of each party
	explicit map[string]bool // nobody had ticked it before the visitor
}

var modelParties = []struct {
	category consent.Category
	provider string
}{
	{consent.Appearance, "Site"}, {"comfort", "Forum"}, {consent.FirstParty, "Site"}, {consent.Statistics, "Matomo"},
	{consent.Statistics, "Plausible"}, {consent.ThirdParty, "AdCo"},
}

func TestNothingIsInventedForRandomDecisions(t *testing.T) {
	l := &ledger{}
	for _, recorder := range []consent.Recorder{nil, l} {
		mw := byHeader(t, func(c *consent.Config) { c.Recorder = recorder })
		seen := map[string]bool{}
		for seed := range uint64(500) {
			rnd := rand.New(rand.NewPCG(seed, 1))
			m := modelled{map[string]bool{}, map[string]bool{}, map[string]bool{}}
			cookies, history := "", ""
			for range 1 + rnd.IntN(4) {
				regime := consent.Regime(rnd.IntN(4))
				gpc := rnd.IntN(3) == 0
				choice := consent.RefuseAll()
				yes := map[string]bool{}
				for _, p := range modelParties {
					if rnd.IntN(2) == 0 {
						choice = choice.WithProviders(p.category, p.provider)
						yes[string(p.category)+p.provider] = true
					}
				}
				if rnd.IntN(4) == 0 {
					choice = consent.AcceptAll()
					for _, p := range modelParties {
						yes[string(p.category)+p.provider] = true
					}
				}
				fails := recorder != nil && rnd.IntN(3) == 0
				l.fails = nil
				if fails {
					l.fails = errors.New("full")
				}
				history += fmt.Sprintf("%v gpc=%v yes=%v fails=%v; ", regime, gpc, yes, fails)
				change := func(r *http.Request) {
					if gpc {
						r.Header.Set("Sec-GPC", "1")
					}
				}
				shown := map[string]bool{}
				var failed bool
				cookies = ask(t, mw, regime, cookies, change, func(w http.ResponseWriter, r *http.Request) {
					prefs := consent.FromContext(r.Context())
					for _, p := range modelParties {
						shown[string(p.category)+p.provider] = prefs.AllowsProvider(p.category, p.provider)
					}
					err := mw.Save(w, r, choice)
					failed = err != nil
					for _, p := range modelParties {
						k := string(p.category) + p.provider
						got := prefs.AllowsProvider(p.category, p.provider)
						if got && !yes[k] {
							t.Errorf("allowed against the choice: %s after %s", k, history)
						}
						if err == nil && got != yes[k] {
							t.Errorf("not as saved: %s after %s", k, history)
						}
					}
				})
				for _, p := range modelParties {
					k := string(p.category) + p.provider
					switch {
					case !yes[k]:
						m.no[k], m.yes[k], m.explicit[k] = true, false, false
					case failed: // counts for nothing new
					default:
						m.explicit[k] = m.explicit[k] || !shown[k]
						m.no[k], m.yes[k] = false, true
					}
				}
				for _, now := range []consent.Regime{consent.OptIn, consent.UK, consent.OptOut, consent.NoRegime} {
					_, prefs := under(t, mw, now, cookies, nil)
					for _, p := range modelParties {
						k := string(p.category) + p.provider
						allows := prefs.AllowsProvider(p.category, p.provider)
						what := ""
						switch {
						case allows && m.no[k]:
							what = "a refusal is loosened"
						case allows && now == consent.OptIn && !m.explicit[k]:
							what = "a ticked box became consent"
						case !failed && now == regime && !allows && m.yes[k]:
							what = "a yes is forgotten at once"
						case !failed && now == regime && !prefs.Decided():
							what = "asked again at once"
						}
						if what != "" && !seen[what] {
							seen[what] = true
							t.Errorf("%s: %s under %v after %s", what, k, now, history)
						}
					}
				}
			}
		}
	}
}
