package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/cookiecharter/consent"
)

// ExportReceipts writes the decisions of a period to w as consent records: JSON-LD by the
// names of the Data Privacy Vocabulary, in the structure of ISO/IEC TS 27560:2023 (DPVCG,
// "Consent Records and Receipts as per ISO/IEC TS 27560:2023 using DPV", 15 February 2026).
// It is one document, whose "@graph" has a dpv:ConsentRecord for each decision, by visitor
// and time, and the controller and the recipients that they name.
//
// A record has a process for each answer: its purpose, its recipient, and what the visitor
// said, as dpv:hasConsentStatus with the time. Given, renewed, refused and withdrawn follow
// from the visitor's records. If a regime had presumed the yes ([consent.Regime.Presumes]),
// the status is dpv:ConsentUnknown, and no legal basis is named. What neither the ledger nor
// the issuer knows is left out: see [Recipient].
//
// What was forgotten is left out, and so is a consent that did not count. Progress, if not
// nil, is called now and then with the number of records read. No record is kept in memory.
// The error is one of [Ledger.Receipts], the database's or w's; or it says which records are
// not as they were written. Those are left out, and all others have been written.
func (l *Ledger) ExportReceipts(ctx context.Context, w io.Writer, issuer Issuer, period Period, progress func(records int64)) error {
	if err := errors.Join(issuer.check(), l.readable()); err != nil {
		return err
	}
	tx, err := l.db.BeginTx(ctx, l.db.snapshot)
	if err != nil {
		return fmt.Errorf("ledger: cannot export: %w", err)
	}
	defer tx.Rollback()
	x := &receiptExport{maker: recordMaker{issuer}, w: w, period: period, providers: make(map[string]bool)}
	if err := x.run(ctx, l, tx, progress); err != nil {
		return fmt.Errorf("ledger: cannot export: %w", err)
	}
	if x.wrong > 0 {
		return fmt.Errorf("%d records are left out, since they are not as they were written: %w", x.wrong, errors.Join(x.first...))
	}
	return nil
}

// A receiptExport is one run of ExportReceipts.
type receiptExport struct {
	maker     recordMaker
	w         io.Writer
	period    Period
	notices   map[string]shownBy
	altered   map[string]bool // notices, by fingerprint
	providers map[string]bool // that a record names
	visit     visitorSoFar
	last      row
	held      *Entry // the last one of the visitor, until it is known that the next is no remainder
	written   int64
	wrong     int64
	first     []error // what is wrong, of the first ones
}

// maxWrong is how many records that are not as they were written are named.
const maxWrong = 10

func (x *receiptExport) run(ctx context.Context, l *Ledger, tx querier, progress func(int64)) error {
	if err := x.readNotices(ctx, tx); err != nil {
		return err
	}
	acts, err := readActs(ctx, tx, allActs...)
	if err != nil {
		return err
	}
	known := newVerification(new(Report), l.sealer)
	known.learn(acts)
	if _, err := fmt.Fprintf(x.w, "{\"@context\": %s, \"@graph\": [\n", bytes.TrimSpace(receiptContext)); err != nil {
		return err
	}
	// Whose record is in the period has all read: what a refusal takes back was given before.
	from, until := x.period.keys()
	count := int64(0)
	err = eachRow(ctx, l.db, tx, `WHERE reference IN (SELECT reference FROM consent_record WHERE id >= $1 AND id < $2) ORDER BY reference, n`,
		[]any{l.db.key(from), l.db.key(until)}, func(r *row) error {
			if count++; progress != nil && count%10_000 == 0 {
				progress(count)
			}
			return x.add(known, r)
		})
	if err == nil {
		err = x.release()
	}
	if err != nil {
		return err
	}
	for _, entity := range x.maker.entities(x.providers) {
		if err := x.write(entity); err != nil {
			return err
		}
	}
	_, err = io.WriteString(x.w, "\n]}\n")
	return err
}

func (x *receiptExport) readNotices(ctx context.Context, tx querier) error {
	x.notices, x.altered = make(map[string]shownBy), make(map[string]bool)
	return eachNotice(ctx, tx, func(fingerprint, content []byte) error {
		name := hex.EncodeToString(fingerprint)
		if sum := consent.NewNotice(content).Fingerprint(); !bytes.Equal(sum[:], fingerprint) {
			x.altered[name] = true
		}
		x.notices[name] = readShownBy(content)
		return nil
	})
}

// add takes the next record. They come by visitor and number.
func (x *receiptExport) add(known *verification, r *row) error {
	isFirst := r.reference != x.last.reference
	e := r.entry()
	if isFirst || !e.Remainder {
		if err := x.release(); err != nil {
			return err
		}
	}
	x.held = nil // of a remainder, the one before did not count
	if isFirst {
		x.visit = visitorSoFar{}
		x.last = row{}
	}
	if _, isKnown := x.notices[e.Notice]; e.Notice != "" && (!isKnown || x.altered[e.Notice]) {
		e.Faults = append(e.Faults, "names a notice that is missing or was altered")
	}
	// What came before the first may have been purged.
	if !r.follows(&x.last) && (!isFirst || r.previous == (key{}) || r.previous.time() >= known.purged) {
		e.Faults = append(e.Faults, doesNotFollow)
	}
	e.check(&known.checker, r)
	x.last = *r
	if err := e.wrong(); err != nil {
		if x.wrong++; x.wrong <= maxWrong {
			x.first = append(x.first, err)
		}
		return nil
	}
	x.held = &e
	return nil
}

// release writes the record that is held back, if it is of the period.
func (x *receiptExport) release() error {
	e := x.held
	x.held = nil
	if e == nil {
		return nil
	}
	record := x.maker.record(e, x.notices[e.Notice], &x.visit)
	if e.Time.Before(x.period.From) || !x.period.Until.IsZero() && !e.Time.Before(x.period.Until) {
		return nil
	}
	for _, a := range e.Answers {
		x.providers[a.Provider] = true
	}
	return x.write(record)
}

// write writes one node of the graph.
func (x *receiptExport) write(node any) error {
	var b bytes.Buffer
	if x.written++; x.written > 1 {
		b.WriteString(",\n")
	}
	if err := encodeLD(&b, node, ""); err != nil {
		return err
	}
	_, err := x.w.Write(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
	return err
}

// eachRow calls do with each row that a condition selects.
func eachRow(ctx context.Context, db *database, tx querier, condition string, parameters []any, do func(*row) error) error {
	rows, err := tx.QueryContext(ctx, db.sql(whole+condition), parameters...)
	return each(rows, err, func(rows *sql.Rows) error {
		var r row
		if err := rows.Scan(r.into()...); err != nil {
			return err
		}
		return do(&r)
	})
}
