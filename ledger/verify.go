package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
)

// maxFaults is how many faults a report spells out.
const maxFaults = 100

// A Report says whether the records are as they were written: see [Ledger.Verify].
type Report struct {
	Records    int64    // that stand
	Visitors   int64    // whose they are
	Forgotten  int64    // erased records, of which only the place is left
	Purged     int64    // records that Purge has deleted
	Backwards  int64    // records that are older than the same visitor's before, by the clock; they are in the order in which they came
	Notices    int64    // what visitors were told
	FaultCount int64    // zero if everything is as it was written
	Faults     []string // the first 100, in words
}

// OK reports that there are no faults.
func (r *Report) OK() bool { return r.FaultCount == 0 }

func (r *Report) fault(format string, args ...any) {
	r.FaultCount++
	if len(r.Faults) < maxFaults {
		r.Faults = append(r.Faults, fmt.Sprintf(format, args...))
	}
}

// Verify reads all records and reports each that was altered, and each that is
// missing and neither forgotten nor purged. It sees a record that is missing from
// the middle or the start of a visitor's, and the last one by the count of the
// process that wrote it. What no ledger can see is what it never counted: that the
// last records which a process wrote were removed together, where it still runs or
// was killed. Nor can it see the work of somebody who may write to the
// database and computes every hash anew: keep copies where they may not write.
//
// Records may be added meanwhile. It keeps none in memory. Progress, if not nil,
// is called now and then with the number of records read. The error is the
// database's.
func (l *Ledger) Verify(ctx context.Context, progress func(records int64)) (Report, error) {
	var report Report
	tx, err := l.db.snapshot(ctx)
	if err != nil {
		return report, fmt.Errorf("ledger: cannot verify: %w", err)
	}
	defer tx.Rollback()
	v := verification{db: l.db, tx: tx, report: &report, writers: make(map[key]*tally)}
	for _, step := range []func(context.Context) error{v.readPurges, v.readWriters, v.checkNotices} {
		if err := step(ctx); err != nil {
			return report, fmt.Errorf("ledger: cannot verify: %w", err)
		}
	}
	if err := v.checkRecords(ctx, progress); err != nil {
		return report, fmt.Errorf("ledger: cannot verify: %w", err)
	}
	v.checkCounts()
	return report, nil
}

// snapshot begins a transaction that sees the database as it is now, to its end.
func (d *database) snapshot(ctx context.Context) (*sql.Tx, error) {
	options := &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	if d.sqlite {
		options = nil // it knows no other, and begins with the first statement
	}
	return d.BeginTx(ctx, options)
}

type verification struct {
	db      *database
	tx      *sql.Tx
	report  *Report
	purged  int64 // decisions before this time may be missing
	writers map[key]*tally
	notices map[string]bool // by fingerprint
}

// A tally is what a writer has written, by what it says and by what there is.
type tally struct {
	known       bool
	written     sql.NullInt64
	purged      int64
	purgedPlace int64
	found       int64
	highest     int64
}

func (v *verification) readPurges(ctx context.Context) error {
	return v.tx.QueryRowContext(ctx, `SELECT coalesce(max(until), 0) FROM consent_purge`).Scan(&v.purged)
}

func (v *verification) readWriters(ctx context.Context) error {
	rows, err := v.tx.QueryContext(ctx, `SELECT id, written, purged, purged_place FROM consent_writer`)
	return each(rows, err, func(rows *sql.Rows) error {
		id, t := key{}, &tally{known: true}
		err := rows.Scan(&id, &t.written, &t.purged, &t.purgedPlace)
		v.writers[id] = t
		v.report.Purged += t.purged
		return err
	})
}

func (v *verification) checkNotices(ctx context.Context) error {
	v.notices = make(map[string]bool)
	rows, err := v.tx.QueryContext(ctx, `SELECT fingerprint, content FROM consent_notice`)
	return each(rows, err, func(rows *sql.Rows) error {
		var fingerprint, content []byte
		err := rows.Scan(&fingerprint, &content)
		if sum := sha256.Sum256(content); !bytes.Equal(sum[:], fingerprint) {
			v.report.fault("the notice %x was altered", fingerprint)
		}
		v.notices[string(fingerprint)] = true
		v.report.Notices++
		return err
	})
}

// checkRecords reads each visitor's records in their order.
func (v *verification) checkRecords(ctx context.Context, progress func(int64)) error {
	rows, err := v.tx.QueryContext(ctx, whole+`WHERE reference IS NOT NULL ORDER BY reference, n`)
	var last row
	var suspects []row
	err = each(rows, err, func(rows *sql.Rows) error {
		var r row
		if err := rows.Scan(r.into()...); err != nil {
			v.report.fault("a record was altered: %v", err)
			return nil
		}
		v.count(&r)
		if v.report.Records++; progress != nil && v.report.Records%10_000 == 0 {
			progress(v.report.Records)
		}
		if r.reference != last.reference {
			v.report.Visitors++
			last = row{}
		}
		if !bytes.Equal(r.hash, r.sum()) {
			v.report.fault("the record %v of %x was altered", r.id, r.reference)
		}
		if r.forgotten != 0 { // which the sum leaves out
			v.report.fault("the record %v of %x is marked as forgotten, and was not", r.id, r.reference)
		}
		if r.notice != nil && !v.notices[string(r.notice)] {
			v.report.fault("what the record %v of %x says they were told is missing", r.id, r.reference)
		}
		if r.decided < last.decided {
			v.report.Backwards++
		}
		if r.previous != last.id || r.n != last.n+1 || !bytes.Equal(r.previousHash, last.hash) {
			// What came before may have been purged; or forgotten, at the very
			// moment at which this one was added.
			if r.previous == (key{}) || r.previous == last.id {
				v.report.fault("the record %v of %x does not follow on the one before", r.id, r.reference)
			} else if r.previous.time() >= v.purged {
				if len(suspects) < maxFaults {
					suspects = append(suspects, r)
				} else {
					v.report.fault("the record %v does not follow on the one before", r.id)
				}
			}
		}
		last = r
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range suspects {
		forgotten := 0
		err := v.tx.QueryRowContext(ctx, v.db.sql(`SELECT count(*) FROM consent_record WHERE id = $1 AND forgotten IS NOT NULL`), v.db.key(r.previous)).Scan(&forgotten)
		if err != nil {
			return err
		}
		if forgotten == 0 {
			v.report.fault("the record %v is missing, which came before %v of %x", r.previous, r.id, r.reference)
		}
	}
	rows, err = v.tx.QueryContext(ctx, `SELECT id, writer, place, forgotten FROM consent_record WHERE reference IS NULL`)
	return each(rows, err, func(rows *sql.Rows) error {
		var r row
		var forgotten sql.NullInt64
		if err := rows.Scan(&r.id, &r.writer, &r.place, &forgotten); err != nil {
			return err
		}
		v.count(&r)
		v.report.Forgotten++
		if !forgotten.Valid {
			v.report.fault("the record %v is nobody's, and was not forgotten", r.id)
		}
		return nil
	})
}

// count counts a row for its writer.
func (v *verification) count(r *row) {
	t := v.writers[r.writer]
	if t == nil {
		t = new(tally)
		v.writers[r.writer] = t
	}
	t.found++
	t.highest = max(t.highest, r.place)
}

// checkCounts compares how many records each writer wrote with how many there are.
func (v *verification) checkCounts() {
	for id, t := range v.writers {
		written := max(t.highest, t.purgedPlace)
		if t.written.Valid {
			written = t.written.Int64
		}
		switch {
		case !t.known:
			v.report.fault("the writer %v of %d records is missing", id, t.found)
		case t.found+t.purged != written:
			v.report.fault("of the %d records that the writer %v wrote, %d are missing", written, id, written-t.found-t.purged)
		}
	}
}
