package ledger_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/ledger"
)

func TestNothingIsForgottenByADiskThatIsFull(t *testing.T) {
	t.Run("SQLite that may not grow", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "consent.db")
		db, err := openSQLite(path, "busy_timeout(10000)", "max_page_count(60)")
		require.NoError(t, err)
		db.SetMaxOpenConns(1) // the one that has the limit
		defer db.Close()
		l, err := ledger.Use(context.Background(), db, config)
		require.NoError(t, err)
		full(t, l, path, func() {
			_, err := db.Exec("PRAGMA max_page_count = 100000")
			assert.NoError(t, err)
		})
	})
	t.Run("SQLite on a disk of its own", func(t *testing.T) {
		disk := smallDisk(t, 1<<20)
		path := filepath.Join(disk.path, "consent.db")
		l := begin(t, path)
		full(t, l, path, func() { disk.resize(t, 64<<20) })
	})
	t.Run("PostgreSQL on a disk of its own", func(t *testing.T) {
		if os.Getenv(longTrials) == "" {
			t.Skip("a server of its own takes a while to make; " + longTrials + "=1 has it made")
		}
		disk := smallDisk(t, 80<<20)
		c, err := newCluster(disk.path)
		needPostgres(t, err)
		t.Cleanup(c.remove)
		url := c.database(t)
		l := begin(t, url)
		disk.fill(t)
		full(t, l, url, func() {
			disk.resize(t, 512<<20)
			select {
			case <-c.exited: // it stops where its log has no room
				c.process = nil
				assert.NoError(t, c.start())
			case <-time.After(time.Second):
			}
		})
	})
}

// full has visitors decide until the disk is full and for a while longer; then there
// is room again.
func full(t *testing.T, l *ledger.Ledger, url string, makeRoom func()) {
	visitors := inProcess(t, l, func(*crowd) {
		assert.Eventually(t, func() bool { return l.Figures().Failing != nil }, time.Minute, time.Millisecond, "the disk is never full")
		time.Sleep(200 * time.Millisecond)
		makeRoom()
		assert.Eventually(t, func() bool { return l.Figures().Failing == nil }, time.Minute, 10*time.Millisecond)
	})
	finish(t, l)
	assertSettled(t, l)
	visitors.check(t, url)
}

// A disk is a file system of a bounded size.
type disk struct{ path string }

// smallDisk makes one, which takes the right to mount.
func smallDisk(t *testing.T, bytes int) *disk {
	t.Helper()
	path, err := os.MkdirTemp("", "disk") // which a server may reach, unlike t.TempDir
	require.NoError(t, err)
	t.Cleanup(func() { os.Remove(path) })
	d := &disk{path}
	said, err := exec.Command("mount", "-t", "tmpfs", "-o", "size="+strconv.Itoa(bytes), "tmpfs", d.path).CombinedOutput()
	if err != nil {
		t.Skipf("a file system of its own takes the right to mount: %s", said)
	}
	t.Cleanup(func() {
		said, err := exec.Command("umount", "-l", d.path).CombinedOutput()
		assert.NoError(t, err, string(said))
	})
	return d
}

func (d *disk) resize(t *testing.T, bytes int) { d.remount(t, "size="+strconv.Itoa(bytes)) }

func (d *disk) remount(t *testing.T, options string) {
	said, err := exec.Command("mount", "-o", "remount,"+options, d.path).CombinedOutput()
	assert.NoError(t, err, string(said))
}

// fill leaves a megabyte free.
func (d *disk) fill(t *testing.T) {
	ballast, err := os.Create(filepath.Join(d.path, "ballast"))
	require.NoError(t, err)
	written, chunk := int64(0), make([]byte, 64<<10)
	for {
		n, err := ballast.Write(chunk)
		written += int64(n)
		if err != nil {
			break
		}
	}
	require.NoError(t, ballast.Truncate(max(0, written-1<<20)))
	require.NoError(t, ballast.Close())
}
