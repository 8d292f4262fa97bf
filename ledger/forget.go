package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/cookiecharter/consent"
)

// Forget erases what the ledger has on a visitor (Regulation (EU) 2016/679, article
// 17): their records, all but a place for each with its time, so that they can be
// counted and [Ledger.Verify] still holds; what of theirs waits in this process to be
// written; and their link to a user. It returns how many records were erased, and leaves
// a record of its own of which places these were. What the visitor decides from then on
// is recorded anew. The error is the database's, or that the ledger was opened to be read.
func (l *Ledger) Forget(ctx context.Context, reference consent.Reference) (records int64, err error) {
	if err := l.writable(); err != nil {
		return 0, err
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	l.queue.forget(key(reference))
	l.queue.links.forget(key(reference))
	if err := l.spool.clean(); err != nil {
		return 0, fmt.Errorf("ledger: cannot forget what waits on disk: %w", err)
	}
	err = l.writer.act(ctx, l.db, func(tx *sql.Tx) (*act, error) {
		records = 0
		_, err := tx.ExecContext(ctx, l.db.sql(`DELETE FROM consent_link WHERE reference = $1`), l.db.key(key(reference)))
		if err != nil {
			return nil, err
		}
		done := act{Kind: actForget, at: time.Now()}
		var erased []row
		// Again, since an erasure waits for a record that is being added behind the last one.
		for last := int64(-1); records > last; {
			last = records
			more, count, err := l.erase(ctx, tx, key(reference), milliseconds(done.at))
			if err != nil {
				return nil, err
			}
			erased = append(erased, more...)
			records += count
		}
		if records == 0 {
			return nil, nil
		}
		done.Places = placesOf(erased)
		return &done, nil
	})
	if err != nil {
		return 0, fmt.Errorf("ledger: cannot forget: %w", err)
	}
	if l.db.overwriteLog != "" {
		// An error is no failure to erase: the log is overwritten later.
		_, _ = l.db.ExecContext(ctx, l.db.overwriteLog)
	}
	return records, nil
}

// Forget erases what the ledger has under the references of a user, as [Ledger.Forget] does
// for each, and returns how many records that was. See [Users.References] for which these
// are: those under which they have decided while signed in, and those under which a
// [consent.Middleware.Restore] has put a copy of their decision into a browser, if
// [Users.Restored] was told. It does not reach what they have decided while signed out: nothing
// says that it is theirs, and who has the browser finds its reference at the foot of the
// form. After an error, which is that of an empty ID or the database's, call it again.
func (u *Users) Forget(ctx context.Context, user string) (records int64, err error) {
	references, err := u.References(ctx, user)
	for _, reference := range references {
		var more int64
		if more, err = u.ledger.Forget(ctx, reference); err != nil {
			break
		}
		records += more
	}
	return records, err
}

// erase erases the records of a visitor, and returns what they were and how many: there
// may be more, that cannot be read. These stay a fault.
func (l *Ledger) erase(ctx context.Context, tx *sql.Tx, reference key, at int64) (erased []row, count int64, err error) {
	update := func(digest []byte, which string, parameter key) (int64, error) {
		result, err := tx.ExecContext(ctx, l.db.sql(`UPDATE consent_record SET forgotten = $1, digest = $2, reference = NULL, decided = 0, revision = 0, answers = '',
			objection = false, gpc = false, regime = '', action = '', language = '', notice = NULL, remainder = false, act = NULL WHERE reference IS NOT NULL AND `+which+` = $3`),
			at, nullable(digest), l.db.key(parameter))
		if err != nil {
			return 0, err
		}
		return result.RowsAffected()
	}
	var found []row
	unreadable := false
	rows, err := tx.QueryContext(ctx, l.db.sql(whole+`WHERE reference = $1 ORDER BY n`), l.db.key(reference))
	err = each(rows, err, func(rows *sql.Rows) error {
		var r row
		if err := rows.Scan(r.into()...); err != nil {
			unreadable = true
		} else {
			found = append(found, r)
		}
		return nil
	})
	for i := 0; i < len(found) && err == nil; i++ {
		r := &found[i]
		var changed int64
		changed, err = update(r.content(), "id", r.id)
		switch {
		case err == nil && changed == 0: // somebody else has erased or purged it at this moment
			err = l.checkGone(ctx, tx, r.id)
		case err == nil:
			erased = append(erased, *r)
			count++
		}
	}
	if unreadable && err == nil {
		var changed int64
		changed, err = update(nil, "reference", reference)
		count += changed
	}
	return erased, count, err
}

// checkGone fails if a record that should have been erased stands.
func (l *Ledger) checkGone(ctx context.Context, tx *sql.Tx, id key) error {
	var stands int
	err := tx.QueryRowContext(ctx, l.db.sql(`SELECT count(*) FROM consent_record WHERE id = $1 AND reference IS NOT NULL`), l.db.key(id)).Scan(&stands)
	if err == nil && stands > 0 {
		err = errors.New("the database has not erased a record: look for a trigger or a rule on consent_record")
	}
	return err
}

// forget takes what only refuses out of the queue, where it is a visitor's.
func (q *queue) forget(reference key) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.remove(func(e *entry) bool { return e.done == nil && e.row.reference == reference })
}

// atomically runs do in a transaction, again where others were at the same rows at
// the same moment.
func (d *database) atomically(ctx context.Context, do func(*sql.Tx) error) error {
	left := false
	for attempt := 0; ; attempt++ {
		if attempt > 0 {
			time.Sleep(rand.N(time.Duration(attempt) * 5 * time.Millisecond))
		}
		tx, err := d.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		if err = do(tx); err == nil {
			err = tx.Commit()
		}
		if err == nil {
			return nil
		}
		tx.Rollback()
		if !left && turnedReadOnly(err) {
			d.leaveReadOnly(ctx)
			left = true
			continue
		}
		if attempt == 20 || !collided(err) {
			return err
		}
	}
}
