package ledger_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
)

const day = 24 * time.Hour

// aged is a decision of a visitor who took it so long ago.
func aged(record consent.Record, age time.Duration) consent.Record {
	record.Time = record.Time.Add(-age)
	return record
}

func TestASiteKeepsRecordsForAsLongAsItSays(t *testing.T) {
	log := listen(t)
	path := lite(t)
	synctest.Test(t, func(t *testing.T) {
		l, err := ledger.Open(context.Background(), path, ledger.Config{Keys: config.Keys, NoSpool: true, Retention: 300 * day})
		require.NoError(t, err)
		for range 2500 { // more than are deleted at once
			l.RecordLater(aged(no(visitor()), 301*day))
		}
		keep(t, l, aged(yes(visitor()), 299*day+time.Hour))
		stays := yes(visitor())
		keep(t, l, stays)
		records := func() int64 { return verified(t, l).Records }

		time.Sleep(time.Minute)
		assert.EqualValues(t, 2, records())
		assert.Contains(t, log(), "records=2500")
		time.Sleep(23*time.Hour + 30*time.Minute)
		assert.EqualValues(t, 2, records())
		time.Sleep(2 * time.Hour)
		assert.EqualValues(t, 1, records(), "it looks again each day")
		assert.Contains(t, log(), "records=1 ")
		assert.NoError(t, l.Close(context.Background()))
		time.Sleep(400 * day)
	})
	l := begin(t, path)
	assert.EqualValues(t, 1, verified(t, l).Records, "nobody purges after Close")
}

func TestARecordIsKeptOnAServerForAsLongAsASiteSays(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		for range 1200 {
			l.RecordLater(aged(no(visitor()), 301*day))
		}
		keep(t, l, yes(visitor()))
		two := ledger.Config{Keys: config.Keys, Retention: 300 * day}
		beginWith(t, url, two)
		beginWith(t, url, two)
		require.Eventually(t, func() bool { return ledgerRecords(t, l) == 1 }, time.Minute, 100*time.Millisecond)
		verified(t, l)
	})
}

func TestARetentionThatTakesTheProofOfConsentsIsRefused(t *testing.T) {
	for _, retention := range []time.Duration{-1, time.Hour, 180 * day, 210*day - 1} {
		_, err := ledger.Open(context.Background(), lite(t), ledger.Config{Keys: [][]byte{{1}}, Retention: retention})
		assert.ErrorContains(t, err, "Retention")
		assert.ErrorContains(t, err, "Keys[0]", "every mistake at once")
	}
	finish(t, beginWith(t, lite(t), ledger.Config{Retention: 210 * day}))
}

func TestAPlanSaysWhatAPurgeWouldTake(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		changed, renewed := visitor(), visitor()
		for _, record := range []consent.Record{
			aged(yes(visitor()), 200*day), // stands no more
			aged(yes(visitor()), 100*day),
			aged(yes(visitor()), 50*day),
			aged(yes(changed), 100*day),
			aged(no(changed), 90*day), // refuses since
			aged(yes(renewed), 100*day),
			aged(yes(renewed), 10*day), // proven by a newer one
			aged(answering(visitor(), `"allowed":true}`, false), 100*day),
		} {
			if record.Answers[0].Allowed {
				keep(t, l, record)
			} else {
				l.RecordLater(record)
			}
		}
		require.Eventually(t, func() bool { return l.Figures().Waiting == 0 }, time.Minute, time.Millisecond)
		forgotten := aged(yes(visitor()), 100*day)
		keep(t, l, forgotten)
		_, err := l.Forget(context.Background(), forgotten.Reference)
		require.NoError(t, err)
		for _, of := range []struct {
			age, lifetime time.Duration
			plan          ledger.PurgePlan
		}{
			{250 * day, 0, ledger.PurgePlan{}},
			{190 * day, 0, ledger.PurgePlan{Records: 1}},
			{95 * day, 0, ledger.PurgePlan{Records: 6, Standing: 1}},
			{40 * day, 0, ledger.PurgePlan{Records: 8, Standing: 2}},
			{40 * day, 70 * day, ledger.PurgePlan{Records: 8, Standing: 1}},
			{40 * day, 365 * day, ledger.PurgePlan{Records: 8, Standing: 3}},
		} {
			plan, err := l.PlanPurge(context.Background(), time.Now().Add(-of.age), of.lifetime)
			require.NoError(t, err)
			assert.Equal(t, of.plan, plan, "older than %v, of a lifetime of %v", of.age, of.lifetime)
		}
		purged, err := l.Purge(context.Background(), time.Now().Add(-40*day), nil)
		require.NoError(t, err)
		assert.EqualValues(t, 8, purged, "and it takes as many")
	})
}

func TestAUserIsForgottenUnderAllTheirReferences(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		users, err := l.Users(secret)
		require.NoError(t, err)
		phone, laptop, other := yes(visitor()), yes(visitor()), yes(visitor())
		for _, record := range []consent.Record{phone, laptop, other} {
			keep(t, l, record)
		}
		for record, user := range map[*consent.Record]string{&phone: "ann", &laptop: "ann", &other: "bob"} {
			require.NoError(t, users.Link(context.Background(), record.Reference, record.Time, user))
		}
		erased, err := users.Forget(context.Background(), "ann")
		require.NoError(t, err)
		assert.EqualValues(t, 2, erased)
		for _, record := range []consent.Record{phone, laptop} {
			_, err := l.History(context.Background(), record.Reference)
			assert.ErrorIs(t, err, ledger.ErrNoRecord)
		}
		assert.Len(t, times(t, l, other.Reference), 1)
		references, err := users.References(context.Background(), "ann")
		require.NoError(t, err)
		assert.Empty(t, references)
		_, err = users.Forget(context.Background(), "")
		assert.Error(t, err)
		verified(t, l)
	})
}
