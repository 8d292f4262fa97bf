package ledger_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
)

var registry = consent.MustRegistry(
	consent.Cookie{Provider: "Matomo", Name: "_pk_id*", Category: consent.Statistics, Lifetime: time.Hour,
		Purpose: consent.Text{language.English: "Recognises a visitor.", language.French: "Reconnaît un visiteur."}},
	consent.Cookie{Provider: "AdCo <&> \"Sons\"", Name: "ad_id", Category: consent.ThirdParty,
		Purpose: consent.Text{language.English: "Shows what you have <b>seen</b> elsewhere."}},
	consent.Cookie{Provider: "Site", Name: "session", Category: consent.Necessary, Purpose: consent.Text{language.English: "Keeps you signed in."}},
)

var notice = registry.Notice(language.French, language.English, map[string]string{"banner": "Voulez-vous <script>alert(1)</script> ?"})

// config is that of most tests, with a key.
var config = ledger.Config{Keys: [][]byte{secret}}

// begin opens a ledger that the test closes.
func begin(t testing.TB, url string) *ledger.Ledger { return beginWith(t, url, config) }

func beginWith(t testing.TB, url string, config ledger.Config) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(context.Background(), url, config)
	require.NoError(t, err)
	t.Cleanup(func() { finish(t, l) })
	return l
}

// finish closes a ledger, which must have kept everything. Ten thousand refusals take half a
// minute on two busy cores under the race detector.
func finish(t testing.TB, l *ledger.Ledger) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	assert.NoError(t, l.Close(ctx))
}

// visitor makes a reference.
func visitor() (r consent.Reference) {
	rand.Read(r[:])
	return r
}

// yes and no are decisions of a visitor.
func yes(r consent.Reference) consent.Record { return decision(r, true) }
func no(r consent.Reference) consent.Record  { return decision(r, false) }

func decision(r consent.Reference, allowed bool) consent.Record {
	return consent.Record{
		Reference: r, Time: time.Now().UTC().Truncate(time.Millisecond), Revision: 1<<64 - 1, Objection: !allowed, GPC: true, Regime: consent.OptOut,
		Answers:  []consent.Answer{{Category: consent.Statistics, Provider: "Matomo", Allowed: allowed}, {Category: consent.ThirdParty, Provider: "AdCo <&> \"Sons\"", Allowed: false}},
		Evidence: consent.Evidence{Action: consent.ByBanner, Language: language.MustParse("fr-CH"), Notice: notice},
	}
}

// keep records a consent.
func keep(t testing.TB, l *ledger.Ledger, record consent.Record) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	require.NoError(t, l.Record(ctx, record))
}

// verified checks that nothing is wrong with a ledger.
func verified(t testing.TB, l *ledger.Ledger) ledger.Report {
	t.Helper()
	report, err := l.Verify(context.Background(), nil)
	require.NoError(t, err)
	assert.True(t, report.OK(), report.Faults)
	return report
}

func TestNothingIsForgottenThatWasRecorded(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		a, b := visitor(), visitor()
		keep(t, l, yes(a))
		keep(t, l, yes(b))
		l.RecordLater(no(a))
		keep(t, l, yes(a))
		finish(t, l)

		l = begin(t, url)
		keep(t, l, yes(b))
		report := verified(t, l)
		assert.EqualValues(t, 5, report.Records)
		assert.EqualValues(t, 2, report.Visitors)
		assert.EqualValues(t, 1, report.Notices, "a notice is kept once")
	})
}

func TestNothingIsInventedWhereThereIsNoLedger(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		_, err := ledger.OpenExisting(context.Background(), url, config)
		require.Error(t, err)
		assert.NoFileExists(t, url)
		execute(t, url, "CREATE TABLE users (id integer)")
		for range 2 { // the first has made nothing
			_, err = ledger.OpenExisting(context.Background(), url, config)
			require.ErrorContains(t, err, "there is no ledger in")
		}
		l := begin(t, url)
		keep(t, l, yes(visitor()))
		finish(t, l)
		l, err = ledger.OpenExisting(context.Background(), url, config)
		require.NoError(t, err)
		assert.EqualValues(t, 1, verified(t, l).Records)
		finish(t, l)
	})
}

func TestNothingIsInventedOfAPreviousRecord(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		a, b := visitor(), visitor()
		later := func(r consent.Reference) consent.Record {
			record := yes(r)
			record.Previous = record.Time.Add(-time.Hour)
			return record
		}
		keep(t, l, yes(a))
		keep(t, l, later(a))
		keep(t, l, yes(a)) // says that it is the first
		keep(t, l, later(b))
		keep(t, l, yes(b))
		for reference, count := range map[consent.Reference]int{a: 3, b: 2} {
			history, err := l.History(context.Background(), reference)
			require.NoError(t, err)
			assert.Len(t, history.Entries, count)
		}
		// Together, in one commit.
		unlock := func() {}
		if isSQLite(url) {
			unlock = locked(t, url)
		}
		l.RecordLater(no(visitor()))
		for _, record := range []consent.Record{no(a), later(b), no(visitor()), no(b), later(visitor())} {
			l.RecordLater(record)
		}
		unlock()
		finish(t, l)
		report := verified(t, begin(t, url))
		assert.EqualValues(t, 11, report.Records)
	})
}

func TestNothingIsForgottenWhenManyDecideAtOnce(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		// Two instances, and the same few visitors at both.
		instances := []*ledger.Ledger{begin(t, url), begin(t, url)}
		visitors := []consent.Reference{visitor(), visitor(), visitor()}
		var together sync.WaitGroup
		for i := range 60 {
			together.Go(func() {
				l := instances[i%2]
				l.RecordLater(no(visitors[i/2%3]))
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				defer cancel()
				assert.NoError(t, l.Record(ctx, yes(visitors[i/2%3])))
			})
		}
		together.Wait()
		for _, l := range instances {
			finish(t, l)
			assertSettled(t, l)
		}
		report := verified(t, begin(t, url))
		assert.EqualValues(t, 120, report.Records)
		assert.EqualValues(t, 3, report.Visitors)
	})
}

func TestTenInstancesStartAtOnceOnAnEmptyDatabase(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		var together sync.WaitGroup
		for range 10 {
			together.Go(func() {
				l, err := ledger.Open(context.Background(), url, config)
				if assert.NoError(t, err) {
					assert.NoError(t, l.Record(context.Background(), yes(visitor())))
					finish(t, l)
				}
			})
		}
		together.Wait()
		assert.EqualValues(t, 10, verified(t, begin(t, url)).Records)
	})
}

func TestALedgerIsKeptInTheDatabaseThatASiteHas(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		db := open(t, url)
		l, err := ledger.Use(context.Background(), db, config)
		require.NoError(t, err)
		keep(t, l, yes(visitor()))
		verified(t, l)
		finish(t, l)
		assert.NoError(t, db.Ping(), "it stays open")

		if isSQLite(url) {
			hasty, err := openSQLite(url, "synchronous(NORMAL)")
			require.NoError(t, err)
			defer hasty.Close()
			_, err = ledger.Use(context.Background(), hasty, config)
			assert.ErrorContains(t, err, "synchronous = FULL")
			fragile, err := openSQLite(filepath.Join(t.TempDir(), "fragile.db"), "journal_mode(MEMORY)")
			require.NoError(t, err)
			defer fragile.Close()
			_, err = ledger.Use(context.Background(), fragile, config)
			assert.ErrorContains(t, err, "journal_mode")
		} else {
			_, err = ledger.Open(context.Background(), url+"&synchronous_commit=off", config)
			assert.ErrorContains(t, err, "synchronous_commit")
			execute(t, url, "ALTER TABLE consent_notice SET UNLOGGED")
			_, err = ledger.Open(context.Background(), url, config)
			assert.ErrorContains(t, err, "empties consent_notice after a crash")
		}
	})
	_, err := ledger.Use(context.Background(), nil, config)
	assert.Error(t, err)
}

func TestNothingLeaksFromAFileThatOthersCouldRead(t *testing.T) {
	path := lite(t)
	begin(t, path)
	for _, file := range []string{path, path + "-wal", path + "-shm"} {
		about, err := os.Stat(file)
		require.NoError(t, err)
		assert.EqualValues(t, 0o600, about.Mode().Perm(), file)
	}
}

func TestAPathThatBeginsWithTwoSlashesIsOneOnThisMachine(t *testing.T) {
	l, err := ledger.Open(context.Background(), "/"+filepath.Join(t.TempDir(), "consent.db"), config)
	require.NoError(t, err)
	finish(t, l)
}

func TestWhatCannotBeOpenedIsNamedWithoutItsPassword(t *testing.T) {
	file := filepath.Join(t.TempDir(), "text.db")
	require.NoError(t, os.WriteFile(file, []byte("this is no database, whatever its name may say about it"), 0o600))
	for url, names := range map[string]string{
		"":                                    "empty",
		"file:x.db":                           "path alone",
		"file:///tmp/x.db":                    "path alone",
		":memory:":                            ":memory:",
		"sqlite:":                             "path",
		"a\x00b":                              "path",
		"mysql://root:hunter2@localhost/x":    "mysql",
		"sqlite:/nowhere/at/all.db":           "/nowhere/at/all.db",
		file:                                  file,
		"postgres://u:hunter2@127.0.0.1:1/db": "postgres://u@127.0.0.1:1/db",
		"postgres://u@127.0.0.1:1/db?password=hunter2":                                        "postgres://u@127.0.0.1:1/db",
		"postgresql://u:hunter2@127.0.0.1:1/db?sslmode=perhaps":                               "postgresql://u@127.0.0.1:1/db",
		"postgres://u:hunter2@127.0.0.1:1/db?a=b&connect_timeout=x":                           "\"connect_timeout\"",
		"postgres://u:hunter2@127.0.0.1:99999/db?a=b":                                         "host or port",
		"postgres://u:hunter2/@127.0.0.1:1/db":                                                "not well formed",
		"postgres://u:hunter2#@127.0.0.1:1/db":                                                "not well formed",
		"postgres://u:hunter2%ZZ@127.0.0.1:1/db?connect_timeout=soon":                         "not well formed",
		"host=127.0.0.1 port=1 user=u password=hunter2 dbname=db":                             "postgres://u@127.0.0.1:1/db",
		"  host = 127.0.0.1 port=1 user=u password='hunter2 \\' x' dbname=db sslmode=disable": "postgres://u@127.0.0.1:1/db",
		"password=hunter2 host=/nowhere/at/all dbname=db user=u":                              "postgres://u@/db?host=%2Fnowhere%2Fat%2Fall",
		"host=127.0.0.1 password='hunter2":                                                    "keywords",
		"host=127.0.0.1 port=hunter2":                                                         "keywords",
		"password=hunter2":                                                                    "sqlite:",
		"HOST=127.0.0.1 password=hunter2":                                                     "keywords",
		"Host=127.0.0.1;Password=hunter2":                                                     "keywords",
		"jdbc:postgresql://db/x?password=hunter2":                                             "jdbc",
		"root:hunter2@tcp(db:3306)/x":                                                         "root",
		"u:hunter2@db/x":                                                                      "postgres://user@host",
		"//u:hunter2@db/x":                                                                    "postgres://user@host",
		"postgres//u:hunter2@db/x":                                                            "postgres://user@host",
		"sqlite3:consent.db":                                                                  "sqlite3",
		"mode=ro.db":                                                                          "sqlite:",
	} {
		t.Run(url, func(t *testing.T) {
			l, err := ledger.Open(context.Background(), url, ledger.Config{NoSpool: true, Wait: 100 * time.Millisecond})
			if err == nil { // it may come later
				err = l.Ready(context.Background())
				finish(t, l)
			}
			require.Error(t, err)
			assert.ErrorContains(t, err, names)
			assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), "hunter2")
		})
	}
}

func TestNothingIsLostOfTablesThatAreNewer(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		finish(t, begin(t, url))
		execute(t, url, "INSERT INTO consent_schema (version) VALUES (99)")
		_, err := ledger.Open(context.Background(), url, config)
		assert.ErrorContains(t, err, "version 99")
	})
}

func TestNothingIsInventedAfterClose(t *testing.T) {
	l := begin(t, filepath.Join(t.TempDir(), "consent.db"))
	assert.Error(t, l.Record(context.Background(), yes(consent.Reference{})), "nobody's")
	l.RecordLater(no(consent.Reference{}))
	finish(t, l)
	assert.ErrorIs(t, l.Record(context.Background(), yes(visitor())), ledger.ErrClosed)
	l.RecordLater(no(visitor()))
	assert.EqualValues(t, 2, l.Figures().Dropped)
	finish(t, l)
}

func TestNothingIsLostOfStrangeText(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		record := yes(visitor())
		record.Evidence.Action = "a\x00'\";--\xff"
		record.Answers[0].Provider = "'; DROP TABLE consent_record; --\x00\xff"
		keep(t, l, record)
		l.RecordLater(consent.Record{Reference: record.Reference, Time: time.UnixMilli(-5)})
		finish(t, l)
		l = begin(t, url)
		report := verified(t, l)
		assert.EqualValues(t, 2, report.Records)
		assert.EqualValues(t, 1, report.SetBack, "by a clock that was set back")
	})
}

// mw makes a site whose decisions are recorded.
func site(t testing.TB, recorder consent.Recorder) *consent.Middleware {
	mw, err := consent.NewMiddleware(consent.Config{Registry: registry, Keys: [][]byte{secret}, Recorder: recorder, Insecure: true})
	require.NoError(t, err)
	return mw
}

// serve serves one request of a visitor and returns what their browser then sends.
func serve(mw *consent.Middleware, cookies string, handle http.HandlerFunc) (sends string) {
	request := httptest.NewRequest("POST", "/", nil)
	request.Header.Set("Cookie", cookies)
	response := httptest.NewRecorder()
	mw.Wrap(handle).ServeHTTP(response, request)
	jar := map[string]string{}
	for _, c := range request.Cookies() {
		jar[c.Name] = c.Value
	}
	for _, c := range response.Result().Cookies() {
		if jar[c.Name] = c.Value; c.MaxAge < 0 {
			delete(jar, c.Name)
		}
	}
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(jar)) {
		pairs = append(pairs, name+"="+jar[name])
	}
	return strings.Join(pairs, "; ")
}

func TestNothingIsInventedWhereTheDatabaseIsGone(t *testing.T) {
	l := begin(t, filepath.Join(t.TempDir(), "consent.db"))
	mw := site(t, l)
	sends := serve(mw, "", func(w http.ResponseWriter, r *http.Request) {
		assert.NoError(t, mw.Save(w, r, consent.AcceptAll()))
	})
	finish(t, l)
	sends = serve(mw, sends, func(w http.ResponseWriter, r *http.Request) {
		assert.ErrorIs(t, mw.Save(w, r, consent.AcceptAll()), consent.ErrNotRecorded)
		assert.NoError(t, mw.Save(w, r, consent.RefuseAll()))
	})
	serve(mw, sends, func(w http.ResponseWriter, r *http.Request) {
		assert.False(t, consent.FromContext(r.Context()).Allows(consent.Statistics))
	})
	assert.EqualValues(t, 1, l.Figures().Dropped)
}
