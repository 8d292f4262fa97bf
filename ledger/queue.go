package ledger

import (
	"errors"
	"math/bits"
	"sync"
	"time"

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
	away     bool // the database is not there yet: nobody waits for it
	dropped  uint64
	dropping complaint // tells of those
	failing  error
	idle     bool // the writer has found nothing to write, and does not try again by itself

	limit   limiter
	holds   bool        // some entries may be held
	alarm   *time.Timer // wakes the writer when the first of them may be written; nil if none is
	alarmAt time.Time

	spool        *spool   // keeps the refusals on disk; nil if there is none
	fresh        []*entry // those that it is to write
	onDisk       int      // how many entries it has
	spoolFailing error

	links linkQueue // of users, that wait too
}

// An entry is a record on its way into the database.
type entry struct {
	row     row
	notice  []byte        // the content; nil if there is none
	done    chan error    // of room one; nil if nobody waits
	kept    chan struct{} // of a refusal; closed when it is on disk, or cannot be; nil then
	first   bool          // the visitor has no other record, as far as is known
	taken   bool          // it is being written
	tried   bool          // it may have been written already
	spooled bool          // it is on disk
	left    bool          // it is in the queue no more

	held     time.Time // of a refusal of a visitor who decides too often: when it may be written
	replaces key       // of a refusal that took the place of another one on disk: which
}

func newEntry(record consent.Record) *entry {
	e := &entry{row: newRow(record), first: record.Previous.IsZero()}
	if record.Evidence.Notice != nil {
		e.notice = record.Evidence.Notice.Content()
	}
	return e
}

var (
	errNobody = errors.New("ledger: a record without a reference is nobody's")
	errFull   = errors.New("ledger: too many records are waiting")
)

// add puts a consent at the end, and reports whether nothing else waits.
func (q *queue) add(e *entry) (alone bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	err = q.insert(e)
	return len(q.entries) == 1, err
}

// addLater puts a refusal at the end, and returns what is closed when it is on disk, or
// cannot be; nil if there is no spool.
func (q *queue) addLater(e *entry) (kept <-chan struct{}, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err = q.insert(e); err != nil {
		q.drop(1, err)
		return e.kept, err
	}
	// While the database fails, only somebody who waits is a reason to try early.
	if q.failing == nil || q.idle {
		q.rouse()
	}
	return e.kept, nil
}

func (q *queue) insert(e *entry) error {
	replaced, err := false, error(nil)
	switch {
	case q.closed:
		err = ErrClosed
	case q.readOnly:
		err = errReadOnly
	case e.done != nil && q.away:
		err = notReady(q.failing)
	case e.row.reference == key{}:
		err = errNobody
	case e.done == nil:
		replaced, err = q.admit(e, time.Now())
	default:
		err = q.admitConsent(e, time.Now())
	}
	if err != nil {
		return err
	}
	if !replaced {
		q.entries = append(q.entries, e)
		if e.done == nil {
			q.later++
		}
	}
	if e.done == nil {
		q.spoolLater(e)
	}
	return nil
}

// drop counts refusals that are not recorded, and why.
func (q *queue) drop(count int, err error) {
	if count > 0 {
		q.dropped += uint64(count)
		q.dropping.add(int64(count), err)
	}
}

// spoolLater has a refusal kept on disk, if there is a spool.
func (q *queue) spoolLater(e *entry) {
	if q.spool == nil {
		return
	}
	q.fresh = append(q.fresh, e)
	if e.kept == nil {
		e.kept = make(chan struct{})
	}
	q.spool.rouse()
}

// rouse has the writer look at the queue.
func (q *queue) rouse() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// handBack has the writer go on after somebody else has written.
func (q *queue) handBack() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.entries) > 0 || q.closed || q.failing != nil {
		q.rouse()
	}
}

// leave takes out an entry that nobody waits for any more, unless it is being
// written.
func (q *queue) leave(e *entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !e.taken {
		q.limit.giveBack(e.row.reference)
		q.remove(func(other *entry) bool { return other == e })
	}
}

// remove takes entries out.
func (q *queue) remove(out func(*entry) bool) {
	kept := q.entries[:0]
	for _, e := range q.entries {
		if !out(e) {
			kept = append(kept, e)
			continue
		}
		e.left = true
		if e.done == nil {
			q.later--
			e.release()
		}
		if e.spooled {
			q.onDisk--
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
	most := maxBatch
	if q.small {
		most = 1
	}
	now := time.Now()
	batch := make([]*entry, 0, min(len(q.entries), most))
	for _, e := range q.entries {
		if len(batch) == most {
			break
		}
		if q.due(e, now) {
			batch = append(batch, e)
		}
	}
	batch = batch[:round(len(batch))]
	q.idle = len(batch) == 0
	for _, e := range batch {
		e.taken = true
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
			q.limit.giveBack(e.row.reference)
			e.done <- err
			return true
		}
		if hopeless && e == batch[0] {
			q.drop(1, err)
			return true
		}
		return false
	})
}
