package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/cookiecharter/consent"
)

// Forget erases what the ledger has on a visitor (Regulation (EU) 2016/679, article
// 17): their records, all but a place for each with its time, so that they can be
// counted and [Ledger.Verify] still holds; what of theirs waits in this process to be
// written; and their link to a user. It returns how many records were erased. What
// the visitor decides from then on is recorded anew.
func (l *Ledger) Forget(ctx context.Context, reference consent.Reference) (records int64, err error) {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.queue.forget(key(reference))
	err = l.db.atomically(ctx, func(tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, l.db.sql(`UPDATE consent_record SET forgotten = $1, reference = NULL, n = NULL, previous = NULL,
			previous_hash = NULL, decided = 0, revision = 0, answers = '', objection = false, gpc = false, regime = '', action = '', language = '', notice = NULL
			WHERE reference = $2`), milliseconds(time.Now()), l.db.key(key(reference)))
		if err != nil {
			return err
		}
		if records, err = done.RowsAffected(); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, l.db.sql(`DELETE FROM consent_link WHERE reference = $1`), l.db.key(key(reference)))
		return err
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

// forget takes what only refuses out of the queue, where it is a visitor's.
func (q *queue) forget(reference key) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.remove(func(e *entry) bool { return e.done == nil && e.row.reference == reference })
}

// purgeBatch is how many records one transaction deletes, so that a purge holds up
// nobody who decides meanwhile.
const purgeBatch = 1000

// Purge deletes the records of decisions that were taken before a time, forgotten ones as
// well, and the links of users of whom nothing is left, and returns how many records
// that was. [Ledger.Verify] goes by that time from then on: it
// knows the records as purged. It may be broken off, and goes on the next time.
// Progress, if not nil, is called now and then with the number of records deleted.
func (l *Ledger) Purge(ctx context.Context, before time.Time, progress func(records int64)) (records int64, err error) {
	until := milliseconds(before)
	now := milliseconds(time.Now())
	_, err = l.db.ExecContext(ctx, l.db.sql(`INSERT INTO consent_purge (id, purged, until) VALUES ($1, $2, $3)`), l.db.key(newKey(now)), now, until)
	for count := int64(purgeBatch); err == nil && count == purgeBatch; {
		if count, err = l.purge(ctx, firstKey(until)); err == nil {
			records += count
		}
		if progress != nil {
			progress(records)
		}
	}
	if err == nil {
		_, err = l.db.ExecContext(ctx, l.db.sql(`DELETE FROM consent_link WHERE linked < $1
			AND NOT EXISTS (SELECT 1 FROM consent_record WHERE consent_record.reference = consent_link.reference)`), until)
	}
	if err != nil {
		return records, fmt.Errorf("ledger: cannot purge: %w", err)
	}
	return records, nil
}

// purge deletes the oldest records before a key, and has their writers know.
func (l *Ledger) purge(ctx context.Context, until key) (count int64, err error) {
	err = l.db.atomically(ctx, func(tx *sql.Tx) error {
		count = 0
		writers := make(map[key]*tally)
		rows, err := tx.QueryContext(ctx, l.db.sql(`DELETE FROM consent_record WHERE id IN
			(SELECT id FROM consent_record WHERE id < $1 ORDER BY id LIMIT $2) RETURNING writer, place`), l.db.key(until), purgeBatch)
		err = each(rows, err, func(rows *sql.Rows) error {
			var writer key
			var place int64
			err := rows.Scan(&writer, &place)
			t := writers[writer]
			if t == nil {
				t = new(tally)
				writers[writer] = t
			}
			t.purged++
			t.purgedPlace = max(t.purgedPlace, place)
			count++
			return err
		})
		if err != nil {
			return err
		}
		for id, t := range writers {
			_, err := tx.ExecContext(ctx, l.db.sql(`UPDATE consent_writer SET purged = purged + $1,
				purged_place = CASE WHEN purged_place < $2 THEN $2 ELSE purged_place END WHERE id = $3`), t.purged, t.purgedPlace, l.db.key(id))
			if err != nil {
				return err
			}
		}
		return nil
	})
	return count, err
}

// atomically runs do in a transaction, again where others were at the same rows at
// the same moment.
func (d *database) atomically(ctx context.Context, do func(*sql.Tx) error) error {
	for attempt := 0; ; attempt++ {
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
		if attempt == 20 || !collided(err) {
			return err
		}
	}
}
