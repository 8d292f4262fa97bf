package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// purgeBatch is how many records one transaction deletes, so that a purge holds up
// nobody who decides meanwhile.
const purgeBatch = 1000

// Purge deletes the records of decisions that were taken before a time, forgotten ones as
// well, and the links of users of whom nothing is left, and returns how many records
// that was. It leaves records of its own of which places these were, by which
// [Ledger.Verify] knows them as purged. It may be broken off, and goes on the next time.
// It takes the proof of consents that still stand as well: ask [Ledger.PlanPurge] first.
// Progress, if not nil, is called now and then with the number of records deleted. The
// error is the database's, or that the ledger was opened to be read.
func (l *Ledger) Purge(ctx context.Context, before time.Time, progress func(records int64)) (records int64, err error) {
	return l.purgeSlowly(ctx, before, 0, progress)
}

// purgeSlowly is Purge with a pause after each batch.
func (l *Ledger) purgeSlowly(ctx context.Context, before time.Time, pause time.Duration, progress func(int64)) (records int64, err error) {
	if err := l.writable(); err != nil {
		return 0, err
	}
	until := milliseconds(before)
	if err := l.spool.clean(); err != nil {
		return 0, fmt.Errorf("ledger: cannot purge, since what is on disk might come back: %w", err)
	}
	for batch := int64(purgeBatch); err == nil && batch == purgeBatch; {
		if batch, err = l.purge(ctx, until); err == nil {
			records += batch
		}
		if progress != nil {
			progress(records)
		}
		if pause > 0 && err == nil && batch == purgeBatch {
			err = sleep(ctx, pause)
		}
	}
	if err == nil {
		// A copy is brought up to date under its reference, and its link is not.
		err = l.db.change(ctx, `DELETE FROM consent_link WHERE abs(decided) < $1 AND NOT EXISTS (SELECT 1 FROM consent_record
			WHERE consent_record.reference = consent_link.reference AND (consent_record.decided = consent_link.decided OR consent_link.decided < 0))`, until)
	}
	if err != nil {
		return records, fmt.Errorf("ledger: cannot purge: %w", err)
	}
	return records, nil
}

// purge deletes the oldest records before a time. The acts stay: they say what was here.
func (l *Ledger) purge(ctx context.Context, until int64) (records int64, err error) {
	l.writing.Lock()
	defer l.writing.Unlock()
	err = l.writer.act(ctx, l.db, func(tx *sql.Tx) (*act, error) {
		var taken []row
		rows, err := tx.QueryContext(ctx, l.db.sql(`DELETE FROM consent_record WHERE id IN
			(SELECT id FROM consent_record WHERE id < $1 AND `+isDecision+` ORDER BY id LIMIT $2) RETURNING writer, place, before_hash, hash`), l.db.key(firstKey(until)), purgeBatch)
		err = each(rows, err, func(rows *sql.Rows) error {
			var r row
			err := rows.Scan(&r.writer, &r.place, &r.beforeHash, &r.hash)
			taken = append(taken, r)
			return err
		})
		records = int64(len(taken))
		if err != nil || len(taken) == 0 {
			return nil, err
		}
		return &act{Kind: actPurge, at: time.Now(), Until: until, Places: placesOf(taken)}, nil
	})
	return records, err
}

// A PurgePlan is what a [Ledger.Purge] would take: see [Ledger.PlanPurge].
type PurgePlan struct {
	Records  int64 // those of decisions, forgotten ones as well
	Standing int64 // visitors who would be left without proof: their last decision is among them, allows something, and still stands
}

// PlanPurge says what [Ledger.Purge] would take with the same time, and deletes nothing.
// Lifetime is how long a decision stands: [consent.Config.Lifetime] of the site; zero means
// its default, 180 days. A consent has to be proven for as long as it stands
// (Regulation (EU) 2016/679, article 7(1)). The error is the database's.
func (l *Ledger) PlanPurge(ctx context.Context, before time.Time, lifetime time.Duration) (plan PurgePlan, err error) {
	if err := l.readable(); err != nil {
		return plan, err
	}
	if lifetime == 0 {
		lifetime = defaultLifetime
	}
	until := firstKey(milliseconds(before))
	err = l.db.QueryRowContext(ctx, l.db.sql(`SELECT count(*) FROM consent_record WHERE id < $1 AND `+isDecision), l.db.key(until)).Scan(&plan.Records)
	if since := time.Now().Add(-lifetime); err == nil && since.Before(before) {
		// The answers are as compact writes them, where a quote inside of a name has a "\" before it.
		err = l.db.QueryRowContext(ctx, l.db.sql(`SELECT count(*) FROM consent_record AS last WHERE id >= $1 AND id < $2 AND reference IS NOT NULL
			AND answers LIKE '%"allowed":true%' AND NOT EXISTS (SELECT 1 FROM consent_record WHERE reference = last.reference AND n > last.n)`),
			l.db.key(firstKey(milliseconds(since))), l.db.key(until)).Scan(&plan.Standing)
	}
	if err != nil {
		return plan, fmt.Errorf("ledger: cannot say what a purge would take: %w", err)
	}
	return plan, nil
}
