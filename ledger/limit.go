package ledger

import (
	"errors"
	"hash/maphash"
	"time"
)

// Who decides by hand does not come near this. A record of ten providers has two kilobytes,
// so that one visitor adds five megabytes a day at most.
const (
	maxDecisions = 100       // of one visitor
	limitPeriod  = time.Hour // that begins with the first of them
)

// ErrTooMany is what [Ledger.Record] answers if a visitor has taken 100 decisions within an
// hour by this process: the consent is not recorded, and does not count. They may try again
// an hour after the first of these.
var ErrTooMany = errors.New("ledger: 100 decisions of this visitor were recorded within an hour")

const (
	limitSets = 1024
	limitWays = 4
)

// A limiter counts the decisions of each visitor. It has room for some thousand, and forgets
// of those who share a set the one with the fewest decisions: visitors who decide once,
// also a million made-up ones, make room for each other. Nobody outside knows which share a
// set, and no reference is kept, only a hash of it.
type limiter struct {
	seed maphash.Seed
	sets *[limitSets][limitWays]decisions // 160 KB; nil until the first decision
}

// Decisions are those that one visitor has taken in a period.
type decisions struct {
	visitor uint64
	count   int
	until   time.Time // the end of the period
}

// take counts a decision. If there is no room for it, it returns until when.
func (l *limiter) take(visitor key, now time.Time) (until time.Time, ok bool) {
	d := l.find(visitor, now, true)
	if d.count >= maxDecisions {
		return d.until, false
	}
	d.count++
	return time.Time{}, true
}

// giveBack takes back a decision that was not recorded.
func (l *limiter) giveBack(visitor key) {
	if d := l.find(visitor, time.Time{}, false); d != nil && d.count > 0 {
		d.count--
	}
}

// find returns the decisions of a visitor. If there are none, it begins to count, or returns nil.
func (l *limiter) find(visitor key, now time.Time, begin bool) *decisions {
	if l.sets == nil {
		l.seed, l.sets = maphash.MakeSeed(), new([limitSets][limitWays]decisions)
	}
	hash := maphash.Bytes(l.seed, visitor[:])
	set := &l.sets[hash%limitSets]
	least := &set[0]
	for i := range set {
		d := &set[i]
		if begin && d.count > 0 && !now.Before(d.until) {
			*d = decisions{}
		}
		if d.visitor == hash && d.count > 0 {
			return d
		}
		if d.count < least.count {
			least = d
		}
	}
	if !begin {
		return nil
	}
	*least = decisions{visitor: hash, until: now.Add(limitPeriod)}
	return least
}
