package ledger_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/ledger"
)

// contents returns the names and bytes of the files in the folder of a database, but for
// the bytes of "-shm", in which SQLite notes who reads.
func contents(t *testing.T, path string) map[string]string {
	files := make(map[string]string)
	require.NoError(t, filepath.WalkDir(filepath.Dir(path), func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(name)
		about, _ := entry.Info()
		files[name] = about.ModTime().String() + string(content)
		if filepath.Ext(name) == ".db-shm" {
			files[name] = ""
		}
		return err
	}))
	return files
}

// readEverything does all that reads, and returns how many records there are.
func readEverything(t *testing.T, url string, r func(*ledger.Ledger)) int64 {
	t.Helper()
	ctx := context.Background()
	l, err := ledger.OpenReadOnly(ctx, url, config)
	require.NoError(t, err)
	report, err := l.Verify(ctx, nil)
	require.NoError(t, err)
	assert.True(t, report.OK(), report.Faults)
	_, err = l.History(ctx, alice)
	require.NoError(t, err)
	for _, format := range []ledger.Format{ledger.CSV, ledger.JSONLines} {
		var out bytes.Buffer
		require.NoError(t, l.Export(ctx, &out, format, ledger.Period{}, nil))
	}
	_, err = l.Stats(ctx, ledger.Period{}, ledger.Grouping{}, nil)
	require.NoError(t, err)
	if r != nil {
		r(l)
	}
	require.NoError(t, l.Close(ctx))
	return report.Records
}

func TestNothingIsChangedByReading(t *testing.T) {
	filled := func(t *testing.T, path string) *ledger.Ledger {
		l, err := ledger.Open(context.Background(), path, config)
		require.NoError(t, err)
		keep(t, l, yes(alice))
		keep(t, l, no(alice))
		return l
	}
	copied := func(t *testing.T, from, to string, suffixes ...string) {
		for _, suffix := range suffixes {
			content, err := os.ReadFile(from + suffix)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(to+suffix, content, 0o600))
		}
	}
	for name, prepare := range map[string]func(t *testing.T, path string){
		"of a site that has ended": func(t *testing.T, path string) { finish(t, filled(t, path)) },
		"of a site that runs":      func(t *testing.T, path string) { l := filled(t, path); t.Cleanup(func() { finish(t, l) }) },
		"of a site that was killed": func(t *testing.T, path string) {
			other := lite(t)
			l := filled(t, other)
			copied(t, other, path, "", "-wal", "-shm")
			finish(t, l)
		},
		"of a copy of a file and its log": func(t *testing.T, path string) {
			other := lite(t)
			l := filled(t, other)
			copied(t, other, path, "", "-wal")
			finish(t, l)
		},
		"of a file without a log, by the site's own driver": func(t *testing.T, path string) {
			db, err := openSQLite(path, "journal_mode(DELETE)", "synchronous(FULL)")
			require.NoError(t, err)
			t.Cleanup(func() { db.Close() })
			l, err := ledger.Use(context.Background(), db, config)
			require.NoError(t, err)
			keep(t, l, yes(alice))
			keep(t, l, no(alice))
			finish(t, l)
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := lite(t)
			prepare(t, path)
			before := contents(t, path)
			assert.EqualValues(t, 2, readEverything(t, path, nil))
			assert.Equal(t, before, contents(t, path))
		})
	}
	t.Run("on a medium that may not be written to", func(t *testing.T) {
		disk := smallDisk(t, 8<<20)
		path := filepath.Join(disk.path, "consent.db")
		finish(t, filled(t, path))
		said, err := exec.Command("mount", "-o", "remount,ro", disk.path).CombinedOutput()
		require.NoError(t, err, string(said))
		assert.EqualValues(t, 2, readEverything(t, path, nil))
	})
	for name, suffixes := range map[string][]string{"with the index of the log": {"", "-wal", "-shm"}, "without": {"", "-wal"}} {
		t.Run("on a medium that may not be written to, of a site that was killed, "+name, func(t *testing.T) {
			disk := smallDisk(t, 8<<20)
			path := filepath.Join(disk.path, "consent.db")
			other := lite(t)
			l := filled(t, other)
			copied(t, other, path, suffixes...)
			finish(t, l)
			said, err := exec.Command("mount", "-o", "remount,ro", disk.path).CombinedOutput()
			require.NoError(t, err, string(said))
			t.Setenv("TMPDIR", t.TempDir())
			assert.EqualValues(t, 2, readEverything(t, path, nil))
			left, err := os.ReadDir(os.Getenv("TMPDIR"))
			require.NoError(t, err)
			assert.Empty(t, left, "no copy stays")
		})
	}
}

func TestNothingIsWrittenToALedgerThatIsOpenedToBeRead(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		keep(t, l, yes(alice))
		keep(t, l, no(alice))
		finish(t, l)
		readEverything(t, url, func(l *ledger.Ledger) {
			ctx := context.Background()
			const reads = "opened to be read"
			assert.ErrorContains(t, l.Record(ctx, yes(alice)), reads)
			l.RecordLater(no(alice))
			assert.EqualValues(t, 1, l.Figures().Dropped)
			_, err := l.Forget(ctx, alice)
			assert.ErrorContains(t, err, reads)
			_, err = l.Purge(ctx, time.Now(), nil)
			assert.ErrorContains(t, err, reads)
			users, err := l.Users(secret)
			require.NoError(t, err)
			assert.ErrorContains(t, users.Link(ctx, alice, time.Now(), "42"), reads)
		})
		// A tool of another version leaves the tables to the site.
		for _, version := range []string{"99", "0"} {
			execute(t, url, "DELETE FROM consent_schema")
			execute(t, url, "INSERT INTO consent_schema (version) VALUES ("+version+")")
			for _, open := range []func(context.Context, string, ledger.Config) (*ledger.Ledger, error){ledger.OpenReadOnly, ledger.OpenExisting} {
				_, err := open(context.Background(), url, config)
				assert.ErrorContains(t, err, "its tables are of version "+version)
			}
			var is int
			require.NoError(t, open(t, url).QueryRow("SELECT max(version) FROM consent_schema").Scan(&is))
			assert.Equal(t, version, map[int]string{0: "0", 99: "99"}[is])
		}
	})
}

func TestAFileThatIsOpenedToWriteWhileItIsReadIsReadAgain(t *testing.T) {
	path := lite(t)
	finish(t, begin(t, path))
	l, err := ledger.OpenReadOnly(context.Background(), path, config)
	require.NoError(t, err)
	site := begin(t, path)
	keep(t, site, yes(alice))
	assert.ErrorContains(t, l.Close(context.Background()), "read it again")
}

func TestAServerRefusesWhatWouldWriteForAReader(t *testing.T) {
	url := postgres(t)
	finish(t, begin(t, url))
	l, err := ledger.OpenReadOnly(context.Background(), url, config)
	require.NoError(t, err)
	defer l.Close(context.Background())
	assert.ErrorContains(t, l.Exec("DELETE FROM consent_schema"), "read-only")
}
