package ledger_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
)

// locked keeps everybody else from writing to a file of SQLite.
func locked(t *testing.T, path string) (unlock func()) {
	t.Helper()
	db := open(t, path)
	conn, err := db.Conn(context.Background())
	require.NoError(t, err)
	_, err = conn.ExecContext(context.Background(), "BEGIN IMMEDIATE")
	require.NoError(t, err)
	return func() {
		_, err := conn.ExecContext(context.Background(), "COMMIT")
		assert.NoError(t, err)
		assert.NoError(t, conn.Close())
	}
}

func TestNothingIsForgottenWhileTheDatabaseDoesNotAnswer(t *testing.T) {
	path := lite(t)
	l := begin(t, path)
	a := visitor()
	keep(t, l, yes(a))
	unlock := locked(t, path)

	for range 130 { // more than are written at once
		l.RecordLater(no(visitor()))
	}
	l.RecordLater(no(a))
	l.RecordLater(no(a))
	assert.Equal(t, 132, l.Figures().Waiting)
	gone, cancel := context.WithCancel(context.Background())
	leaves := make(chan error)
	go func() { leaves <- l.Record(gone, yes(a)) }()
	require.Eventually(t, func() bool { return l.Figures().Waiting == 133 }, time.Minute, time.Millisecond)
	cancel()
	assert.ErrorIs(t, <-leaves, context.Canceled)
	stays := make(chan error)
	go func() { stays <- l.Record(context.Background(), yes(a)) }()
	require.Eventually(t, func() bool { return l.Figures().Waiting == 133 }, time.Minute, time.Millisecond)
	unlock()

	assert.NoError(t, <-stays)
	assertSettled(t, l)
	history, err := l.History(context.Background(), a)
	require.NoError(t, err)
	var order []bool
	for _, e := range history.Entries {
		order = append(order, e.Answers[0].Allowed)
	}
	assert.Equal(t, []bool{true, false, false, true}, order, "in the order in which they were decided, without the one that was given up")
}

func TestNothingIsLostIfAVisitorLeavesWhileTheirConsentIsWritten(t *testing.T) {
	path := lite(t)
	l := begin(t, path)
	keep(t, l, yes(visitor()))
	unlock := locked(t, path)
	gone, cancel := context.WithCancel(context.Background())
	leaves, stays := make(chan error, 1), make(chan error, 1)
	go func() { leaves <- l.Record(gone, yes(visitor())) }()
	require.Eventually(t, func() bool { return l.Figures().Waiting == 1 }, time.Minute, time.Millisecond)
	go func() { stays <- l.Record(context.Background(), yes(visitor())) }()
	require.Eventually(t, func() bool { return l.Figures().Waiting == 2 }, time.Minute, time.Millisecond)
	cancel()
	time.Sleep(50 * time.Millisecond)
	unlock()

	assert.NoError(t, <-stays)
	if err := <-leaves; err != nil {
		assert.ErrorIs(t, err, context.Canceled)
	}
	assert.EqualValues(t, 3, verified(t, l).Records)
	var writers int
	require.NoError(t, open(t, path).QueryRow("SELECT count(*) FROM consent_writer").Scan(&writers))
	assert.Equal(t, 1, writers, "nothing failed")
}

func TestNothingIsLostIfTheLedgerClosesWhileAConsentIsWritten(t *testing.T) {
	path := lite(t)
	l := begin(t, path)
	keep(t, l, yes(visitor()))
	unlock := locked(t, path)
	recorded, closed := make(chan error, 1), make(chan error, 1)
	go func() { recorded <- l.Record(context.Background(), yes(visitor())) }()
	require.Eventually(t, func() bool { return l.Figures().Waiting == 1 }, time.Minute, time.Millisecond)
	patience, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	go func() { closed <- l.Close(patience) }()
	time.Sleep(50 * time.Millisecond)
	unlock()

	assert.NoError(t, <-recorded)
	assert.NoError(t, <-closed)
	assert.NoError(t, patience.Err(), "it waits for what is written, and no longer")
	assert.EqualValues(t, 2, verified(t, begin(t, path)).Records)
}

func TestRefusingFillsAQueueThatSaysSo(t *testing.T) {
	path := lite(t)
	l := begin(t, path)
	unlock := locked(t, path)
	for range 10_005 {
		l.RecordLater(no(visitor()))
	}
	assert.Equal(t, 10_000, l.Figures().Waiting)
	assert.EqualValues(t, 5, l.Figures().Dropped)

	// What cannot be written before Close has to end waits for the next start.
	soon, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	err := l.Close(soon)
	assert.ErrorContains(t, err, "10000 refusals wait in")
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	assert.EqualValues(t, 5, l.Figures().Dropped)
	unlock()
	finish(t, begin(t, path))
	assert.EqualValues(t, 10_000, verified(t, begin(t, path)).Records)
}

func TestRefusingSaysWhatIsLostWithoutASpool(t *testing.T) {
	path := lite(t)
	l := beginWith(t, path, ledger.Config{Keys: config.Keys, NoSpool: true})
	unlock := locked(t, path)
	defer unlock()
	for range 10 {
		l.RecordLater(no(visitor()))
	}
	soon, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	err := l.Close(soon)
	assert.ErrorContains(t, err, "10 refusals were not recorded")
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	assert.EqualValues(t, 10, l.Figures().Dropped)
}

func TestNothingIsForgottenForOneRecordThatTheDatabaseRefuses(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		keep(t, l, yes(visitor()))
		if isSQLite(url) {
			execute(t, url, "CREATE TRIGGER picky BEFORE INSERT ON consent_record WHEN NEW.action = 'odd' BEGIN SELECT RAISE(ABORT, 'no'); END")
		} else {
			execute(t, url, "ALTER TABLE consent_record ADD CONSTRAINT picky CHECK (action <> 'odd')")
		}
		var odd consent.Record
		for range 3 {
			l.RecordLater(no(visitor()))
			odd = no(visitor())
			odd.Evidence.Action = "odd"
			l.RecordLater(odd)
		}
		assert.Error(t, l.Record(context.Background(), odd))
		var again error
		for begun := time.Now(); time.Since(begun) < time.Minute; {
			if again = l.Record(context.Background(), yes(visitor())); again == nil {
				break
			}
		}
		assert.NoError(t, again)
		finish(t, l)
		assert.EqualValues(t, 3, l.Figures().Dropped)
		assert.EqualValues(t, 5, verified(t, begin(t, url)).Records)
	})
}

func TestARefusalIsWrittenAlsoIfTheConsentBeforeHasFailed(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		away(t, l, url)() // a consent fails, and the database is there again
		time.Sleep(10 * time.Millisecond)
		l.RecordLater(no(visitor()))
		assert.Eventually(t, func() bool { return l.Figures().Waiting == 0 }, 10*time.Second, time.Millisecond)
	})
}

func TestNothingIsForgottenOfWhatCloseCouldNotWrite(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l, err := ledger.Open(context.Background(), url, config)
		require.NoError(t, err)
		keep(t, l, yes(visitor()))
		if isSQLite(url) {
			execute(t, url, "CREATE TRIGGER picky BEFORE INSERT ON consent_record WHEN NEW.action = 'odd' BEGIN SELECT RAISE(ABORT, 'no'); END")
		} else {
			execute(t, url, "ALTER TABLE consent_record ADD CONSTRAINT picky CHECK (action <> 'odd')")
		}
		for range 3 {
			odd := no(visitor())
			odd.Evidence.Action = "odd"
			l.RecordLater(odd)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		err = l.Close(ctx)
		assert.NoError(t, ctx.Err(), "it waits for nothing that has been given up")
		assert.EqualValues(t, 3, l.Figures().Dropped)
		if err != nil { // or they were refused before Close was called
			assert.ErrorContains(t, err, "were not recorded")
		}
	})
}

func TestNothingIsInventedForWhoHasGone(t *testing.T) {
	l := begin(t, lite(t))
	gone, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("left"))
	assert.ErrorIs(t, l.Record(gone, yes(visitor())), context.Canceled)
	assert.Zero(t, verified(t, l).Records)
}

func TestNothingLeaksFromTheQueueOfAVisitorWhoIsForgotten(t *testing.T) {
	path := lite(t)
	l := begin(t, path)
	a, b := visitor(), visitor()
	keep(t, l, yes(a))
	unlock := locked(t, path)
	for _, r := range []consent.Reference{b, a, b} {
		l.RecordLater(no(r))
	}
	done := make(chan int64)
	go func() {
		erased, err := l.Forget(context.Background(), a)
		assert.NoError(t, err)
		done <- erased
	}()
	unlock()
	<-done
	require.Eventually(t, func() bool { return l.Figures().Waiting == 0 }, time.Minute, time.Millisecond)
	_, err := l.History(context.Background(), a)
	assert.Error(t, err)
	verified(t, l)
}

func TestNothingFollowsOnWhatIsForgottenOrPurgedAtThatMoment(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		site, other := begin(t, url), begin(t, url)
		keep(t, site, yes(alice))
		var together sync.WaitGroup
		for range 4 {
			together.Go(func() {
				for range 24 { // of 100 in an hour
					keep(t, site, yes(alice))
				}
			})
		}
		together.Go(func() {
			for i := range 25 {
				var err error
				if i%2 == 0 {
					_, err = other.Forget(context.Background(), alice)
				} else {
					_, err = other.Purge(context.Background(), time.Now().Add(time.Hour), nil)
				}
				assert.NoError(t, err)
			}
		})
		together.Wait()
		verified(t, site)
	})
}
