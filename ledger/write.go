package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

const (
	maxAttempt = 5 * time.Second        // how long one attempt to write may take
	firstPause = 100 * time.Millisecond // after an attempt that failed; doubled each time
	maxPause   = 5 * time.Second
)

// run writes what is in the queue, until that is closed and empty, or ctx ends.
func (l *Ledger) run(ctx context.Context) {
	defer close(l.stopped)
	if !l.awaitDatabase(ctx) {
		return
	}
	pause := firstPause
	for !l.queue.finished() {
		count, err := l.writeNext(ctx)
		var retry <-chan time.Time
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && count > 0:
			pause = firstPause
			continue
		case err == nil:
			pause = firstPause
		case l.queue.finished(): // for which Close may be waiting
			return
		default:
			retry = time.After(pause)
			pause = min(2*pause, maxPause)
		}
		select {
		case <-ctx.Done():
			return
		case <-l.queue.wake:
		case <-retry:
		}
	}
}

// writeNext commits what is first in the queue, and returns how many records that was.
func (l *Ledger) writeNext(ctx context.Context) (count int, err error) {
	l.writing.Lock()
	defer l.writing.Unlock()
	return l.writeBatch(ctx)
}

// writeBatch is writeNext for who holds writing. If nothing waits, and the database failed
// the last time, it looks whether it does so still.
func (l *Ledger) writeBatch(ctx context.Context) (count int, err error) {
	batch := l.queue.take()
	switch {
	case len(batch) > 0:
		if err = explain(l.write(ctx, batch)); err == nil {
			l.meter.wrote(len(batch))
		}
	case l.queue.figures().Failing != nil:
		err = explain(l.try(ctx))
	default:
		return 0, nil
	}
	l.queue.settle(batch, err)
	switch {
	case err == nil:
		l.failing.over()
	case ctx.Err() == nil && !unacceptable(err): // or it is the record that is wrong
		l.failing.add(1, err)
	}
	return len(batch), err
}

// try writes what is missing of the runs before, or nothing if there is none.
func (l *Ledger) try(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, maxAttempt)
	defer cancel()
	err := l.db.checkWritable(ctx)
	if err == nil {
		err = l.writer.prepare(ctx, l.db)
	}
	return err
}

// write commits a batch, with a second attempt where the first may have met a broken
// connection, and more where somebody else was at the same visitor's records.
func (l *Ledger) write(ctx context.Context, batch []*entry) error {
	var err error
	broken := false
	ctx, cancel := context.WithTimeout(ctx, maxAttempt)
	defer cancel()
	for attempt := 0; ctx.Err() == nil; attempt++ {
		if err = l.writer.write(ctx, l.db, batch); err == nil {
			return nil
		}
		for _, e := range batch {
			e.first, e.tried = false, true
		}
		switch {
		case collided(err) && attempt < 20:
			time.Sleep(rand.N(time.Duration(attempt)*5*time.Millisecond + 1))
		case !unacceptable(err) && !broken:
			// The connection may be the last of a server that has been restarted.
			broken = true
			if turnedReadOnly(err) {
				l.db.leaveReadOnly(ctx)
			}
		default:
			return err
		}
	}
	if err == nil {
		err = ctx.Err()
	}
	return err
}

// missing returns the entries that have not been written by an attempt that seemed
// to fail.
func missing(ctx context.Context, db *database, batch []*entry) ([]*entry, error) {
	var tried []any
	for _, e := range batch {
		if e.tried {
			tried = append(tried, db.key(e.row.id))
		}
	}
	if len(tried) == 0 {
		return batch, nil
	}
	written := make(map[key]bool)
	rows, err := db.QueryContext(ctx, db.sql(`SELECT id FROM consent_record WHERE id IN `+tuples(1, len(tried))), tried...)
	err = each(rows, err, func(rows *sql.Rows) error {
		var id key
		err := rows.Scan(&id)
		written[id] = true
		return err
	})
	if err != nil || len(written) == 0 {
		return batch, err
	}
	var left []*entry
	for _, e := range batch {
		if !written[e.row.id] {
			left = append(left, e)
		}
	}
	return left, nil
}

// A head is the last record of a visitor.
type head struct {
	id      key
	n       int64
	hash    []byte
	decided int64
}

// heads returns the last record of each visitor of a batch, but for those who have
// none as far as is known: most visitors decide once, and a question costs as much as
// half of a commit.
func heads(ctx context.Context, db *database, batch []*entry) (map[key]head, error) {
	found := make(map[key]head, len(batch))
	batch = slices.DeleteFunc(slices.Clone(batch), func(e *entry) bool { return e.first })
	if len(batch) == 0 {
		return found, nil
	}
	// Few lengths, so that few statements are prepared. Each visitor is a search of
	// its own, so that no planner can think of reading the whole table.
	size := 1
	for size < len(batch) {
		size *= 2
	}
	var statement strings.Builder
	references := make([]any, size)
	for i := range references {
		references[i] = db.key(batch[min(i, len(batch)-1)].row.reference)
		if i > 0 {
			statement.WriteString(" UNION ALL ")
		}
		fmt.Fprintf(&statement, "SELECT * FROM (SELECT reference, n, id, hash, decided FROM consent_record WHERE reference = $%d ORDER BY n DESC LIMIT 1) AS h%d", i+1, i+1)
	}
	rows, err := db.QueryContext(ctx, db.sql(statement.String()), references...)
	err = each(rows, err, func(rows *sql.Rows) error {
		var h head
		var reference key
		err := rows.Scan(&reference, &h.n, &h.id, &h.hash, &h.decided)
		h.hash = bytes.Clone(h.hash)
		found[reference] = h
		return err
	})
	return found, err
}

// tuples returns "($1,$2),($3,$4)" for 2 and 2.
func tuples(count, size int) string {
	var b strings.Builder
	for i := range count {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('(')
		for j := range size {
			if j > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, "$%d", i*size+j+1)
		}
		b.WriteByte(')')
	}
	return b.String()
}

// each calls do for each row, and closes them.
func each(rows *sql.Rows, err error, do func(*sql.Rows) error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := do(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
