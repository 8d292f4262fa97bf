package ledger_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/ledger"
)

// assertSettled checks that nothing waits, and nothing is wrong.
func assertSettled(t testing.TB, l *ledger.Ledger) {
	t.Helper()
	f := l.Figures()
	assert.Zero(t, f.Waiting+f.Spooled)
	assert.Zero(t, f.Dropped)
	assert.NoError(t, f.Failing)
	assert.NoError(t, f.SpoolFailing)
}

func TestFiguresSayHowLongAConsentTakes(t *testing.T) {
	path := lite(t)
	l := begin(t, path)
	assert.Zero(t, l.Figures().Written)
	assert.True(t, l.Figures().LastWritten.IsZero())

	begun := time.Now().Add(-time.Millisecond)
	for range 3 {
		keep(t, l, yes(visitor()))
	}
	unlock := locked(t, path)
	slow := make(chan error)
	go func() { slow <- l.Record(context.Background(), yes(visitor())) }()
	require.Eventually(t, func() bool { return l.Figures().Waiting == 1 }, time.Minute, time.Millisecond)
	time.Sleep(300 * time.Millisecond)
	assert.EqualValues(t, 3, l.Figures().Written, "what waits is not written")
	unlock()
	require.NoError(t, <-slow)
	l.RecordLater(no(visitor()))
	require.Eventually(t, func() bool { return l.Figures().Waiting == 0 }, time.Minute, time.Millisecond)
	over, cancel := context.WithCancel(context.Background())
	cancel()
	assert.Error(t, l.Record(over, yes(visitor())))

	f := l.Figures()
	assert.EqualValues(t, 5, f.Written)
	assert.EqualValues(t, 1, f.Failed)
	assert.WithinRange(t, f.LastWritten, begun, time.Now())
	assert.EqualValues(t, 4, f.Latency.Count, "a refusal is not waited for")
	assert.Greater(t, f.Latency.Sum, 300*time.Millisecond)
	var last ledger.LatencyBucket
	for _, b := range f.Latency.Buckets {
		assert.Greater(t, b.UpTo, last.UpTo)
		assert.GreaterOrEqual(t, b.Count, last.Count, "the buckets before are counted too")
		if b.UpTo == 250*time.Millisecond {
			assert.LessOrEqual(t, b.Count, uint64(3))
		}
		last = b
	}
	assert.EqualValues(t, 4, last.Count)
}
