package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// watchFile has checkFile look at the file from now on.
func (d *database) watchFile() (err error) {
	// The process may change its folder.
	if d.file, err = filepath.Abs(d.file); err == nil {
		d.about, err = os.Stat(d.file)
	}
	return err
}

// errFileGone says that nobody would find again what is written.
var errFileGone = errors.New("was moved, deleted or replaced while it is in use: put the same file back, or start again")

// checkFile fails if the file of SQLite has gone from its place. The sessions still write to
// it, and nobody would find what they have written.
func (d *database) checkFile() error {
	if d.about == nil {
		return nil
	}
	about, err := os.Stat(d.file)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && !os.SameFile(about, d.about):
		return fmt.Errorf("the file %s %w", d.file, errFileGone)
	case err != nil:
		return fmt.Errorf("cannot see whether the file is in its place: %w", err)
	}
	return d.log.check()
}

// A fileLog is the log of a file of SQLite, with its index, as long as a session of the ledger
// has it. What was confirmed is in the log alone, until SQLite copies it into the file. The
// zero value watches nothing.
type fileLog struct {
	mu      sync.Mutex
	session *sql.Conn // keeps SQLite itself from deleting the log; nil if nobody watches
	files   []watched
}

// A watched file is one that checkFile knows again.
type watched struct {
	path  string
	about fs.FileInfo
}

// watchLog has checkFile look at the log too, if there is one and the pool has room.
func (d *database) watchLog(ctx context.Context) error {
	if most := d.Stats().MaxOpenConnections; d.about == nil || most > 0 && most < minPool || d.log.isWatched() {
		return nil
	}
	session, err := d.Conn(ctx)
	if err != nil {
		return err
	}
	var mode string
	var tables int
	// To read opens the log.
	err = errors.Join(session.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&mode), session.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master`).Scan(&tables))
	if err != nil || mode != "wal" {
		return errors.Join(err, session.Close())
	}
	var files []watched
	for _, suffix := range []string{"-wal", "-shm"} {
		about, err := os.Stat(d.file + suffix)
		if errors.Is(err, fs.ErrNotExist) {
			return session.Close() // the site's driver keeps it elsewhere
		}
		if err != nil {
			return errors.Join(err, session.Close())
		}
		files = append(files, watched{d.file + suffix, about})
	}
	d.log.mu.Lock()
	defer d.log.mu.Unlock()
	d.log.session, d.log.files = session, files
	return nil
}

// minPool is from how many sessions on a pool of the site has one for watchLog.
const minPool = 3

func (l *fileLog) isWatched() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.session != nil
}

// check fails if the log or its index has gone from its place. Then what is in the log would
// be lost if the process were killed, and SQLite is asked to copy it into the file.
func (l *fileLog) check() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.files {
		about, err := os.Stat(f.path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			// If it fails, it is tried again at the next check, and when the session is closed.
			_, _ = l.session.ExecContext(context.Background(), `PRAGMA wal_checkpoint(PASSIVE)`)
			fallthrough
		case err == nil && !os.SameFile(about, f.about):
			return fmt.Errorf("the file %s %w", f.path, errFileGone)
		case err != nil:
			return fmt.Errorf("cannot see whether the log is in its place: %w", err)
		}
	}
	return nil
}

// close gives the session back.
func (l *fileLog) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.session == nil {
		return nil
	}
	err := l.session.Close()
	l.session, l.files = nil, nil
	return err
}
