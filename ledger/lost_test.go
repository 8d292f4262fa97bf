package ledger_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
)

// A flaky connector makes connections that lose the answer to a statement that was
// carried out, as a network does.
type flaky struct {
	driver driver.Driver
	path   string
	loses  atomic.Int64 // how many answers
	before func()       // what happens just before a record is inserted; nil for nothing
}

// insert inserts a record.
func (f *flaky) insert(do func() (driver.Result, error)) (driver.Result, error) {
	if f.before != nil {
		f.before()
	}
	result, err := do()
	if f.loses.Add(-1) >= 0 {
		return nil, errors.New("connection reset by peer")
	}
	return result, err
}

func (f *flaky) Driver() driver.Driver { return f.driver }

func (f *flaky) Connect(context.Context) (driver.Conn, error) {
	conn, err := f.driver.Open(f.path)
	return flakyConn{conn, f}, err
}

type flakyConn struct {
	driver.Conn
	flaky *flaky
}

func (c flakyConn) ExecContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Result, error) {
	do := func() (driver.Result, error) {
		return c.Conn.(driver.ExecerContext).ExecContext(ctx, statement, args)
	}
	if strings.HasPrefix(statement, insertsRecord) {
		return c.flaky.insert(do)
	}
	return do()
}

const insertsRecord = "INSERT INTO consent_record"

func (c flakyConn) PrepareContext(ctx context.Context, statement string) (driver.Stmt, error) {
	prepared, err := c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, statement)
	if err == nil && strings.HasPrefix(statement, insertsRecord) {
		prepared = flakyStmt{prepared, c.flaky}
	}
	return prepared, err
}

type flakyStmt struct {
	driver.Stmt
	flaky *flaky
}

func (s flakyStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return s.flaky.insert(func() (driver.Result, error) { return s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args) })
}

func (c flakyConn) QueryContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Rows, error) {
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, statement, args)
}

func (c flakyConn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, options)
}

func TestNothingFollowsOnWhatIsTakenJustBefore(t *testing.T) {
	for name, take := range map[string]func(*ledger.Ledger) error{
		"forgotten": func(l *ledger.Ledger) error { _, err := l.Forget(context.Background(), alice); return err },
		"purged": func(l *ledger.Ledger) error {
			_, err := l.Purge(context.Background(), time.Now().Add(time.Hour), nil)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := lite(t)
			other := begin(t, path)
			keep(t, other, yes(alice))
			f := &flaky{driver: open(t, path).Driver(), path: "file:" + (&url.URL{Path: path}).EscapedPath() + "?_pragma=busy_timeout(5000)&_pragma=synchronous(FULL)"}
			db := sql.OpenDB(f)
			defer db.Close()
			l, err := ledger.Use(context.Background(), db, config)
			require.NoError(t, err)
			keep(t, l, yes(bob))
			again := no(alice)
			again.Previous = again.Time.Add(-time.Hour) // so that the record before is looked for
			f.before = func() {
				f.before = nil
				assert.NoError(t, take(other))
			}
			keep(t, l, again)
			finish(t, l)
			history, err := other.History(context.Background(), alice)
			require.NoError(t, err)
			assert.EqualValues(t, 1, history.Entries[0].Number, "it begins anew")
			verified(t, other)
		})
	}
}

func TestNothingIsInventedWhereTheAnswerOfTheDatabaseIsLost(t *testing.T) {
	path := lite(t)
	f := &flaky{driver: open(t, path).Driver(), path: "file:" + (&url.URL{Path: path}).EscapedPath()}
	db := sql.OpenDB(f)
	defer db.Close()
	l, err := ledger.Use(context.Background(), db, config)
	require.NoError(t, err)

	a := visitor()
	for range 3 {
		f.loses.Store(1)
		keep(t, l, yes(a)) // it is looked up whether it was written, and it was
		l.RecordLater(no(a))
	}
	keep(t, l, yes(a))
	f.loses.Store(3)
	l.RecordLater(no(a))
	require.Eventually(t, func() bool { return l.Figures().Waiting == 0 }, time.Minute, time.Millisecond)
	f.loses.Store(0)
	keep(t, l, yes(a))
	finish(t, l)
	report := verified(t, begin(t, path))
	assert.EqualValues(t, 9, report.Records, "each of them once")
}

func TestNothingIsLeftOfAVisitorByARecordThatIsBeingAdded(t *testing.T) {
	url := postgres(t)
	l := begin(t, url)
	keep(t, l, yes(alice))
	// What an insert does that has found a record to follow on, and is not yet committed.
	tx, err := open(t, url).Begin()
	require.NoError(t, err)
	for _, statement := range []string{
		`SELECT 1 FROM consent_record WHERE reference IS NOT NULL FOR KEY SHARE`,
		`INSERT INTO consent_record (id, writer, place, hash, n, reference, decided, revision, answers, objection, gpc, regime, action, language, remainder)
			SELECT gen_random_uuid(), writer, 99, hash, 2, reference, decided, revision, answers, objection, gpc, regime, action, language, remainder
			FROM consent_record WHERE reference IS NOT NULL`,
	} {
		_, err := tx.Exec(statement)
		require.NoError(t, err)
	}
	erased := make(chan int64)
	go func() {
		count, err := l.Forget(context.Background(), alice)
		assert.NoError(t, err)
		erased <- count
	}()
	select {
	case <-erased:
		t.Fatal("it does not wait")
	case <-time.After(300 * time.Millisecond):
	}
	require.NoError(t, tx.Commit())
	assert.EqualValues(t, 2, <-erased)
	_, err = l.History(context.Background(), alice)
	assert.ErrorIs(t, err, ledger.ErrNoRecord)
}

func TestNothingFollowsOnARecordThatIsBeingErased(t *testing.T) {
	url := postgres(t)
	l := begin(t, url)
	keep(t, l, yes(alice))
	tx, err := open(t, url).Begin()
	require.NoError(t, err)
	_, err = tx.Exec(`UPDATE consent_record SET reference = NULL, forgotten = 1 WHERE reference IS NOT NULL`)
	require.NoError(t, err)
	again := no(alice)
	again.Previous = again.Time.Add(-time.Hour)
	kept := make(chan error)
	go func() { kept <- l.Record(context.Background(), again) }()
	select {
	case <-kept:
		t.Fatal("it does not wait")
	case <-time.After(300 * time.Millisecond):
	}
	require.NoError(t, tx.Commit())
	require.NoError(t, <-kept)
	history, err := l.History(context.Background(), alice)
	require.NoError(t, err)
	assert.EqualValues(t, 1, history.Entries[0].Number, "it begins anew")
}

func TestNothingIsConfirmedThatATriggerOrARuleTakesAway(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		eat, stop := `CREATE RULE eat AS ON INSERT TO consent_record WHERE NEW.action = 'form' DO INSTEAD NOTHING`, `DROP RULE eat ON consent_record`
		if isSQLite(url) {
			eat, stop = `CREATE TRIGGER eat BEFORE INSERT ON consent_record WHEN NEW.action = 'form' BEGIN SELECT RAISE(IGNORE); END`, `DROP TRIGGER eat`
		}
		l := begin(t, url)
		keep(t, l, yes(alice))
		execute(t, url, eat)
		eaten := func(record consent.Record) consent.Record {
			record.Evidence.Action = consent.ByForm
			return record
		}
		assert.ErrorContains(t, l.Record(context.Background(), eaten(yes(bob))), "a trigger or a rule")
		l.RecordLater(eaten(no(alice)))
		assert.Equal(t, 1, l.Figures().Waiting)
		execute(t, url, stop)
		require.Eventually(t, func() bool { return l.Figures().Waiting == 0 }, time.Minute, time.Millisecond)
		finish(t, l)
		report := verified(t, begin(t, url))
		assert.EqualValues(t, 2, report.Records)
	})
}

func TestNothingIsCalledForgottenThatATriggerOrARuleKeeps(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		hold, stop := `CREATE RULE hold AS ON UPDATE TO consent_record WHERE OLD.reference IS NOT NULL DO INSTEAD NOTHING`, `DROP RULE hold ON consent_record`
		if isSQLite(url) {
			hold, stop = `CREATE TRIGGER hold BEFORE UPDATE ON consent_record BEGIN SELECT RAISE(IGNORE); END`, `DROP TRIGGER hold`
		}
		l := begin(t, url)
		keep(t, l, yes(alice))
		execute(t, url, hold)
		_, err := l.Forget(context.Background(), alice)
		assert.ErrorContains(t, err, "a trigger or a rule")
		execute(t, url, stop)
		erased, err := l.Forget(context.Background(), alice)
		require.NoError(t, err)
		assert.EqualValues(t, 1, erased)
		verified(t, l)
	})
}
