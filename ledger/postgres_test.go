package ledger_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
)

// shared is the server that tests put their databases on, started by the first
// one; nil with errNoPostgres where there is none to start.
var shared = sync.OnceValues(func() (*cluster, error) { return newCluster("") })

var used atomic.Bool

func TestMain(m *testing.M) {
	if work := os.Getenv(childOf); work != "" {
		serveAsChild(work)
		return
	}
	cache, err := os.MkdirTemp("", "cache") // in which refusals wait
	if err == nil {
		err = os.Setenv("XDG_CACHE_HOME", cache)
	}
	if err != nil {
		panic(err)
	}
	status := m.Run()
	os.RemoveAll(cache)
	if used.Load() {
		if c, err := shared(); err == nil {
			c.remove()
		}
	}
	os.Exit(status)
}

// databases runs a test on an empty database of each kind.
func databases(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("SQLite", func(t *testing.T) { test(t, lite(t)) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, postgres(t)) })
}

// lite returns the path of a database that is not there yet.
func lite(t testing.TB) string { return filepath.Join(t.TempDir(), "consent ?%.db") }

// isSQLite tells the one kind of database from the other.
func isSQLite(url string) bool { return filepath.Ext(url) == ".db" }

// postgres makes a database and returns its URL.
func postgres(t testing.TB) string {
	return server(t).database(t)
}

// server returns the shared cluster.
func server(t testing.TB) *cluster {
	t.Helper()
	used.Store(true)
	c, err := shared()
	needPostgres(t, err)
	return c
}

// needPostgres skips a test where there is no PostgreSQL, except in CI, where there
// has to be one.
func needPostgres(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, errNoPostgres) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	require.NoError(t, err)
}

var errNoPostgres = errors.New("no PostgreSQL is installed here (apt-get install postgresql)")

// A cluster is a private PostgreSQL server that can be killed.
type cluster struct {
	binaries  string
	directory string
	process   *exec.Cmd
	exited    chan struct{}
	count     atomic.Int64
}

// newCluster makes and starts one, in the directory or in a new one.
func newCluster(directory string) (*cluster, error) {
	c := &cluster{binaries: postgresBinaries()}
	if c.binaries == "" {
		return nil, errNoPostgres
	}
	var err error
	if c.directory, err = os.MkdirTemp(directory, "ledger"); err != nil {
		return nil, err
	}
	if err := giveToServer(c.directory); err != nil {
		return nil, err
	}
	initialise := c.command("initdb", "-D", c.data(), "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C", "--wal-segsize=1")
	if said, err := initialise.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, said)
	}
	return c, c.start()
}

func (c *cluster) data() string { return filepath.Join(c.directory, "data") }

func (c *cluster) command(name string, args ...string) *exec.Cmd {
	command := exec.Command(filepath.Join(c.binaries, name), args...)
	command.Dir = c.directory
	asServer(command)
	return command
}

// start starts the server and waits until it answers.
func (c *cluster) start() error {
	log, err := os.OpenFile(filepath.Join(c.directory, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	db, err := sql.Open("pgx", c.url("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	for begun := time.Now(); time.Since(begun) < time.Minute; time.Sleep(20 * time.Millisecond) {
		if c.process == nil {
			c.process = c.command("postgres", "-D", c.data(), "-k", c.directory, "-c", "listen_addresses=", "-c", "max_connections=200", "-c", "shared_buffers=256MB", "-c", "max_wal_size=2GB")
			c.process.Stdout, c.process.Stderr = log, log
			if err := c.process.Start(); err != nil {
				return err
			}
			exited, process := make(chan struct{}), c.process
			go func() { process.Wait(); close(exited) }()
			c.exited = exited
		}
		if db.Ping() == nil {
			return nil
		}
		select {
		case <-c.exited: // what a killed server has left is still ending
			c.process = nil
		default:
		}
	}
	said, _ := os.ReadFile(log.Name())
	return fmt.Errorf("PostgreSQL does not start: %s", said)
}

// kill ends the server as a crash does.
func (c *cluster) kill() {
	// Its processes are in groups of their own; the ones that serve connections
	// end when they see that the first is gone.
	_ = c.process.Process.Kill()
	<-c.exited
	c.process = nil
}

// remove ends the server and deletes what it holds.
func (c *cluster) remove() {
	if c.process != nil {
		endServer(c.process.Process)
		<-c.exited
	}
	os.RemoveAll(c.directory)
}

func (c *cluster) url(database string) string {
	return "postgres://postgres@/" + database + "?host=" + url.QueryEscape(c.directory)
}

// database makes an empty schema, and returns a URL that leads into it.
func (c *cluster) database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("test%d", c.count.Add(1))
	execute(t, c.url("postgres"), "CREATE SCHEMA "+name)
	return c.url("postgres") + "&search_path=" + name
}

// open opens a database as a site does that has one already.
func open(t testing.TB, url string) (db *sql.DB) {
	t.Helper()
	var err error
	if isSQLite(url) {
		db, err = openSQLite(url, "busy_timeout(10000)")
	} else {
		db, err = sql.Open("pgx", url)
	}
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() })
	return db
}

// openSQLite opens a file, each connection with these pragmas.
func openSQLite(path string, pragmas ...string) (*sql.DB, error) {
	return sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+url.Values{"_pragma": pragmas}.Encode())
}

// execute runs a statement behind the ledger's back.
func execute(t testing.TB, url, statement string, args ...any) {
	t.Helper()
	db := open(t, url)
	_, err := db.ExecContext(context.Background(), statement, args...)
	require.NoError(t, err)
	require.NoError(t, db.Close())
}
