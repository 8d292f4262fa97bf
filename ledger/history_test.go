package ledger_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
)

func TestNothingIsForgottenInAHistory(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		a := visitor()
		first, second := yes(a), no(a)
		second.Time = first.Time.Add(-time.Hour)
		keep(t, l, first)
		keep(t, l, yes(visitor()))
		keep(t, l, second)

		history, err := l.History(context.Background(), a)
		require.NoError(t, err)
		require.Len(t, history.Entries, 2)
		e := history.Entries[0]
		assert.Equal(t, first.Time, e.Time)
		assert.Equal(t, a.String(), e.Reference)
		assert.Equal(t, first.Answers, e.Answers)
		assert.Equal(t, first.Revision, e.Revision)
		assert.Equal(t, consent.ByBanner, e.Action)
		assert.Equal(t, "fr-CH", e.Language)
		assert.True(t, e.GPC && !e.Objection && e.Regime == consent.OptOut)
		assert.Empty(t, e.Previous)
		assert.Equal(t, e.ID, history.Entries[1].Previous)
		assert.True(t, history.Entries[1].Objection)
		assert.JSONEq(t, string(notice.Content()), string(history.Notices[e.Notice]))

		text, err := json.Marshal(history)
		require.NoError(t, err)
		var read ledger.History
		require.NoError(t, json.Unmarshal(text, &read))
		assert.Equal(t, history.Entries, read.Entries)

		_, err = l.History(context.Background(), visitor())
		assert.ErrorIs(t, err, ledger.ErrNoRecord)
		_, err = l.History(context.Background(), consent.Reference{})
		assert.ErrorIs(t, err, ledger.ErrNoRecord)
	})
}

func TestNothingLeaksIntoThePageOfAHistory(t *testing.T) {
	l := begin(t, filepath.Join(t.TempDir(), "consent.db"))
	a := visitor()
	record := yes(a)
	record.Evidence.Action = `"><script>alert(2)</script>`
	keep(t, l, record)
	record = no(a)
	record.Time = record.Time.Add(-time.Hour)
	record.Evidence.Notice = nil
	keep(t, l, record)
	history, err := l.History(context.Background(), a)
	require.NoError(t, err)
	var page bytes.Buffer
	require.NoError(t, history.WritePage(&page))

	root, err := html.Parse(bytes.NewReader(page.Bytes()))
	require.NoError(t, err)
	ids := make(map[string]bool)
	refers := make(map[string]bool)
	levels := 0
	for node := range root.Descendants() {
		if node.Type != html.ElementNode {
			continue
		}
		assert.NotContains(t, []string{"script", "img", "link", "b"}, node.Data, "a notice is shown as text")
		if node.Data == "h1" {
			levels++
		}
		for _, a := range node.Attr {
			switch a.Key {
			case "id":
				assert.False(t, ids[a.Val], "twice: "+a.Val)
				ids[a.Val] = true
			case "aria-labelledby":
				refers[a.Val] = true
			case "href":
				refers[strings.TrimPrefix(a.Val, "#")] = true
			}
		}
	}
	assert.Equal(t, 1, levels)
	for id := range refers {
		assert.True(t, ids[id], id)
	}
	for _, shown := range []string{a.String(), "Voulez-vous &lt;script&gt;", "<td>statistics</td>", "allowed", "objected to", "fr-CH", `lang="fr"`, "Reconnaît un visiteur.", "A clock was wrong", "none was recorded"} {
		assert.Contains(t, page.String(), shown)
	}
}

func TestNothingIsLostInAnExport(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		var records []consent.Record
		for i := range 5 {
			r := decision(visitor(), i%2 == 0)
			r.Time = day.AddDate(0, 0, i)
			records = append(records, r)
			keep(t, l, r)
		}
		_, err := l.Forget(context.Background(), records[2].Reference)
		require.NoError(t, err)

		var lines bytes.Buffer
		period := ledger.Period{From: day.AddDate(0, 0, 1), Until: day.AddDate(0, 0, 4)}
		require.NoError(t, l.Export(context.Background(), &lines, ledger.JSONLines, period, nil))
		var entries []ledger.Entry
		for decoder := json.NewDecoder(&lines); decoder.More(); {
			var e ledger.Entry
			require.NoError(t, decoder.Decode(&e))
			if e.ID != "" && e.Act == nil {
				entries = append(entries, e)
			}
		}
		require.Len(t, entries, 3)
		assert.Equal(t, records[1].Reference.String(), entries[0].Reference)
		assert.Equal(t, records[1].Answers, entries[0].Answers)
		assert.Equal(t, records[2].Time, entries[1].Time)
		assert.NotNil(t, entries[1].Forgotten)
		assert.Empty(t, entries[1].Reference)

		var table bytes.Buffer
		require.NoError(t, l.Export(context.Background(), &table, ledger.CSV, ledger.Period{}, nil))
		rows, err := csv.NewReader(&table).ReadAll()
		require.NoError(t, err)
		require.Len(t, rows, 6)
		assert.Equal(t, []string{"id", "time", "reference"}, rows[0][:3])
		assert.Equal(t, []string{"2026-03-01T00:00:00Z", records[0].Reference.String(), "1"}, rows[1][1:4])
		assert.NotEmpty(t, rows[3][13], "forgotten")

		assert.Error(t, l.Export(context.Background(), &table, "xml", ledger.Period{}, nil))
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		require.NoError(t, err)
		defer full.Close()
		assert.Error(t, l.Export(context.Background(), full, ledger.CSV, ledger.Period{}, nil))
		assert.Error(t, l.Export(context.Background(), full, ledger.JSONLines, ledger.Period{}, nil))
	})
}

func TestNothingLeaksOfAVisitorWhoIsForgotten(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		a, b := visitor(), visitor()
		secret := yes(a)
		secret.Evidence.Action = "a-most-telling-action"
		for range 3 {
			keep(t, l, secret)
			keep(t, l, yes(b))
		}
		users, err := l.Users(make([]byte, 32))
		require.NoError(t, err)
		require.NoError(t, users.Link(context.Background(), a, secret.Time, "42"))

		erased, err := l.Forget(context.Background(), a)
		require.NoError(t, err)
		assert.EqualValues(t, 3, erased)
		report := verified(t, l)
		assert.EqualValues(t, 3, report.Forgotten)
		assert.EqualValues(t, 3, report.Records)
		_, err = l.History(context.Background(), a)
		assert.ErrorIs(t, err, ledger.ErrNoRecord)
		_, err = users.Latest(context.Background(), "42")
		assert.ErrorIs(t, err, ledger.ErrNoRecord)
		references, err := users.References(context.Background(), "42")
		assert.NoError(t, err)
		assert.Empty(t, references)

		keep(t, l, yes(a))
		erased, err = l.Forget(context.Background(), visitor())
		require.NoError(t, err)
		assert.Zero(t, erased)
		assert.EqualValues(t, 4, verified(t, l).Records, "who comes back decides anew")

		if isSQLite(url) {
			_, err := l.Forget(context.Background(), a)
			require.NoError(t, err)
			finish(t, l)
			for _, file := range []string{url, url + "-wal"} {
				content, err := os.ReadFile(file)
				if !os.IsNotExist(err) {
					require.NoError(t, err)
				}
				assert.False(t, bytes.Contains(content, a[:]), "%s holds the reference", file)
				assert.NotContains(t, string(content), "a-most-telling-action", file)
			}
		}
	})
}

func TestNothingIsLostByAPurgeButWhatIsOld(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		a, b := visitor(), visitor()
		record := func(r consent.Reference, days int) {
			d := yes(r)
			d.Time = day.AddDate(0, 0, days)
			keep(t, l, d)
		}
		for i := range 4 {
			record(a, i)
		}
		record(b, 0)
		record(visitor(), 3)
		_, err := l.Forget(context.Background(), b)
		require.NoError(t, err)

		reported := int64(0)
		purged, err := l.Purge(context.Background(), day.AddDate(0, 0, 2), func(records int64) { reported = records })
		require.NoError(t, err)
		assert.EqualValues(t, 3, purged)
		assert.EqualValues(t, 3, reported)
		report := verified(t, l)
		assert.EqualValues(t, 3, report.Records)
		assert.EqualValues(t, 3, report.Purged)
		assert.Zero(t, report.Forgotten)
		history, err := l.History(context.Background(), a)
		require.NoError(t, err)
		assert.EqualValues(t, 3, history.Entries[0].Number, "what is left keeps its number")

		keep(t, l, yes(b))
		next := yes(a)
		next.Previous = day.AddDate(0, 0, 3)
		keep(t, l, next)
		history, err = l.History(context.Background(), a)
		require.NoError(t, err)
		assert.EqualValues(t, 5, history.Entries[2].Number, "what comes goes on from there")
		purged, err = l.Purge(context.Background(), day.AddDate(0, 0, 2), nil)
		require.NoError(t, err)
		assert.Zero(t, purged)
		finish(t, l)
		l = begin(t, url)
		verified(t, l)
		execute(t, url, "DELETE FROM consent_record WHERE n = 4")
		report, err = l.Verify(context.Background(), nil)
		require.NoError(t, err)
		assert.False(t, report.OK(), "a purge excuses nothing that is newer")
	})
}

func TestNothingIsInventedByAPurgeThatFails(t *testing.T) {
	url := lite(t)
	l := begin(t, url)
	for range 3 {
		keep(t, l, yes(visitor()))
	}
	execute(t, url, "CREATE TRIGGER stop BEFORE INSERT ON consent_record WHEN NEW.act LIKE '%purge%' BEGIN SELECT RAISE(ABORT, 'no'); END")
	count, err := l.Purge(context.Background(), time.Now().Add(time.Hour), nil)
	assert.Error(t, err)
	assert.Zero(t, count, "what stands was not purged")
	execute(t, url, "DROP TRIGGER stop")
}

func TestNothingLeaksOfAUserOfWhomAPurgeLeavesNothing(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		users, err := l.Users(make([]byte, 32))
		require.NoError(t, err)
		old, new := yes(visitor()), yes(visitor())
		old.Time = time.UnixMilli(1)
		for user, record := range map[string]consent.Record{"old": old, "new": new} {
			keep(t, l, record)
			require.NoError(t, users.Link(context.Background(), record.Reference, record.Time, user))
		}
		_, err = l.Purge(context.Background(), new.Time, nil)
		require.NoError(t, err)
		for user, left := range map[string]int{"old": 0, "new": 1} {
			references, err := users.References(context.Background(), user)
			require.NoError(t, err)
			assert.Len(t, references, left, user)
		}
	})
}

func TestNothingIsLostWhereTwoPurgeAtOnce(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l, other := begin(t, url), begin(t, url)
		for range 20 {
			old := yes(visitor())
			old.Time = time.UnixMilli(1)
			l.RecordLater(old)
		}
		keep(t, l, yes(visitor()))
		counts := make(chan int64, 2)
		for _, l := range []*ledger.Ledger{l, other} {
			go func() {
				count, err := l.Purge(context.Background(), time.UnixMilli(1000), nil)
				assert.NoError(t, err)
				counts <- count
			}()
		}
		assert.EqualValues(t, 20, <-counts+<-counts)
		assert.EqualValues(t, 1, verified(t, l).Records)
	})
}
