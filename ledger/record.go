package ledger

import (
	"context"
	"time"

	"github.com/cookiecharter/consent"
)

// Record writes a consent, and returns once it is durable. Records that come
// together share a commit. After any error but ctx's own, and one of a connection
// that broke at that moment, nothing has been written. It returns at ctx's deadline, and
// within five seconds of a cancellation. See [consent.Recorder].
func (l *Ledger) Record(ctx context.Context, record consent.Record) error {
	begun := time.Now()
	err := l.record(ctx, record)
	l.meter.consent(begun, err)
	return err
}

func (l *Ledger) record(ctx context.Context, record consent.Record) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e := newEntry(record)
	e.done = make(chan error, 1)
	alone, err := l.queue.add(e)
	if err != nil {
		return err
	}
	if !alone || !l.writeHere(ctx) {
		l.queue.rouse()
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

// writeHere writes what waits in the goroutine of a visitor who waits alone, and reports
// whether it did. The writer's goroutine would have to be woken, and would have to wake this
// one, which takes 25 µs, a fourth of a commit on a fast disk (BenchmarkRecord).
func (l *Ledger) writeHere(ctx context.Context) bool {
	deadline, bounded := ctx.Deadline()
	switch {
	case bounded && time.Until(deadline) < maxAttempt: // ctx could end before the attempt
		return false
	case !l.start.owned: // a driver that may wait for longer than its context
		return false
	case !l.isReady() || !l.writing.TryLock():
		return false
	}
	_, _ = l.writeBatch(l.running) // the queue has the result
	l.writing.Unlock()
	l.queue.handBack()
	return true
}

// RecordLater puts a refusal in line, and returns once it is on the disk of this machine:
// see [Config.Spool]. It waits for no database, and for a disk half a second at most. The
// refusal is written in the order in which each visitor decided, and again and again until
// the database takes it, by the next process if this one is killed. [Ledger.Figures] says
// how many wait, and how many were dropped since 10,000 waited already. Without a spool,
// and if the disk fails, what waits when the process is killed is lost: the
// refusal stands, unrecorded. See [consent.Recorder].
func (l *Ledger) RecordLater(record consent.Record) {
	e := newEntry(record)
	// Its figures say what could not be added.
	kept, _ := l.queue.addLater(e)
	if kept != nil {
		l.spool.await(kept)
	}
}
