package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"

	"modernc.org/sqlite"
)

func connectSQLite(path string, purpose purpose) (*database, error) {
	if path == "" || strings.HasPrefix(path, ":memory:") || strings.ContainsRune(path, 0) {
		return nil, fmt.Errorf("ledger: cannot open %q: a ledger needs the path of a file", path)
	}
	d := &database{dialect: sqliteDialect, name: "sqlite:" + path, file: path}
	settings := "?mode=rw"
	switch purpose {
	case toWrite, toFill:
		if err := makeFile(path); err != nil {
			return nil, fmt.Errorf("ledger: cannot make sqlite:%s: %w", path, err)
		}
	case toRead:
		settings = "?mode=ro"
		var err error
		if d.closed, err = findClosed(path); err != nil {
			return nil, fmt.Errorf("ledger: cannot open %s: %w", d.name, err)
		}
		if d.temporary, err = copyLeft(path); err != nil {
			return nil, fmt.Errorf("ledger: cannot copy %s, which a process that was killed has left with a log, to read it: %w", d.name, err)
		}
		switch {
		case d.closed != nil:
			settings = "?mode=ro&immutable=1"
		case d.temporary != "":
			path = inCopy(d.temporary)
		}
	}
	settings += "&_pragma=busy_timeout(5000)"
	if purpose != toRead {
		if err := d.watchFile(); err != nil {
			return nil, fmt.Errorf("ledger: cannot open %s: %w", d.name, err)
		}
		// FULL has WAL survive a loss of power; erased content is overwritten. References
		// are random, so records meet in the pages of their index only if the log (4000
		// pages) is large enough to hold many of them. The cache is of each session, and the
		// driver's allocator takes almost four times as much for it: 4 MB are 15, and 16 were
		// 60. What is not in it is in the system's own cache, at no price that shows.
		settings += "&_pragma=synchronous(FULL)&_pragma=secure_delete(ON)&_pragma=cache_size(-4096)&_pragma=wal_autocheckpoint(4000)"
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
	d.DB = sql.OpenDB(fileConnector{d, scheme + (&url.URL{Path: path}).EscapedPath() + settings})
	d.SetMaxOpenConns(9) // one of them for watchLog
	d.SetMaxIdleConns(8)
	if purpose == toFill {
		d.SetMaxOpenConns(1) // which locks out all others
	}
	return d, nil
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

// A fileConnector opens the file of a database, and no other one that has taken its place.
type fileConnector struct {
	database *database
	source   string
}

func (c fileConnector) Driver() driver.Driver { return &sqlite.Driver{} }

func (c fileConnector) Connect(context.Context) (driver.Conn, error) {
	// Before too: a session would make a new log where the one that is in use has gone.
	if err := c.database.checkFile(); err != nil {
		return nil, err
	}
	conn, err := c.Driver().Open(c.source)
	if err != nil {
		return nil, err
	}
	if err := c.database.checkFile(); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// findFile learns of the file of a database that the site has opened itself.
func (d *database) findFile(ctx context.Context) error {
	if !d.embedded {
		return nil
	}
	err := d.QueryRowContext(ctx, `SELECT file FROM pragma_database_list WHERE name = 'main'`).Scan(orNothing[string]{&d.file})
	if err != nil || d.file == "" {
		return err
	}
	if err := d.watchFile(); errors.Is(err, fs.ErrNotExist) {
		d.file, d.about = "", nil // it is kept by a driver of the site, under a name that means nothing here
	} else if err != nil {
		return err
	}
	return nil
}
