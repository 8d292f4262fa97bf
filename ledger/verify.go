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
	Notices    int64    // that visitors were shown
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
	tx, err := l.db.BeginTx(ctx, l.db.snapshot)
	if err != nil {
		return report, fmt.Errorf("ledger: cannot verify: %w", err)
	}
	defer tx.Rollback()
	v := verification{db: l.db, tx: tx, report: &report, progress: progress, writers: make(map[key]*tally), notices: make(map[string]bool)}
	for _, step := range []func(context.Context) error{
		v.readPurges, v.readWriters, v.checkNotices, v.checkRecords, v.checkGaps, v.checkForgotten,
	} {
		if err := step(ctx); err != nil {
			return report, fmt.Errorf("ledger: cannot verify: %w", err)
		}
	}
	v.checkCounts()
	return report, nil
}

// A verification is one run of Verify. All its queries see the same moment.
type verification struct {
	db       *database
	tx       *sql.Tx
	report   *Report
	progress func(records int64)
	purged   int64 // decisions before this time may be missing
	writers  map[key]*tally
	notices  map[string]bool // by fingerprint
	gaps     []row           // records whose predecessor was not read: it was forgotten, or is missing
}

// A tally compares what a writer's row says with the records that there are.
type tally struct {
	known       bool          // the writer has a row
	written     sql.NullInt64 // how many records it wrote; null if it was not closed in order
	purged      int64         // how many of them were purged
	purgedPlace int64         // the highest place among those
	found       int64         // how many there are
	highest     int64         // the highest place among those
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

// checkRecords reads the records that stand, each visitor's in their order.
func (v *verification) checkRecords(ctx context.Context) error {
	rows, err := v.tx.QueryContext(ctx, whole+`WHERE reference IS NOT NULL ORDER BY reference, n`)
	var last row
	return each(rows, err, func(rows *sql.Rows) error {
		var r row
		if err := rows.Scan(r.into()...); err != nil {
			v.report.fault("a record was altered: %v", err)
			return nil
		}
		v.count(&r)
		if v.report.Records++; v.progress != nil && v.report.Records%10_000 == 0 {
			v.progress(v.report.Records)
		}
		if r.reference != last.reference {
			v.report.Visitors++
			last = row{}
		}
		v.checkContent(&r)
		v.checkOrder(&r, &last)
		last = r
		return nil
	})
}

// checkContent checks a record on its own.
func (v *verification) checkContent(r *row) {
	if !bytes.Equal(r.hash, r.sum()) {
		v.report.fault("the record %v of %x was altered", r.id, r.reference)
	}
	if r.forgotten != 0 { // the hash does not cover it
		v.report.fault("the record %v of %x is marked as forgotten, and was not", r.id, r.reference)
	}
	if r.notice != nil && !v.notices[string(r.notice)] {
		v.report.fault("the notice of the record %v of %x is missing", r.id, r.reference)
	}
}

// checkOrder checks that a record names the last one of the same visitor as its
// predecessor.
func (v *verification) checkOrder(r, last *row) {
	if r.decided < last.decided {
		v.report.Backwards++
	}
	if r.previous == last.id && r.n == last.n+1 && bytes.Equal(r.previousHash, last.hash) {
		return
	}
	switch {
	case r.previous == (key{}) || r.previous == last.id:
		v.report.fault("the record %v of %x does not follow on the one before", r.id, r.reference)
	case r.previous.time() < v.purged:
		// The predecessor may have been purged.
	case len(v.gaps) < maxFaults:
		v.gaps = append(v.gaps, *r)
	default:
		v.report.fault("the record %v does not follow on the one before", r.id)
	}
}

// checkGaps asks if a predecessor that was not read was forgotten: that happens if the
// visitor's next record is added at the same moment. Otherwise it is missing.
func (v *verification) checkGaps(ctx context.Context) error {
	for _, r := range v.gaps {
		forgotten := 0
		err := v.tx.QueryRowContext(ctx, v.db.sql(`SELECT count(*) FROM consent_record WHERE id = $1 AND forgotten IS NOT NULL`), v.db.key(r.previous)).Scan(&forgotten)
		if err != nil {
			return err
		}
		if forgotten == 0 {
			v.report.fault("the record %v is missing, which came before %v of %x", r.previous, r.id, r.reference)
		}
	}
	return nil
}

// checkForgotten reads what is left of erased records.
func (v *verification) checkForgotten(ctx context.Context) error {
	rows, err := v.tx.QueryContext(ctx, `SELECT id, writer, place, forgotten FROM consent_record WHERE reference IS NULL`)
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
