package ledger_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
)

// answering is a refusal with an answer for one provider.
func answering(r consent.Reference, provider string, allowed bool) consent.Record {
	record := no(r)
	record.Answers = []consent.Answer{{Category: consent.Statistics, Provider: provider, Allowed: allowed}}
	return record
}

// times returns when the decisions of a visitor were taken, in the order of their records.
func times(t *testing.T, l *ledger.Ledger, of consent.Reference) (all []time.Time) {
	t.Helper()
	history, err := l.History(context.Background(), of)
	require.NoError(t, err)
	assert.True(t, history.OK())
	for _, e := range history.Entries {
		all = append(all, e.Time)
	}
	return all
}

// at gives a decision its time, in seconds from some moment on.
func at(record consent.Record, seconds int) consent.Record {
	record.Time = time.Date(2026, 11, 1, 0, 0, seconds, 0, time.UTC)
	return record
}

// moments are times of at.
func moments(seconds ...int) (all []time.Time) {
	for _, s := range seconds {
		all = append(all, at(consent.Record{}, s).Time)
	}
	return all
}

// away has the database of a ledger fail at once, until back is called.
func away(t *testing.T, l *ledger.Ledger, url string) (back func()) {
	t.Helper()
	execute(t, url, "ALTER TABLE consent_record RENAME TO consent_record_away")
	require.Error(t, l.Record(context.Background(), yes(visitor())))
	return func() { execute(t, url, "ALTER TABLE consent_record_away RENAME TO consent_record") }
}

// settled waits until nothing waits any more.
func settled(t *testing.T, l *ledger.Ledger) {
	t.Helper()
	require.Eventually(t, func() bool { return l.Figures().Waiting == 0 }, time.Minute, time.Millisecond)
}

func TestOfRefusalsThatWaitTheFirstAndTheLastAreKept(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		a := visitor()
		keep(t, l, at(yes(a), 0))
		back := away(t, l, url)
		for i := range 50 {
			l.RecordLater(at(no(a), i+1))
		}
		assert.Equal(t, 2, l.Figures().Waiting)
		back()
		settled(t, l)
		assert.Equal(t, moments(0, 1, 50), times(t, l, a), "since when they refuse, and what their cookie says")
		verified(t, l)
	})
}

func TestARefusalThatSaysSomethingElseIsKept(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		a := visitor()
		keep(t, l, at(yes(a), 0))
		back := away(t, l, url)
		for i, record := range []consent.Record{
			answering(a, "one", true), answering(a, "one", true), answering(a, "one", false), answering(a, "one", false), answering(a, "one", false),
		} {
			l.RecordLater(at(record, i+1))
		}
		back()
		settled(t, l)
		assert.Equal(t, moments(0, 1, 3, 5), times(t, l, a), "the second says what the first does")
	})
}

func TestARefusalBetweenTwoConsentsIsKept(t *testing.T) {
	path := lite(t)
	l := begin(t, path)
	a := visitor()
	keep(t, l, at(yes(a), 0))
	unlock := locked(t, path) // an attempt hangs, and does not fail yet
	expected, consents := []int{0}, make(chan error, 2)
	for block := range 3 {
		for i := range 20 {
			l.RecordLater(at(no(a), 100*block+i+1))
			if i < 15 || i == 19 {
				expected = append(expected, 100*block+i+1)
			}
		}
		if block < 2 {
			waiting := l.Figures().Waiting
			go func() { consents <- l.Record(context.Background(), at(yes(a), 100*block+50)) }()
			require.Eventually(t, func() bool { return l.Figures().Waiting > waiting }, time.Minute, time.Millisecond)
			expected = append(expected, 100*block+50)
		}
	}
	unlock()
	require.NoError(t, <-consents)
	require.NoError(t, <-consents)
	settled(t, l)
	assert.Equal(t, moments(expected...), times(t, l, a))
	verified(t, l)
}

func TestTheRefusalsOfOneVisitorPushOutNobodys(t *testing.T) {
	path, config := lite(t), spooling(t)
	l := beginWith(t, path, config)
	unlock := locked(t, path)
	flood, others := visitor(), make([]consent.Reference, 100)
	for i := range others {
		others[i] = visitor()
		for range 30 { // more than maxRun; with many more, a slow disk would outlast the attempt to write
			l.RecordLater(no(flood))
		}
		l.RecordLater(no(others[i]))
	}
	l.RecordLater(at(no(flood), 1))
	assert.Equal(t, 116, l.Figures().Waiting)
	assert.Equal(t, 116, l.Figures().Spooled)
	assert.Zero(t, l.Figures().Dropped)
	size := int64(0)
	for _, file := range spoolFiles(t, config.Spool) {
		about, err := os.Stat(file)
		require.NoError(t, err)
		size += about.Size()
	}
	assert.Less(t, size, int64(8<<20), "nor do they fill the disk")
	unlock()
	settled(t, l)
	for _, r := range others {
		assert.Len(t, times(t, l, r), 1)
	}
	of := times(t, l, flood)
	assert.Len(t, of, 16)
	assert.Equal(t, moments(1), of[15:])
}

func TestRefusalsThatWereMergedAreOnDiskToo(t *testing.T) {
	path, config := lite(t), spooling(t)
	l := beginWith(t, path, config)
	a, b := visitor(), visitor()
	back := away(t, l, path)
	for i := range 20 {
		l.RecordLater(at(no(a), i+1))
		l.RecordLater(at(no(b), i+1))
	}
	assert.Equal(t, 4, l.Figures().Spooled)
	// The process is killed now: what lies on disk is taken over by the next one.
	folder := filepath.Join(t.TempDir(), "left")
	require.NoError(t, os.CopyFS(folder, os.DirFS(config.Spool)))
	_, err := l.Forget(context.Background(), a) // here alone
	require.Error(t, err)
	back()
	next := ledger.Config{Keys: config.Keys, Spool: folder}
	other := beginWith(t, path, next)
	require.Eventually(t, func() bool { return other.Figures().Waiting == 0 }, time.Minute, time.Millisecond)
	assert.Equal(t, moments(1, 20), times(t, other, a))
	verified(t, other)
}

func TestNobodyFillsTheDiskWithOneCookie(t *testing.T) {
	path := lite(t)
	synctest.Test(t, func(t *testing.T) {
		l, err := ledger.Open(context.Background(), path, ledger.Config{Keys: config.Keys, NoSpool: true})
		require.NoError(t, err)
		a := visitor()
		for range 100 {
			keep(t, l, yes(a))
		}
		assert.ErrorIs(t, l.Record(context.Background(), yes(a)), ledger.ErrTooMany)
		for i := range 1000 {
			l.RecordLater(answering(a, fmt.Sprint(i), false))
			time.Sleep(time.Second)
		}
		last := no(a)
		l.RecordLater(last)
		time.Sleep(time.Second)
		assert.Equal(t, 1, l.Figures().Waiting)
		assert.ErrorIs(t, l.Record(context.Background(), yes(a)), ledger.ErrTooMany)
		keep(t, l, yes(visitor()))

		time.Sleep(time.Hour)
		assert.Zero(t, l.Figures().Waiting, "the last refusal is written when there is room again")
		found := times(t, l, a)
		assert.Len(t, found, 101)
		assert.True(t, last.Time.Equal(found[100]), "so that the last record and the cookie agree")
		keep(t, l, yes(a))
		assert.NoError(t, l.Close(context.Background()))
	})
	verified(t, begin(t, path))
}

func TestNothingIsForgottenOfWhatIsHeldWhenTheProcessEnds(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		a := visitor()
		for range 100 {
			keep(t, l, yes(a))
		}
		last := no(a)
		l.RecordLater(last)
		assert.Equal(t, 1, l.Figures().Waiting)
		finish(t, l)
		found := times(t, begin(t, url), a)
		assert.True(t, last.Time.Equal(found[len(found)-1]))
	})
}

func TestAConsentThatWasNotRecordedIsNotCounted(t *testing.T) {
	path := lite(t)
	l := begin(t, path)
	a := visitor()
	execute(t, path, "CREATE TRIGGER picky BEFORE INSERT ON consent_record BEGIN SELECT RAISE(ABORT, 'no'); END")
	for range 300 {
		err := l.Record(context.Background(), yes(a))
		require.Error(t, err)
		require.NotErrorIs(t, err, ledger.ErrTooMany)
	}
	execute(t, path, "DROP TRIGGER picky")
	keep(t, l, yes(a))
}

func TestAConsentIsWrittenAfterARefusalThatIsHeld(t *testing.T) {
	path := lite(t)
	l := begin(t, path)
	a := visitor()
	unlock := locked(t, path)
	var together sync.WaitGroup
	for range 100 {
		together.Go(func() { assert.Error(t, l.Record(context.Background(), yes(a))) })
	}
	require.Eventually(t, func() bool { return l.Figures().Waiting == 100 }, time.Minute, time.Millisecond)
	l.RecordLater(at(no(a), 1)) // is held
	together.Wait()             // they have failed, and count no more
	unlock()
	keep(t, l, at(yes(a), 2))
	assert.Equal(t, moments(1, 2), times(t, l, a))
}

func TestTheVisitorIsToldThatTheyDecideTooOften(t *testing.T) {
	l := begin(t, lite(t))
	mw := site(t, l)
	cookies := serve(mw, "", func(w http.ResponseWriter, r *http.Request) { require.NoError(t, mw.Save(w, r, consent.AcceptAll())) })
	var err error
	for range 150 {
		sent := serve(mw, cookies, func(w http.ResponseWriter, r *http.Request) {
			if err = mw.Save(w, r, consent.AcceptAll()); err != nil {
				err = fmt.Errorf("%w", err)
			}
		})
		if err != nil {
			break
		}
		cookies = sent
	}
	assert.ErrorIs(t, err, consent.ErrNotRecorded)
	assert.ErrorIs(t, err, ledger.ErrTooMany)
	refused := ""
	serve(mw, cookies, func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, mw.Save(w, r, consent.RefuseAll()))
		assert.False(t, consent.FromContext(r.Context()).Allows(consent.Statistics), refused)
	})
}

func TestMadeUpVisitorsDoNotMakeRoomForOneWhoDecidesTooOften(t *testing.T) {
	l := begin(t, lite(t))
	a := visitor()
	for range 100 {
		keep(t, l, yes(a))
	}
	crowded(t, 10_000, func() error { return l.Record(context.Background(), yes(visitor())) })
	assert.ErrorIs(t, l.Record(context.Background(), yes(a)), ledger.ErrTooMany)
}
