package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/cookiecharter/consent"
)

// maxFaults is how many faults a report spells out.
const maxFaults = 100

// A Report says whether the records are as they were written: see [Ledger.Verify].
type Report struct {
	Records        int64     // that stand
	Visitors       int64     // whose they are; not counted in an export
	Forgotten      int64     // erased records, of which only the place is left
	Purged         int64     // records that Purge has deleted
	Partial        bool      // it was an export of a period: of what is missing from it nothing shows but by its seal
	SetBack        int64     // records that are older by over a minute than the same visitor's before, by the clock of one process: it was set back
	Late           int64     // other records that are older than the same visitor's before: they waited to be written, or the clocks of two processes differ
	Notices        int64     // that visitors were shown
	Sealed         int64     // of all records, those that have a seal
	SealsChecked   bool      // there were keys to check the seals by
	Vouched        int64     // of all records, those without a seal for which the first process with a key stands; 0 if the ledger had one from the beginning
	VouchedAt      time.Time // when that process began
	UnsealedLinks  int64     // links of users that were made before there was a key: nobody follows them
	ForgottenSince int64     // records that were forgotten since the last anchor that was given
	PurgedSince    int64     // records that were purged since then
	FaultCount     int64     // zero if everything is as it was written
	Faults         []string  // the first 100, in words
	Triggers       []string  // triggers and rules on the tables, in words: no faults, but they may change or take away what is written
	Anchor         Anchor    // what is there now
}

// OK reports that there are no faults.
func (r Report) OK() bool { return r.FaultCount == 0 }

func (r *Report) fault(format string, args ...any) {
	r.FaultCount++
	if len(r.Faults) < maxFaults {
		r.Faults = append(r.Faults, fmt.Sprintf(format, args...))
	}
}

// Verify reads all records and reports each that was altered, and each that is
// missing and neither forgotten nor purged. What it can see depends on what the
// database alone does not hold: the keys of the [Config], and anchors that were kept
// elsewhere. The README of this module has a table of what shows by which of them. It reports
// too what a query does not see as it is read: a value of another type, something empty in place
// of NULL, a view in place of a table.
//
// Records may be added meanwhile. It keeps none in memory. Progress, if not nil,
// is called now and then with the number of records read. The error is the
// database's, or says what is wrong with an anchor.
func (l *Ledger) Verify(ctx context.Context, progress func(records int64), anchors ...Anchor) (Report, error) {
	if err := l.readable(); err != nil {
		return Report{}, err
	}
	tx, err := l.db.BeginTx(ctx, l.db.snapshot)
	if err != nil {
		return Report{}, fmt.Errorf("ledger: cannot verify: %w", err)
	}
	defer tx.Rollback()
	return verifyTables(ctx, l.db, tx, l.sealer, progress, anchors...)
}

// verifyTables verifies what a transaction sees.
func verifyTables(ctx context.Context, db *database, tx *sql.Tx, s sealer, progress func(int64), anchors ...Anchor) (Report, error) {
	report := Report{SealsChecked: s.can()}
	v := &tableVerification{verification: newVerification(&report, s), db: db, tx: tx, progress: progress}
	for _, step := range []func(context.Context) error{
		v.readActs, v.readWriters, v.readNotices, func(context.Context) error { return v.hold(anchors) },
		v.checkStored, v.checkWriters, v.checkVisitors, v.checkGaps, v.checkErasures, v.checkLinks, v.checkIndices,
	} {
		if err := step(ctx); err != nil {
			return report, fmt.Errorf("ledger: cannot verify: %w", err)
		}
	}
	v.finish()
	return report, nil
}

// finish ends the verification.
func (v *tableVerification) finish() {
	v.report.Anchor.Time = time.Now().UTC().Truncate(time.Second)
	v.report.Anchor.Records, v.report.Anchor.Forgotten, v.report.Anchor.Purged = v.report.Records, v.verification.forgotten, v.report.Purged
}

// A tableVerification is one run of Verify. All its queries see the same moment.
type tableVerification struct {
	*verification
	db       *database
	tx       *sql.Tx
	progress func(records int64)
	gaps     []row // records whose predecessor was not read: it was erased, or is missing
}

func (v *tableVerification) readActs(ctx context.Context) error {
	acts, err := readActs(ctx, v.tx, allActs...)
	v.learn(acts)
	return err
}

// readActs returns the acts of some kinds, by time.
func readActs(ctx context.Context, db querier, kinds ...actKind) (acts []row, err error) {
	err = eachAct(ctx, db, kinds, func(r *row) error {
		acts = append(acts, *r)
		return nil
	})
	return acts, err
}

func (v *tableVerification) readWriters(ctx context.Context) error {
	return eachWriter(ctx, v.tx, func(w writerRow) error {
		v.addWriter(w)
		return nil
	})
}

// eachWriter calls do with the row of each writer.
func eachWriter(ctx context.Context, db querier, do func(writerRow) error) error {
	rows, err := db.QueryContext(ctx, `SELECT id, opened, written, head, seal FROM consent_writer ORDER BY id`)
	return each(rows, err, func(rows *sql.Rows) error {
		var w writerRow
		if err := rows.Scan(&w.id, &w.opened, &w.written, &w.head, &w.seal); err != nil {
			return nil // it is missing then
		}
		return do(w)
	})
}

func (v *tableVerification) readNotices(ctx context.Context) error {
	return eachNotice(ctx, v.tx, func(fingerprint, content []byte) error {
		v.addNotice(fingerprint, content)
		return nil
	})
}

// eachNotice calls do with each notice.
func eachNotice(ctx context.Context, db querier, do func(fingerprint, content []byte) error) error {
	rows, err := db.QueryContext(ctx, `SELECT fingerprint, content FROM consent_notice ORDER BY fingerprint`)
	return each(rows, err, func(rows *sql.Rows) error {
		var fingerprint, content []byte
		if err := rows.Scan(&fingerprint, &content); err != nil {
			return err
		}
		return do(fingerprint, content)
	})
}

// checkWriters reads all records, each writer's in their order.
func (v *tableVerification) checkWriters(ctx context.Context) error {
	rows, err := v.tx.QueryContext(ctx, whole+`ORDER BY writer, place`)
	read := int64(0)
	err = each(rows, err, func(rows *sql.Rows) error {
		if read++; v.progress != nil && read%10_000 == 0 {
			v.progress(read)
		}
		var r row
		if err := rows.Scan(r.into()...); err != nil {
			v.report.fault("a record %s: %v", wasAltered, err)
			return nil
		}
		v.add(&r)
		return nil
	})
	v.verification.finish()
	return err
}

// checkVisitors reads the records that stand, each visitor's in their order.
func (v *tableVerification) checkVisitors(ctx context.Context) error {
	rows, err := v.tx.QueryContext(ctx, `SELECT reference, n, id, previous, previous_hash, hash, decided, writer FROM consent_record
		WHERE reference IS NOT NULL ORDER BY reference, n`)
	var last row
	return each(rows, err, func(rows *sql.Rows) error {
		var r row
		if err := rows.Scan(&r.reference, &r.n, &r.id, &r.previous, &r.previousHash, &r.hash, &r.decided, &r.writer); err != nil {
			return nil // checkWriters has told
		}
		if r.reference != last.reference {
			v.report.Visitors++
			last = row{}
		}
		switch order(&last, &r) {
		case setBack:
			v.report.SetBack++
		case late:
			v.report.Late++
		}
		v.checkOrder(&r, &last)
		last = r
		return nil
	})
}

// checkOrder checks that a record names the last one of the same visitor as its
// predecessor.
func (v *tableVerification) checkOrder(r, last *row) {
	switch {
	case r.follows(last):
	case r.previous == (key{}) || r.previous == last.id:
		v.report.fault("%s %s", r.name(), doesNotFollow)
	case r.previous.time() < v.purged:
		// The predecessor may have been purged.
	case len(v.gaps) < maxFaults:
		v.gaps = append(v.gaps, *r)
	default:
		v.report.fault("%s %s", r.name(), doesNotFollow)
	}
}

// follows reports that last is the record of the same visitor before r; the zero row if
// there is none.
func (r *row) follows(last *row) bool {
	return r.previous == last.id && r.n == last.n+1 && bytes.Equal(r.previousHash, last.hash)
}

// An inversion says why a record is older than the one of the same visitor before it.
type inversion int

const (
	none    inversion = iota
	setBack           // the clock of the process was set back
	late              // it waited to be written, or the clocks of two processes differ
)

// order finds an inversion. Within a process a record waits no longer than the site does
// for a recorder, so that more than a minute is the clock.
func order(last, r *row) inversion {
	switch {
	case last.n == 0 || r.decided >= last.decided:
		return none
	case r.writer == last.writer && last.decided-r.decided > time.Minute.Milliseconds():
		return setBack
	}
	return late
}

// checkGaps says of a predecessor that was not read whether it was erased, which takes all
// of a visitor's records, or is missing.
func (v *tableVerification) checkGaps(ctx context.Context) error {
	for i := range v.gaps {
		r := &v.gaps[i]
		erased := 0
		err := v.tx.QueryRowContext(ctx, v.db.sql(`SELECT count(*) FROM consent_record WHERE id = $1`), v.db.key(r.previous)).Scan(&erased)
		switch {
		case err != nil:
			return err
		case erased == 0:
			v.report.fault("the record %v is missing, which came before %s", r.previous, r.name())
		default:
			v.report.fault("%s stands, and the one before was erased", r.name())
		}
	}
	return nil
}

// checkErasures looks for erased records that follow on one that stands: a forgetting takes
// all of a visitor's.
func (v *tableVerification) checkErasures(ctx context.Context) error {
	rows, err := v.tx.QueryContext(ctx, `SELECT erased.id, stands.id, stands.reference FROM consent_record AS erased
		JOIN consent_record AS stands ON stands.id = erased.previous WHERE erased.forgotten IS NOT NULL AND stands.forgotten IS NULL`)
	return each(rows, err, func(rows *sql.Rows) error {
		var erased, stands row
		err := rows.Scan(&erased.id, &stands.id, &stands.reference)
		v.report.fault("%s was erased, and %s, which came before, was not", erased.name(), stands.name())
		return err
	})
}

// checkLinks checks who the site's users are.
func (v *tableVerification) checkLinks(ctx context.Context) error {
	if !v.can() {
		return nil
	}
	rows, err := v.tx.QueryContext(ctx, `SELECT user_hash, reference, decided, seal FROM consent_link`)
	return each(rows, err, func(rows *sql.Rows) error {
		var l link
		err := rows.Scan(&l.user, &l.reference, &l.decided, &l.seal)
		switch {
		case err != nil || v.holds(l.seal, l.sealed()):
		case len(l.seal) == 0 && max(l.decided, -l.decided) < v.sealed: // below 0 it is a copy
			v.report.UnsealedLinks++
		default:
			v.report.fault("the link of the visitor %v to a user was made without the key", consent.Reference(l.reference))
		}
		return err
	})
}
