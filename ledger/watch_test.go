package ledger_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/ledger"
)

func TestNothingIsForgottenIfTheLogOfAFileIsDeletedAndTheProcessIsKilled(t *testing.T) {
	for _, suffix := range []string{"-wal", "-shm"} {
		t.Run(suffix, func(t *testing.T) {
			path := lite(t)
			child, address := startChild(t, path)
			defer func() { child.Process.Kill(); child.Wait() }()
			reader := site(t, nil)
			var visitors crowd
			decide := func(allow, confirmed bool) {
				b := new(browser)
				assert.Equal(t, confirmed, post(http.DefaultClient, address, reader, b, allow) && !b.doubtful)
				visitors.add(b)
			}
			for range 20 {
				decide(true, true)
			}
			require.NoError(t, os.Remove(path+suffix))
			decide(true, false)
			decide(false, true) // and waits on disk
			decide(true, false)
			require.NoError(t, child.Process.Kill())
			child.Wait()
			visitors.check(t, path)
		})
	}
}

func TestALedgerGoesOnOnceTheLogOfItsFileIsBack(t *testing.T) {
	for how, opens := range map[string]func(path string) (*ledger.Ledger, error){
		"opened": func(path string) (*ledger.Ledger, error) { return ledger.Open(context.Background(), path, config) },
		"of the site": func(path string) (*ledger.Ledger, error) {
			return ledger.Use(context.Background(), open(t, path), config)
		},
	} {
		t.Run(how, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "consent.db")
			finish(t, begin(t, path)) // which sets the mode of the file
			l, err := opens(path)
			require.NoError(t, err)
			keep(t, l, yes(alice))
			require.NoError(t, os.Rename(path+"-wal", path+".away"))
			assert.ErrorContains(t, l.Record(context.Background(), yes(bob)), "-wal was moved, deleted or replaced")
			assert.ErrorContains(t, l.Ready(context.Background()), "-wal was moved, deleted or replaced")
			require.NoError(t, os.Rename(path+".away", path+"-wal"))
			require.Eventually(t, func() bool { return l.Ready(context.Background()) == nil }, time.Minute, time.Millisecond)
			keep(t, l, yes(bob))
			finish(t, l)
			if how == "opened" {
				assert.NoFileExists(t, path+"-wal", "nobody has it open")
			}
			assert.EqualValues(t, 2, verified(t, begin(t, path)).Records)
		})
	}
}
