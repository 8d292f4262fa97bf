package ledger

import (
	"context"
	"errors"
	"math/bits"
	"sync"

	"github.com/cookiecharter/consent"
)

// maxWaiting is how many refusals may wait for a database that does not answer:
// with ten providers, some ten megabytes.
const maxWaiting = 10_000

// maxBatch is how many records share a commit.
const maxBatch = 128

// A queue holds the records that are to be written, in the order in which they came,
// so that each visitor's stay in order.
type queue struct {
	wake chan struct{} // of room one: there is something to do at once

	mu       sync.Mutex
	entries  []*entry
	later    int  // how many of them nobody waits for
	small    bool // one record at a time, since a batch has failed
	closed   bool
	readOnly bool
	dropped  uint64
	failing  error
}

// An entry is a record on its way into the database.
type entry struct {
	row    row
	notice *consent.Notice
	done   chan error // of room one; nil if nobody waits
	first  bool       // the visitor has no other record, as far as is known
	taken  bool       // it is being written
	tried  bool       // it may have been written already
}

func newEntry(record consent.Record) *entry {
	return &entry{row: newRow(record), notice: record.Evidence.Notice, first: record.Previous.IsZero()}
}

var (
	errNobody = errors.New("ledger: a record without a reference is nobody's")
	errFull   = errors.New("ledger: too many records are waiting")
)

// add puts an entry at the end.
func (q *queue) add(e *entry) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	err := error(nil)
	switch {
	case q.closed:
		err = ErrClosed
	case q.readOnly:
		err = errReadOnly
	case e.row.reference == key{}:
		err = errNobody
	case e.done == nil && q.later >= maxWaiting:
		err = errFull
	}
	if err != nil {
		if e.done == nil {
			q.dropped++
		}
		return err
	}
	q.entries = append(q.entries, e)
	if e.done == nil {
		q.later++
	}
	// While the database fails, only somebody who waits is a reason to try early.
	if e.done != nil || q.failing == nil {
		q.rouse()
	}
	return nil
}

// rouse has the writer look at the queue.
func (q *queue) rouse() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// leave takes out an entry that nobody waits for any more, unless it is being
// written.
func (q *queue) leave(e *entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !e.taken {
		q.remove(func(other *entry) bool { return other == e })
	}
}

// remove takes entries out.
func (q *queue) remove(out func(*entry) bool) {
	kept := q.entries[:0]
	for _, e := range q.entries {
		if !out(e) {
			kept = append(kept, e)
		} else if e.done == nil {
			q.later--
		}
	}
	clear(q.entries[len(kept):])
	q.entries = kept
}

// take returns the entries to write next, which stay in the queue until they are
// settled.
func (q *queue) take() []*entry {
	q.mu.Lock()
	defer q.mu.Unlock()
	count := round(min(len(q.entries), maxBatch))
	if q.small {
		count = min(count, 1)
	}
	batch := make([]*entry, count)
	for i := range batch {
		batch[i] = q.entries[i]
		batch[i].taken = true
	}
	return batch
}

// round returns the highest of 1, 2, 3, 4, 6, 8, 12, 16 and so on up to n: a server
// prepares a statement for each number of records. What is left is next.
func round(n int) int {
	below := max(0, bits.Len(uint(n))-2)
	return n >> below << below
}

// settle ends the attempt to write a batch. Whoever waits for one of its records gets the
// result. After a failure everybody who waits gets it, since a database that fails for one
// fails for all. Refusals stay in the queue until they are written, or until the database
// refuses one of them for good.
func (q *queue) settle(batch []*entry, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.failing, q.small = err, err != nil
	if err == nil {
		for _, e := range batch {
			if e.done != nil {
				e.done <- nil
			}
		}
		q.remove(func(e *entry) bool { return e.taken })
		return
	}
	hopeless := len(batch) == 1 && batch[0].done == nil && unacceptable(err)
	for _, e := range batch {
		e.taken = false
	}
	q.remove(func(e *entry) bool {
		if e.done != nil {
			e.done <- err
			return true
		}
		if hopeless && e == batch[0] {
			q.dropped++
			return true
		}
		return false
	})
}

// close takes no more entries. It reports whether it was open until now.
func (q *queue) close() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	was := !q.closed
	q.closed = true
	q.rouse()
	return was
}

// finished reports that there is nothing left to do, for ever.
func (q *queue) finished() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed && len(q.entries) == 0
}

// abandon empties the queue and returns how many refusals were in it.
func (q *queue) abandon(err error) (refusals int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	refusals = q.later
	q.dropped += uint64(refusals)
	q.remove(func(e *entry) bool {
		if e.done != nil {
			e.done <- err
		}
		return true
	})
	return refusals
}

func (q *queue) figures() Figures {
	q.mu.Lock()
	defer q.mu.Unlock()
	return Figures{Waiting: len(q.entries), Dropped: q.dropped, Failing: q.failing}
}

// Record writes a consent, and returns once it is durable. Records that come
// together share a commit. After any error but ctx's own, and one of a connection
// that broke at that moment, nothing has been written. See [consent.Recorder].
func (l *Ledger) Record(ctx context.Context, record consent.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e := newEntry(record)
	e.done = make(chan error, 1)
	if err := l.queue.add(e); err != nil {
		return err
	}
	select {
	case err := <-e.done:
		return err
	case <-ctx.Done():
		l.queue.leave(e)
	}
	select {
	case err := <-e.done: // at the last moment
		return err
	default:
		return ctx.Err()
	}
}

// RecordLater puts a refusal in line, and returns at once. It is written in the order
// in which each visitor decided, and again and again until the database takes
// it; [Ledger.Figures] says how many wait, and how many were dropped since
// 10,000 waited already. What waits when the process is killed is lost: the
// refusal stands, unrecorded. See [consent.Recorder].
func (l *Ledger) RecordLater(record consent.Record) {
	// Its figures say what could not be added.
	_ = l.queue.add(newEntry(record))
}
