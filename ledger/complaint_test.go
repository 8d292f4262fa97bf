package ledger_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/ledger"
)

func TestAFailureIsToldAtOnceAndThenOnceAMinute(t *testing.T) {
	said := listen(t)
	path := filepath.Join(t.TempDir(), "consent.db")
	synctest.Test(t, func(t *testing.T) {
		l, err := ledger.Open(context.Background(), path, ledger.Config{NoSpool: true})
		require.NoError(t, err)
		lines := func(of string) int { return strings.Count(said(), of) }
		const fails, works = "the database takes no records", "the database takes records again"

		require.NoError(t, l.Exec("ALTER TABLE consent_record RENAME TO elsewhere"))
		assert.Error(t, l.Record(context.Background(), yes(alice)))
		synctest.Wait()
		assert.Equal(t, 1, lines(fails), "at once")
		assert.Contains(t, said(), "failures=1")
		time.Sleep(59 * time.Second)
		assert.Equal(t, 1, lines(fails))
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		assert.InDelta(t, 11, lines(fails), 1, "once a minute")

		require.NoError(t, l.Exec("ALTER TABLE elsewhere RENAME TO consent_record"))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		assert.Equal(t, 1, lines(works))
		assert.NoError(t, l.Figures().Failing)
		before := lines(fails)
		time.Sleep(time.Hour)
		synctest.Wait()
		assert.LessOrEqual(t, lines(fails), before+1, "nothing fails any more")
		assert.LessOrEqual(t, lines(works), 2)

		// What comes and goes is told of no more often.
		before = lines(fails) + lines(works)
		for range 20 {
			require.NoError(t, l.Exec("ALTER TABLE consent_record RENAME TO elsewhere"))
			assert.Error(t, l.Record(context.Background(), yes(alice)))
			require.NoError(t, l.Exec("ALTER TABLE elsewhere RENAME TO consent_record"))
			assert.NoError(t, l.Record(context.Background(), yes(alice)))
			time.Sleep(time.Second)
		}
		assert.LessOrEqual(t, lines(fails)+lines(works), before+2)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		assert.LessOrEqual(t, lines(fails)+lines(works), before+4)
		assert.True(t, strings.HasSuffix(strings.TrimSpace(said()), works+`"`), "the last line says how it is")
		assert.NoError(t, l.Close(context.Background()))
		assert.NotContains(t, said(), alice.String())
	})
}

func TestRefusalsThatAreDroppedAreTold(t *testing.T) {
	said := listen(t)
	path := filepath.Join(t.TempDir(), "consent.db")
	synctest.Test(t, func(t *testing.T) {
		l, err := ledger.Open(context.Background(), path, ledger.Config{NoSpool: true})
		require.NoError(t, err)
		require.NoError(t, l.Exec("ALTER TABLE consent_record RENAME TO elsewhere"))
		for range 10_000 {
			l.RecordLater(no(visitor()))
		}
		const dropped = "refusals were not recorded"
		assert.NotContains(t, said(), dropped)
		l.RecordLater(no(visitor()))
		assert.Contains(t, said(), "refusals=1 ", "at once")
		for range 7 {
			l.RecordLater(no(visitor()))
		}
		assert.Equal(t, 1, strings.Count(said(), dropped))
		time.Sleep(time.Minute)
		synctest.Wait()
		assert.Contains(t, said(), "refusals=7 ", "within a minute, though nobody came since")
		l.RecordLater(no(visitor()))
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		assert.Error(t, l.Close(ended))
		assert.Contains(t, said(), "refusals=10001 ", "at Close, those that it gives up too")
		l.RecordLater(no(visitor()))
		assert.Equal(t, 4, strings.Count(said(), dropped), "and after it")
	})
}

func TestANoticeThatTheDatabaseLostIsWrittenAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "consent.db")
	synctest.Test(t, func(t *testing.T) {
		l, err := ledger.Open(context.Background(), path, ledger.Config{NoSpool: true})
		require.NoError(t, err)
		keep(t, l, yes(alice))
		require.NoError(t, l.Exec("DELETE FROM consent_notice"))
		time.Sleep(time.Minute + time.Second)
		keep(t, l, yes(bob))
		verified(t, l)
		finish(t, l)
	})
}
