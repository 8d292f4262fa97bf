package ledger_test

import (
	"context"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/ledger"
)

// losses are ways in which the file of a database goes from its place, and what puts it back.
var losses = map[string]struct {
	lose, mend func(t *testing.T, path string)
}{
	"moved": {
		func(t *testing.T, path string) { require.NoError(t, os.Rename(path, path+".away")) },
		func(t *testing.T, path string) { require.NoError(t, os.Rename(path+".away", path)) },
	},
	"replaced": {
		func(t *testing.T, path string) {
			for _, suffix := range []string{"", "-wal", "-shm"} {
				if err := os.Rename(path+suffix, path+".away"+suffix); suffix == "" {
					require.NoError(t, err)
				}
			}
			other, err := ledger.Open(context.Background(), path, ledger.Config{NoSpool: true})
			require.NoError(t, err)
			finish(t, other)
		},
		func(t *testing.T, path string) {
			for _, suffix := range []string{"", "-wal", "-shm"} {
				if err := os.Rename(path+".away"+suffix, path+suffix); suffix == "" {
					require.NoError(t, err)
				}
			}
		},
	},
	"in a folder that is moved": {
		func(t *testing.T, path string) {
			require.NoError(t, os.Rename(filepath.Dir(path), filepath.Dir(path)+".away"))
		},
		func(t *testing.T, path string) {
			_ = os.RemoveAll(filepath.Dir(path)) // which the refusals that wait have made
			require.NoError(t, os.Rename(filepath.Dir(path)+".away", filepath.Dir(path)))
		},
	},
	"deleted": {lose: func(t *testing.T, path string) {
		require.NoError(t, os.Remove(path))
	}},
	"in a folder that is deleted": {lose: func(t *testing.T, path string) {
		require.NoError(t, os.RemoveAll(filepath.Dir(path)))
	}},
}

func TestNothingIsConfirmedThatIsWrittenToAFileThatHasGone(t *testing.T) {
	for name, loss := range losses {
		for how, opens := range map[string]func(t *testing.T, path string, config ledger.Config) *ledger.Ledger{
			"opened": func(t *testing.T, path string, config ledger.Config) *ledger.Ledger {
				l, err := ledger.Open(context.Background(), path, config)
				require.NoError(t, err)
				return l
			},
			"of the site": func(t *testing.T, path string, config ledger.Config) *ledger.Ledger {
				l, err := ledger.Use(context.Background(), open(t, path), config)
				require.NoError(t, err)
				return l
			},
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				said := listen(t)
				path := filepath.Join(t.TempDir(), "folder", "consent.db")
				require.NoError(t, os.Mkdir(filepath.Dir(path), 0o700))
				l := opens(t, path, ledger.Config{Keys: config.Keys, Spool: filepath.Join(t.TempDir(), "spool")})
				ctx := context.Background()
				keep(t, l, yes(alice))

				loss.lose(t, path)
				const gone = "was moved, deleted or replaced"
				assert.ErrorContains(t, l.Ready(ctx), gone)
				assert.ErrorContains(t, l.Record(ctx, yes(bob)), gone)
				assert.ErrorContains(t, l.Ready(ctx), gone)
				l.RecordLater(no(alice))
				assert.Equal(t, 1, l.Figures().Spooled)
				assert.ErrorContains(t, l.Figures().Failing, gone)
				assert.Eventually(t, func() bool { return strings.Contains(said(), gone) }, time.Minute, time.Millisecond)
				if loss.mend == nil {
					ended, cancel := context.WithCancel(ctx)
					cancel()
					assert.ErrorContains(t, l.Close(ended), "1 refusals wait")
					return
				}
				loss.mend(t, path)
				require.Eventually(t, func() bool { return l.Figures().Waiting == 0 && l.Ready(ctx) == nil }, time.Minute, 10*time.Millisecond)
				keep(t, l, yes(bob))
				finish(t, l)
				assert.EqualValues(t, 3, verified(t, begin(t, path)).Records)
			})
		}
	}
}

func TestNothingIsForgottenOfWhatWaitsNextToAFileThatHasGone(t *testing.T) {
	for name, loss := range losses {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "folder", "consent.db")
			require.NoError(t, os.Mkdir(filepath.Dir(path), 0o700))
			l, err := ledger.Open(context.Background(), path, config)
			require.NoError(t, err)
			keep(t, l, yes(alice))
			loss.lose(t, path)
			l.RecordLater(no(alice))
			assert.Equal(t, 1, l.Figures().Spooled)
			assert.True(t, onDisk(t, filepath.Dir(path), "Matomo"), "also if the folder has gone")
			if loss.mend != nil && name != "in a folder that is moved" {
				loss.mend(t, path)
				finish(t, l)
				assert.EqualValues(t, 2, verified(t, begin(t, path)).Records)
				return
			}
			ended, cancel := context.WithCancel(context.Background())
			cancel()
			assert.ErrorContains(t, l.Close(ended), "1 refusals wait")
		})
	}
}

func TestNothingIsConfirmedIfTheFileGoesAtThatMoment(t *testing.T) {
	path := lite(t)
	f := &flaky{driver: open(t, path).Driver(), path: "file:" + (&url.URL{Path: path}).EscapedPath() + "?_pragma=synchronous(FULL)&_pragma=journal_mode(WAL)"} // without a log, SQLite itself finds out
	db := sql.OpenDB(f)
	defer db.Close()
	l, err := ledger.Use(context.Background(), db, config)
	require.NoError(t, err)
	keep(t, l, yes(alice))
	f.before = func() {
		f.before = nil
		assert.NoError(t, os.Rename(path, path+".away"))
	}
	assert.ErrorContains(t, l.Record(context.Background(), yes(bob)), "was moved, deleted or replaced")
	require.NoError(t, os.Rename(path+".away", path))
	keep(t, l, yes(carol))
	finish(t, l)
	verified(t, begin(t, path))
}
