package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxStart   = time.Minute // how long one attempt to open a database may take, once it answers
	startPause = 200 * time.Millisecond
)

// A start is a ledger's way to a database that may not be there yet.
type start struct {
	sealer  sealer
	config  Config
	purpose purpose
	owned   bool    // the ledger closes the database
	site    *sql.DB // given to Use

	found chan opened   // how it ends; of no room, so that somebody takes it or nobody has it
	ended chan struct{} // closed when run has returned

	without atomic.Bool // the site goes on meanwhile, and has taken over what was left

	mu     sync.Mutex
	db     *database // nil until it is known of what kind the site's is
	failed error     // why the last attempt did; nil before
}

// What is opened is a database that is in order, or err says why none ever will be.
type opened struct {
	db     *database
	writer writer
	spool  *spoolPlace // nil if there is to be none
	left   left
	err    error
}

// begin waits for the database, and returns a ledger that has it, or one that goes on
// looking for it.
func begin(ctx context.Context, s *start) (*Ledger, error) {
	s.found, s.ended = make(chan opened), make(chan struct{})
	running, stop := context.WithCancel(context.Background())
	l := &Ledger{start: s, sealer: s.sealer, readOnly: s.purpose == toRead, running: running, stop: stop, stopped: make(chan struct{}), ready: make(chan struct{})}
	l.queue.readOnly, l.queue.wake = l.readOnly, make(chan struct{}, 1)
	l.failing.tell = func(count int64, err error) {
		slog.Error("ledger: the database takes no records: consents fail, and refusals wait", "failures", count, "error", err)
	}
	l.failing.again = "ledger: the database takes records again"
	l.queue.dropping.tell = func(count int64, err error) {
		slog.Error("ledger: refusals were not recorded", "refusals", count, "error", err)
	}
	l.readyLinks()
	go s.run(running, func(err error) { l.fails(err) })
	wait := cmp.Or(s.config.Wait, defaultWait)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	var err error
	select {
	case o := <-s.found:
		err = l.take(&o)
	case <-timer.C:
		if s.purpose != toWrite {
			err = s.late(wait)
		} else {
			err = l.goWithout(s.late(wait))
		}
	case <-ctx.Done():
		err = fmt.Errorf("cannot open %s: %w", s.name(), ctx.Err())
	}
	if err != nil {
		stop()
		l.failing.end()
		l.queue.dropping.end()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		return nil, errors.Join(fmt.Errorf("ledger: %w", err), s.close(ctx))
	}
	if l.readOnly {
		close(l.stopped)
	} else {
		go l.run(running)
	}
	if s.purpose == toWrite {
		l.keepFor(s.config.Retention)
	}
	return l, nil
}

// run looks for the database until it is found, or never will be, or ctx ends.
func (s *start) run(ctx context.Context, fails func(error)) {
	defer close(s.ended)
	pause := startPause
	for {
		o, err := s.attempt(ctx)
		switch {
		case err == nil:
		case ctx.Err() != nil:
			return
		case s.purpose != toWrite || isLasting(err): // who opens to read or tend is there to see it
			o.err = err
		default:
			s.fails(err)
			fails(err)
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
			pause = min(2*pause, maxPause)
			continue
		}
		select {
		case s.found <- o:
		case <-ctx.Done():
			o.discard()
		}
		return
	}
}

func (s *start) fails(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failed = err
}

// late says that the database has not answered in time, and how it failed if it did.
func (s *start) late(wait time.Duration) error {
	name := s.name()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed != nil {
		return s.failed
	}
	return fmt.Errorf("cannot open %s: it has not answered within %v", name, wait)
}

func (s *start) name() string {
	if db := s.database(); db != nil {
		return db.name
	}
	return "the site's database"
}

// database returns the database, which may not answer; nil if nothing is known of it.
func (s *start) database() *database {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.db
}

// attempt tries once.
func (s *start) attempt(ctx context.Context) (o opened, err error) {
	ctx, cancel := context.WithTimeout(ctx, maxStart)
	defer cancel()
	if s.purpose == toWrite {
		if err := s.ping(ctx); err != nil {
			return o, fmt.Errorf("cannot open %s: %w", s.name(), explain(err))
		}
	}
	db := s.database()
	if db == nil {
		if db, err = recognise(ctx, s.site); err != nil {
			return o, explain(err)
		}
		s.mu.Lock()
		s.db = db
		s.mu.Unlock()
	}
	o.db, o.writer.sealer = db, s.sealer
	if s.purpose != toWrite {
		err = db.checkExists(ctx)
	} else if err = db.migrate(ctx); err != nil {
		err = fmt.Errorf("cannot open %s: %w", db.name, explain(err))
	}
	if err != nil || s.purpose == toRead {
		return o, err
	}
	for _, check := range []func() error{
		func() error { return s.checkPooler(ctx, db) },
		func() error { return db.checkDurable(ctx, db.DB) },
		func() error { return checkSealed(ctx, db, s.sealer) },
		func() error { return db.checkWritable(ctx) },
		func() error { return db.watchLog(ctx) },
	} {
		if err = check(); err != nil {
			return o, fmt.Errorf("cannot use %s: %w", db.name, explain(err))
		}
	}
	o.writer.renew()
	if s.purpose == toWrite {
		if err = o.findSpool(ctx, s); err != nil {
			o.discard()
			return o, err
		}
		db.warnOfStandbys(ctx)
	}
	return o, nil
}

// ping fails if the database does not answer within seconds.
func (s *start) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, maxAttempt)
	defer cancel()
	if s.site != nil {
		return s.site.PingContext(ctx)
	}
	return s.database().PingContext(ctx)
}

// checkPooler fails if a pooler takes apart what the site's own pool prepares.
func (s *start) checkPooler(ctx context.Context, db *database) error {
	if s.site == nil || db.embedded || db.Stats().MaxOpenConnections == 1 {
		return nil
	}
	return checkPrepared(ctx, s.site)
}

// findSpool finds what earlier processes have left on disk.
func (o *opened) findSpool(ctx context.Context, s *start) error {
	place, err := placeOf(s.config, o.db, s.sealer)
	if err != nil || place == nil {
		return err
	}
	if place.ledger, err = o.writer.identify(ctx, o.db); err != nil {
		return err
	}
	o.spool = place
	o.left, err = place.collect(func(writer key) (bool, error) { return o.db.hasWriter(ctx, writer) })
	if err == nil && (o.left.count() > 0 || s.without.Load()) { // it takes a while if much was purged
		o.left.purged, err = purgedBefore(ctx, o.db, s.sealer)
	}
	return err
}

// discard gives back what nobody takes.
func (o *opened) discard() {
	o.left.close()
	_ = o.writer.close()
}

// close waits for run, once its context has ended, and closes the database.
func (s *start) close(ctx context.Context) error {
	select {
	case <-s.ended:
		switch db := s.database(); {
		case s.owned:
			return db.close()
		case db != nil:
			return db.log.close()
		}
	case <-ctx.Done(): // a driver that does not answer
		if s.owned {
			_ = s.db.Close() // lets no session begin any more
		}
	}
	return nil
}
