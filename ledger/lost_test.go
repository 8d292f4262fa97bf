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

	"github.com/cookiecharter/consent/ledger"
)

// A flaky connector makes connections that lose the answer to a statement that was
// carried out, as a network does.
type flaky struct {
	driver driver.Driver
	path   string
	loses  atomic.Int64 // how many answers
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
	result, err := c.Conn.(driver.ExecerContext).ExecContext(ctx, statement, args)
	if strings.HasPrefix(statement, "INSERT INTO consent_record") && c.flaky.loses.Add(-1) >= 0 {
		return nil, errors.New("connection reset by peer")
	}
	return result, err
}

func (c flakyConn) QueryContext(ctx context.Context, statement string, args []driver.NamedValue) (driver.Rows, error) {
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, statement, args)
}

func (c flakyConn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	return c.Conn.(driver.ConnBeginTx).BeginTx(ctx, options)
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
