package ledger_test

import (
	"context"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/ledger"
)

func TestNothingLeaksBetweenUsersWithoutAnID(t *testing.T) {
	l := begin(t, lite(t))
	users, err := l.Users(make([]byte, 32))
	require.NoError(t, err)
	record := yes(visitor())
	keep(t, l, record)
	assert.Error(t, users.Link(context.Background(), record.Reference, record.Time, ""))
	_, err = users.Latest(context.Background(), "")
	assert.ErrorContains(t, err, "without an ID")
	_, err = users.References(context.Background(), "")
	assert.ErrorContains(t, err, "without an ID")
}

// A portal is an instance of a site with accounts: the field "User" of a request says who
// is signed in.
type portal struct {
	mw    *consent.Middleware
	users *ledger.Users
	t     testing.TB
}

func portalOf(t testing.TB, l *ledger.Ledger) portal {
	users, err := l.Users(make([]byte, 32))
	require.NoError(t, err)
	return portal{site(t, l), users, t}
}

// as serves one request of a browser in which that user is signed in, "" for nobody.
func (p portal) as(user, cookies string, handle http.HandlerFunc) (sends string) {
	return serve(p.mw, cookies, p.users.Wrap(handle, func(*http.Request) string { return user },
		func(_ *http.Request, err error) { assert.NoError(p.t, err) }).ServeHTTP)
}

func (p portal) save(user, cookies string, choice consent.Choice) (sends string) {
	time.Sleep(2 * time.Millisecond)
	return p.as(user, cookies, func(w http.ResponseWriter, r *http.Request) { assert.NoError(p.t, p.mw.Save(w, r, choice)) })
}

func (p portal) signIn(user, cookies string) (sends string) {
	return p.as("", cookies, func(w http.ResponseWriter, r *http.Request) { p.restore(user, w, r) })
}

func (p portal) restore(user string, w http.ResponseWriter, r *http.Request) {
	record, err := p.users.Latest(r.Context(), user) // the zero Record with an error
	if err != nil {
		assert.ErrorIs(p.t, err, consent.ErrNoRecord)
	}
	assert.NoError(p.t, p.mw.Restore(w, r, record))
}

func (p portal) signOut(user, cookies string) (sends string) {
	return p.as(user, cookies, func(w http.ResponseWriter, r *http.Request) { assert.NoError(p.t, p.mw.Unlink(w, r)) })
}

func (p portal) sees(cookies string) (prefs struct {
	allows bool
	of     consent.Reference
}) {
	serve(p.mw, cookies, func(_ http.ResponseWriter, r *http.Request) {
		prefs.allows = consent.FromContext(r.Context()).Allows(consent.Statistics)
		prefs.of = consent.FromContext(r.Context()).Reference()
	})
	return prefs
}

func TestNothingIsForgottenOnTheOtherDevicesOfAUser(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		p := portalOf(t, l)
		assert.False(t, p.sees(p.signIn("42", "")).allows, "who has never decided is not decided for")
		assert.Zero(t, p.sees(p.signIn("42", "")).of)

		home := p.save("42", "", consent.AcceptAll())
		phone := p.signIn("42", "")
		assert.True(t, p.sees(phone).allows, "the consent of one device is there on the other")
		assert.NotZero(t, p.sees(phone).of)
		assert.NotEqual(t, p.sees(home).of, p.sees(phone).of, "two devices have two references")
		history, err := l.History(context.Background(), p.sees(phone).of)
		require.NoError(t, err)
		assert.Equal(t, consent.ByAccount, history.Entries[0].Action)

		phone = p.save("42", phone, consent.RefuseAll())
		assert.False(t, p.sees(p.signIn("42", home)).allows, "a newer refusal too, be it written or not")

		home = p.save("42", home, consent.AcceptAll())
		assert.True(t, p.sees(p.signIn("42", phone)).allows, "and a newer consent of theirs")
		assert.False(t, p.sees(p.signOut("42", phone)).allows, "of which nothing remains after the sign-out")
		refused := p.save("", "", consent.RefuseAll())
		assert.False(t, p.sees(p.signIn("42", refused)).allows, "what was refused here before is allowed by nobody elsewhere")
		assert.True(t, p.sees(p.signIn("42", "")).allows)
		references, err := p.users.References(context.Background(), "42")
		require.NoError(t, err)
		assert.ElementsMatch(t, []consent.Reference{p.sees(home).of, p.sees(phone).of}, references)
		assert.NotContains(t, references, p.sees(refused).of)

		finish(t, l)
		l = begin(t, url)
		verified(t, l)
		users, err := l.Users(append(make([]byte, 31), 1))
		require.NoError(t, err)
		_, err = users.Latest(context.Background(), "42")
		assert.ErrorIs(t, err, ledger.ErrNoRecord, "without the secret nobody is known")
		_, err = l.Users(make([]byte, 31))
		assert.Error(t, err)
	})
}

// The shared computer: whatever somebody else decides there is not the account's.
func TestNobodysDecisionBecomesAnothersOnASharedComputer(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		p := portalOf(t, begin(t, url))
		phone := p.save("42", "", consent.RefuseAll())

		shared := p.save("", "", consent.AcceptAll()) // by whoever was there before
		shared = p.signIn("42", shared)
		assert.False(t, p.sees(shared).allows, "the account's refusal is newer than nothing, and stricter")
		before := p.sees(shared).of
		shared = p.signOut("42", shared)
		assert.True(t, p.sees(shared).allows, "as it was before")
		shared = p.save("", shared, consent.AcceptAll()) // by whoever comes after
		assert.True(t, p.sees(shared).allows)
		assert.NotEqual(t, before, p.sees(shared).of)
		assert.False(t, p.sees(p.signIn("42", phone)).allows)
		assert.False(t, p.sees(p.signIn("42", "")).allows)

		// A session that expired: nobody has called Unlink.
		library := p.save("7", "", consent.RefuseAll())
		library = p.save("", library, consent.AcceptAll())
		assert.False(t, p.sees(p.signIn("7", "")).allows, "what was decided after is not the account's")
		assert.False(t, p.sees(p.signIn("7", library)).allows, "and does not stand for the account")

		// Who comes after a consent inherits none.
		kiosk := p.save("8", "", consent.AcceptAll())
		assert.False(t, p.sees(p.signOut("8", kiosk)).allows)
		assert.Zero(t, p.sees(p.signOut("8", kiosk)).of)
		assert.True(t, p.sees(p.signIn("8", p.signOut("8", kiosk))).allows, "but who comes back has their own")

		// A decision before the sign-in counts for the account once it is saved again.
		tablet := p.signIn("9", p.save("", "", consent.AcceptAll()))
		assert.False(t, p.sees(p.signIn("9", "")).allows)
		p.save("9", tablet, consent.AcceptAll())
		assert.True(t, p.sees(p.signIn("9", "")).allows)
	})
}

func TestWhatARestoreHasPutThereIsNotTheAccounts(t *testing.T) {
	ctx := context.Background()
	p := portalOf(t, begin(t, lite(t)))
	shared := p.save("", "", consent.RefuseAll())
	home := p.save("42", "", consent.AcceptAll())
	time.Sleep(2 * time.Millisecond)
	shared = p.as("42", shared, func(w http.ResponseWriter, r *http.Request) { p.restore("42", w, r) })
	assert.False(t, p.sees(shared).allows)
	references, err := p.users.References(ctx, "42")
	require.NoError(t, err)
	assert.Equal(t, []consent.Reference{p.sees(home).of}, references)

	// Nor if a site links it.
	serve(p.mw, shared, func(_ http.ResponseWriter, r *http.Request) {
		restored := consent.FromContext(r.Context())
		require.NoError(t, p.users.Link(ctx, restored.Reference(), restored.DecidedAt(), "42"))
	})
	record, err := p.users.Latest(ctx, "42")
	require.NoError(t, err)
	assert.Equal(t, p.sees(home).of, record.Reference)
}

// A forgetting reaches each device on which the user has signed in.
func TestNothingIsLeftOfWhatARestoreHasPutThereOnceTheUserIsForgotten(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		ctx := context.Background()
		l := begin(t, url)
		p := portalOf(t, l)
		who := ""
		c, err := charter.New(charter.Config{
			Middleware: p.mw, Account: func(*http.Request) string { return who }, Accounts: p.users,
			Failed: func(_ *http.Request, err error) { assert.NoError(t, err) },
		})
		require.NoError(t, err)
		page := func(user, cookies string) string {
			who = user
			return serve(p.mw, cookies, c.Wrap(http.NotFoundHandler()).ServeHTTP)
		}
		home := p.save("42", "", consent.AcceptAll())
		there := page("42", "")
		own := p.as("", "", func(w http.ResponseWriter, r *http.Request) { // a site without the charter
			p.restore("42", w, r)
			here := consent.FromContext(r.Context())
			assert.NoError(t, p.users.Restored(ctx, here.Reference(), here.DecidedAt(), "42"))
		})
		other := p.save("7", "", consent.AcceptAll())
		references, err := p.users.References(ctx, "42")
		require.NoError(t, err)
		assert.ElementsMatch(t, []consent.Reference{p.sees(home).of, p.sees(there).of, p.sees(own).of}, references)
		latest, err := p.users.Latest(ctx, "42")
		require.NoError(t, err)
		assert.Equal(t, p.sees(home).of, latest.Reference, "a copy is no decision")
		_, err = l.Purge(ctx, time.Now().Add(-time.Hour), nil)
		require.NoError(t, err)
		assert.Len(t, links(t, url), 4, "of younger ones a purge leaves the links")

		records, err := p.users.Forget(ctx, "42")
		require.NoError(t, err)
		assert.EqualValues(t, 3, records)
		for _, gone := range []string{home, there, own} {
			_, err = l.History(ctx, p.sees(gone).of)
			assert.ErrorIs(t, err, ledger.ErrNoRecord)
		}
		_, err = l.History(ctx, p.sees(other).of)
		require.NoError(t, err)
		assert.Len(t, links(t, url), 1)
		page("7", "")
		assert.Len(t, links(t, url), 2)
		_, err = l.Purge(ctx, time.Now().Add(time.Hour), nil)
		require.NoError(t, err)
		assert.Empty(t, links(t, url), "of whom nothing is left")
		verified(t, l)
	})
}

func TestADecisionTakenUnderTheReferenceOfACopyCounts(t *testing.T) {
	ctx := context.Background()
	l := begin(t, lite(t))
	users, err := l.Users(secret)
	require.NoError(t, err)
	record := no(alice)
	keep(t, l, record)
	require.NoError(t, users.Restored(ctx, alice, record.Time, "42"))
	_, err = users.Latest(ctx, "42")
	assert.Equal(t, ledger.ErrNoRecord, err, "nothing of theirs is missing")
	require.NoError(t, users.Link(ctx, alice, record.Time, "42"))
	require.NoError(t, users.Restored(ctx, alice, record.Time.Add(time.Second), "42"))
	latest, err := users.Latest(ctx, "42")
	require.NoError(t, err)
	assert.Equal(t, record.Time, latest.Time)
	assert.Error(t, users.Restored(ctx, alice, record.Time, ""), "nobody has an account without an ID")
	require.NoError(t, users.Restored(ctx, consent.Reference{}, record.Time, "42"))
	references, err := users.References(ctx, "42")
	require.NoError(t, err)
	assert.Len(t, references, 1)
}

func TestAPurgeLeavesTheLinkOfACopyForAsLongAsTheCopy(t *testing.T) {
	ctx := context.Background()
	l := begin(t, lite(t))
	users, err := l.Users(secret)
	require.NoError(t, err)
	keep(t, l, yes(alice))
	old := time.Now().AddDate(-1, 0, 0)
	for copied, decided := range map[consent.Reference]time.Time{
		alice: old,        // it was brought up to date since
		bob:   time.Now(), // its record still waits in another process
		carol: old,        // it is gone
	} {
		require.NoError(t, users.Restored(ctx, copied, decided, "42"))
	}
	_, err = l.Purge(ctx, time.Now().Add(-time.Hour), nil)
	require.NoError(t, err)
	references, err := users.References(ctx, "42")
	require.NoError(t, err)
	assert.ElementsMatch(t, []consent.Reference{alice, bob}, references)
}

// holding is a ledger whose refusals wait until it is told.
type holding struct {
	*ledger.Ledger
	waits []consent.Record
}

func (h *holding) RecordLater(record consent.Record) { h.waits = append(h.waits, record) }

// Of a withdrawal that waits in one instance, another one knows that it was taken.
func TestAWithdrawalThatWaitsInOneInstanceIsNotUndoneByAnother(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		held := &holding{Ledger: begin(t, url)}
		one, other := portalOf(t, held.Ledger), portalOf(t, begin(t, url))
		one.mw = site(t, held)
		phone := one.save("42", "", consent.AcceptAll())
		require.True(t, other.sees(other.signIn("42", "")).allows)
		one.save("42", "", consent.AcceptAll()) // on a laptop
		phone = one.save("42", phone, consent.RefuseAll())
		require.Len(t, held.waits, 1)
		assert.False(t, other.sees(other.signIn("42", phone)).allows)
		assert.False(t, other.sees(other.signIn("42", "")).allows, "an older consent is not the last word")
		_, err := other.users.Latest(context.Background(), "42")
		assert.ErrorIs(t, err, ledger.ErrNoRecord)

		held.Ledger.RecordLater(held.waits[0])
		record, err := one.users.Latest(context.Background(), "42")
		require.NoError(t, err, "the instance in which it waits has it, be it written or not")
		assert.False(t, record.Answers[0].Allowed)
	})
}

func TestADecisionThatCannotBeLinkedIsTold(t *testing.T) {
	l := begin(t, lite(t))
	p := portalOf(t, l)
	var told []error
	failing := p.users.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, p.mw.Save(w, r, consent.AcceptAll()))
		finish(t, l)
	}), func(*http.Request) string { return "42" }, func(_ *http.Request, err error) { told = append(told, err) })
	assert.True(t, p.sees(serve(p.mw, "", failing.ServeHTTP)).allows, "it stands in this browser")
	require.Len(t, told, 1)
	assert.ErrorContains(t, told[0], "cannot link a user")
}

func TestNothingIsInventedForTwoDecisionsOfOneInstant(t *testing.T) {
	l := begin(t, filepath.Join(t.TempDir(), "consent.db"))
	users, err := l.Users(make([]byte, 32))
	require.NoError(t, err)
	at := time.Now().UTC().Truncate(time.Millisecond)
	for i := range 4 {
		r := decision(visitor(), i != 2)
		r.Time = at
		r.Objection = false
		keep(t, l, r)
		require.NoError(t, users.Link(context.Background(), r.Reference, r.Time, "42"))
	}
	record, err := users.Latest(context.Background(), "42")
	require.NoError(t, err)
	assert.False(t, record.Answers[0].Allowed)
	assert.Equal(t, at, record.Time)
	assert.Equal(t, consent.ByBanner, record.Evidence.Action)
	assert.Equal(t, "fr-CH", record.Evidence.Language.String())
}

// The charter does all of it by itself, with the ledger as its store.
func TestTheCharterFollowsUsersByTheLedger(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		p := portalOf(t, l)
		who := ""
		c, err := charter.New(charter.Config{
			Middleware: p.mw, Account: func(*http.Request) string { return who }, Accounts: p.users,
			Failed: func(_ *http.Request, err error) { assert.NoError(t, err) },
		})
		require.NoError(t, err)
		page := func(user, cookies string) string {
			who = user
			return serve(p.mw, cookies, c.Wrap(http.NotFoundHandler()).ServeHTTP)
		}
		choose := func(user, cookies string, choice consent.Choice) string {
			who = user
			time.Sleep(2 * time.Millisecond)
			return serve(p.mw, cookies, c.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				assert.NoError(t, p.mw.Save(w, r, choice))
			})).ServeHTTP)
		}
		home := choose("42", page("42", ""), consent.AcceptAll())
		shared := choose("", "", consent.Accept(consent.ThirdParty))
		there := page("42", page("7", shared))
		assert.False(t, p.sees(there).allows, "which the browser has refused")
		there = choose("42", there, consent.AcceptAll())
		assert.True(t, p.sees(there).allows)
		assert.Equal(t, p.sees(shared), p.sees(page("", there)))
		assert.True(t, p.sees(page("42", "")).allows)
		choose("42", home, consent.RefuseAll())
		assert.False(t, p.sees(page("42", "")).allows, "be it written or not")

		references, err := p.users.References(context.Background(), "42")
		require.NoError(t, err)
		assert.Subset(t, references, []consent.Reference{p.sees(home).of, p.sees(there).of})
		assert.NotContains(t, references, p.sees(shared).of)
		finish(t, l)
		verified(t, begin(t, url))
	})
}
