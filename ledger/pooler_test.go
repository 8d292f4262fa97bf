package ledger_test

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/internal/servertest"
	"github.com/cookiecharter/consent/ledger"
)

// pooled starts PgBouncer in front of a database of its own, and returns the URL through it.
func pooled(t *testing.T, settings ...string) (url string) {
	t.Helper()
	return pooledAt(t, server(t).directory, settings...)
}

// pooledAt looks for the server's socket in a folder.
func pooledAt(t *testing.T, socket string, settings ...string) (url string) {
	t.Helper()
	const binary = "/usr/sbin/pgbouncer"
	if _, err := os.Stat(binary); err != nil && os.Getenv("CI") != "true" {
		t.Skip("no PgBouncer is installed here (apt-get install pgbouncer)")
	}
	c := server(t)
	name := fmt.Sprintf("pooled%d", c.count.Add(1))
	execute(t, c.url("postgres"), "CREATE DATABASE "+name)
	address := servertest.FreeAddress(t)
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	config := filepath.Join(c.directory, name+".ini")
	require.NoError(t, os.WriteFile(config, []byte(strings.Join(append([]string{
		"[databases]", "* = host=" + socket + " user=postgres",
		"[pgbouncer]", "listen_addr = 127.0.0.1", "listen_port = " + port, "unix_socket_dir =", "auth_type = any",
	}, settings...), "\n")), 0o644))
	process := exec.Command(binary, config)
	asServer(process)
	process.Stderr = os.Stderr
	if !testing.Verbose() {
		process.Stderr = nil
	}
	require.NoError(t, process.Start())
	t.Cleanup(func() { process.Process.Kill(); process.Wait() })
	url = fmt.Sprintf("postgres://postgres@%s/%s?sslmode=disable", address, name)
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}, time.Minute, 10*time.Millisecond)
	return url
}

func TestNothingIsForgottenBehindAPooler(t *testing.T) {
	for mode, size := range map[string]string{"session": "20", "transaction": "4"} {
		t.Run(mode, func(t *testing.T) {
			url := pooled(t, "pool_mode = "+mode, "default_pool_size = "+size)
			l := begin(t, url)
			var together sync.WaitGroup
			for range 16 { // so that each transaction has another session of the server
				together.Go(func() {
					for range 10 {
						a := visitor()
						ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
						assert.NoError(t, l.Record(ctx, yes(a)))
						l.RecordLater(no(a))
						_, err := l.History(ctx, a)
						assert.NoError(t, err)
						cancel()
					}
				})
			}
			together.Wait()
			_, err := l.Forget(context.Background(), alice)
			assert.NoError(t, err)
			assert.NoError(t, l.Ready(context.Background()))
			finish(t, l)
			assert.NoError(t, l.Figures().Failing)

			tool, err := ledger.OpenExisting(context.Background(), url, config)
			require.NoError(t, err)
			_, err = tool.Purge(context.Background(), time.Now().Add(-time.Hour), nil)
			assert.NoError(t, err)
			finish(t, tool)
			reader, err := ledger.OpenReadOnly(context.Background(), url, config)
			require.NoError(t, err)
			assert.EqualValues(t, 320, verified(t, reader).Records)
			finish(t, reader)
		})
	}
}

func TestAPoolOfTheSiteBehindAPoolerIsUsedAsTheSiteHasSetIt(t *testing.T) {
	url := pooled(t, "pool_mode = transaction", "default_pool_size = 4")
	db, err := sql.Open("pgx", url+"&default_query_exec_mode=exec")
	require.NoError(t, err)
	defer db.Close()
	l, err := ledger.Use(context.Background(), db, config)
	require.NoError(t, err)
	var together sync.WaitGroup
	for range 16 {
		together.Go(func() {
			for range 10 {
				assert.NoError(t, l.Record(context.Background(), yes(visitor())))
				l.RecordLater(no(visitor()))
			}
		})
	}
	together.Wait()
	finish(t, l)
	l, err = ledger.Use(context.Background(), db, config)
	require.NoError(t, err)
	assert.EqualValues(t, 320, verified(t, l).Records)
	finish(t, l)
}

func TestAPoolOfTheSiteWhoseStatementsAPoolerTakesApartIsRefused(t *testing.T) {
	url := pooled(t, "pool_mode = transaction")
	db, err := sql.Open("pgx", url)
	require.NoError(t, err)
	defer db.Close()
	_, err = ledger.Use(context.Background(), db, config)
	assert.ErrorContains(t, err, "default_query_exec_mode=exec")
}

func TestAPoolerThatTakesTransactionsApartIsRefused(t *testing.T) {
	url := pooled(t, "pool_mode = statement")
	_, err := ledger.Open(context.Background(), url, config)
	assert.ErrorContains(t, err, "pool_mode = transaction")
}

func TestAParameterThatAPoolerDoesNotTakeIsNamed(t *testing.T) {
	url := pooled(t, "pool_mode = transaction")
	_, err := ledger.Open(context.Background(), url+"&search_path=elsewhere", config)
	assert.ErrorContains(t, err, "search_path")
	assert.ErrorContains(t, err, "ignore_startup_parameters")
}
