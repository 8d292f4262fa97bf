package ledger

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"
)

const (
	// defaultLifetime is how long a decision stands unless a site says otherwise: see
	// consent.Config.Lifetime.
	defaultLifetime = 180 * 24 * time.Hour

	// minRetention is the shortest Config.Retention: the default lifetime and a month, since
	// clocks differ, and a purge should not race with the end of a consent.
	minRetention = defaultLifetime + 30*24*time.Hour

	retentionPeriod = 24 * time.Hour         // between two purges
	retentionSpread = time.Hour              // by which each process differs
	retentionStart  = 10 * time.Second       // within which the first one begins
	retentionPause  = 100 * time.Millisecond // after a batch, for who decides meanwhile
)

// checkRetention says what is wrong with a Config.Retention.
func checkRetention(retention time.Duration) error {
	if retention != 0 && retention < minRetention {
		return fmt.Errorf("ledger: Retention is %v, and less than %v would take the proof of consents that still stand; zero keeps all for ever", retention, minRetention)
	}
	return nil
}

// A keeper deletes what is older than Config.Retention, for as long as the process runs.
// The zero value does nothing.
type keeper struct {
	stop    context.CancelFunc
	stopped chan struct{} // closed when it has ended
}

// keepFor begins to delete what is older, if there is a limit.
func (l *Ledger) keepFor(retention time.Duration) {
	if retention == 0 {
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	l.keeper = keeper{stop, make(chan struct{})}
	go func() {
		defer close(l.keeper.stopped)
		select {
		case <-l.ready:
		case <-ctx.Done():
			return
		}
		// Processes that start together do not purge at the same moment.
		for wait := rand.N(retentionStart); sleep(ctx, wait) == nil; wait = retentionPeriod + rand.N(retentionSpread) {
			l.keepOnly(ctx, retention)
		}
	}()
}

// keepOnly deletes what is older, and tells.
func (l *Ledger) keepOnly(ctx context.Context, retention time.Duration) {
	before := time.Now().Add(-retention)
	records, err := l.purgeSlowly(ctx, before, retentionPause, nil)
	switch {
	case ctx.Err() != nil && records == 0: // by Close
	case err != nil && ctx.Err() == nil:
		slog.Error("ledger: not all records that are older than Config.Retention were deleted; it is tried again in a day", "deleted", records, "error", err)
	case records > 0:
		slog.Info("ledger: records were deleted that are older than Config.Retention", "records", records, "before", before.UTC().Format(time.RFC3339))
	}
}

// end ends it, and waits until it has.
func (k keeper) end() {
	if k.stop == nil {
		return
	}
	k.stop()
	<-k.stopped
}

// sleep waits, or returns why not.
func sleep(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
