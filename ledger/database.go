package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // the driver that is registered as "sqlite"
)

// A database is what a ledger is kept in.
type database struct {
	*sql.DB
	*dialect
	name string // for errors; holds no password
	file string // of SQLite, as far as it was this package that opened it

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

// connect makes a database of the URL that Open takes, without a word to it yet.
func connect(source string, purpose purpose) (*database, error) {
	scheme, rest, found := strings.Cut(source, ":")
	switch {
	case source == "":
		return nil, errors.New("ledger: the URL is empty; give a path, or a postgres:// URL")
	case scheme == "postgres" || scheme == "postgresql":
		return connectPostgres(source, purpose)
	case found && scheme == "sqlite":
		if path, slashed := strings.CutPrefix(rest, "//"); slashed {
			rest = path
		}
		return connectSQLite(rest, purpose)
	case found && scheme == "file":
		return nil, fmt.Errorf("ledger: cannot open %q: give the path alone, or open it yourself for ledger.Use", source)
	case found && strings.HasPrefix(rest, "//"):
		return nil, fmt.Errorf("ledger: %q is no kind of database that is known here; sqlite and postgres are", scheme)
	}
	return connectSQLite(source, purpose)
}

func connectPostgres(source string, purpose purpose) (*database, error) {
	u, err := url.Parse(source)
	if err != nil || u.Fragment != "" {
		// The parser's own error may quote the password.
		return nil, errors.New(`ledger: cannot open a postgres URL that is not well formed (has its password "%XX" for what has a meaning in URLs?)`)
	}
	name := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if u.User != nil {
		name.User = url.User(u.User.Username())
	}
	config, err := pgx.ParseConfig(source)
	if err != nil {
		return nil, fmt.Errorf("ledger: cannot open %s: %s", name.String(), whatIsWrong(u))
	}
	if purpose == toRead {
		config.RuntimeParams["default_transaction_read_only"] = "on"
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8)
	return &database{DB: db, dialect: postgresDialect, name: name.String()}, nil
}

// whatIsWrong says it of a URL that the driver refuses, in whose own error a password
// may stand.
func whatIsWrong(u *url.URL) string {
	alone := url.URL{Scheme: u.Scheme, Host: u.Host}
	if _, err := pgx.ParseConfig(alone.String()); err != nil {
		return "its host or port is not well formed"
	}
	query := u.Query()
	for _, name := range slices.Sorted(maps.Keys(query)) {
		alone.RawQuery = url.Values{name: query[name]}.Encode()
		if _, err := pgx.ParseConfig(alone.String()); err != nil {
			return fmt.Sprintf("its parameter %q has a value that the driver does not take", name)
		}
	}
	return "its parameters do not go together"
}

func connectSQLite(path string, purpose purpose) (*database, error) {
	if path == "" || strings.HasPrefix(path, ":memory:") || strings.ContainsRune(path, 0) {
		return nil, fmt.Errorf("ledger: cannot open %q: a ledger needs the path of a file", path)
	}
	settings := "?mode=rw"
	var closed *closedFile
	name, temporary := "sqlite:"+path, ""
	switch purpose {
	case toWrite, toFill:
		if err := makeFile(path); err != nil {
			return nil, fmt.Errorf("ledger: cannot make sqlite:%s: %w", path, err)
		}
	case toRead:
		settings = "?mode=ro"
		var err error
		if closed, err = findClosed(path); err != nil {
			return nil, fmt.Errorf("ledger: cannot open %s: %w", name, err)
		}
		if temporary, err = copyLeft(path); err != nil {
			return nil, fmt.Errorf("ledger: cannot copy %s, which a process that was killed has left with a log, to read it: %w", name, err)
		}
		switch {
		case closed != nil:
			settings = "?mode=ro&immutable=1"
		case temporary != "":
			path = inCopy(temporary)
		}
	}
	settings += "&_pragma=busy_timeout(5000)"
	if purpose != toRead {
		// FULL has WAL survive a loss of power; erased content is overwritten. References
		// are random, so records meet in the pages of their index only where a cache
		// (16 MB) and a log (4000 pages) are large enough to hold many of them.
		settings += "&_pragma=synchronous(FULL)&_pragma=secure_delete(ON)&_pragma=cache_size(-16384)&_pragma=wal_autocheckpoint(4000)"
	}
	switch purpose {
	case toWrite:
		settings += "&_pragma=journal_mode(WAL)" // stays with the file
	case toFill:
		// A log would hold each page as often as it is written. This journal holds what there
		// was before, which is nothing.
		settings += "&_pragma=locking_mode(EXCLUSIVE)&_pragma=journal_mode(DELETE)"
	}
	scheme := "file:"
	if strings.HasPrefix(path, "/") {
		scheme = "file://" // or what stands behind a second '/' would be a host
	}
	db, err := sql.Open("sqlite", scheme+(&url.URL{Path: path}).EscapedPath()+settings)
	if err != nil {
		os.RemoveAll(temporary)
		return nil, fmt.Errorf("ledger: cannot open %s: %w", name, err)
	}
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(8)
	if purpose == toFill {
		db.SetMaxOpenConns(1) // which locks out all others
	}
	return &database{DB: db, dialect: sqliteDialect, name: name, file: path, closed: closed, temporary: temporary}, nil
}

// makeFile makes an empty file where there is none. Made by SQLite, it could be read
// by everybody on the machine.
func makeFile(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return file.Close()
}

// recognise finds out what kind of database db is, whatever its driver.
func recognise(ctx context.Context, db *sql.DB) (*database, error) {
	if db == nil {
		return nil, errors.New("ledger: the database is nil")
	}
	var failures []error
	for _, d := range []*dialect{sqliteDialect, postgresDialect} {
		var version string
		err := db.QueryRowContext(ctx, d.versionQuery).Scan(&version)
		if err == nil {
			return &database{DB: db, dialect: d, name: "the site's " + d.product}, nil
		}
		failures = append(failures, err)
	}
	return nil, fmt.Errorf("ledger: cannot use the site's database, as SQLite or as PostgreSQL: %w", errors.Join(failures...))
}

// path returns the path of the file of a database; "" if it is on a server or in memory.
func (d *database) path(ctx context.Context) (path string, err error) {
	if d.file != "" || !d.embedded {
		return d.file, nil
	}
	err = d.QueryRowContext(ctx, `SELECT file FROM pragma_database_list WHERE name = 'main'`).Scan(orNothing[string]{&path})
	return path, err
}

// hasWriter reports whether there is a writer of that ID.
func (d *database) hasWriter(ctx context.Context, id key) (bool, error) {
	var count int
	err := d.QueryRowContext(ctx, d.sql(`SELECT count(*) FROM consent_writer WHERE id = $1`), d.key(id)).Scan(&count)
	return count > 0, err
}
