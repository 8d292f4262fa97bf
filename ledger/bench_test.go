package ledger_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/ledger"
)

// bare inserts rows as the ledger writes them, one statement and one commit each,
// by the driver alone.
func bare(t testing.TB, url string) (insert func() error) {
	db := open(t, url)
	statement := `INSERT INTO consent_record (id, writer, place, before_hash, hash, seal, reference, n, decided, revision, answers, objection, gpc, regime, action, language, notice, remainder)
		VALUES ($1, $2, $3, $4, $4, $4, $5, 1, $6, 1, $7, false, true, 'opt-in', 'banner', 'fr-CH', $8, false)`
	answers := `[{"category":"statistics","provider":"Matomo","allowed":true},{"category":"third-party","provider":"AdCo \u003c\u0026\u003e \"Sons\"","allowed":false}]`
	lite := isSQLite(url)
	key := func() any {
		r := visitor()
		if lite {
			return r[:]
		}
		return r.String()
	}
	prepared, err := db.Prepare(statement)
	require.NoError(t, err)
	writer, hash := key(), make([]byte, 32)
	place := 0
	return func() error {
		place++
		_, err := prepared.Exec(key(), writer, place, hash, key(), time.Now().UnixMilli(), answers, hash)
		return err
	}
}

// crowded has 64 visitors decide at once, count times in all.
func crowded(t testing.TB, count int, record func() error) {
	turns := make(chan struct{}, count)
	for range count {
		turns <- struct{}{}
	}
	close(turns)
	var together sync.WaitGroup
	for range 64 {
		together.Go(func() {
			for range turns {
				assert.NoError(t, record())
			}
		})
	}
	together.Wait()
}

func BenchmarkRecord(b *testing.B) {
	for kind, url := range map[string]func(testing.TB) string{"SQLite": lite, "PostgreSQL": postgres} {
		b.Run(kind, func(b *testing.B) {
			address := url(b)
			l := begin(b, address)
			insert := bare(b, address)
			b.Run("the bare driver", func(b *testing.B) {
				for b.Loop() {
					require.NoError(b, insert())
				}
			})
			b.Run("one visitor", func(b *testing.B) {
				for b.Loop() {
					keep(b, l, yes(visitor()))
				}
			})
			b.Run("64 visitors", func(b *testing.B) {
				crowded(b, b.N, func() error { return l.Record(context.Background(), yes(visitor())) })
			})
		})
	}
}

// A site waits for its disk with each refusal, and not with NoSpool; both take turns here.
// Refusals come more slowly than the database takes them, so that none is dropped.
func BenchmarkRecordLater(b *testing.B) {
	for kind, url := range map[string]func(testing.TB) string{"SQLite": lite, "PostgreSQL": postgres} {
		for _, crowd := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/%d visitors", kind, crowd), func(b *testing.B) {
				address := url(b)
				memory := beginWith(b, address, ledger.Config{Keys: config.Keys, NoSpool: true})
				spool := beginWith(b, address, config)
				took := make(map[*ledger.Ledger]time.Duration)
				for b.Loop() {
					for _, l := range []*ledger.Ledger{memory, spool} {
						took[l] += timed(func() {
							var together sync.WaitGroup
							for range crowd {
								together.Go(func() { l.RecordLater(no(visitor())) })
							}
							together.Wait()
						})
						for l.Figures().Waiting > 1000 {
							time.Sleep(time.Millisecond)
						}
					}
				}
				each := float64(b.N * crowd)
				b.ReportMetric(float64(took[memory].Microseconds())/each, "µs/memory")
				b.ReportMetric(float64(took[spool].Microseconds())/each, "µs/spool")
				assert.Zero(b, spool.Figures().Dropped)
				assert.NoError(b, spool.Figures().SpoolFailing)
			})
		}
	}
}

// The figures that are promised are those of a quiet machine. On a busy one this
// takes turns, so that both have the same share of it, and the best of three.
func TestRecordingCostsLittleMoreThanTheDriver(t *testing.T) {
	if os.Getenv(longTrials) == "" {
		t.Skip("it measures, which takes a machine of its own; " + longTrials + "=1 has it run")
	}
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		insert := bare(t, url)
		alone, crowd := 0.0, 0.0
		for range 3 {
			var bareTime, ownTime time.Duration
			const count = 200
			for range count / 10 {
				bareTime += timed(func() {
					for range 10 {
						require.NoError(t, insert())
					}
				})
				ownTime += timed(func() {
					for range 10 {
						keep(t, l, yes(visitor()))
					}
				})
			}
			const many = 20 * count
			manyTime := timed(func() {
				crowded(t, many, func() error { return l.Record(context.Background(), yes(visitor())) })
			})
			alone = max(alone, float64(bareTime)/float64(ownTime))
			crowd = max(crowd, float64(bareTime)/count/(float64(manyTime)/many))
			t.Logf("a second: %.0f by the bare driver, %.0f of one visitor, %.0f of 64 visitors at once",
				count/bareTime.Seconds(), count/ownTime.Seconds(), many/manyTime.Seconds())
		}
		summary := fmt.Sprintf("%.2f and %.1f times the bare driver", alone, crowd)
		assert.GreaterOrEqual(t, alone, 0.8, summary)
		assert.GreaterOrEqual(t, crowd, 5.0, summary)
		t.Log(summary)
	})
}

func timed(do func()) time.Duration {
	begun := time.Now()
	do()
	return time.Since(begun)
}
