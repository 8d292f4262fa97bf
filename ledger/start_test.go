package ledger_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/charter"
	"github.com/cookiecharter/consent/internal/servertest"
	"github.com/cookiecharter/consent/ledger"
)

// A relay stands in front of a server, and is what a client sees of it.
type relay struct {
	address string
	to      string // the path of the server's socket

	mu       sync.Mutex
	listener net.Listener        // nil while connections are refused
	serve    func(net.Conn)      // what it does with a connection
	open     map[net.Conn]func() // what ends each
	together sync.WaitGroup
}

// inFrontOf returns a relay that refuses connections, and the URL that leads through it to
// the database at url.
func inFrontOf(t *testing.T, c *cluster, database string) (*relay, string) {
	r := &relay{address: servertest.FreeAddress(t), to: filepath.Join(c.directory, ".s.PGSQL.5432"), open: make(map[net.Conn]func())}
	t.Cleanup(r.refuse)
	u, err := url.Parse(database)
	require.NoError(t, err)
	query := u.Query()
	query.Del("host")
	query.Set("sslmode", "disable")
	return r, "postgres://postgres:hunter2@" + r.address + u.Path + "?" + query.Encode()
}

// does has the relay serve every connection so from now on; those that are open are cut.
func (r *relay) does(t *testing.T, serve func(net.Conn)) {
	r.refuse()
	listener, err := net.Listen("tcp", r.address)
	require.NoError(t, err)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.listener, r.serve = listener, serve
	r.together.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			r.mu.Lock()
			r.open[conn] = func() { conn.Close() }
			r.mu.Unlock()
			r.together.Go(func() { serve(conn); conn.Close() })
		}
	})
}

// refuse has connections refused, and cuts those that are open.
func (r *relay) refuse() {
	r.mu.Lock()
	if r.listener != nil {
		r.listener.Close()
	}
	for conn, end := range r.open {
		end()
		delete(r.open, conn)
	}
	r.listener = nil
	r.mu.Unlock()
	r.together.Wait()
}

// passes has the relay pass everything on.
func (r *relay) passes(t *testing.T) {
	r.does(t, func(conn net.Conn) {
		server, err := net.Dial("unix", r.to)
		if err != nil {
			return
		}
		go func() { io.Copy(server, conn); server.Close() }()
		io.Copy(conn, server)
	})
}

// isSilent reads what comes and says nothing.
func isSilent(conn net.Conn) { io.Copy(io.Discard, conn) }

// says returns what answers every connection with an error of PostgreSQL.
func says(state, message string) func(net.Conn) {
	return func(conn net.Conn) {
		var length uint32
		if binary.Read(conn, binary.BigEndian, &length) != nil {
			return
		}
		io.CopyN(io.Discard, conn, int64(length)-4)
		fields := []byte("SFATAL\x00VFATAL\x00C" + state + "\x00M" + message + "\x00\x00")
		answer := binary.BigEndian.AppendUint32([]byte{'E'}, uint32(len(fields)+4))
		conn.Write(append(answer, fields...))
		io.Copy(io.Discard, conn)
	}
}

// An outage is a database that does not answer until back is called.
type outage struct {
	url  string
	back func()
}

// outages are ways in which a database does not answer.
var outages = map[string]func(*testing.T) outage{
	"a server that refuses connections": func(t *testing.T) outage {
		r, url := inFrontOf(t, server(t), postgres(t))
		return outage{url, func() { r.passes(t) }}
	},
	"a server that says nothing": func(t *testing.T) outage {
		r, url := inFrontOf(t, server(t), postgres(t))
		r.does(t, isSilent)
		return outage{url, func() { r.passes(t) }}
	},
	"a server that is starting up": func(t *testing.T) outage {
		r, url := inFrontOf(t, server(t), postgres(t))
		r.does(t, says("57P03", "the database system is starting up"))
		return outage{url, func() { r.passes(t) }}
	},
	"a server that takes no writes": func(t *testing.T) outage {
		url := postgres(t)
		name := "readonly" + strings.ReplaceAll(url[strings.LastIndex(url, "=")+1:], "test", "")
		execute(t, url, "CREATE ROLE "+name+" LOGIN SUPERUSER")
		execute(t, url, "ALTER ROLE "+name+" SET default_transaction_read_only = on")
		return outage{strings.Replace(url, "postgres@", name+"@", 1), func() { execute(t, url, "ALTER ROLE "+name+" RESET ALL") }}
	},
	"a pooler whose server is away": func(t *testing.T) outage {
		folder, err := os.MkdirTemp("", "socket") // which PgBouncer may reach, unlike t.TempDir
		require.NoError(t, err)
		t.Cleanup(func() { os.RemoveAll(folder) })
		require.NoError(t, os.Chmod(folder, 0o755))
		url := pooledAt(t, folder, "pool_mode = transaction", "server_login_retry = 1") + "&default_query_exec_mode=exec"
		return outage{url, func() {
			const socket = ".s.PGSQL.5432"
			assert.NoError(t, os.Symlink(filepath.Join(server(t).directory, socket), filepath.Join(folder, socket)))
		}}
	},
	"a file that is locked": func(t *testing.T) outage {
		path := lite(t)
		unlock := locked(t, path)
		return outage{path, unlock}
	},
}

// impatient is a configuration that does not wait for long.
func impatient(t testing.TB) ledger.Config {
	config := spooling(t)
	config.Wait = 300 * time.Millisecond
	return config
}

func TestASiteStartsWithoutItsDatabase(t *testing.T) {
	for name, begins := range outages {
		t.Run(name, func(t *testing.T) {
			said := listen(t)
			away := begins(t)
			begun := time.Now()
			l := beginWith(t, away.url, impatient(t))
			assert.Less(t, time.Since(begun), 5*time.Second)
			ctx := context.Background()
			require.Error(t, l.Ready(ctx))
			assert.Error(t, l.Figures().Failing)

			visits := visits(t, l)
			begun = time.Now()
			accepted := visits("accept")
			assert.Less(t, time.Since(begun), time.Second, "nobody waits for it")
			assert.Equal(t, http.StatusServiceUnavailable, accepted.Code)
			assert.Empty(t, accepted.Result().Cookies(), "a consent that is not recorded is none")
			refused := visits("refuse")
			assert.Equal(t, http.StatusSeeOther, refused.Code)
			assert.NotEmpty(t, refused.Result().Cookies())
			assert.Equal(t, 1, l.Figures().Spooled, "it is on disk")
			assert.NoError(t, l.Figures().SpoolFailing)

			const notReady = "the database is not ready"
			assert.ErrorContains(t, l.Record(ctx, yes(alice)), notReady)
			_, err := l.History(ctx, alice)
			assert.ErrorContains(t, err, notReady)
			_, err = l.Verify(ctx, nil)
			assert.ErrorContains(t, err, notReady)
			assert.ErrorContains(t, l.Export(ctx, io.Discard, ledger.CSV, ledger.Period{}, nil), notReady)
			_, err = l.Stats(ctx, ledger.Period{}, ledger.Grouping{}, nil)
			assert.ErrorContains(t, err, notReady)
			assert.ErrorContains(t, l.ExportReceipts(ctx, io.Discard, town, ledger.Period{}, nil), notReady)
			_, err = l.Forget(ctx, alice)
			assert.ErrorContains(t, err, notReady)
			_, err = l.Purge(ctx, time.Now(), nil)
			assert.ErrorContains(t, err, notReady)
			users, err := l.Users(secret)
			require.NoError(t, err)
			assert.ErrorContains(t, users.Link(ctx, alice, time.Now(), "42"), notReady)
			_, err = users.Latest(ctx, "42")
			assert.ErrorContains(t, err, notReady)

			away.back()
			require.Eventually(t, func() bool { return l.Ready(ctx) == nil && l.Figures().Waiting == 0 }, time.Minute, 10*time.Millisecond)
			assert.Equal(t, http.StatusSeeOther, visits("accept").Code)
			figures := l.Figures()
			assert.NoError(t, figures.Failing)
			assert.Zero(t, figures.Dropped)
			assert.EqualValues(t, 2, figures.Written)
			assert.EqualValues(t, 2, verified(t, l).Records)
			assert.NotContains(t, said(), "hunter2")
			assert.Contains(t, said(), "the database takes records again")
		})
	}
}

// visits returns a function that posts to the charter of a site as a new visitor.
func visits(t *testing.T, l *ledger.Ledger) func(choice string) *httptest.ResponseRecorder {
	mw := site(t, l)
	pages, err := charter.New(charter.Config{Middleware: mw})
	require.NoError(t, err)
	handler := mw.Wrap(pages.Wrap(http.NotFoundHandler()))
	return func(choice string) *httptest.ResponseRecorder {
		request := httptest.NewRequest("POST", "http://example.org/cookies/", strings.NewReader("choice="+choice))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		response := httptest.NewRecorder()
		handler.ServeHTTP(response, request)
		return response
	}
}

// listen has the log written to a buffer until the test ends, and returns what it says.
func listen(t *testing.T) (said func() string) {
	var mu sync.Mutex
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(writerFunc(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return log.Write(p)
	}), nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	return func() string {
		mu.Lock()
		defer mu.Unlock()
		return log.String()
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestNothingIsForgottenOfWhatWasRefusedBeforeTheDatabaseWasThere(t *testing.T) {
	openers := map[string]func(t *testing.T, url string, config ledger.Config) *ledger.Ledger{
		"opened": func(t *testing.T, url string, config ledger.Config) *ledger.Ledger {
			l, err := ledger.Open(context.Background(), url, config)
			require.NoError(t, err)
			return l
		},
		"of the site": func(t *testing.T, url string, config ledger.Config) *ledger.Ledger {
			l, err := ledger.Use(context.Background(), open(t, url), config)
			require.NoError(t, err)
			return l
		},
	}
	for how, opens := range openers {
		for name, begins := range outages {
			t.Run(how+", "+name, func(t *testing.T) {
				away, config := begins(t), impatient(t)
				a := visitor()
				older, newer := no(a), no(a)
				newer.Time = older.Time.Add(time.Second)

				// A process that is killed leaves what a copy of the folder has.
				killed := opens(t, away.url, config)
				killed.RecordLater(older)
				config.Spool = copyOf(t, config.Spool)
				ended, cancel := context.WithCancel(context.Background())
				cancel()
				assert.ErrorContains(t, killed.Close(ended), "1 refusals wait in")

				// The next one has it, while the database is still away.
				l := opens(t, away.url, config)
				t.Cleanup(func() { finish(t, l) })
				assert.Equal(t, 1, l.Figures().Spooled)
				l.RecordLater(newer)
				assert.Equal(t, 2, l.Figures().Spooled)
				crashed := config
				crashed.Spool = copyOf(t, config.Spool)

				away.back()
				require.Eventually(t, func() bool { return l.Ready(context.Background()) == nil && l.Figures().Waiting == 0 }, time.Minute, 10*time.Millisecond)
				history, err := l.History(context.Background(), a)
				require.NoError(t, err)
				require.Len(t, history.Entries, 2)
				assert.Equal(t, newer.Time, history.Entries[1].Time, "in their order")

				// What lies under the address is known also if the database is there.
				again := opens(t, away.url, crashed)
				require.Eventually(t, func() bool { return again.Figures().Waiting == 0 }, time.Minute, 10*time.Millisecond)
				finish(t, again)
				assert.EqualValues(t, 2, verified(t, l).Records, "each once")
				assert.Empty(t, spoolFiles(t, crashed.Spool))
			})
		}
	}
}

func copyOf(t *testing.T, folder string) string {
	to := filepath.Join(t.TempDir(), "copy")
	require.NoError(t, os.CopyFS(to, os.DirFS(folder)))
	return to
}

func TestNothingIsInventedOfRefusalsOfAnotherLedgerWhileTheDatabaseIsAway(t *testing.T) {
	path, config := lite(t), spooling(t)
	config.Spool = left(t, path, config, no(alice)) // under the ID of a ledger that is known once the database answers
	config.Wait = 300 * time.Millisecond
	other := lite(t)
	unlock := locked(t, other)
	l := beginWith(t, other, config)
	assert.Zero(t, l.Figures().Waiting, "they are left to their ledger")
	unlock()
	require.Eventually(t, func() bool { return l.Ready(context.Background()) == nil }, time.Minute, 10*time.Millisecond)
	assert.Zero(t, verified(t, l).Records)
	finish(t, l)
	again := beginWith(t, path, config)
	require.Eventually(t, func() bool { return again.Figures().Waiting == 0 }, time.Minute, 10*time.Millisecond)
	assert.EqualValues(t, 1, verified(t, again).Records)
}

func TestNothingIsInventedOfRefusalsOfAnotherAddressWhileTheDatabaseIsAway(t *testing.T) {
	for name, begins := range outages {
		t.Run(name, func(t *testing.T) {
			config := impatient(t)
			one, other := begins(t), begins(t)
			killed, err := ledger.Open(context.Background(), one.url, config)
			require.NoError(t, err)
			killed.RecordLater(no(alice))
			config.Spool = copyOf(t, config.Spool)
			ended, cancel := context.WithCancel(context.Background())
			cancel()
			assert.Error(t, killed.Close(ended))
			l := beginWith(t, other.url, config)
			assert.Zero(t, l.Figures().Waiting)
			other.back()
			require.Eventually(t, func() bool { return l.Ready(context.Background()) == nil }, time.Minute, 10*time.Millisecond)
			assert.Zero(t, verified(t, l).Records)
			one.back()
			mine := beginWith(t, one.url, config)
			require.Eventually(t, func() bool { return mine.Ready(context.Background()) == nil && mine.Figures().Waiting == 0 }, time.Minute, 10*time.Millisecond)
			assert.EqualValues(t, 1, verified(t, mine).Records)
		})
	}
}

func TestRefusalsOfAnEarlierProcessComeFirstThoughTheDatabaseCameLater(t *testing.T) {
	path, config := lite(t), spooling(t)
	older, newer := no(alice), no(alice)
	newer.Time = older.Time.Add(time.Second)
	config.Spool = left(t, path, config, older)
	config.Wait = 300 * time.Millisecond
	unlock := locked(t, path)
	l := beginWith(t, path, config)
	l.RecordLater(newer)
	unlock()
	require.Eventually(t, func() bool { return l.Ready(context.Background()) == nil && l.Figures().Waiting == 0 }, time.Minute, 10*time.Millisecond)
	history, err := l.History(context.Background(), alice)
	require.NoError(t, err)
	require.Len(t, history.Entries, 2)
	assert.Equal(t, newer.Time, history.Entries[1].Time)
}

// flaws are what is wrong with a database for good.
var flaws = map[string]struct {
	says string
	flaw func(t *testing.T, r *relay, url string) (config ledger.Config)
}{
	"a wrong password": {"28P01", func(t *testing.T, r *relay, url string) ledger.Config {
		r.does(t, says("28P01", `password authentication failed for user "postgres"`))
		return config
	}},
	"no such database": {"3D000", func(t *testing.T, r *relay, url string) ledger.Config {
		r.does(t, says("3D000", `database "site" does not exist`))
		return config
	}},
	"newer tables": {"version 99", func(t *testing.T, r *relay, url string) ledger.Config {
		finish(t, begin(t, url))
		execute(t, url, "INSERT INTO consent_schema (version) VALUES (99)")
		r.passes(t)
		return config
	}},
	"no key where others had one": {"Config.Keys has none", func(t *testing.T, r *relay, url string) ledger.Config {
		l := begin(t, url)
		keep(t, l, yes(bob))
		finish(t, l)
		r.passes(t)
		return ledger.Config{}
	}},
	"no table, and no right to make one": {"42501", func(t *testing.T, r *relay, url string) ledger.Config {
		r.does(t, says("42501", "permission denied for schema public"))
		return config
	}},
}

func TestWhatIsWrongForGoodIsAnErrorOfOpen(t *testing.T) {
	for name, flawed := range flaws {
		t.Run(name, func(t *testing.T) {
			url := postgres(t)
			r, through := inFrontOf(t, server(t), url)
			config := flawed.flaw(t, r, url)
			config.Wait = time.Minute // it is not waited for
			_, err := ledger.Open(context.Background(), through, config)
			require.ErrorContains(t, err, flawed.says)
			assert.NotContains(t, err.Error(), "hunter2")
			db, err := sql.Open("pgx", through)
			require.NoError(t, err)
			defer db.Close()
			_, err = ledger.Use(context.Background(), db, config)
			require.ErrorContains(t, err, flawed.says)
		})
	}
}

func TestWhatIsWrongForGoodIsToldIfItIsFoundLater(t *testing.T) {
	for name, flawed := range flaws {
		t.Run(name, func(t *testing.T) {
			said := listen(t)
			url := postgres(t)
			r, through := inFrontOf(t, server(t), url)
			config := flawed.flaw(t, r, url)
			serve := r.serve
			r.refuse()
			config.Spool, config.Wait = filepath.Join(t.TempDir(), "spool"), 300*time.Millisecond
			l, err := ledger.Open(context.Background(), through, config)
			require.NoError(t, err)
			l.RecordLater(no(alice))
			r.does(t, serve)
			require.Eventually(t, func() bool { return strings.Contains(l.Figures().Failing.Error(), flawed.says) }, time.Minute, 10*time.Millisecond)
			assert.ErrorContains(t, l.Record(context.Background(), yes(alice)), flawed.says)
			assert.ErrorContains(t, l.Ready(context.Background()), flawed.says)
			l.RecordLater(no(alice))
			assert.Equal(t, 2, l.Figures().Spooled)
			require.Eventually(t, func() bool { return strings.Contains(said(), "until the site is mended") }, time.Minute, 10*time.Millisecond)
			begun := time.Now()
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			assert.ErrorContains(t, l.Close(ctx), "2 refusals wait in")
			assert.Less(t, time.Since(begun), 10*time.Second, "it is not waited for")
			assert.NotContains(t, said(), "hunter2")
		})
	}
}

func TestAToolDoesNotStartWithoutTheDatabase(t *testing.T) {
	for name, begins := range outages {
		t.Run(name, func(t *testing.T) {
			away := begins(t)
			for _, open := range []func(context.Context, string, ledger.Config) (*ledger.Ledger, error){ledger.OpenExisting, ledger.OpenReadOnly} {
				begun := time.Now()
				l, err := open(context.Background(), away.url, impatient(t))
				if !assert.Error(t, err) {
					finish(t, l)
				}
				assert.Less(t, time.Since(begun), 5*time.Second)
			}
		})
	}
}

func TestOpenEndsWithItsContext(t *testing.T) {
	r, url := inFrontOf(t, server(t), postgres(t))
	r.does(t, isSilent)
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_, err := ledger.Open(ctx, url, config)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestEveryMistakeOfAConfigurationIsNamed(t *testing.T) {
	_, err := ledger.Open(context.Background(), lite(t), ledger.Config{Keys: [][]byte{[]byte("short")}, Spool: "x", NoSpool: true, Wait: -1})
	for _, mistake := range []string{"Keys[0]", "Config.Spool", "Config.Wait"} {
		assert.ErrorContains(t, err, mistake)
	}
}

func TestALedgerIsReadyWhileAConsentCanBeRecorded(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		ctx := context.Background()
		l := begin(t, url)
		assert.NoError(t, l.Ready(ctx))
		execute(t, url, "ALTER TABLE consent_record RENAME TO elsewhere")
		assert.Error(t, l.Record(ctx, yes(alice)))
		assert.Error(t, l.Ready(ctx))
		execute(t, url, "ALTER TABLE elsewhere RENAME TO consent_record")
		assert.Eventually(t, func() bool { return l.Ready(ctx) == nil }, time.Minute, 10*time.Millisecond, "without a visitor who tries")
		keep(t, l, yes(alice))
		finish(t, l)
		assert.ErrorIs(t, l.Ready(ctx), ledger.ErrClosed)
		reader, err := ledger.OpenReadOnly(ctx, url, config)
		require.NoError(t, err)
		assert.Error(t, reader.Ready(ctx))
		finish(t, reader)
	})
}

func TestNothingRunsOnAfterClose(t *testing.T) {
	for name, begins := range outages {
		t.Run(name, func(t *testing.T) {
			l, err := ledger.Open(context.Background(), begins(t).url, ledger.Config{NoSpool: true, Wait: 100 * time.Millisecond})
			require.NoError(t, err)
			running := func() bool {
				stacks := make([]byte, 1<<20)
				return bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte("ledger.(*start).run"))
			}
			assert.True(t, running())
			finish(t, l)
			assert.False(t, running())
		})
	}
}
