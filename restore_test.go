package consent_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
)

// What becomes of the account's answer and of the browser's own, by which is newer.
func TestNothingIsInventedOfTheAccountsDecisionAndTheBrowsers(t *testing.T) {
	for account, of := range map[string]map[string]struct{ accountIsNewer, browserIsNewer string }{
		"yes":  {"yes": {"yes", "yes"}, "no": {"no", "no"}, "open": {"yes", "open"}},
		"no":   {"yes": {"no", "no"}, "no": {"no", "no"}, "open": {"no", "no"}},
		"open": {"yes": {"open", "yes"}, "no": {"no", "no"}, "open": {"open", "open"}},
	} {
		for browser, want := range of {
			t.Run(account+" and "+browser, func(t *testing.T) {
				for _, recorder := range []consent.Recorder{nil, &ledger{}} {
					mw := middleware(t, func(c *consent.Config) { c.Recorder = recorder })
					assert.Equal(t, want.accountIsNewer, restored(t, mw, account, browser, true), "the account's is newer")
					assert.Equal(t, want.browserIsNewer, restored(t, mw, account, browser, false), "the browser's is newer")
				}
			})
		}
	}
}

// restored returns what a browser answers for AdCo after a Restore.
func restored(t testing.TB, mw *consent.Middleware, account, browser string, accountIsNewer bool) (answer string) {
	cookies := ""
	synctest.Test(t.(*testing.T), func(t *testing.T) {
		record := consent.Record{Reference: consent.Reference{1}, Time: time.Now().Add(time.Minute), Answers: []consent.Answer{
			{Category: "comfort", Provider: "Forum", Allowed: true}, // and all the rest has an answer, whichever is newer
			{Category: consent.FirstParty, Provider: "Site"}, {Category: consent.Statistics, Provider: "Matomo"}, {Category: consent.Statistics, Provider: "Plausible"},
		}}
		if account != "open" {
			record.Answers = append(record.Answers, consent.Answer{Category: consent.ThirdParty, Provider: "AdCo", Allowed: account == "yes"})
		}
		if !accountIsNewer {
			record.Time = time.Now().Add(-time.Minute)
		}
		choice := consent.Add("comfort", "Forum")
		switch browser {
		case "yes":
			choice = consent.AcceptAll()
		case "no":
			choice = consent.RefuseAll()
		}
		var err error
		cookies, err = save(t, mw, "", choice)
		require.NoError(t, err)
		time.Sleep(time.Hour)
		own := prefsOf(t, mw, cookies).Reference()
		cookies = restore(t, mw, cookies, record)
		assert.Equal(t, cookies, restore(t, mw, cookies, record), "a second time changes nothing")
		serve(t, mw, cookies, func(_ http.ResponseWriter, r *http.Request) {
			prefs := consent.FromContext(r.Context())
			assert.NotEqual(t, record.Reference, prefs.Reference(), "a reference is never handed on")
			if own != (consent.Reference{}) {
				assert.NotEqual(t, own, prefs.Reference(), "nor is that of whoever was here before")
			}
			switch answer = "no"; {
			case prefs.Consented(consent.ThirdParty, "AdCo"):
				answer = "yes"
			case !prefs.Decided():
				answer = "open"
			}
		})
	})
	return answer
}

// restore returns the cookies of a browser after a Restore.
func restore(t testing.TB, mw *consent.Middleware, cookies string, record consent.Record) string {
	return keep(cookies, serve(t, mw, cookies, func(w http.ResponseWriter, r *http.Request) { assert.NoError(t, mw.Restore(w, r, record)) }))
}

// keep returns a Cookie header with what a response has set and deleted.
func keep(cookies string, response *http.Response) string {
	jar := map[string]string{}
	for pair := range strings.SplitSeq(cookies, "; ") {
		if name, value, ok := strings.Cut(pair, "="); ok {
			jar[name] = value
		}
	}
	for _, c := range response.Cookies() {
		if jar[c.Name] = c.Value; c.MaxAge < 0 {
			delete(jar, c.Name)
		}
	}
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(jar)) {
		pairs = append(pairs, name+"="+jar[name])
	}
	return strings.Join(pairs, "; ")
}

// A seen is what a handler sees of a visitor.
type seen struct {
	consent.Preferences
	reference consent.Reference
}

func (s seen) Reference() consent.Reference { return s.reference }

func prefsOf(t testing.TB, mw *consent.Middleware, cookies string) (s seen) {
	serve(t, mw, cookies, func(_ http.ResponseWriter, r *http.Request) {
		s.Preferences = consent.FromContext(r.Context())
		s.reference = s.Preferences.Reference()
	})
	return s
}

func TestNothingIsForgottenOfARestoreThatCouldNotBeRecorded(t *testing.T) {
	l := &ledger{fails: errors.New("full")}
	mw := recorded(t, l)
	record := consent.Record{Time: time.Now(), Answers: []consent.Answer{{consent.ThirdParty, "AdCo", true}, {consent.Statistics, "Matomo", false}}}
	serve(t, mw, "", func(w http.ResponseWriter, r *http.Request) {
		assert.ErrorIs(t, mw.Restore(w, r, record), consent.ErrNotRecorded)
		assert.False(t, consent.FromContext(r.Context()).Allows(consent.ThirdParty))
	})
	assert.Empty(t, l.kept)
}

func TestNothingIsInventedOfATickedBoxThatIsRestored(t *testing.T) {
	mw := byHeader(t, nil)
	no := consent.Record{Time: time.Now().Add(-time.Hour), Answers: []consent.Answer{{Category: consent.Appearance, Provider: "Site"}}}
	restoring := func(w http.ResponseWriter, r *http.Request) { assert.NoError(t, mw.Restore(w, r, no)) }
	ticked := ask(t, mw, consent.OptOut, ask(t, mw, consent.OptOut, "", nil, saving(t, mw, consent.AcceptAll())), nil, restoring)
	got, _ := under(t, mw, consent.OptOut, ticked, nil)
	assert.Contains(t, got, "ad_id")
	assert.NotContains(t, got, "look")
	got, _ = under(t, mw, consent.OptIn, ticked, nil)
	assert.NotContains(t, got, "ad_id", "a ticked box became consent")

	alone := ask(t, mw, consent.OptIn, ask(t, mw, consent.OptIn, "", nil, saving(t, mw, consent.Add(consent.ThirdParty, "AdCo"))), nil, restoring)
	got, _ = under(t, mw, consent.OptIn, alone, nil)
	assert.Contains(t, got, "ad_id")
}

func TestNothingIsInventedForWhoComesAfterTheSignOut(t *testing.T) {
	l := &ledger{}
	for _, regime := range []consent.Regime{consent.OptIn, consent.OptOut} {
		mw := byHeader(t, func(c *consent.Config) { c.Recorder = l })
		cookies := ask(t, mw, regime, "", nil, saving(t, mw, consent.AcceptAll()))
		unlinking := func(w http.ResponseWriter, r *http.Request) { assert.NoError(t, mw.Unlink(w, r)) }
		assert.Empty(t, ask(t, mw, regime, "", nil, unlinking), "nothing was decided")
		_, prefs := under(t, mw, consent.OptIn, ask(t, mw, regime, cookies, nil, unlinking), nil)
		assert.True(t, prefs.ShouldAsk())
		assert.False(t, prefs.Allows(consent.ThirdParty))
		assert.Zero(t, prefs.Reference())

		cookies = ask(t, mw, regime, cookies, nil, saving(t, mw, consent.Accept(consent.Statistics).WithObjection()))
		left := ask(t, mw, regime, cookies, nil, unlinking)
		_, prefs = under(t, mw, consent.OptOut, left, nil)
		assert.True(t, prefs.HasObjected(), "what was refused stays so")
		assert.False(t, prefs.Allows(consent.ThirdParty))
		assert.False(t, prefs.Consented(consent.Statistics, "Matomo"))
	}
	mw := recorded(t, l)
	yes, err := save(t, mw, "", consent.AcceptAll())
	require.NoError(t, err)
	serve(t, mw, yes, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		assert.ErrorIs(t, mw.Unlink(w, r), consent.ErrTooLate)
	})
	assert.ErrorIs(t, mw.Unlink(nil, httptest.NewRequest("GET", "/", nil)), consent.ErrOutside)
}

func TestNothingIsForgottenThroughASignInAndASignOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{}
		mw := middleware(t, func(c *consent.Config) { c.Recorder = l })
		account := consent.Record{Time: time.Now(), Answers: []consent.Answer{{consent.ThirdParty, "AdCo", true}, {"comfort", "Forum", true}}}
		unlink := func(cookies string) (string, string) {
			response := serve(t, mw, cookies, func(w http.ResponseWriter, r *http.Request) { assert.NoError(t, mw.Unlink(w, r)) })
			return keep(cookies, response), strings.Join(response.Header["Set-Cookie"], "\n")
		}
		time.Sleep(time.Hour)
		left, lines := unlink(restore(t, mw, "ad_id=1", account) + "; mood=1")
		assert.Empty(t, left, "which had none, nor keeps what it was given by the account's consent")
		assert.Contains(t, lines, "mood=; ")

		own, err := save(t, mw, "", consent.Accept(consent.ThirdParty).WithProviders(consent.Statistics, "Matomo"))
		require.NoError(t, err)
		before := prefsOf(t, mw, own)
		time.Sleep(time.Hour)
		there := restore(t, mw, own+"; ad_id=1", account)
		assert.Contains(t, there, "cookies_preferences_account=")
		response := serve(t, mw, there, func(w http.ResponseWriter, r *http.Request) { assert.NoError(t, mw.Save(w, r, consent.RefuseAll())) })
		assert.Contains(t, strings.Join(response.Header["Set-Cookie"], "\n"), "ad_id=; ")
		there = keep(there, response)
		last := l.later[len(l.later)-1]
		assert.Equal(t, prefsOf(t, mw, there).Reference(), last.Reference)
		assert.NotEqual(t, before.Reference(), last.Reference, "what is recorded of the account is not of whoever was here before")
		time.Sleep(time.Hour)
		left, _ = unlink(there)
		after := prefsOf(t, mw, left)
		assert.Equal(t, before.Reference(), after.Reference())
		assert.Equal(t, before.DecidedAt(), after.DecidedAt())
		assert.Equal(t, passed(t, mw, own), passed(t, mw, left))

		_, err = save(t, mw, there, consent.AcceptAll())
		require.NoError(t, err)
		time.Sleep(180 * 24 * time.Hour)
		there = restore(t, mw, there, consent.Record{})
		left, _ = unlink(there)
		assert.NotContains(t, left, "cookies_preferences=", "a decision that has expired meanwhile is none")
	})
}

func TestNothingIsForgottenIfAHandlerDeletesAllAtTheSignOut(t *testing.T) {
	mw := middleware(t, nil)
	own, err := save(t, mw, "", consent.AcceptAll())
	require.NoError(t, err)
	there := restore(t, mw, own, consent.Record{Time: time.Now(), Answers: []consent.Answer{{consent.ThirdParty, "AdCo", false}}})
	out := keep(there, serve(t, mw, there, func(w http.ResponseWriter, r *http.Request) {
		for name := range strings.SplitSeq("sessionid cookies_preferences cookies_preferences_account", " ") {
			http.SetCookie(w, &http.Cookie{Name: name, Path: "/", MaxAge: -1})
		}
	}))
	assert.Equal(t, there, out)
	out = keep(out, serve(t, mw, out, func(w http.ResponseWriter, r *http.Request) { assert.NoError(t, mw.Unlink(w, r)) }))
	assert.Equal(t, passed(t, mw, own), passed(t, mw, out))
}

func TestNothingIsLostOfASignOutWhoseHeadIsHeld(t *testing.T) {
	mw := middleware(t, nil)
	there := restore(t, mw, "", consent.Record{Time: time.Now(), Answers: []consent.Answer{{consent.ThirdParty, "AdCo", true}}})
	r, w := httptest.NewRequest("GET", "https://www.example.com/", nil), httptest.NewRecorder()
	r.Header.Set("Cookie", there)
	held(mw.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, mw.Unlink(w, r))
		w.Write([]byte("a head, and then another look at it"))
		w.Write([]byte("."))
	}))).ServeHTTP(w, r)
	assert.Empty(t, keep(there, w.Result()))
}

func TestNothingLeaksToAHandlerOfWhatTheSignInHasTakenBack(t *testing.T) {
	mw := middleware(t, func(c *consent.Config) { c.HideRefused = true })
	own, err := save(t, mw, "", consent.AcceptAll())
	require.NoError(t, err)
	no := consent.Record{Time: time.Now().Add(time.Minute), Answers: []consent.Answer{{consent.ThirdParty, "AdCo", false}}}
	handed := func(r *http.Request, name string) bool { _, err := r.Cookie(name); return err == nil }
	there := keep(own, serve(t, mw, own+"; ad_id=1; sessionid=1", func(w http.ResponseWriter, r *http.Request) {
		assert.True(t, handed(r, "ad_id"))
		assert.NoError(t, mw.Restore(w, r, no))
		assert.False(t, handed(r, "ad_id"))
		assert.True(t, handed(r, "sessionid"))
	}))
	serve(t, mw, restore(t, mw, "", consent.Record{Time: time.Now(), Answers: []consent.Answer{{consent.ThirdParty, "AdCo", true}}})+"; ad_id=1; sessionid=1", func(w http.ResponseWriter, r *http.Request) {
		assert.True(t, handed(r, "ad_id"))
		assert.NoError(t, mw.Unlink(w, r))
		assert.False(t, handed(r, "ad_id"))
		assert.True(t, handed(r, "sessionid"))
	})
	assert.NotEmpty(t, there)
}

// A browser of the model: what it answers for each party, by whom, and which user is
// signed in. The account's are the answers of a decision taken while signed in. What had been
// answered before the sign-in is set aside.
type device struct {
	cookies string
	user    int // 0 for nobody
	no      map[string]bool
	yesBy   map[string]int
	aside   *device
}

// Each visitor has their own idea of each party. Only what they have said themselves may
// ever be allowed for them, on whichever device, by whichever instance.
func TestNothingIsInventedForRandomVisitorsOfSharedDevices(t *testing.T) {
	const users = 3 // 0 is whoever is not signed in
	for seed := range uint64(150) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 2))
			l := &ledger{}
			instances := []*consent.Middleware{recorded(t, l), recorded(t, l)}
			devices := make([]device, 3)
			for i := range devices {
				devices[i] = device{no: map[string]bool{}, yesBy: map[string]int{}}
			}
			accounts := make([]*consent.Record, users)
			seen := make([]*consent.Record, users) // what an instance knows of it, to which a refusal of another is not yet known
			log := ""
			for range 25 {
				time.Sleep(time.Duration(1+rnd.IntN(1000)) * time.Millisecond)
				n := rnd.IntN(len(devices))
				d, mw := &devices[n], instances[rnd.IntN(2)]
				visit := func(do func(w http.ResponseWriter, r *http.Request)) {
					d.cookies = keep(d.cookies, serve(t, mw, d.cookies, do))
				}
				switch what := rnd.IntN(6); {
				case what < 3: // they decide
					choice, yes := consent.RefuseAll(), map[string]bool{}
					for _, p := range modelParties[1:] {
						if rnd.IntN(2) == 0 {
							choice = choice.WithProviders(p.category, p.provider)
							yes[string(p.category)+p.provider] = true
						}
					}
					visit(func(w http.ResponseWriter, r *http.Request) { assert.NoError(t, mw.Save(w, r, choice)) })
					for _, p := range modelParties[1:] {
						k := string(p.category) + p.provider
						d.no[k] = !yes[k]
						if delete(d.yesBy, k); yes[k] {
							d.yesBy[k] = d.user
						}
					}
					if d.user != 0 {
						record := l.newest()
						accounts[d.user] = &record
					}
					log += fmt.Sprintf("device %d, user %d: %v; ", n, d.user, yes)
				case what == 3 && d.user == 0: // they sign in
					d.user = 1 + rnd.IntN(users-1)
					if rnd.IntN(3) > 0 {
						seen[d.user] = accounts[d.user] // else a withdrawal still waits elsewhere
					}
					log += fmt.Sprintf("device %d signs in %d; ", n, d.user)
					d.aside = &device{no: maps.Clone(d.no), yesBy: maps.Clone(d.yesBy), cookies: d.cookies}
					record := seen[d.user]
					if record == nil {
						record = new(consent.Record)
					}
					visit(func(w http.ResponseWriter, r *http.Request) { assert.NoError(t, mw.Restore(w, r, *record)) })
					for _, a := range record.Answers {
						k := string(a.Category) + a.Provider
						if !a.Allowed {
							d.no[k] = true
							delete(d.yesBy, k)
						} else if !d.no[k] {
							d.yesBy[k] = d.user
						}
					}
				case what == 4 && d.user != 0: // they sign out
					visit(func(w http.ResponseWriter, r *http.Request) { assert.NoError(t, mw.Unlink(w, r)) })
					was := prefsOf(t, mw, d.aside.cookies)
					is := prefsOf(t, mw, d.cookies)
					assert.Equal(t, was.Reference(), is.Reference(), log)
					assert.Equal(t, was.DecidedAt(), is.DecidedAt(), log)
					for _, p := range modelParties[1:] {
						assert.Equal(t, was.AllowsProvider(p.category, p.provider), is.AllowsProvider(p.category, p.provider), log)
					}
					d.user, d.no, d.yesBy = 0, d.aside.no, d.aside.yesBy
					log += fmt.Sprintf("device %d signs out; ", n)
				}
				serve(t, mw, d.cookies, func(_ http.ResponseWriter, r *http.Request) {
					prefs := consent.FromContext(r.Context())
					for _, p := range modelParties[1:] {
						k := string(p.category) + p.provider
						if prefs.AllowsProvider(p.category, p.provider) {
							by, known := d.yesBy[k]
							assert.False(t, d.no[k], "%s was refused here: %s", k, log)
							assert.True(t, known && (by == d.user || by == 0), "%s is another's: %s", k, log)
						}
					}
					for i, other := range devices {
						if i != n && prefs.Reference() != (consent.Reference{}) {
							serve(t, mw, other.cookies, func(_ http.ResponseWriter, r *http.Request) {
								assert.NotEqual(t, prefs.Reference(), consent.FromContext(r.Context()).Reference(), log)
							})
						}
					}
				})
				if t.Failed() {
					return
				}
			}
		})
	}
}

// newest returns the record of the decision that was taken last.
func (l *ledger) newest() (newest consent.Record) {
	for _, record := range append(l.kept[:len(l.kept):len(l.kept)], l.later...) {
		if record.Evidence.Action != consent.ByAccount && record.Time.After(newest.Time) {
			newest = record
		}
	}
	return newest
}
