package browse

import (
	"context"
	"time"

	"github.com/cookiecharter/consent/consentscan/internal/chrome"
)

const (
	// quiet is how long nothing happens on a page that is at rest.
	quiet = 350 * time.Millisecond
	// patience is how long after its load event a page is waited for that has set a timer:
	// many a tag is loaded two or three seconds late, for the sake of a score.
	patience = 3500 * time.Millisecond
	// held is how many pages are waited for on account of a timer of the same length, as
	// every page of a site has the same slide show.
	held = 6
	// old is how long a request may take before the page counts as at rest without it.
	old = 4 * time.Second
)

// A rest tells whether a page has come to rest.
type rest struct {
	loaded, crashed     bool
	restless            bool // it was waited for in vain
	loadedAt, last, due time.Time
	open                map[*request]bool
	waited              map[time.Duration]int
	period              time.Duration // the longest that a timer repeats itself in
}

// begin: another document is shown.
func (r *rest) begin() {
	r.loaded, r.restless, r.due, r.period = false, false, time.Time{}, 0
	r.loadedAt = time.Time{}
}

func (r *rest) start(q *request) {
	if r.open == nil {
		r.open = make(map[*request]bool)
	}
	if q.holds {
		r.open[q] = true
	}
}

func (r *rest) done(q *request) { delete(r.open, q) }

// timer: the page has asked to be called in delay.
func (r *rest) timer(delay time.Duration, again bool) {
	if again {
		r.period = max(r.period, delay)
	}
	if delay <= quiet || delay > patience {
		return
	}
	if r.waited == nil {
		r.waited = make(map[time.Duration]int)
	}
	if r.waited[delay] < held {
		if due := now().Add(delay); due.After(r.due) {
			r.due = due
		}
		r.waited[delay]++
	}
}

// left returns how long the page will yet take to come to rest if nothing happens. Zero:
// it is at rest. ok is false as long as that is not known, since it loads.
func (r *rest) left() (wait time.Duration, ok bool) {
	if !r.loaded {
		return 0, false
	}
	if r.loadedAt.IsZero() {
		r.loadedAt = now()
	}
	wait = quiet - time.Since(r.last)
	for q := range r.open {
		wait = max(wait, old-time.Since(q.began))
	}
	if due := time.Until(r.due); due > 0 {
		wait = max(wait, min(due+quiet/2, patience-time.Since(r.loadedAt)))
	}
	return max(wait, 0), true
}

// touch: something is done to the page, which may have it do something.
func (v *Visitor) touch() {
	v.mu.Lock()
	v.rest.last = now()
	v.mu.Unlock()
}

// Settle waits until the page is at rest: its load event has come, nothing loads, no timer
// is due soon. If that does not come to pass in time, it notes a problem and returns.
func (v *Visitor) Settle(ctx context.Context) error {
	limit := time.NewTimer(v.options.Timeout)
	defer limit.Stop()
	for {
		v.mu.Lock()
		changed, crashed := v.changed, v.rest.crashed
		wait, known := v.rest.left()
		restless := v.rest.restless
		v.mu.Unlock()
		switch {
		case crashed:
			return ErrCrashed
		case known && wait == 0:
			return nil
		case restless:
			return v.pause(ctx, 2*quiet)
		case !known:
			wait = v.options.Timeout
		}
		select {
		case <-changed:
		case <-time.After(wait):
		case <-limit.C:
			v.mu.Lock()
			v.rest.restless = true
			v.problem(v.page, "did not come to rest within %v", v.options.Timeout)
			v.mu.Unlock()
			return nil
		case <-v.browser.Gone():
			return chrome.ErrGone
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Linger waits as long as the page's timers take to fire once more, at least least and at
// most ten seconds: to see what a living page goes on doing.
func (v *Visitor) Linger(ctx context.Context, least time.Duration) error {
	v.mu.Lock()
	wait := min(max(least, v.rest.period+v.rest.period/4), 10*time.Second)
	v.mu.Unlock()
	select {
	case <-time.After(wait):
		return v.Settle(ctx)
	case <-ctx.Done():
		return ctx.Err()
	}
}
