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
	"github.com/cookiecharter/consent/ledger"
)

func TestNothingLeaksBetweenUsersWithoutAnID(t *testing.T) {
	l := begin(t, lite(t))
	users, err := l.Users(make([]byte, 32))
	require.NoError(t, err)
	record := yes(visitor())
	keep(t, l, record)
	assert.Error(t, users.Link(context.Background(), record.Reference, ""))
	_, err = users.Latest(context.Background(), "")
	assert.ErrorContains(t, err, "without an ID")
	_, err = users.References(context.Background(), "")
	assert.ErrorContains(t, err, "without an ID")
}

func TestNothingIsForgottenOnTheOtherDevicesOfAUser(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		mw := site(t, l)
		users, err := l.Users(make([]byte, 32))
		require.NoError(t, err)
		signIn := func(cookies string) (sends string) {
			return serve(mw, cookies, func(w http.ResponseWriter, r *http.Request) {
				require.NoError(t, users.Link(r.Context(), consent.FromContext(r.Context()).Reference(), "42"))
				record, err := users.Latest(r.Context(), "42")
				if err == nil {
					err = mw.Restore(w, r, record)
				}
				if err != nil {
					assert.ErrorIs(t, err, ledger.ErrNoRecord)
				}
			})
		}
		save := func(cookies string, choice consent.Choice) (sends string) {
			return serve(mw, cookies, func(w http.ResponseWriter, r *http.Request) { assert.NoError(t, mw.Save(w, r, choice)) })
		}
		allows := func(cookies string) (yes bool) {
			serve(mw, cookies, func(_ http.ResponseWriter, r *http.Request) {
				yes = consent.FromContext(r.Context()).Allows(consent.Statistics)
			})
			return yes
		}
		assert.Empty(t, signIn(""), "who has never decided is not decided for")

		home := signIn(save("", consent.AcceptAll()))
		phone := signIn("")
		assert.True(t, allows(phone), "the consent of one device is there on the other")

		time.Sleep(2 * time.Millisecond)
		phone = save(phone, consent.RefuseAll())
		home = signIn(home)
		assert.False(t, allows(home), "a newer refusal too, be it written or not")

		tablet := save("", consent.AcceptAll())
		time.Sleep(2 * time.Millisecond)
		laptop := save("", consent.RefuseAll())
		tablet = signIn(tablet)
		assert.True(t, allows(tablet), "an older refusal is not newer than this consent")
		laptop = signIn(laptop)
		assert.False(t, allows(laptop), "a refusal is not overwritten by an older consent")
		assert.False(t, allows(signIn(tablet)))
		assert.False(t, allows(signIn(phone)))

		finish(t, l)
		l = begin(t, url)
		users, err = l.Users(append(make([]byte, 31), 1))
		require.NoError(t, err)
		_, err = users.Latest(context.Background(), "42")
		assert.ErrorIs(t, err, ledger.ErrNoRecord, "without the secret nobody is known")
		_, err = l.Users(make([]byte, 31))
		assert.Error(t, err)
	})
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
		require.NoError(t, users.Link(context.Background(), r.Reference, "42"))
	}
	record, err := users.Latest(context.Background(), "42")
	require.NoError(t, err)
	assert.False(t, record.Answers[0].Allowed)
	assert.Equal(t, at, record.Time)
	assert.Equal(t, consent.ByBanner, record.Evidence.Action)
	assert.Equal(t, "fr-CH", record.Evidence.Language.String())
}
