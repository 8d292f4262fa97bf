package ledger

import (
	"sync/atomic"
	"time"
)

// A Latency says how long consents took to be durable, as a histogram.
type Latency struct {
	Count   uint64        // of consents
	Sum     time.Duration // of all of them
	Buckets [13]LatencyBucket
}

// A LatencyBucket counts the consents that took no longer than UpTo: those of the buckets
// before, too.
type LatencyBucket struct {
	UpTo  time.Duration
	Count uint64
}

// latencyBounds reach from a disk's sync to the ten seconds after which consent.Middleware
// gives up.
var latencyBounds = [len(Latency{}.Buckets)]time.Duration{
	time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond,
	250 * time.Millisecond, 500 * time.Millisecond, time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second,
}

// A meter counts what was written. It takes no lock, so that who reads the figures keeps
// nobody from writing. The zero meter has counted nothing.
type meter struct {
	written, failed atomic.Uint64
	last            atomic.Int64 // in milliseconds since 1970
	buckets         [len(latencyBounds) + 1]atomic.Uint64
	sum             atomic.Int64
}

// wrote counts records that were written.
func (m *meter) wrote(records int) {
	if records > 0 {
		m.written.Add(uint64(records))
		m.last.Store(milliseconds(time.Now()))
	}
}

// consent counts a consent that has come to an end.
func (m *meter) consent(begun time.Time, err error) {
	if err != nil {
		m.failed.Add(1)
		return
	}
	took := time.Since(begun)
	i := 0
	for i < len(latencyBounds) && took > latencyBounds[i] {
		i++
	}
	m.buckets[i].Add(1)
	m.sum.Add(int64(took))
}

// into adds to figures what was counted.
func (m *meter) into(f *Figures) {
	f.Written, f.Failed = m.written.Load(), m.failed.Load()
	if at := m.last.Load(); at > 0 {
		f.LastWritten = time.UnixMilli(at).UTC()
	}
	f.Latency.Sum = time.Duration(m.sum.Load())
	for i := range m.buckets {
		f.Latency.Count += m.buckets[i].Load()
		if i < len(latencyBounds) {
			f.Latency.Buckets[i] = LatencyBucket{latencyBounds[i], f.Latency.Count}
		}
	}
}
