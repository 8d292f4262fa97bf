package ledger

import "slices"

// What is waiting for the database, and is kept on disk until that has it.
type waiting struct {
	refusals []*entry
	links    []*waitingLink
}

func (w waiting) count() int { return len(w.refusals) + len(w.links) }

// adopt puts refusals that an earlier process has left in front of what came since.
func (q *queue) adopt(older waiting) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range older.refusals {
		e.spooled = true
	}
	q.entries = slices.Concat(older.refusals, q.entries)
	q.later += len(older.refusals)
	q.onDisk += len(older.refusals)
	q.links.adopt(older.links)
}

// setSpool has what comes from now on kept on disk.
func (q *queue) setSpool(s *spool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.spool = s
	q.links.setSpool(s)
}

// takeFresh returns what is not on disk and still waits.
func (q *queue) takeFresh() waiting {
	q.mu.Lock()
	defer q.mu.Unlock()
	fresh := slices.DeleteFunc(q.fresh, func(e *entry) bool { return e.left || e.spooled })
	q.fresh = nil
	return waiting{fresh, q.links.takeFresh()}
}

// waits returns all that waits, but for the consents, for which somebody waits.
func (q *queue) waits() (all waiting) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range q.entries {
		if e.done == nil {
			all.refusals = append(all.refusals, e)
		}
	}
	all.links = q.links.all()
	return all
}

// markSpooled notes what is on disk.
func (q *queue) markSpooled(w waiting) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range w.refusals {
		if !e.left && !e.spooled {
			e.spooled = true
			q.onDisk++
		}
		e.release()
	}
	q.links.markSpooled(w.links)
}

// release lets those go who wait for something to be on disk.
func (q *queue) release(w waiting) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range w.refusals {
		e.release()
	}
	q.links.release(w.links)
}

func (e *entry) release() {
	if e.kept != nil {
		close(e.kept)
		e.kept = nil
	}
}

// kept returns how much of what waits is on disk.
func (q *queue) kept() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.onDisk + q.links.spooled()
}

// spoolFails notes why the spool failed last, and returns why the time before.
func (q *queue) spoolFails(err error) (was error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	was, q.spoolFailing = q.spoolFailing, err
	return was
}
