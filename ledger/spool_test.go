package ledger_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
)

// spooling returns a configuration with a folder of its own.
func spooling(t testing.TB) ledger.Config {
	return ledger.Config{Keys: config.Keys, Spool: filepath.Join(t.TempDir(), "spool")}
}

// spoolFiles returns the paths of the files in a folder that hold refusals.
func spoolFiles(t testing.TB, folder string) []string {
	found, err := filepath.Glob(filepath.Join(folder, "*-refusals-*"))
	require.NoError(t, err)
	return found
}

// left writes refusals while the database takes none, and returns a folder with what
// lies on disk then.
func left(t *testing.T, path string, config ledger.Config, refusals ...consent.Record) (folder string) {
	t.Helper()
	l, err := ledger.Open(context.Background(), path, config)
	require.NoError(t, err)
	unlock := locked(t, path)
	defer unlock()
	for _, refusal := range refusals {
		l.RecordLater(refusal)
	}
	assert.Equal(t, len(refusals), l.Figures().Spooled)
	assert.NoError(t, l.Figures().SpoolFailing)
	for _, file := range append(spoolFiles(t, config.Spool), config.Spool) {
		about, err := os.Stat(file)
		require.NoError(t, err)
		assert.Zero(t, about.Mode().Perm()&0o077, "nobody else reads %s", file)
	}
	folder = filepath.Join(t.TempDir(), "left")
	require.NoError(t, os.CopyFS(folder, os.DirFS(config.Spool)))
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	assert.ErrorContains(t, l.Close(ended), fmt.Sprintf("%d refusals wait in %s", len(refusals), config.Spool))
	assert.Zero(t, l.Figures().Dropped)
	return folder
}

func TestNothingIsForgottenThatWaitsOnDisk(t *testing.T) {
	path, config := lite(t), spooling(t)
	a, b := visitor(), visitor()
	folder := left(t, path, config, no(a), no(b), no(a))

	// What Close left is written at the start, and with it what a crash leaves in the same way.
	l := beginWith(t, path, config)
	require.Eventually(t, func() bool { return l.Figures().Waiting == 0 }, time.Minute, time.Millisecond)
	report := verified(t, l)
	assert.EqualValues(t, 3, report.Records)
	assert.EqualValues(t, 1, report.Notices)
	history, err := l.History(context.Background(), a)
	require.NoError(t, err)
	assert.Len(t, history.Entries, 2)
	assert.JSONEq(t, string(notice.Content()), string(history.Notices[history.Entries[0].Notice]))

	// The same once more: nothing is written twice.
	crashed := config
	crashed.Spool = folder
	again := beginWith(t, path, crashed)
	require.Eventually(t, func() bool { return again.Figures().Waiting == 0 }, time.Minute, time.Millisecond)
	finish(t, again)
	finish(t, l)
	assert.EqualValues(t, 3, verified(t, begin(t, path)).Records)
	assert.Empty(t, spoolFiles(t, folder), "nothing waits")
	assert.Empty(t, spoolFiles(t, config.Spool), "nothing waits")
}

func TestNothingIsInventedOfARefusalThatWaitedLongerThanANewerConsent(t *testing.T) {
	path, config := lite(t), spooling(t)
	a := visitor()
	refusal := no(a)
	config.Spool = left(t, path, config, refusal)
	other := beginWith(t, path, spooling(t)) // as on another machine
	newer := yes(a)
	newer.Time, newer.Previous = refusal.Time.Add(time.Second), refusal.Time
	keep(t, other, newer)
	finish(t, beginWith(t, path, config))
	report := verified(t, other)
	assert.EqualValues(t, 2, report.Records)
	assert.EqualValues(t, 0, report.SetBack, "no clock was wrong")
	history, err := other.History(context.Background(), a)
	require.NoError(t, err)
	require.Len(t, history.Entries, 2)
	assert.True(t, history.Entries[1].Time.Before(history.Entries[0].Time), "each has its own time")
}

func TestNothingComesBackThatWasPurged(t *testing.T) {
	for how, opens := range map[string]func(*testing.T, string, ledger.Config) *ledger.Ledger{
		"with its database": func(t *testing.T, path string, config ledger.Config) *ledger.Ledger {
			return beginWith(t, path, config)
		},
		"before its database is there": func(t *testing.T, path string, config ledger.Config) *ledger.Ledger {
			unlock := locked(t, path)
			defer unlock()
			config.Wait = 50 * time.Millisecond
			return beginWith(t, path, config)
		},
	} {
		t.Run(how, func(t *testing.T) {
			path, config := lite(t), spooling(t)
			config.Spool = "" // next to the file, by which it is known before the database is
			old, recent := no(alice), no(bob)
			old.Time = time.Now().AddDate(-2, 0, 0)
			l := beginWith(t, path, config)
			users, err := l.Users(secret)
			require.NoError(t, err)
			unlock := locked(t, path)
			l.RecordLater(old)
			assert.Error(t, users.Link(context.Background(), old.Reference, old.Time, "42"))
			copied := t.TempDir()
			for _, file := range spoolFiles(t, filepath.Dir(path)) {
				content, err := os.ReadFile(file)
				require.NoError(t, err)
				require.NoError(t, os.WriteFile(filepath.Join(copied, filepath.Base(file)), content, 0o600))
			}
			unlock()
			finish(t, l)
			l = beginWith(t, path, config)
			purged, err := l.Purge(context.Background(), time.Now().AddDate(-1, 0, 0), nil)
			require.NoError(t, err)
			assert.EqualValues(t, 1, purged)
			finish(t, l)

			require.NoError(t, os.CopyFS(filepath.Dir(path), os.DirFS(copied)))
			l = opens(t, path, config)
			l.RecordLater(recent)
			require.Eventually(t, func() bool { return l.Figures().Waiting == 0 && l.Ready(context.Background()) == nil }, time.Minute, time.Millisecond)
			assert.EqualValues(t, 1, verified(t, l).Records, "that of now")
			users, err = l.Users(secret)
			require.NoError(t, err)
			references, err := users.References(context.Background(), "42")
			require.NoError(t, err)
			assert.Empty(t, references)
			finish(t, l)
			assert.Empty(t, spoolFiles(t, filepath.Dir(path)))
		})
	}
}

func TestNothingIsForgottenThatWasDecidedAfterAPurgeOfTheSameDay(t *testing.T) {
	path, config := lite(t), spooling(t)
	l := beginWith(t, path, config)
	keep(t, l, yes(alice))
	_, err := l.Purge(context.Background(), time.Now().Add(time.Hour), nil)
	require.NoError(t, err)
	finish(t, l)
	time.Sleep(2 * time.Millisecond)
	config.Spool = left(t, path, config, no(alice))
	l = beginWith(t, path, config)
	require.Eventually(t, func() bool { return l.Figures().Waiting == 0 }, time.Minute, time.Millisecond)
	assert.EqualValues(t, 1, verified(t, l).Records)
}

func TestNothingIsForgottenThatWaitedUnderAProcessThatWasMadeUp(t *testing.T) {
	path, config := lite(t), spooling(t)
	finish(t, beginWith(t, path, config))
	execute(t, path, `INSERT INTO consent_writer (id, opened) VALUES (x'00000000000070008000000000000000', 1)`)
	config.Spool = left(t, path, config, no(alice))
	execute(t, path, `DELETE FROM consent_writer WHERE opened = 1`)
	l := beginWith(t, path, config)
	require.Eventually(t, func() bool { return l.Figures().Waiting == 0 }, time.Minute, time.Millisecond)
	assert.EqualValues(t, 1, verified(t, l).Records)
}

func TestNothingIsLeftOnDiskOfWhatIsWritten(t *testing.T) {
	path, config := lite(t), spooling(t)
	l := beginWith(t, path, config)
	l.RecordLater(no(visitor()))
	assert.Eventually(t, func() bool { return !onDisk(t, config.Spool, "Matomo") }, time.Minute, time.Millisecond)
}

// onDisk reports whether some file in a folder holds a text.
func onDisk(t *testing.T, folder, text string) bool {
	for _, file := range spoolFiles(t, folder) {
		content, err := os.ReadFile(file)
		if err != nil && !os.IsNotExist(err) {
			t.Error(err)
		}
		if bytes.Contains(content, []byte(text)) {
			return true
		}
	}
	return false
}

func TestNothingIsLeftOnDiskOfAVisitorWhoIsForgotten(t *testing.T) {
	path, config := lite(t), spooling(t)
	l := beginWith(t, path, config)
	a, b := visitor(), visitor()
	keep(t, l, yes(a))
	for _, waits := range [][]consent.Reference{{a}, {a, b}} {
		unlock := locked(t, path)
		for _, r := range waits {
			l.RecordLater(no(r))
		}
		dashed := fmt.Sprintf("%x-%x-%x-%x-%x", a[:4], a[4:6], a[6:8], a[8:10], a[10:])
		assert.True(t, onDisk(t, config.Spool, dashed))
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, err := l.Forget(context.Background(), a)
			assert.NoError(t, err)
		}()
		unlock()
		<-done
		assert.False(t, onDisk(t, config.Spool, dashed))
	}
	verified(t, l)
}

func TestNothingIsForgottenOfAFileThatIsTornOrDamaged(t *testing.T) {
	a := no(visitor())
	for name, c := range map[string]struct {
		damage  func(lines []string) []string
		records int
		kept    bool // the damaged file
	}{
		"torn in its last line": {func(l []string) []string { l[4] = l[4][:len(l[4])/2]; return l[:5] }, 2, false},
		"damaged in a line":     {func(l []string) []string { l[3] = strings.Replace(l[3], "banner", "bannes", 1); return l }, 2, true},
		"just begun":            {func(l []string) []string { return []string{l[0][:30]} }, 0, false},
		"not even begun":        {func(l []string) []string { return nil }, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			path, config := lite(t), spooling(t)
			config.Spool = left(t, path, config, no(visitor()), a, no(visitor()))
			file := spoolFiles(t, config.Spool)[0]
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			lines := strings.SplitAfter(strings.TrimRight(string(content), "\x00"), "\n")
			require.Len(t, lines, 6, "the first, a notice, three refusals and the end")
			require.NoError(t, os.WriteFile(file, []byte(strings.Join(c.damage(lines), "")), 0o600))
			l := beginWith(t, path, config)
			require.Eventually(t, func() bool { return l.Figures().Waiting == 0 }, time.Minute, time.Millisecond)
			assert.EqualValues(t, c.records, verified(t, l).Records)
			if _, err := os.Stat(file + ".damaged"); c.kept {
				assert.NoError(t, err)
			} else {
				assert.ErrorIs(t, err, fs.ErrNotExist)
			}
		})
	}
}

func TestNothingIsInventedOfAFileThatIsNotTheLedgers(t *testing.T) {
	for name, c := range map[string]struct {
		change func(content []byte) []byte
		says   string
	}{
		"of another version": {func(b []byte) []byte { return bytes.Replace(b, []byte("spool/1"), []byte("spool/2"), 1) }, "spool/2"},
		"of another ledger": {func(b []byte) []byte {
			_, after, _ := bytes.Cut(b, []byte("\n"))
			return append([]byte("consent-ledger-spool/1 01a21783-9b2d-735f-8a35-c9c442418cce\n"), after...)
		}, "another ledger"},
		"of no ledger": {func(b []byte) []byte {
			return append([]byte("consent-ledger-spool/1 all of them, whatever they may be\n"), b...)
		}, "of which ledger"},
	} {
		t.Run(name, func(t *testing.T) {
			path, config := lite(t), spooling(t)
			config.Spool = left(t, path, config, no(visitor()))
			file := spoolFiles(t, config.Spool)[0]
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			content = c.change(content)
			require.NoError(t, os.WriteFile(file, content, 0o600))
			for range 2 {
				_, err = ledger.Open(context.Background(), path, config)
				assert.ErrorContains(t, err, file)
				assert.ErrorContains(t, err, c.says)
			}
			now, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Equal(t, content, now, "it is left as it is")
		})
	}
	t.Run("of another ledger in the same folder", func(t *testing.T) {
		path, config := lite(t), spooling(t)
		config.Spool = left(t, path, config, no(visitor()))
		other := beginWith(t, lite(t), config)
		assert.Zero(t, other.Figures().Waiting)
		l := beginWith(t, path, config)
		finish(t, l)
		assert.EqualValues(t, 1, verified(t, begin(t, path)).Records)
	})
	t.Run("of a process that runs", func(t *testing.T) {
		path, config := lite(t), spooling(t)
		l := beginWith(t, path, config)
		unlock := locked(t, path)
		l.RecordLater(no(visitor()))
		other := make(chan *ledger.Ledger)
		go func() {
			l, err := ledger.Open(context.Background(), path, config)
			assert.NoError(t, err)
			other <- l
		}()
		time.Sleep(50 * time.Millisecond)
		unlock()
		finish(t, <-other)
		finish(t, l)
		assert.EqualValues(t, 1, verified(t, begin(t, path)).Records)
	})
}

func TestRefusingWorksWithoutADiskToWaitOn(t *testing.T) {
	t.Run("where its folder cannot be", func(t *testing.T) {
		path, config := lite(t), spooling(t)
		require.NoError(t, os.WriteFile(config.Spool, nil, 0o600))
		l := beginWith(t, path, config)
		assert.Error(t, l.Figures().SpoolFailing)
		l.RecordLater(no(visitor()))
		require.Eventually(t, func() bool { return l.Figures().Waiting == 0 }, time.Minute, time.Millisecond)
		assert.EqualValues(t, 1, verified(t, l).Records)
	})
	t.Run("where it is full", func(t *testing.T) {
		path, config := lite(t), spooling(t)
		disk := smallDisk(t, 300<<10)
		config.Spool = disk.path
		l := beginWith(t, path, config)
		require.NoError(t, l.Figures().SpoolFailing)
		unlock := locked(t, path)
		for range 1000 {
			l.RecordLater(no(visitor()))
		}
		figures := l.Figures()
		assert.Equal(t, 1000, figures.Waiting)
		assert.ErrorContains(t, figures.SpoolFailing, "no space left")
		assert.NotZero(t, figures.Spooled)
		assert.Less(t, figures.Spooled, 1000)
		disk.resize(t, 16<<20)
		assert.Eventually(t, func() bool { f := l.Figures(); return f.SpoolFailing == nil && f.Spooled == 1000 }, time.Minute, 10*time.Millisecond, "what waits is kept once there is room")
		unlock()
		finish(t, l)
		assert.EqualValues(t, 1000, verified(t, begin(t, path)).Records)
	})
	t.Run("where it does not answer", func(t *testing.T) {
		path, config := lite(t), spooling(t)
		l := beginWith(t, path, config)
		unlock := locked(t, path)
		release := l.HoldDisk()
		assert.Less(t, timed(func() { l.RecordLater(no(visitor())) }), 5*time.Second)
		assert.Less(t, timed(func() {
			for range 20 {
				l.RecordLater(no(visitor()))
			}
		}), 400*time.Millisecond, "it has been waited for once")
		assert.Zero(t, l.Figures().Spooled)
		release()
		assert.Eventually(t, func() bool { return l.Figures().Spooled == 21 }, time.Minute, time.Millisecond)
		unlock()
		finish(t, l)
		assert.EqualValues(t, 21, verified(t, begin(t, path)).Records)
	})
	t.Run("where it cannot be written to", func(t *testing.T) {
		path, config := lite(t), spooling(t)
		folder := left(t, path, config, no(visitor()))
		disk := smallDisk(t, 1<<20)
		require.NoError(t, os.CopyFS(disk.path, os.DirFS(folder)))
		disk.remount(t, "ro")
		config.Spool = disk.path
		l := beginWith(t, path, config)
		l.RecordLater(no(visitor()))
		assert.ErrorContains(t, l.Figures().SpoolFailing, "read-only")
		finish(t, l)
		assert.EqualValues(t, 2, verified(t, begin(t, path)).Records)
	})
	t.Run("beyond the size of a file", func(t *testing.T) {
		path, config := lite(t), spooling(t)
		l := beginWith(t, path, config)
		unlock := locked(t, path)
		for range 70 {
			large := no(visitor())
			large.Evidence.Action = consent.Action(strings.Repeat("x", 1<<20))
			l.RecordLater(large)
		}
		figures := l.Figures()
		assert.Equal(t, 70, figures.Waiting)
		assert.InDelta(t, 63, figures.Spooled, 1, "the oldest are kept")
		assert.ErrorContains(t, figures.SpoolFailing, "64 MB")
		unlock()
		finish(t, l)
		assert.EqualValues(t, 70, verified(t, begin(t, path)).Records)
	})
	t.Run("by choice", func(t *testing.T) {
		path, config := lite(t), spooling(t)
		config.NoSpool = true
		_, err := ledger.Open(context.Background(), path, config)
		assert.ErrorContains(t, err, "NoSpool")
		config.Spool = ""
		l := beginWith(t, path, config)
		l.RecordLater(no(visitor()))
		assert.Zero(t, l.Figures().Spooled)
		assert.Empty(t, spoolFiles(t, filepath.Dir(path)))
	})
}
