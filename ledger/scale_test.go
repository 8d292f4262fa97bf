package ledger_test

import (
	"context"
	"database/sql"
	"encoding/binary"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
	"github.com/cookiecharter/consent/ledger/internal/chart"
)

// scale names the environment variable that says to how many records the trial of
// size goes, such as 10000000. Without it there is none.
const scale = "LEDGER_SCALE"

var scaleBegins = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// A hay is a database with very many records: two of each visitor, one every three
// seconds.
type hay struct {
	db      *sql.DB
	lite    bool
	records int64
}

// grow adds records, by the database's own means. They have no true hashes.
func (h *hay) grow(t *testing.T, records int64) {
	const chunk = 250_000
	statement := `INSERT INTO consent_record (id, writer, place, hash, reference, n, decided, revision, answers, objection, gpc, regime, action, language, remainder)
		SELECT CAST(lpad(to_hex($3 + i * 3000), 12, '0') || '7000' || '8000' || lpad(to_hex(i), 12, '0') AS uuid),
			CAST('00000000-0000-7000-8000-000000000000' AS uuid), i + 1, sha256(CAST(CAST(i AS text) AS bytea)),
			CAST(lpad(to_hex(i / 2 * 2654435761 % 4294967296), 8, '0') || lpad(to_hex(i / 2 + 1), 24, '0') AS uuid), i % 2 + 1, $3 + i * 3000, 1,
			'[{"category":"first-party","provider":"Forum","allowed":true},{"category":"statistics","provider":"Matomo","allowed":false},{"category":"third-party","provider":"Vimeo","allowed":true}]',
			false, false, 'opt-in', 'banner', 'fr', false
		FROM generate_series(CAST($1 AS bigint), $2 - 1) AS counted(i)`
	if h.lite {
		statement = `WITH RECURSIVE counted(i) AS (SELECT $1 UNION ALL SELECT i + 1 FROM counted WHERE i + 1 < $2)
		INSERT INTO consent_record (id, writer, place, hash, reference, n, decided, revision, answers, objection, gpc, regime, action, language, remainder)
		SELECT unhex(printf('%012x70008000%012x', $3 + i * 3000, i)), x'00000000000070008000000000000000', i + 1, randomblob(32),
			unhex(printf('%08x%024x', i / 2 * 2654435761 % 4294967296, i / 2 + 1)), i % 2 + 1, $3 + i * 3000, 1,
			'[{"category":"first-party","provider":"Forum","allowed":true},{"category":"statistics","provider":"Matomo","allowed":false},{"category":"third-party","provider":"Vimeo","allowed":true}]',
			false, false, 'opt-in', 'banner', 'fr', false
		FROM counted`
		statement = strings.ReplaceAll(statement, "$", "?")
	}
	begun := time.Now()
	for h.records < records {
		until := min(h.records+chunk, records)
		_, err := h.db.Exec(statement, h.records, until, scaleBegins.UnixMilli())
		require.NoError(t, err)
		h.records = until
	}
	if !h.lite {
		_, err := h.db.Exec("ANALYZE consent_record")
		require.NoError(t, err)
	}
	t.Logf("%d records, in %v more", h.records, time.Since(begun).Round(time.Second))
}

// visitor returns one of those who are in the hay.
func (h *hay) visitor() (r consent.Reference) {
	i := rand.Uint64N(uint64(h.records) / 2)
	binary.BigEndian.PutUint32(r[:], uint32(i*2654435761))
	binary.BigEndian.PutUint64(r[8:], i+1)
	return r
}

// most returns to how many records the trials go.
func most(t *testing.T) int64 {
	records, _ := strconv.ParseInt(os.Getenv(scale), 10, 64)
	if records == 0 {
		t.Skip(scale + " says how many records")
	}
	return records
}

func TestSizeChangesNothing(t *testing.T) {
	most := most(t)
	var curves []sizes
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		insert := bare(t, url)
		h := &hay{db: open(t, url), lite: isSQLite(url)}
		prices := []price{h.insertions(t, l, insert)}
		for _, records := range []int64{most / 10, most / 4, most / 2, 3 * most / 4, most} {
			h.grow(t, records)
			prices = append(prices, h.insertions(t, l, insert))
			history := typical(200, func() {
				found, err := l.History(context.Background(), h.visitor())
				if assert.NoError(t, err) {
					assert.Len(t, found.Entries, 2)
				}
			})
			t.Logf("at %d records, a history takes %v", records, history)
			assert.Less(t, history, 5*time.Millisecond)
		}
		curves = append(curves, sizes{filepath.Base(t.Name()), prices})
	})
	require.NoError(t, drawSizes(curves, "size.svg"))
}

func TestSizeTakesNoMemory(t *testing.T) {
	most := most(t)
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		h := &hay{db: open(t, url), lite: isSQLite(url)}
		h.grow(t, most)
		var counted written
		h.constant(t, "export", func() {
			require.NoError(t, l.Export(context.Background(), &counted, ledger.JSONLines, ledger.Period{}, nil))
		})
		assert.Greater(t, int64(counted), 100*most)
		h.constant(t, "stats", func() {
			stats, err := l.Stats(context.Background(), ledger.Period{}, ledger.Grouping{}, nil)
			require.NoError(t, err)
			assert.NotEmpty(t, stats)
		})
		h.constant(t, "stats by everything", func() {
			paris, err := time.LoadLocation("Europe/Paris")
			require.NoError(t, err)
			by := []ledger.Dimension{ledger.ByDay, ledger.ByCategory, ledger.ByProvider, ledger.ByLanguage, ledger.ByAction, ledger.ByRegime}
			stats, err := l.Stats(context.Background(), ledger.Period{}, ledger.Grouping{By: by, Location: paris}, nil)
			require.NoError(t, err)
			assert.NotEmpty(t, stats)
		})
		h.constant(t, "consent records", func() {
			err := l.ExportReceipts(context.Background(), &counted, issuer(t), ledger.Period{}, nil)
			assert.ErrorContains(t, err, "records are left out", "the hay has no true hashes")
		})
		h.constant(t, "verify", func() {
			report, err := l.Verify(context.Background(), nil)
			require.NoError(t, err)
			assert.GreaterOrEqual(t, report.Records, most)
		})
		h.constant(t, "plan of a purge", func() {
			plan, err := l.PlanPurge(context.Background(), scaleBegins.Add(time.Duration(most)*3*time.Second), 10*365*24*time.Hour)
			require.NoError(t, err)
			assert.Equal(t, ledger.PurgePlan{Records: most, Standing: most / 2}, plan)
		})
		file := filepath.Join(t.TempDir(), "backup.db")
		h.constant(t, "backup", func() {
			report, err := l.Backup(context.Background(), file, nil)
			require.NoError(t, err)
			assert.Equal(t, most, report.Records)
		})
		for kind, empty := range map[string]string{"SQLite": lite(t), "PostgreSQL": postgres(t)} {
			h.constant(t, "import into "+kind, func() {
				report, err := ledger.Import(context.Background(), file, empty, config, func(ledger.Report) bool { return true }, nil)
				require.NoError(t, err)
				assert.Equal(t, most, report.Records)
			})
		}
		h.constant(t, "purge of a half", func() {
			purged, err := l.Purge(context.Background(), scaleBegins.Add(time.Duration(most/2)*3*time.Second), nil)
			require.NoError(t, err)
			assert.Equal(t, most/2, purged)
		})
	})
}

// A price is what one more record costs at so many records.
type price struct {
	records    int64
	one, crowd time.Duration // of one visitor; of each of 64 at once
	bare       time.Duration // by the driver alone
}

func (h *hay) insertions(t *testing.T, l *ledger.Ledger, insert func() error) price {
	alone := typical(300, func() { require.NoError(t, insert()) })
	one := typical(300, func() { keep(t, l, yes(visitor())) })
	const many = 6400
	all := timed(func() {
		crowded(t, many, func() error { return l.Record(context.Background(), yes(visitor())) })
	})
	t.Logf("at %d records, one more takes %v; of 64 visitors at once, %v each; by the bare driver %v", h.records, one, all/many, alone)
	return price{h.records, one, all / many, alone}
}

// sizes are the prices of one kind of database.
type sizes struct {
	database string
	prices   []price
}

func drawSizes(curves []sizes, file string) error {
	c := chart.Chart{Title: "What one more record costs", X: "million records in the ledger", Y: "ms for one more"}
	for _, at := range curves[0].prices {
		millions := float64(at.records) / 1e6
		c.Ticks = append(c.Ticks, chart.Tick{X: millions, Label: strconv.FormatFloat(millions, 'g', 3, 64)})
	}
	for _, curve := range curves {
		for _, line := range []struct {
			name string
			cost func(price) time.Duration
		}{
			{"one visitor", func(p price) time.Duration { return p.one }},
			{"the bare driver", func(p price) time.Duration { return p.bare }},
			{"each of 64 at once", func(p price) time.Duration { return p.crowd }},
		} {
			drawn := chart.Line{Name: curve.database + ", " + line.name}
			for _, at := range curve.prices {
				cost := line.cost(at).Seconds() * 1000
				drawn.Points = append(drawn.Points, chart.Point{X: float64(at.records) / 1e6, Y: cost})
				c.Top = max(c.Top, math.Ceil(2*cost)/2)
			}
			c.Lines = append(c.Lines, drawn)
		}
	}
	return os.WriteFile(file, c.SVG(), 0o644)
}

// constant checks that work takes no memory that grows with the records, and says
// how long it takes.
func (h *hay) constant(t *testing.T, name string, work func()) {
	before := resident()
	var most atomic.Int64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for tick := time.NewTicker(20 * time.Millisecond); ; {
			most.Store(max(most.Load(), resident()))
			select {
			case <-stop:
				tick.Stop()
				return
			case <-tick.C:
			}
		}
	}()
	took := timed(work)
	close(stop)
	<-stopped
	t.Logf("%s of %d records takes %v and %d MB more", name, h.records, took.Round(time.Millisecond), (most.Load()-before)>>20)
	assert.Less(t, most.Load()-before, int64(64<<20), name)
}

// resident returns how much memory this process holds, in bytes.
func resident() int64 {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	pages, _ := strconv.ParseInt(strings.Fields(string(statm))[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

// typical returns the median of how long something takes.
func typical(count int, do func()) time.Duration {
	times := make([]time.Duration, count)
	for i := range times {
		times[i] = timed(do)
	}
	slices.Sort(times)
	return times[count/2]
}

// written counts what is written to it.
type written int64

func (w *written) Write(b []byte) (int, error) {
	*w += written(len(b))
	return len(b), nil
}

var _ io.Writer = (*written)(nil)
