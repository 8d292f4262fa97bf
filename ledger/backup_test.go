package ledger_test

import (
	"context"
	"database/sql"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
)

// lived makes a ledger of which everything has been done: two processes, of which one has
// not ended in order, consents and refusals, a purge, a forgetting, and a user.
func lived(t *testing.T, url string) (anchor ledger.Anchor) {
	t.Helper()
	killed := begin(t, url)
	keep(t, killed, yes(visitor()))
	l := begin(t, url)
	old := yes(visitor())
	old.Time = time.UnixMilli(1)
	keep(t, l, old)
	forgotten, strange := visitor(), yes(visitor())
	strange.Answers[0].Provider, strange.Evidence.Notice = "\"<é>\\\u2028", nil
	for _, record := range []consent.Record{yes(alice), yes(forgotten), strange} {
		keep(t, l, record)
	}
	l.RecordLater(no(alice))
	keep(t, l, yes(alice))
	_, err := l.Purge(context.Background(), time.UnixMilli(1000), nil)
	require.NoError(t, err)
	_, err = l.Forget(context.Background(), forgotten)
	require.NoError(t, err)
	users, err := l.Users(secret)
	require.NoError(t, err)
	last := yes(alice)
	keep(t, l, last)
	require.NoError(t, users.Link(context.Background(), alice, last.Time, "alice"))
	return verified(t, l).Anchor
}

// links returns the rows that say which decisions are those of users.
func links(t *testing.T, url string) (all []string) {
	t.Helper()
	rows, err := open(t, url).Query("SELECT user_hash, reference, decided, seal FROM consent_link ORDER BY reference")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var user, reference, decided, seal sql.RawBytes
		require.NoError(t, rows.Scan(&user, &reference, &decided, &seal))
		all = append(all, string(user)+string(decided)+string(seal))
	}
	require.NoError(t, rows.Err())
	return all
}

// tending opens a ledger as the command does.
func tending(t *testing.T, url string) *ledger.Ledger {
	t.Helper()
	l, err := ledger.OpenReadOnly(context.Background(), url, config)
	require.NoError(t, err)
	t.Cleanup(func() { finish(t, l) })
	return l
}

func TestABackupOfALiveLedgerHoldsAllThatWasConfirmed(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		var confirmed atomic.Int64
		stop := make(chan struct{})
		var together sync.WaitGroup
		for range 8 {
			together.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						keep(t, l, yes(visitor()))
						confirmed.Add(1)
					}
				}
			})
		}
		for i := range 3 {
			require.Eventually(t, func() bool { return confirmed.Load() >= int64(50*(i+1)) }, time.Minute, time.Millisecond)
			path := filepath.Join(t.TempDir(), "backup.db")
			before := confirmed.Load()
			report, err := tending(t, url).Backup(context.Background(), path, nil)
			require.NoError(t, err)
			assert.GreaterOrEqual(t, report.Records, before)
			about, err := os.Stat(path)
			require.NoError(t, err)
			assert.Zero(t, about.Mode().Perm()&0o077, "nobody else reads it")
			assert.Equal(t, report.Records, verified(t, tending(t, path)).Records)
			there, err := os.ReadDir(filepath.Dir(path))
			require.NoError(t, err)
			assert.Len(t, there, 1, "one file is all of it")
		}
		close(stop)
		together.Wait()
	})
}

func TestABackupIsALedgerThatGoesOn(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		anchor := lived(t, url)
		path := filepath.Join(t.TempDir(), "backup.db")
		_, err := begin(t, url).Backup(context.Background(), path, nil)
		require.NoError(t, err)
		assert.Equal(t, exported(t, url, ledger.Period{}), exported(t, path, ledger.Period{}))
		assert.Equal(t, links(t, url), links(t, path))
		l := begin(t, path)
		keep(t, l, yes(alice))
		report, err := l.Verify(context.Background(), nil, anchor)
		require.NoError(t, err)
		assert.True(t, report.OK(), report.Faults)
		history, err := l.History(context.Background(), alice)
		require.NoError(t, err)
		assert.Len(t, history.Entries, 5)
	})
}

func TestABackupHoldsNothingElseOfTheDatabase(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		keep(t, begin(t, url), yes(visitor()))
		execute(t, url, "CREATE TABLE customers (name text)")
		execute(t, url, "INSERT INTO customers VALUES ('Customer-of-the-site')")
		path := filepath.Join(t.TempDir(), "backup.db")
		_, err := tending(t, url).Backup(context.Background(), path, nil)
		require.NoError(t, err)
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Contains(t, string(content), "Matomo")
		assert.NotContains(t, string(content), "ustomer")
	})
}

func TestABackupReplacesNothingAndIsWholeOrNotThere(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		keep(t, l, yes(visitor()))
		path := filepath.Join(t.TempDir(), "backup.db")

		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := l.Backup(ended, path, nil)
		assert.ErrorIs(t, err, context.Canceled)
		there, err := os.ReadDir(filepath.Dir(path))
		require.NoError(t, err)
		assert.Empty(t, there, "nothing is left of a backup that was broken off")

		require.NoError(t, os.WriteFile(path, []byte("dear"), 0o600))
		_, err = l.Backup(context.Background(), path, nil)
		assert.ErrorIs(t, err, fs.ErrExist)
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, "dear", string(content))
		_, err = l.Backup(context.Background(), filepath.Join(path, "no", "folder"), nil)
		assert.Error(t, err)
	})
}

func TestABackupKeepsWhatWasAlteredAndSaysSo(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		keep(t, l, yes(visitor()))
		keep(t, l, yes(visitor()))
		execute(t, url, "UPDATE consent_record SET language = 'de' WHERE place = 2")
		path := filepath.Join(t.TempDir(), "backup.db")
		report, err := l.Backup(context.Background(), path, nil)
		require.NoError(t, err)
		assert.EqualValues(t, 1, report.FaultCount, report.Faults)
		assert.Contains(t, verifiedFaults(t, tending(t, path)), "was altered")
	})
}

// carried are the ways in which a ledger is carried to a file.
var carried = map[string]func(t *testing.T, url, file string){
	"backup": func(t *testing.T, url, file string) {
		_, err := tending(t, url).Backup(context.Background(), file, nil)
		require.NoError(t, err)
	},
	"export": func(t *testing.T, url, file string) {
		require.NoError(t, os.WriteFile(file, []byte(exported(t, url, ledger.Period{})), 0o600))
	},
}

func TestALedgerIsCarriedToTheOtherKindOfDatabaseAndBack(t *testing.T) {
	for way, carry := range carried {
		t.Run(way, func(t *testing.T) {
			databases(t, func(t *testing.T, url string) {
				other, back := postgres(t), lite(t)
				if !isSQLite(url) {
					other, back = lite(t), postgres(t)
				}
				anchor := lived(t, url)
				was := exported(t, url, ledger.Period{})
				for i, leg := range [][2]string{{url, other}, {other, back}} {
					file := filepath.Join(t.TempDir(), "carried")
					carry(t, leg[0], file)
					report, err := ledger.Import(context.Background(), file, leg[1], config, nil, nil)
					require.NoError(t, err)
					assert.True(t, report.OK())
					assert.Equal(t, was, exported(t, leg[1], ledger.Period{}), "leg %d", i)
					if way == "backup" {
						assert.Len(t, links(t, leg[1]), 1)
					} else {
						assert.Empty(t, links(t, leg[1]), "an export has none")
					}
				}
				report, err := tending(t, back).Verify(context.Background(), nil, anchor)
				require.NoError(t, err)
				assert.True(t, report.OK(), report.Faults)

				l := begin(t, back)
				keep(t, l, yes(alice))
				report, err = l.Verify(context.Background(), nil, anchor)
				require.NoError(t, err)
				assert.True(t, report.OK(), report.Faults)
				if way == "backup" {
					users, err := l.Users(secret)
					require.NoError(t, err)
					latest, err := users.Latest(context.Background(), "alice")
					require.NoError(t, err)
					assert.Equal(t, alice, latest.Reference)
				}
			})
		})
	}
}

func TestALedgerIsImportedOnlyWhereNothingIs(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		source, file := lite(t), filepath.Join(t.TempDir(), "backup.db")
		keep(t, begin(t, source), yes(visitor()))
		carried["backup"](t, source, file)
		finish(t, begin(t, url)) // a site has begun here and ended
		was := exported(t, url, ledger.Period{})
		_, err := ledger.Import(context.Background(), file, url, config, nil, nil)
		assert.ErrorContains(t, err, "there are rows in consent_writer already")
		assert.Equal(t, was, exported(t, url, ledger.Period{}))
		_, err = ledger.Import(context.Background(), file, url, ledger.Config{Keys: [][]byte{{1}}}, nil, nil)
		assert.ErrorContains(t, err, "Keys[0]")
	})
}

func TestAnImportIsWholeOrLeavesNothing(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		source, file := lite(t), filepath.Join(t.TempDir(), "carried")
		l := begin(t, source)
		for range 40 {
			l.RecordLater(no(visitor()))
		}
		finish(t, l)
		whole := exported(t, source, ledger.Period{})
		lines := strings.SplitAfter(whole, "\n")
		for what, broken := range map[string]struct{ content, says string }{
			"not all lines":            {strings.Join(lines[:20], ""), "not all that were written"},
			"a line is gone":           {strings.Join(append(lines[:30:30], lines[31:]...), ""), "not all that were written"},
			"a line ends in the midst": {whole[:len(whole)/2], "line"},
			"a part":                   {exported(t, source, ledger.Period{From: time.UnixMilli(1)}), "of a part"},
			"something else":           {"id,time,reference", "neither a backup nor an export"},
			"nothing":                  {"", "neither a backup nor an export"},
			"a database that is none":  {"SQLite format 3\x00" + strings.Repeat("x", 5000), "carried"},
		} {
			require.NoError(t, os.WriteFile(file, []byte(broken.content), 0o600))
			_, err := ledger.Import(context.Background(), file, url, config, nil, nil)
			assert.ErrorContains(t, err, broken.says, what)
		}
		_, err := ledger.Import(context.Background(), file+"-that-is-not-there", url, config, nil, nil)
		assert.ErrorIs(t, err, fs.ErrNotExist)

		execute(t, source, "UPDATE consent_record SET language = 'de' WHERE place = 7")
		for _, carry := range carried {
			require.NoError(t, os.RemoveAll(file))
			carry(t, source, file)
			_, err = ledger.Import(context.Background(), file, url, config, nil, nil)
			assert.ErrorContains(t, err, "was altered")
			_, err = ledger.Import(context.Background(), file, url, config, func(r ledger.Report) bool { return r.FaultCount > 1 }, nil)
			assert.ErrorContains(t, err, "nothing was imported")
		}
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_, err = ledger.Import(ended, file, url, config, nil, nil)
		assert.ErrorIs(t, err, context.Canceled)

		// After all of these, the database is empty still.
		report, err := ledger.Import(context.Background(), file, url, config, func(r ledger.Report) bool { return r.FaultCount == 1 }, nil)
		require.NoError(t, err)
		assert.EqualValues(t, 40, report.Records)
		assert.Contains(t, verifiedFaults(t, tending(t, url)), "was altered", "a fault stays one")
	})
}

func TestNobodyBeginsToWriteWhereALedgerIsImported(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		source, file := lite(t), filepath.Join(t.TempDir(), "carried")
		keep(t, begin(t, source), yes(visitor()))
		carried["backup"](t, source, file)
		execute(t, source, "UPDATE consent_record SET language = 'de' WHERE place = 2")
		altered := filepath.Join(t.TempDir(), "altered")
		carried["backup"](t, source, altered)

		// Accept is called just before the commit.
		began := make(chan error, 1)
		accept := func(ledger.Report) bool {
			soon, cancel := context.WithTimeout(context.Background(), 4*time.Second)
			defer cancel()
			l, err := ledger.Open(soon, url, ledger.Config{Keys: config.Keys, NoSpool: true})
			if err == nil {
				record := yes(visitor())
				record.Evidence.Notice = nil // or it would wait for the row of the notice
				err = l.Record(soon, record)
				l.Close(soon)
			}
			began <- err
			return true
		}
		_, err := ledger.Import(context.Background(), altered, url, config, accept, nil)
		require.NoError(t, err)
		assert.Error(t, <-began)
		l := begin(t, url)
		keep(t, l, yes(visitor()))
		assert.EqualValues(t, 2, ledgerRecords(t, l))
	})
}

// ledgerRecords counts records.
func ledgerRecords(t *testing.T, l *ledger.Ledger) int64 {
	t.Helper()
	report, err := l.Verify(context.Background(), nil)
	require.NoError(t, err)
	return report.Records
}
