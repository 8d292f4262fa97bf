package consent_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
)

// A ledger is a Recorder in memory, which may be out of order.
type ledger struct {
	fails       error
	kept, later []consent.Record
	during      func(context.Context)
}

func (l *ledger) Record(ctx context.Context, record consent.Record) error {
	if l.during != nil {
		l.during(ctx)
	}
	if l.fails == nil {
		l.kept = append(l.kept, record)
	}
	return l.fails
}

func (l *ledger) RecordLater(record consent.Record) { l.later = append(l.later, record) }

// recorded makes a middleware that records.
func recorded(t testing.TB, l *ledger) *consent.Middleware {
	return middleware(t, func(c *consent.Config) { c.Recorder = l })
}

// allowed returns what a record allows.
func allowed(record consent.Record) []string {
	var names []string
	for _, a := range record.Answers {
		if a.Allowed {
			names = append(names, string(a.Category)+":"+a.Provider)
		}
	}
	return names
}

func TestNothingIsForgottenOnRecord(t *testing.T) {
	l := new(ledger)
	mw := recorded(t, l)
	notice := mw.Registry().Notice(language.French, language.English, map[string]string{"Ask": "Voulez-vous ?"})
	asked := consent.Evidence{Action: consent.ByBanner, Language: language.French, Notice: notice}
	before := time.Now().Truncate(time.Millisecond)

	yes, err := save(t, mw, "", consent.Accept(consent.ThirdParty).WithEvidence(asked))
	require.NoError(t, err)
	require.Len(t, l.kept, 1)
	assert.Empty(t, l.later)
	first := l.kept[0]
	assert.NotZero(t, first.Reference)
	assert.False(t, first.Time.Before(before) || first.Time.After(time.Now()), first.Time)
	assert.Equal(t, time.UTC, first.Time.Location())
	assert.Zero(t, first.Previous)
	assert.Equal(t, asked, first.Evidence)
	assert.Equal(t, []consent.Answer{
		{"comfort", "Forum", false}, {"first-party", "Site", false}, {"statistics", "Matomo", false},
		{"statistics", "Plausible", false}, {"third-party", "AdCo", true},
	}, first.Answers)
	serve(t, mw, yes, func(_ http.ResponseWriter, r *http.Request) {
		prefs := consent.FromContext(r.Context())
		assert.Equal(t, first.Reference, prefs.Reference())
		assert.True(t, prefs.DecidedAt().Equal(first.Time))
	})

	_, err = save(t, mw, yes, consent.RefuseAll().WithObjection())
	require.NoError(t, err)
	require.Len(t, l.later, 1, "a refusal waits for nothing")
	second := l.later[0]
	assert.Equal(t, first.Reference, second.Reference)
	assert.Equal(t, first.Time, second.Previous)
	assert.True(t, second.Objection)
	assert.Empty(t, allowed(second))
	assert.Empty(t, second.Evidence.Action)
	assert.False(t, second.GPC)
	serve(t, mw, "", func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Sec-GPC", "1")
		assert.NoError(t, mw.Save(w, r, consent.RefuseAll()))
	})
	assert.True(t, l.later[1].GPC)
	var shown struct{ Cookies []struct{ Name string } }
	require.NoError(t, json.Unmarshal(second.Evidence.Notice.Content(), &shown))
	assert.Len(t, shown.Cookies, len(site()), "who says nothing of what was shown has shown the declarations")

	other, err := save(t, mw, "", consent.AcceptAll())
	require.NoError(t, err)
	assert.NotEmpty(t, other)
	assert.NotEqual(t, first.Reference, l.kept[1].Reference, "another visitor")
}

func TestNothingIsInventedThatCouldNotBeRecorded(t *testing.T) {
	l := &ledger{}
	mw := recorded(t, l)
	partly, err := save(t, mw, "", consent.Accept(consent.FirstParty, consent.Statistics))
	require.NoError(t, err)
	objecting, err := save(t, mw, "", consent.RefuseAll().WithObjection())
	require.NoError(t, err)
	both, err := save(t, mw, "", consent.Accept(consent.FirstParty).WithObjection())
	require.NoError(t, err)
	l.kept, l.later = nil, nil
	l.fails = errors.New("the disk is full")

	for name, test := range map[string]struct {
		cookies string
		choice  consent.Choice
		keeps   []string // of a decision that stands all the same; nil for none
		objects bool
	}{
		"a first consent":                    {"", consent.AcceptAll(), nil, false},
		"one that refuses some":              {"", consent.Accept(consent.Statistics), nil, false},
		"more than before":                   {partly, consent.AcceptAll(), nil, false},
		"the same again":                     {partly, consent.Accept(consent.FirstParty, consent.Statistics), nil, false},
		"less of one, more of another":       {partly, consent.Accept(consent.FirstParty, consent.ThirdParty), []string{"first-party:Site"}, false},
		"none of what was, and more":         {partly, consent.Accept(consent.ThirdParty), []string{}, false},
		"the same, with an objection":        {partly, consent.Accept(consent.FirstParty, consent.Statistics).WithObjection(), []string{"first-party:Site", "statistics:Matomo", "statistics:Plausible"}, true},
		"an objection that is taken back":    {objecting, consent.RefuseAll(), nil, false},
		"another consent, without it":        {both, consent.Accept(consent.ThirdParty), []string{}, true},
		"a consent of who objected, with it": {objecting, consent.AcceptAll().WithObjection(), nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			l.later = nil
			sends, err := save(t, mw, test.cookies, test.choice)
			assert.ErrorIs(t, err, consent.ErrNotRecorded)
			assert.ErrorIs(t, err, l.fails)
			if test.keeps == nil {
				assert.Empty(t, sends)
				assert.Empty(t, l.later)
				return
			}
			require.Len(t, l.later, 1, "what is refused is refused, and recorded later")
			serve(t, mw, sends, func(_ http.ResponseWriter, r *http.Request) {
				assert.Equal(t, test.cookies != "", consent.FromContext(r.Context()).Decided(), "whoever had answered has so still")
			})
			assert.Equal(t, test.keeps, append([]string{}, allowed(l.later[0])...))
			assert.Equal(t, test.objects, l.later[0].Objection)
			serve(t, mw, sends, func(_ http.ResponseWriter, r *http.Request) {
				prefs := consent.FromContext(r.Context())
				for _, a := range l.later[0].Answers {
					assert.Equal(t, a.Allowed, prefs.Consented(a.Category, a.Provider), a)
				}
				assert.Equal(t, test.objects, prefs.HasObjected())
			})
		})
	}
}

// A forger changes what it is given to keep.
type forger struct{ ledger }

func (f *forger) Record(_ context.Context, record consent.Record) error {
	for i := range record.Answers {
		record.Answers[i].Allowed = true
	}
	return nil
}

func TestNothingIsInventedByARecorder(t *testing.T) {
	mw := middleware(t, func(c *consent.Config) { c.Recorder = new(forger) })
	sends, err := save(t, mw, "", consent.Accept(consent.FirstParty))
	require.NoError(t, err)
	assert.Equal(t, []string{"sessionid", "visits", "profile"}, passed(t, mw, sends))
}

func TestNothingIsInventedWhereTheHeadLeavesWhileItIsRecorded(t *testing.T) {
	l := &ledger{}
	mw := recorded(t, l)
	response := serve(t, mw, "", func(w http.ResponseWriter, r *http.Request) {
		l.during = func(context.Context) { w.WriteHeader(http.StatusOK) }
		assert.ErrorIs(t, mw.Save(w, r, consent.AcceptAll()), consent.ErrTooLate)
		assert.False(t, consent.FromContext(r.Context()).Decided())
	})
	assert.Empty(t, sent(response))
}

func TestNothingIsInventedOfAConsentThatCouldNotBeRecorded(t *testing.T) {
	l := &ledger{fails: errors.New("the disk is full")}
	mw := middleware(t, func(c *consent.Config) {
		c.Recorder, c.Regime = l, everywhere(consent.OptOut)
	})
	sends, err := save(t, mw, "", consent.Accept(consent.FirstParty).WithProviders(consent.Statistics, "Matomo"))
	require.ErrorIs(t, err, consent.ErrNotRecorded)
	require.Len(t, l.later, 1)
	assert.Empty(t, allowed(l.later[0]))
	for _, a := range l.later[0].Answers {
		assert.NotEqual(t, consent.FirstParty, a.Category, "a yes is no refusal")
	}
	serve(t, mw, sends, func(_ http.ResponseWriter, r *http.Request) {
		prefs := consent.FromContext(r.Context())
		assert.False(t, prefs.Decided(), "they are asked again")
		assert.False(t, prefs.Presumed(consent.FirstParty), "of who has refused all that is known nothing is presumed")
		assert.False(t, prefs.AllowsProvider(consent.Statistics, "Plausible"), "a refusal in a category is kept, and the consents beside it with it")
		assert.False(t, prefs.AllowsProvider(consent.ThirdParty, "AdCo"))
	})
}

func TestRefusingWaitsForNoRecorder(t *testing.T) {
	l := &ledger{}
	mw := recorded(t, l)
	yes, err := save(t, mw, "", consent.AcceptAll())
	require.NoError(t, err)
	l.fails = errors.New("there is no database")
	l.during = func(context.Context) { t.Error("a refusal is recorded before it counts") }

	response := serve(t, mw, yes+"; profile=1", func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, mw.Save(w, r, consent.RefuseAll()))
		assert.False(t, consent.FromContext(r.Context()).Allows(consent.FirstParty))
	})
	assert.Contains(t, response.Header["Set-Cookie"], "profile=; Path=/; Max-Age=0")
	assert.Len(t, l.later, 1)

	american := middleware(t, func(c *consent.Config) {
		c.Recorder = l
		c.Regime = everywhere(consent.OptOut)
	})
	l.during, l.later = nil, nil
	serve(t, american, yes, func(_ http.ResponseWriter, r *http.Request) {
		assert.Equal(t, l.kept[0].Reference, consent.FromContext(r.Context()).Reference(), "the law does not change who it is")
	})
	serve(t, american, "", func(w http.ResponseWriter, r *http.Request) {
		assert.ErrorIs(t, american.Save(w, r, consent.Accept(consent.Statistics)), consent.ErrNotRecorded)
		prefs := consent.FromContext(r.Context())
		assert.False(t, prefs.Allows(consent.ThirdParty), "what was allowed by law alone is refused")
		assert.False(t, prefs.Decided(), "and what they said yes to is as it was before, unanswered")
	})
	assert.Len(t, l.later, 1)
}

func TestRefusingStandsWhateverBecomesOfTheConsentBesideIt(t *testing.T) {
	l := &ledger{}
	mw := recorded(t, l)
	partly, err := save(t, mw, "", consent.Accept(consent.FirstParty))
	require.NoError(t, err)
	response := serve(t, mw, partly+"; profile=1", func(w http.ResponseWriter, r *http.Request) {
		l.during = func(context.Context) {
			assert.False(t, consent.FromContext(r.Context()).Allows(consent.FirstParty), "it waits for no recorder")
			panic("a recorder with a defect")
		}
		assert.Panics(t, func() { _ = mw.Save(w, r, consent.Accept(consent.ThirdParty)) })
		prefs := consent.FromContext(r.Context())
		assert.False(t, prefs.Allows(consent.FirstParty))
		assert.False(t, prefs.Allows(consent.ThirdParty))
	})
	assert.Contains(t, response.Header["Set-Cookie"], "profile=; Path=/; Max-Age=0")
}

func TestNothingIsInventedOnRecord(t *testing.T) {
	l := &ledger{}
	mw := recorded(t, l)
	serve(t, mw, "", func(w http.ResponseWriter, r *http.Request) {
		var unknown *consent.ChoiceError
		assert.ErrorAs(t, mw.Save(w, r, consent.Accept("nowhere")), &unknown)
		w.WriteHeader(http.StatusOK)
		assert.ErrorIs(t, mw.Save(w, r, consent.AcceptAll()), consent.ErrTooLate)
		assert.ErrorIs(t, mw.Save(w, r, consent.RefuseAll()), consent.ErrTooLate)
		assert.ErrorIs(t, mw.Restore(w, r, consent.Record{Time: time.Now()}), consent.ErrTooLate)
	})
	outside := httptest.NewRequest("GET", "/", nil)
	assert.ErrorIs(t, mw.Save(nil, outside, consent.AcceptAll()), consent.ErrOutside)
	assert.ErrorIs(t, mw.Restore(nil, outside, consent.Record{}), consent.ErrOutside)
	assert.Empty(t, l.kept)
	assert.Empty(t, l.later)
}

func TestNothingIsForgottenByARecorderThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{fails: errors.New("slow")}
		l.during = func(ctx context.Context) { <-ctx.Done() }
		begun := time.Now()
		_, err := save(t, recorded(t, l), "", consent.AcceptAll())
		assert.ErrorIs(t, err, consent.ErrNotRecorded)
		assert.Equal(t, 10*time.Second, time.Since(begun))
	})
	l := &ledger{}
	var given context.Context
	l.during = func(ctx context.Context) { given = ctx; assert.NoError(t, ctx.Err()) }
	_, err := save(t, recorded(t, l), "", consent.AcceptAll())
	require.NoError(t, err)
	assert.ErrorIs(t, given.Err(), context.Canceled, "nothing waits any more")

	l = &ledger{fails: errors.New("gone")}
	l.during = func(ctx context.Context) { assert.ErrorIs(t, ctx.Err(), context.Canceled) }
	mw := recorded(t, l)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	through(t, mw, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.ErrorIs(t, mw.Save(w, r, consent.AcceptAll()), consent.ErrNotRecorded)
	})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "POST", "/", nil))
}

func TestNothingIsForgottenOnAnotherDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{}
		mw := middleware(t, func(c *consent.Config) { c.Recorder, c.Revision = l, 2 })
		atHome, err := save(t, mw, "", consent.Accept(consent.ThirdParty).WithObjection())
		require.NoError(t, err)
		time.Sleep(24 * time.Hour)
		consented := l.kept[0]

		restore := func(cookies string, record consent.Record) (sends string, response *http.Response) {
			response = serve(t, mw, cookies, func(w http.ResponseWriter, r *http.Request) {
				assert.NoError(t, mw.Restore(w, r, record))
			})
			return sent(response), response
		}
		onThePhone, response := restore("", consented)
		require.NotEmpty(t, onThePhone)
		for _, c := range response.Cookies() {
			if c.Name == consent.CookieName {
				assert.Equal(t, 179*24*60*60, c.MaxAge, "it stands for as long as it would have at home")
			}
		}
		serve(t, mw, onThePhone, func(_ http.ResponseWriter, r *http.Request) {
			prefs := consent.FromContext(r.Context())
			assert.True(t, prefs.DecidedAt().Equal(consented.Time))
			assert.NotZero(t, prefs.Reference())
			assert.NotEqual(t, consented.Reference, prefs.Reference(), "a reference is of one device")
			assert.True(t, prefs.Allows(consent.ThirdParty) && prefs.Decided() && prefs.HasObjected())
			assert.False(t, prefs.Allows(consent.FirstParty))
		})
		require.Len(t, l.kept, 2, "a consent counts once it is on record here")
		assert.Equal(t, consent.ByAccount, l.kept[1].Evidence.Action)
		assert.Equal(t, consented.Time, l.kept[1].Time, "it is no new decision")
		assert.Equal(t, consented.Answers, l.kept[1].Answers)
		assert.Zero(t, l.kept[1].Previous)

		refused, err := save(t, mw, "", consent.RefuseAll())
		require.NoError(t, err)
		noObjection := consented
		noObjection.Objection = false
		recorded := len(l.kept) + len(l.later)
		sends, _ := restore(refused, noObjection)
		assert.Equal(t, passed(t, mw, refused), passed(t, mw, sends), "an older consent does not come over a refusal")
		_, response = restore(atHome, consented)
		signedIn := keep(atHome, response)
		assert.Equal(t, passed(t, mw, atHome), passed(t, mw, signedIn))
		finer := consented
		finer.Time = finer.Time.Add(time.Millisecond / 2)
		sends, _ = restore(signedIn, finer)
		assert.Empty(t, sends, "nor does a part of a millisecond make it newer")
		assert.Equal(t, recorded, len(l.kept)+len(l.later), "and nothing of it is on record twice")
		sends, response = restore(atHome+"; ad_id=1", l.later[0])
		assert.NotEmpty(t, sends, "a newer refusal does come over a consent")
		assert.Contains(t, strings.Join(response.Header["Set-Cookie"], "\n"), "ad_id=; ")

		fewer := consented
		fewer.Answers = []consent.Answer{{consent.ThirdParty, "AdCo", true}, {"gone", "Nobody", true}}
		sends, _ = restore("", fewer)
		fewer.Answers = fewer.Answers[:1]
		without, _ := restore("", fewer)
		assert.Len(t, without, len(sends), "what is not declared any more takes no room")
		serve(t, mw, sends, func(_ http.ResponseWriter, r *http.Request) {
			prefs := consent.FromContext(r.Context())
			assert.True(t, prefs.Allows(consent.ThirdParty))
			assert.False(t, prefs.Decided(), "what it did not answer is asked")
		})
		older := consented
		older.Revision = 1
		sends, _ = restore("", older)
		serve(t, mw, sends, func(_ http.ResponseWriter, r *http.Request) {
			assert.False(t, consent.FromContext(r.Context()).Allows(consent.ThirdParty), "the site has asked everybody again since")
		})
		ahead := consented
		ahead.Time = time.Now().Add(time.Hour)
		sends, _ = restore("", ahead)
		assert.Empty(t, sends, "what has not been decided yet")

		time.Sleep(179*24*time.Hour - time.Second)
		sends, _ = restore("", consented)
		require.NotEmpty(t, sends)
		time.Sleep(time.Second)
		assert.NotContains(t, passed(t, mw, sends), "ad_id", "a decision does not live longer for having been put back")
		sends, _ = restore("", consented)
		assert.Empty(t, sends)
	})
}

func TestNothingIsForgottenWhereAClockWasSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &ledger{}
		mw := recorded(t, l)
		yes, err := save(t, mw, "", consent.AcceptAll())
		require.NoError(t, err)
		_, err = save(t, mw, yes, consent.RefuseAll())
		require.NoError(t, err)
		assert.Equal(t, time.Millisecond, l.later[0].Time.Sub(l.kept[0].Time), "of one instant, and still in order")

		time.Sleep(time.Hour)
		yes, err = save(t, mw, yes, consent.AcceptAll())
		require.NoError(t, err)
		time.Sleep(time.Millisecond / 2)
		_, err = save(t, mw, yes, consent.RefuseAll())
		require.NoError(t, err)
		assert.Equal(t, time.Millisecond, l.later[1].Time.Sub(l.kept[1].Time), "of one millisecond")
	})
}

func TestNothingIsInventedInAReference(t *testing.T) {
	var r consent.Reference
	assert.Empty(t, r.String())
	r[0], r[15] = 0xA1, 2
	assert.Equal(t, "a1000000000000000000000000000002", r.String())
	for _, s := range []string{r.String(), strings.ToUpper(r.String())} {
		got, err := consent.ParseReference(s)
		assert.NoError(t, err)
		assert.Equal(t, r, got)
	}
	for _, s := range []string{"", strings.Repeat("0", 32), "a1", r.String() + "00", "g" + r.String()[1:], "'; DROP TABLE x; --aaaaaaaaaaaaa", "a\x00" + r.String()[2:]} {
		_, err := consent.ParseReference(s)
		assert.Error(t, err, s)
	}
	assert.Zero(t, consent.Preferences{}.Reference())
	serve(t, middleware(t, nil), decide(t, middleware(t, nil), consent.AcceptAll()), func(_ http.ResponseWriter, r *http.Request) {
		assert.Zero(t, consent.FromContext(r.Context()).Reference(), "nobody keeps a record under it")
	})
}

func TestNothingIsInventedInANotice(t *testing.T) {
	r := consent.MustRegistry(
		consent.Cookie{Provider: "Site", Name: "s*", Category: consent.Statistics, Anonymous: true, Lifetime: time.Hour,
			Service: consent.Text{language.German: "Messung", language.English: "Counter", language.French: "Mesure"}, Purpose: consent.Text{language.English: "Counts.", language.French: "Compte."}},
		consent.Cookie{Provider: "Site", Name: "ad", Category: consent.ThirdParty, Purpose: text("Advertises.")},
	)
	n := r.Notice(language.French, language.English, map[string]string{"B": "b", "A": "<a>"})
	assert.JSONEq(t, `{"language": "fr", "sentences": {"A": "<a>", "B": "b"}, "cookies": [
		{"provider": "Site", "service": "Mesure", "name": "s*", "purpose": "Compte.", "category": "statistics", "lifetime": 3600, "needsConsent": false},
		{"provider": "Site", "name": "ad", "purpose": "Advertises.", "category": "third-party", "lifetime": 0, "needsConsent": true}]}`, string(n.Content()))
	assert.Equal(t, sha256.Sum256(n.Content()), n.Fingerprint())
	assert.Equal(t, n, r.Notice(language.French, language.English, map[string]string{"A": "<a>", "B": "b"}))
	assert.NotEqual(t, n, r.Notice(language.English, language.English, map[string]string{"A": "<a>", "B": "b"}))
}

func TestNothingIsForgottenOfAScreenWithinItsBound(t *testing.T) {
	screen := consent.Screen{Language: "fr", Control: "banner", Pressed: "accept", Regime: "opt-in", Lines: []consent.Line{{Text: "<Voulez-vous ?>"}}}
	n := screen.Notice()
	assert.JSONEq(t, `{"version": 1, "language": "fr", "control": "banner", "pressed": "accept", "regime": "opt-in", "lines": [{"text": "<Voulez-vous ?>"}]}`, string(n.Content()))
	assert.Equal(t, sha256.Sum256(n.Content()), n.Fingerprint())
	assert.Equal(t, n, screen.Notice())
	assert.Equal(t, n, consent.NewNotice(n.Content()), "what a recorder has kept is the same notice again")

	for i := range 200_000 {
		screen.Lines = append(screen.Lines, consent.Line{Text: strconv.Itoa(i)})
	}
	before := len(screen.Lines)
	content := screen.Notice().Content()
	assert.Len(t, screen.Lines, before, "the caller's is as it was")
	assert.LessOrEqual(t, len(content), 1<<20)
	var read consent.Screen
	require.NoError(t, json.Unmarshal(content, &read))
	assert.True(t, read.Cut)
	assert.Equal(t, screen.Lines[:len(read.Lines)], read.Lines)

	huge := consent.Screen{Lines: []consent.Line{{Text: strings.Repeat("a", 2<<20)}}, Categories: []consent.ScreenCategory{{Category: "chat"}}}
	require.NoError(t, json.Unmarshal(huge.Notice().Content(), &read))
	assert.True(t, read.Cut)
}

func TestNothingIsForgottenSinceTheCookieStaysSmallOnRecord(t *testing.T) {
	var cookies []consent.Cookie
	for i := range 100 {
		name := strings.Repeat("p", i+1)
		cookies = append(cookies, consent.Cookie{Provider: name, Name: name, Purpose: text("x"), Category: consent.Category(strings.Repeat("c", i%10+1))})
	}
	mw := middleware(t, func(c *consent.Config) { c.Registry, c.Recorder = consent.MustRegistry(cookies...), new(ledger) })
	sends, err := save(t, mw, "", consent.AcceptAll())
	require.NoError(t, err)
	assert.Less(t, len(sends), 900)
}
