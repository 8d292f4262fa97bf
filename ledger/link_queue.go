package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"sync"
)

// maxLinks is how many links may wait for a database that takes none: some megabytes.
const maxLinks = 10_000

// errTooManyLinks is why a link is not kept for later.
var errTooManyLinks = errors.New("too many links are waiting")

// A linkID is which row of consent_link a link is.
type linkID struct {
	user      [sha256.Size]byte
	reference key
}

func (l *link) id() linkID { return linkID{[sha256.Size]byte(l.user), l.reference} }

// A waitingLink is a link that the database has not taken.
type waitingLink struct {
	link
	kept    chan struct{} // closed when it is on disk, or cannot be; nil then
	spooled bool          // it is on disk

	inherited bool // an earlier process has left it
}

func (w *waitingLink) release() {
	if w.kept != nil {
		close(w.kept)
		w.kept = nil
	}
}

// A linkQueue holds the links that the database has not taken. A user may sign out before
// it answers again, so that no later page of theirs would link what they have refused. The
// zero value takes none.
type linkQueue struct {
	write   func(context.Context) error // writes all that wait
	failing complaint

	mu      sync.Mutex
	waiting map[linkID]*waitingLink
	spool   *spool         // keeps them on disk; nil if there is none
	fresh   []*waitingLink // those that it is to write
	onDisk  int            // how many of those that wait it has
	stop    context.CancelFunc
	stopped chan struct{} // closed when nobody tries to write any more; nil if nobody does
	ended   bool
}

// add has a link wait, unless a newer one of the same user and reference does. It returns
// what is closed when it is on disk, or cannot be; nil if there is no spool.
func (q *linkQueue) add(made link) (kept <-chan struct{}, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	before := q.waiting[made.id()]
	switch {
	case q.ended || q.write == nil:
		return nil, ErrClosed
	case before != nil && before.decided >= made.decided:
		return before.kept, nil
	case before == nil && len(q.waiting) >= maxLinks:
		return nil, errTooManyLinks
	}
	w := &waitingLink{link: made}
	if q.spool != nil {
		w.kept = make(chan struct{})
		q.fresh = append(q.fresh, w)
		q.spool.rouse()
	}
	q.put(w)
	return w.kept, nil
}

// put has a link wait, in the place of an older one, and somebody try to write it. The lock
// is held.
func (q *linkQueue) put(w *waitingLink) {
	if q.waiting == nil {
		q.waiting = make(map[linkID]*waitingLink)
	}
	if before := q.waiting[w.id()]; before != nil {
		q.take(before)
	}
	q.waiting[w.id()] = w
	if q.stopped == nil {
		ctx, stop := context.WithCancel(context.Background())
		q.stop, q.stopped = stop, make(chan struct{})
		go q.run(ctx, q.stopped)
	}
}

// take has a link wait no more. The lock is held.
func (q *linkQueue) take(w *waitingLink) {
	if q.waiting[w.id()] != w {
		return // a newer one waits in its place
	}
	delete(q.waiting, w.id())
	w.release()
	if w.spooled {
		q.onDisk--
	}
}

// written notes that the database has a link.
func (q *linkQueue) written(w *waitingLink) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.take(w)
}

// forget takes out the links to a reference.
func (q *linkQueue) forget(reference key) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, w := range q.waiting {
		if w.reference == reference {
			q.take(w)
		}
	}
}

// run tries to write what waits, until nothing does or ctx ends.
func (q *linkQueue) run(ctx context.Context, stopped chan struct{}) {
	defer close(stopped)
	for pause := firstPause; sleep(ctx, pause) == nil; pause = min(2*pause, maxPause) {
		if err := q.write(ctx); err != nil && ctx.Err() == nil {
			q.failing.add(1, err)
		}
		if q.rests() {
			q.failing.over()
			return
		}
	}
}

// rests reports that nothing waits, and has the next link that does begin anew.
func (q *linkQueue) rests() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) > 0 {
		return false
	}
	if !q.ended {
		q.stop()
		q.stop, q.stopped = nil, nil
	}
	return true
}

// end takes no more links, and waits until nobody tries to write any.
func (q *linkQueue) end() {
	q.mu.Lock()
	q.ended = true
	stop, stopped := q.stop, q.stopped
	q.mu.Unlock()
	if stop != nil {
		stop()
		<-stopped
	}
	q.failing.end()
}

// first returns one of those that wait; nil if none does.
func (q *linkQueue) first() *waitingLink {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, w := range q.waiting {
		return w
	}
	return nil
}

// of returns the links of a user that wait.
func (q *linkQueue) of(user []byte) (links []link) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, w := range q.waiting {
		if bytes.Equal(w.user, user) {
			links = append(links, w.link)
		}
	}
	return links
}

// all returns those that wait.
func (q *linkQueue) all() (links []*waitingLink) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, w := range q.waiting {
		links = append(links, w)
	}
	return links
}

// adopt has links wait that an earlier process has left.
func (q *linkQueue) adopt(older []*waitingLink) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, w := range older {
		if before := q.waiting[w.id()]; before == nil || before.decided < w.decided {
			q.put(w)
			w.spooled, w.inherited = true, true
			q.onDisk++
		}
	}
}

func (q *linkQueue) setSpool(s *spool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.spool = s
}

// takeFresh returns those that are not on disk and still wait.
func (q *linkQueue) takeFresh() []*waitingLink {
	q.mu.Lock()
	defer q.mu.Unlock()
	fresh := slices.DeleteFunc(q.fresh, func(w *waitingLink) bool { return w.spooled || q.waiting[w.id()] != w })
	q.fresh = nil
	return fresh
}

// markSpooled notes which are on disk.
func (q *linkQueue) markSpooled(links []*waitingLink) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, w := range links {
		if !w.spooled && q.waiting[w.id()] == w {
			w.spooled = true
			q.onDisk++
		}
		w.release()
	}
}

// release lets those go who wait for a link to be on disk.
func (q *linkQueue) release(links []*waitingLink) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, w := range links {
		w.release()
	}
}

// spooled returns how many of those that wait are on disk.
func (q *linkQueue) spooled() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.onDisk
}
