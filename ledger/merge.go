package ledger

import "time"

// maxRun is how many refusals of one visitor wait before they are merged, unless the database
// fails: a visitor who clicks twice finds both in their history.
const maxRun = 16

// Of the refusals of one visitor that wait together, with no consent between them, the first
// says since when they refuse, and the last what their cookie says. What lies between is
// kept if it says other than the one before it. Otherwise the next one takes its place, if the
// database fails, or if there are many.

// admit finds the place of a refusal: it may take that of one that waits, or has to wait
// itself since its visitor decides too often. replaced reports that it is in the queue.
func (q *queue) admit(e *entry, now time.Time) (replaced bool, err error) {
	last, before, count := q.run(e.row.reference)
	isMany := q.failing != nil || count >= maxRun
	if before >= 0 && isMany && q.entries[last].says(q.entries[before]) && q.replace(last, e) {
		return true, nil
	}
	full := q.later >= maxWaiting
	until, ok := time.Time{}, true
	if !full {
		until, ok = q.limit.take(e.row.reference, now)
	}
	switch {
	case full:
		return false, errFull
	case ok:
		q.letGo(e.row.reference)
	case last >= 0 && q.replace(last, e):
		return true, nil
	default:
		e.held, q.holds = until, true
	}
	return false, nil
}

// admitConsent fails if the visitor of a consent decides too often.
func (q *queue) admitConsent(e *entry, now time.Time) error {
	if _, ok := q.limit.take(e.row.reference, now); !ok {
		return ErrTooMany
	}
	q.letGo(e.row.reference)
	return nil
}

// run returns where the last refusal of a visitor stands, and the one before it; -1 for
// none since their last consent that waits. It counts them up to maxRun.
func (q *queue) run(of key) (last, before, count int) {
	last, before = -1, -1
	for i := len(q.entries) - 1; i >= 0 && count < maxRun; i-- {
		switch e := q.entries[i]; {
		case e.row.reference != of:
			continue
		case e.done != nil:
			return last, before, count
		case count == 0:
			last = i
		case count == 1:
			before = i
		}
		count++
	}
	return last, before, count
}

// says reports that two decisions have the same content.
func (e *entry) says(other *entry) bool {
	return e.row.answers == other.row.answers && e.row.objection == other.row.objection
}

// replace puts a refusal in the place of another one of the same visitor, unless that is
// being written.
func (q *queue) replace(at int, e *entry) bool {
	old := q.entries[at]
	if old.taken {
		return false
	}
	e.held, e.replaces = old.held, old.row.id
	if !old.spooled { // its line, if there will be one, is one too many, which is no harm
		e.replaces = old.replaces
	}
	e.kept, old.kept = old.kept, nil // who waits for the old one waits for this one
	old.left = true
	if old.spooled {
		q.onDisk--
	}
	q.entries[at] = e
	return true
}

// letGo has what is held of a visitor written before what comes.
func (q *queue) letGo(of key) {
	if !q.holds {
		return
	}
	q.holds = false
	for _, e := range q.entries {
		if e.row.reference == of {
			e.held = time.Time{}
		}
		q.holds = q.holds || !e.held.IsZero()
	}
}

// due reports that an entry may be written now, and otherwise has the writer look again when it may.
func (q *queue) due(e *entry, now time.Time) bool {
	if q.closed || !now.Before(e.held) {
		return true
	}
	if !q.alarmAt.IsZero() && !e.held.Before(q.alarmAt) && now.Before(q.alarmAt) {
		return false
	}
	q.stopAlarm()
	q.alarmAt, q.alarm = e.held, time.AfterFunc(e.held.Sub(now), q.rouse)
	return false
}

func (q *queue) stopAlarm() {
	if q.alarm != nil {
		q.alarm.Stop()
	}
	q.alarm, q.alarmAt = nil, time.Time{}
}
