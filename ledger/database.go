package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"
)

// A database is what a ledger is kept in.
type database struct {
	*sql.DB
	*dialect
	name    string // for errors; holds no password
	address string // tells the ledger's database from others of this machine; "" if it is not known

	file  string      // of SQLite; "" if there is none, as in memory
	about fs.FileInfo // of that file, by which checkFile knows it again; nil if nobody looks
	log   fileLog     // of that file

	closed    *closedFile // what was opened as a file that nobody has open; nil if it was not
	temporary string      // the folder of a copy that is read in its place; "" if there is none
}

// A purpose is what a database is opened for.
type purpose int

const (
	toWrite purpose = iota // a file is made where there is none, and tables too
	toTend                 // neither is
	toFill                 // as toWrite, by this process alone, and in one transaction
	toRead                 // nothing is changed
)

// hasKeyword finds what begins as the keyword/value form of a connection to PostgreSQL
// (libpq's documentation, "Connection Strings"), or as that of another driver ("Host=db;…").
var hasKeyword = regexp.MustCompile(`^\s*[A-Za-z_][A-Za-z_ ]*=`)

// isAddress finds what is an address of a server that was written in another way, with a
// password in it perhaps, which no error is to quote.
var isAddress = regexp.MustCompile(`://|^postgres(ql)?/|:[^/]*@`)

// isScheme finds a word in front of a path. One letter is a drive of Windows.
var isScheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]+$`)

// connect makes a database of the URL that Open takes, without a word to it yet.
func connect(source string, purpose purpose) (*database, error) {
	scheme, rest, found := strings.Cut(source, ":")
	switch {
	case source == "":
		return nil, errors.New("ledger: the URL is empty; give a path, or a postgres:// URL")
	case scheme == "postgres" || scheme == "postgresql":
		return connectURL(source, purpose)
	case hasKeyword.MatchString(source):
		return connectKeywords(source, purpose)
	case found && scheme == "sqlite":
		if path, slashed := strings.CutPrefix(rest, "//"); slashed {
			rest = path
		}
		return connectSQLite(rest, purpose)
	case found && scheme == "file":
		return nil, fmt.Errorf("ledger: cannot open %q: give the path alone, or open it yourself for ledger.Use", source)
	case found && isScheme.MatchString(scheme):
		return nil, fmt.Errorf(`ledger: %q is no kind of database that is known here; sqlite and postgres are (put "sqlite:" in front of a path with a colon)`, scheme)
	case isAddress.MatchString(source):
		return nil, errors.New(`ledger: cannot open what looks like the address of a server; write it as postgres://user@host/database, or put "sqlite:" in front of the path of a file`)
	}
	return connectSQLite(source, purpose)
}

// recognise finds out what kind of database db is, whatever its driver.
func recognise(ctx context.Context, db *sql.DB) (*database, error) {
	var failures []error
	for _, d := range []*dialect{sqliteDialect, postgresDialect} {
		var version string
		err := db.QueryRowContext(ctx, d.versionQuery).Scan(&version)
		if err == nil {
			found := &database{DB: db, dialect: d, name: "the site's " + d.product}
			return found, found.findFile(ctx)
		}
		failures = append(failures, explain(err))
	}
	err := fmt.Errorf("cannot use the site's database, as SQLite or as PostgreSQL: %w", errors.Join(failures...))
	if db.PingContext(ctx) == nil { // it is there, and is neither
		err = lasting{err}
	}
	return nil, err
}

// hasWriter reports whether there is a writer of that ID.
func (d *database) hasWriter(ctx context.Context, id key) (bool, error) {
	var count int
	err := d.QueryRowContext(ctx, d.sql(`SELECT count(*) FROM consent_writer WHERE id = $1`), d.key(id)).Scan(&count)
	return count > 0, err
}

// checkWritable fails if a record could not be written now, as far as that shows without
// writing one. A session to a standby, and one that turned read-only, fails.
func (d *database) checkWritable(ctx context.Context) error {
	if err := d.checkFile(); err != nil {
		return err
	}
	return d.atomically(ctx, func(tx *sql.Tx) error {
		// It changes no row, and takes the right and, of SQLite, the lock to do so.
		_, err := tx.ExecContext(ctx, `UPDATE consent_writer SET written = written WHERE 1 = 0`)
		return err
	})
}

// change runs a statement that writes, and once more if its session takes no writes any more.
// It takes the statement in PostgreSQL's dialect.
func (d *database) change(ctx context.Context, statement string, args ...any) error {
	_, err := d.ExecContext(ctx, d.sql(statement), args...)
	if turnedReadOnly(err) {
		d.leaveReadOnly(ctx)
		_, err = d.ExecContext(ctx, d.sql(statement), args...)
	}
	return err
}

// leaveReadOnly gives up the sessions of the pool that take no writes: after a failover, the
// server that they lead to may be a standby. It ends at the first one that takes writes.
func (d *database) leaveReadOnly(ctx context.Context) {
	if d.embedded {
		return
	}
	for range d.Stats().Idle + 1 {
		session, err := d.Conn(ctx)
		if err != nil {
			return
		}
		var readOnly string
		err = session.QueryRowContext(ctx, `SELECT current_setting('transaction_read_only')`).Scan(&readOnly)
		if leave := err != nil || readOnly == "on"; leave {
			// The pool closes a session that says so, and makes another one.
			_ = session.Raw(func(any) error { return driver.ErrBadConn })
		}
		_ = session.Close()
		if err == nil && readOnly != "on" {
			return
		}
	}
}
