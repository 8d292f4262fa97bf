package ledger

import (
	"context"
	"fmt"
	"log/slog"
)

// take has the ledger go on with a database that was found.
func (l *Ledger) take(o *opened) error {
	if o.err != nil {
		return o.err
	}
	l.db, l.writer = o.db, o.writer
	if o.spool != nil {
		if l.spool == nil {
			l.spool = newSpool(*o.spool, &l.queue)
		}
		l.spool.begin(*o.spool, o.left)
	}
	l.queue.found()
	close(l.ready)
	return nil
}

// goWithout has the site start without its database. Refusals go to disk under what the
// ledger is known by until its own ID is.
func (l *Ledger) goWithout(reason error) error {
	s := l.start
	if l.db = s.database(); l.db == nil {
		// What does not answer is a server.
		l.db = &database{DB: s.site, dialect: postgresDialect, name: s.name()}
	}
	place, err := placeOf(s.config, l.db, s.sealer)
	if err != nil {
		return err
	}
	if place != nil {
		s.without.Store(true)
		left, err := place.collect(func(key) (bool, error) { return false, errNotKnown })
		if err != nil {
			left.close()
			return err
		}
		l.spool = newSpool(*place, &l.queue)
		l.spool.begin(*place, left)
	}
	l.queue.setAway(reason)
	l.failing.add(1, reason)
	return nil
}

// fails notes why the database cannot be written to.
func (l *Ledger) fails(err error) {
	l.queue.fails(err)
	if l.queue.isAway() {
		l.failing.add(1, err)
	}
}

// awaitDatabase waits until the database is there. It reports false if the ledger was
// closed before, and nothing waits any more or ctx has ended.
func (l *Ledger) awaitDatabase(ctx context.Context) bool {
	found := l.start.found
	for !l.isReady() {
		if l.queue.finished() || found == nil && l.queue.isClosed() {
			return false
		}
		select {
		case o := <-found:
			if err := l.take(&o); err != nil {
				l.queue.fails(err)
				slog.Error("ledger: the database cannot be used until the site is mended and starts again: consents fail, and refusals wait", "error", forLog(err))
				found = nil
			}
		case <-l.queue.wake:
		case <-ctx.Done():
			return false
		}
	}
	l.failing.over()
	return true
}

func (l *Ledger) isReady() bool {
	select {
	case <-l.ready:
		return true
	default:
		return false
	}
}

// notReady is the error of a ledger whose database was not found, or not in order.
func notReady(reason error) error {
	return fmt.Errorf("ledger: the database is not ready: %w", reason)
}

// readable fails if nothing can be read.
func (l *Ledger) readable() error {
	if l.isReady() {
		return nil
	}
	return notReady(l.queue.figures().Failing)
}

// writable fails if nothing can be written.
func (l *Ledger) writable() error {
	if l.readOnly {
		return errReadOnly
	}
	return l.readable()
}

// Ready returns nil if a consent could be recorded now, as far as that shows without
// recording one, and otherwise why not: for the address by which a balancer asks whether a
// site is ready. It asks the database, for five seconds at most.
func (l *Ledger) Ready(ctx context.Context) error {
	if err := l.writable(); err != nil {
		return err
	}
	if l.queue.isClosed() {
		return ErrClosed
	}
	if failing := l.queue.figures().Failing; failing != nil {
		return notReady(failing)
	}
	ctx, cancel := context.WithTimeout(ctx, maxAttempt)
	defer cancel()
	if err := l.db.checkWritable(ctx); err != nil {
		return notReady(explain(err))
	}
	return nil
}
