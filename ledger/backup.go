package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Backup writes the ledger as it is at one moment to a new file at path: every record,
// notice, writer and link that was in the database when it was called, with their hashes and
// seals as they are, and nothing else that a site keeps in the same database. It is a file of
// SQLite, whatever the ledger is kept in, and a ledger itself: the command and [OpenReadOnly]
// read it, SQLite's ledger is restored by putting it in its place, and [Import] carries it to a
// server. Refusals that wait to be written are not in it. It holds up nobody, and takes the
// same memory for a ledger of any size.
//
// The file is for this user alone, and there only once it is whole, on the disk, compared
// with what was read, and verified. What is at path already is an error, and stays as it
// is. Records that are not as they were written are backed up as they are; the report says so,
// see [Ledger.Verify]. Progress, if not nil, is called now and then with the number of rows.
// The error is that of the database or of the disk, and then there is no file.
func (l *Ledger) Backup(ctx context.Context, path string, progress func(rows int64)) (Report, error) {
	report, err := l.backup(ctx, path, progress)
	if err != nil {
		return report, fmt.Errorf("ledger: cannot make the backup %s: %w", path, err)
	}
	return report, nil
}

func (l *Ledger) backup(ctx context.Context, path string, progress func(int64)) (report Report, err error) {
	if err := l.readable(); err != nil {
		return report, err
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return report, errors.Join(fs.ErrExist, err)
	}
	folder := filepath.Dir(path)
	made, err := os.CreateTemp(folder, filepath.Base(path)+".*.unfinished") // for this user alone
	if err != nil {
		return report, err
	}
	defer os.Remove(made.Name()) // after the end it has another name
	defer made.Close()
	carried, err := l.carryTo(ctx, made.Name(), progress)
	if err == nil {
		err = made.Sync()
	}
	if err == nil {
		report, err = l.checkBackup(ctx, made.Name(), carried)
	}
	if err == nil {
		err = made.Close() // Windows renames no file that is open
	}
	if err == nil {
		err = publish(made.Name(), path)
	}
	return report, err
}

// carryTo fills the empty file with what the ledger holds, and returns what that was.
func (l *Ledger) carryTo(ctx context.Context, file string, progress func(int64)) (carried tally, err error) {
	db, err := connectSQLite(file, toFill)
	if err != nil {
		return carried, err
	}
	defer func() { err = errors.Join(err, db.close()) }()
	if err := db.migrate(ctx); err != nil {
		return carried, err
	}
	from, err := l.db.BeginTx(ctx, l.db.snapshot)
	if err != nil {
		return carried, err
	}
	defer from.Rollback()
	to, err := db.fill(ctx)
	if err != nil {
		return carried, err
	}
	defer to.Rollback()
	c := newCarrier(db, to, progress)
	if err := c.carry(ctx, from); err != nil {
		return carried, err
	}
	return c.put, to.Commit()
}

// checkBackup reads a backup as a ledger of its own.
func (l *Ledger) checkBackup(ctx context.Context, file string, carried tally) (report Report, err error) {
	b, err := OpenReadOnly(ctx, file, Config{Keys: l.sealer.keys})
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, b.Close(ctx)) }()
	tx, err := b.db.BeginTx(ctx, b.db.snapshot)
	if err != nil {
		return report, err
	}
	defer tx.Rollback()
	if err := carried.isIn(ctx, tx); err != nil {
		return report, err
	}
	return verifyTables(ctx, b.db, tx, b.sealer, nil)
}

// publish gives a file its name, durably, unless there is one of that name. A process that is
// killed meanwhile leaves nothing else under that name, but where the disk has no hard links.
func publish(file, path string) error {
	err := os.Link(file, path)
	if errors.Is(err, fs.ErrExist) {
		return err
	}
	if err != nil {
		reserved, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		if err := errors.Join(reserved.Close(), os.Rename(file, path)); err != nil {
			return errors.Join(err, os.Remove(path))
		}
	}
	return syncFolder(filepath.Dir(path))
}
