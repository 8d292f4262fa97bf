package ledger

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
)

// readyLinks has links wait from now on.
func (l *Ledger) readyLinks() {
	q := &l.queue.links
	q.write = l.writeLinks
	q.failing.tell = func(count int64, err error) {
		slog.Error("ledger: the database takes no links of users, which wait: what they choose may not reach their other devices yet", "failures", count, "error", err)
	}
	q.failing.again = "ledger: no link of a user waits any more"
}

// linkOrWait writes a link, or has it wait if the database does not take it.
func (l *Ledger) linkOrWait(ctx context.Context, made link) error {
	if l.readOnly {
		return errReadOnly
	}
	err := l.takesLinks()
	if err == nil {
		err = l.link(ctx, made)
	}
	if err == nil {
		return nil
	}
	kept, waits := l.queue.links.add(made)
	if waits != nil {
		return fmt.Errorf("ledger: cannot link a user: %w", errors.Join(err, waits))
	}
	if kept != nil {
		l.spool.await(kept)
	}
	return fmt.Errorf("ledger: cannot link a user yet, and tries again: %w", err)
}

// takesLinks fails if the database takes nothing, as far as is known.
func (l *Ledger) takesLinks() error {
	if err := l.readable(); err != nil {
		return err
	}
	return l.queue.figures().Failing
}

// link writes a link.
func (l *Ledger) link(ctx context.Context, made link) error {
	// One without a seal may be of the time before there was a key, or forged.
	return l.db.change(ctx, `INSERT INTO consent_link (user_hash, reference, decided, seal) VALUES ($1, $2, $3, $4)
		ON CONFLICT (user_hash, reference) DO UPDATE SET decided = excluded.decided, seal = excluded.seal
		WHERE consent_link.decided < excluded.decided OR consent_link.seal IS NULL AND excluded.seal IS NOT NULL`,
		made.user, l.db.key(made.reference), made.decided, nullable(l.sealer.seal(made.sealed())))
}

// writeLinks writes the links that wait.
func (l *Ledger) writeLinks(ctx context.Context) error {
	for {
		if done, err := l.writeLink(ctx); done || err != nil {
			return err
		}
	}
}

// writeLink writes one of them, and reports whether there was none. Nobody erases it at
// the same moment.
func (l *Ledger) writeLink(ctx context.Context) (done bool, err error) {
	if l.queue.links.first() == nil {
		return true, nil
	}
	if err := l.takesLinks(); err != nil {
		return false, err
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	w := l.queue.links.first()
	if w == nil {
		return true, nil
	}
	ctx, cancel := context.WithTimeout(ctx, maxAttempt)
	defer cancel()
	if err := l.link(ctx, w.link); err != nil {
		return false, explain(err)
	}
	l.queue.links.written(w)
	return false, nil
}

// endLinks writes the links that wait, for as long as ctx allows.
func (l *Ledger) endLinks(ctx context.Context) {
	l.queue.links.end()
	if !l.readOnly {
		_ = l.writeLinks(ctx) // leftLinks says what is left, and why
	}
}

// leftLinks says how many links were not written when the ledger ended.
func (l *Ledger) leftLinks() (errs error) {
	waiting, spooled := len(l.queue.links.all()), l.queue.links.spooled()
	if spooled > 0 {
		errs = fmt.Errorf("ledger: %d links of users wait in %s, to be written at the next start", spooled, l.spool.place.folder)
	}
	if lost := waiting - spooled; lost > 0 {
		errs = errors.Join(errs, fmt.Errorf("ledger: %d links of users were not written", lost))
	}
	return errs
}
