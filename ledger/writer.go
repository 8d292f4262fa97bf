package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// A writer is the run of a process, as far as consent_writer knows of it.
type writer struct {
	sealer
	tip
	known      bool  // the database knows of the writer
	former     []tip // those that this process was before a failure, and whose end is not written
	statements map[insertion]string
	ones       map[insertion]*sql.Stmt // those of them that insert one row, prepared
	notices    map[string]bool         // by fingerprint: those that the database holds
	noticesAt  time.Time               // since when they are remembered
}

// A tip is how far a writer has come.
type tip struct {
	id     key
	opened int64
	last   int64  // the place of the last record that was written
	head   []byte // its hash
}

// maxNotices bounds what a writer remembers. A site has a few for each language.
const maxNotices = 1000

// noticesFor is how long it remembers them. A failover may lose a notice; the same is then
// written again soon, and stands for all records that name it.
const noticesFor = time.Minute

// renew begins a new run. It does so too after a failure that leaves open whether
// the places that were asked for have been filled.
func (w *writer) renew() {
	if w.known {
		w.former = append(w.former, w.tip)
	}
	now := milliseconds(time.Now())
	w.tip, w.known = tip{id: newKey(now), opened: now}, false
}

// close gives back what the writer holds of the database.
func (w *writer) close() (err error) {
	for _, one := range w.ones {
		err = errors.Join(err, one.Close())
	}
	return err
}

// write commits a batch, each record behind the last one of the same visitor.
func (w *writer) write(ctx context.Context, db *database, batch []*entry) error {
	// Now too, or what an attempt has written into a file that has gone would seem to be there.
	if err := db.checkFile(); err != nil {
		return err
	}
	batch, err := missing(ctx, db, batch)
	if err != nil || len(batch) == 0 {
		return err
	}
	if err := w.prepare(ctx, db); err != nil {
		return err
	}
	if err := w.keepNotices(ctx, db, batch); err != nil {
		return err
	}
	heads, err := heads(ctx, db, batch)
	if err != nil {
		return err
	}
	rows := make([]row, len(batch))
	last := w.head
	for i, e := range batch {
		r := &rows[i]
		*r = e.row
		before := heads[r.reference]
		r.n, r.previous, r.previousHash = before.n+1, before.id, before.hash
		// A consent whose record was written is no consent if nobody heard of it. Then
		// what is left of the decision comes next, with the same time.
		r.remainder = before.n > 0 && before.decided == r.decided
		w.place(r, w.last+int64(i)+1, last)
		last = r.hash
		heads[r.reference] = head{r.id, r.n, r.hash, r.decided}
	}
	err = w.insert(ctx, db, rows)
	if err == nil {
		err = db.checkFile() // or it may have gone into a file that nobody finds any more
	}
	if err != nil {
		if !collided(err) {
			w.renew()
		}
		return err
	}
	w.last += int64(len(batch))
	w.head = last
	return nil
}

// place gives a row its place in the writer's order, its hash and its seal.
func (w *writer) place(r *row, at int64, beforeHash []byte) {
	r.writer, r.place, r.beforeHash = w.id, at, beforeHash
	r.hash = r.sum()
	r.seal = w.seal(r.sealed())
}

// keepNotices writes the notices of records, unless the database holds them.
func (w *writer) keepNotices(ctx context.Context, db *database, batch []*entry) error {
	if now := time.Now(); now.Sub(w.noticesAt) > noticesFor {
		w.notices, w.noticesAt = nil, now
	}
	for _, e := range batch {
		if e.notice == nil || w.notices[string(e.row.notice)] {
			continue
		}
		_, err := db.ExecContext(ctx, db.sql(`INSERT INTO consent_notice (fingerprint, content) VALUES ($1, $2) ON CONFLICT DO NOTHING`),
			e.row.notice, string(e.notice))
		if err != nil {
			return err
		}
		if w.notices == nil || len(w.notices) >= maxNotices {
			w.notices = make(map[string]bool)
		}
		w.notices[string(e.row.notice)] = true
	}
	return nil
}

// prepare has the database know of the writer, and of the end of those before.
func (w *writer) prepare(ctx context.Context, db *database) error {
	if w.known {
		return nil
	}
	if err := w.endFormer(ctx, db); err != nil {
		return err
	}
	claims, vouches, err := w.claims(ctx, db)
	if err != nil {
		return err
	}
	opening := (&act{Kind: actOpen, at: time.Now(), Claims: claims, Vouches: vouches}).row()
	w.place(&opening, 1, nil)
	about := writerRow{id: w.id, opened: w.opened}
	err = db.atomically(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, db.sql(`INSERT INTO consent_writer (id, opened, seal) VALUES ($1, $2, $3)`),
			db.key(about.id), about.opened, nullable(w.seal(about.sealed())))
		if err != nil {
			return err
		}
		return insertAct(ctx, db, tx, &opening)
	})
	if err != nil {
		w.renew() // it may be there; nothing follows on it then
		return err
	}
	w.known, w.last, w.head = true, 1, opening.hash
	if vouches && len(claims) > 0 {
		slog.Warn("ledger: this process is the first one with a key, and vouches for what was recorded before: if there was a key already, somebody has removed every seal", "processes", len(claims))
	}
	return nil
}

// insertAct inserts the row of an act.
func insertAct(ctx context.Context, db *database, tx *sql.Tx, r *row) error {
	rows := []row{*r}
	return took(1)(tx.ExecContext(ctx, insertStatement(db, insertionOf(rows)), insertParameters(db, rows)...))
}

// act does something to the records and writes down what: both or neither. Where there
// was nothing to do, do returns nil.
func (w *writer) act(ctx context.Context, db *database, do func(*sql.Tx) (*act, error)) error {
	if err := w.prepare(ctx, db); err != nil {
		return err
	}
	var r *row
	err := db.atomically(ctx, func(tx *sql.Tx) error {
		r = nil
		done, err := do(tx)
		if err != nil || done == nil {
			return err
		}
		made := done.row()
		r = &made
		w.place(r, w.last+1, w.head)
		return insertAct(ctx, db, tx, r)
	})
	switch {
	case err != nil && !collided(err):
		w.renew()
	case err == nil && r != nil:
		w.last, w.head = r.place, r.hash
	}
	return err
}

// finish writes the end of the writer.
func (w *writer) finish(ctx context.Context, db *database) error {
	if w.known {
		w.former = append(w.former, w.tip)
		w.known = false
	}
	if err := w.endFormer(ctx, db); err != nil {
		return fmt.Errorf("ledger: everything is written, but not that this was all: %w", err)
	}
	return nil
}

// endFormer writes the ends that are missing.
func (w *writer) endFormer(ctx context.Context, db *database) error {
	for len(w.former) > 0 {
		if err := w.end(ctx, db, w.former[0]); err != nil {
			return err
		}
		w.former = w.former[1:]
	}
	return nil
}

// end writes an act behind the last record of a writer, and how many there are to its
// row. What was sent before a connection broke and is carried out only now finds its
// place taken, and fails.
func (w *writer) end(ctx context.Context, db *database, former tip) error {
	return db.atomically(ctx, func(tx *sql.Tx) error {
		var last row
		err := tx.QueryRowContext(ctx, db.sql(whole+`WHERE writer = $1 ORDER BY place DESC LIMIT 1`), db.key(former.id)).Scan(last.into()...)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if last.place < former.last { // which has been purged
			last = row{place: former.last, hash: former.head}
		}
		if done, _ := last.readAct(); done.Kind != actEnd {
			end := (&act{Kind: actEnd, at: time.Now()}).row()
			(&writer{sealer: w.sealer, tip: former}).place(&end, last.place+1, last.hash)
			if err := insertAct(ctx, db, tx, &end); err != nil {
				return err
			}
			last = end
		}
		about := writerRow{id: former.id, opened: former.opened, written: sql.NullInt64{Int64: last.place, Valid: true}, head: last.hash}
		_, err = tx.ExecContext(ctx, db.sql(`UPDATE consent_writer SET written = $1, head = $2, seal = $3 WHERE id = $4`),
			last.place, last.hash, nullable(w.seal(about.sealed())), db.key(former.id))
		return err
	})
}

// A writerRow is a writer as the table holds it.
type writerRow struct {
	id      key
	opened  int64
	written sql.NullInt64
	head    []byte
	seal    []byte
}

// sealed is what the seal of the row covers.
func (r *writerRow) sealed() fields {
	f := fields(nil).text("writer").key(r.id).number(r.opened)
	if r.written.Valid {
		f = f.number(r.written.Int64)
	} else {
		f = f.text("")
	}
	return f.bytes(r.head)
}

// eachAct calls do with the row of each act of some kinds, by time.
func eachAct(ctx context.Context, db querier, kinds []actKind, do func(*row) error) error {
	which := make([]string, len(kinds))
	for i, kind := range kinds {
		which[i] = `act LIKE '{"act":"` + string(kind) + `"%'`
	}
	rows, err := db.QueryContext(ctx, whole+`WHERE act IS NOT NULL AND (`+strings.Join(which, " OR ")+`) ORDER BY id`)
	return each(rows, err, func(rows *sql.Rows) error {
		var r row
		if err := rows.Scan(r.into()...); err != nil {
			return nil // it cannot be read, which Verify tells
		}
		return do(&r)
	})
}

// A querier is a database or a transaction.
type querier interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}
