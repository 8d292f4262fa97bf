package ledger

// close takes no more entries. It reports whether it was open until now.
func (q *queue) close() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	was := !q.closed
	q.closed = true // from now on nothing is held
	q.stopAlarm()
	q.rouse()
	return was
}

// finished reports that there is nothing left to do, for ever.
func (q *queue) finished() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed && len(q.entries) == 0
}

// abandon empties the queue and returns how many refusals were in it that are on disk, and
// how many that are lost.
func (q *queue) abandon(err error) (spooled, lost int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	spooled, lost = q.onDisk, q.later-q.onDisk
	q.drop(lost, err)
	q.remove(func(e *entry) bool {
		if e.done != nil {
			e.done <- err
		}
		return true
	})
	return spooled, lost
}

// isClosed reports that nothing is taken any more.
func (q *queue) isClosed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}

// setAway has nobody wait for the database until it is found.
func (q *queue) setAway(reason error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.away, q.failing = true, reason
}

func (q *queue) isAway() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.away
}

// found ends that.
func (q *queue) found() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.away, q.failing = false, nil
	q.rouse()
}

// fails notes why nothing can be written.
func (q *queue) fails(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.failing = err
}

func (q *queue) figures() Figures {
	q.mu.Lock()
	defer q.mu.Unlock()
	return Figures{Waiting: len(q.entries), Dropped: q.dropped, Failing: q.failing, Spooled: q.onDisk, SpoolFailing: q.spoolFailing}
}
