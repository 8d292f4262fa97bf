package ledger_test

import (
	"context"
	"fmt"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
)

func TestStatsCountDecisionsAndNobody(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		for i, allowed := range [][3]bool{{true, true, false}, {true, false, false}, {false, false, false}, {true, true, true}} {
			r := yes(visitor())
			r.Time = day.Add(time.Duration(i) * 11 * time.Hour) // the last one is of the next day
			r.Answers = []consent.Answer{
				{Category: consent.Statistics, Provider: "A", Allowed: allowed[0]},
				{Category: consent.Statistics, Provider: "B", Allowed: allowed[1]},
				{Category: consent.ThirdParty, Provider: "C", Allowed: allowed[2]},
			}
			keep(t, l, r)
			r.Reference, r.Evidence.Action = visitor(), consent.ByAccount
			keep(t, l, r) // on another device, by a Restore
		}
		stats, err := l.Stats(context.Background(), ledger.Period{}, ledger.Grouping{}, nil)
		require.NoError(t, err)
		assert.Equal(t, []ledger.Stat{
			{Start: day, Category: consent.Statistics, Decided: 3, Accepted: 1, Partly: 1},
			{Start: day, Category: consent.ThirdParty, Decided: 3},
			{Start: day.AddDate(0, 0, 1), Category: consent.Statistics, Decided: 1, Accepted: 1},
			{Start: day.AddDate(0, 0, 1), Category: consent.ThirdParty, Decided: 1, Accepted: 1},
		}, stats)
		assert.InDelta(t, 1.0/3, stats[0].Rate(), 1e-9)
		assert.Zero(t, ledger.Stat{}.Rate())
	})
}

// inPlaces records decisions around midnight, in two languages, under two laws.
func inPlaces(t *testing.T, l *ledger.Ledger) {
	for _, d := range []struct {
		at       string
		language language.Tag
		regime   consent.Regime
		action   consent.Action
		a, b     bool
	}{
		{"2026-03-28T22:30:00Z", language.French, consent.OptIn, consent.ByBanner, true, true},   // Saturday in Paris
		{"2026-03-28T23:30:00Z", language.French, consent.OptIn, consent.ByForm, true, false},    // Sunday
		{"2026-03-29T21:59:59Z", language.German, consent.OptIn, consent.ByBanner, false, false}, // Sunday, of 23 hours
		{"2026-03-29T22:00:00Z", language.French, consent.OptOut, consent.ByBanner, true, true},  // Monday
		{"2026-03-31T21:59:59Z", language.French, consent.OptIn, "", true, true},                 // Tuesday
		{"2026-03-31T22:00:00Z", language.Und, consent.OptIn, consent.ByBanner, true, true},      // April
	} {
		at, err := time.Parse(time.RFC3339, d.at)
		require.NoError(t, err)
		keep(t, l, consent.Record{
			Reference: visitor(), Time: at, Regime: d.regime, Evidence: consent.Evidence{Action: d.action, Language: d.language},
			Answers: []consent.Answer{{Category: consent.Statistics, Provider: "A", Allowed: d.a}, {Category: consent.ThirdParty, Provider: "B", Allowed: d.b}},
		})
	}
}

func TestStatsCountApartWhatIsAskedFor(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	require.NoError(t, err)
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		inPlaces(t, l)
		for _, test := range []struct {
			by   []ledger.Dimension
			want []string
		}{
			{[]ledger.Dimension{ledger.ByDay}, []string{
				"2026-03-28T00:00:00+01:00: 1 1 0", "2026-03-29T00:00:00+01:00: 2 0 1", "2026-03-30T00:00:00+02:00: 1 1 0",
				"2026-03-31T00:00:00+02:00: 1 1 0", "2026-04-01T00:00:00+02:00: 1 1 0",
			}},
			{[]ledger.Dimension{ledger.ByWeek}, []string{"2026-03-23T00:00:00+01:00: 3 1 1", "2026-03-30T00:00:00+02:00: 3 3 0"}},
			{[]ledger.Dimension{ledger.ByMonth, ledger.ByCategory}, []string{
				"2026-03-01T00:00:00+01:00 statistics: 5 4 0", "2026-03-01T00:00:00+01:00 third-party: 5 3 0",
				"2026-04-01T00:00:00+02:00 statistics: 1 1 0", "2026-04-01T00:00:00+02:00 third-party: 1 1 0",
			}},
			{[]ledger.Dimension{ledger.ByProvider}, []string{"A: 6 5 0", "B: 6 4 0"}},
			{[]ledger.Dimension{ledger.ByLanguage}, []string{": 1 1 0", "de: 1 0 0", "fr: 4 3 1"}},
			{[]ledger.Dimension{ledger.ByRegime, ledger.ByAction}, []string{" opt-in: 1 1 0", "banner opt-in: 3 2 0", "banner opt-out: 1 1 0", "form opt-in: 1 0 1"}},
		} {
			stats, err := l.Stats(context.Background(), ledger.Period{}, ledger.Grouping{By: test.by, Location: paris}, nil)
			require.NoError(t, err)
			var got []string
			for _, s := range stats {
				group := ""
				for _, part := range []string{start(s), string(s.Category), s.Provider, s.Language, string(s.Action), s.Regime} {
					if part != "" {
						group += " " + part
					}
				}
				if len(test.by) == 2 && s.Action == "" && s.Regime != "" {
					group = " " + group
				}
				got = append(got, fmt.Sprintf("%s: %d %d %d", group[min(1, len(group)):], s.Decided, s.Accepted, s.Partly))
			}
			assert.Equal(t, test.want, got, test.by)
		}
		utc, err := l.Stats(context.Background(), ledger.Period{}, ledger.Grouping{By: []ledger.Dimension{ledger.ByDay}}, nil)
		require.NoError(t, err)
		assert.Len(t, utc, 3, "in UTC it is the 28th, the 29th and the 31st")
	})
}

func start(s ledger.Stat) string {
	if s.Start.IsZero() {
		return ""
	}
	return s.Start.Format(time.RFC3339)
}

func TestAGroupingThatMeansNothingIsRefusedWithEveryMistake(t *testing.T) {
	l := begin(t, lite(t))
	_, err := l.Stats(context.Background(), ledger.Period{}, ledger.Grouping{By: []ledger.Dimension{ledger.ByDay, "hour", ledger.ByMonth, ledger.ByCategory, ledger.ByCategory}}, nil)
	assert.ErrorContains(t, err, `"hour" is none of day, week, month, category, provider, language, action, regime`)
	assert.ErrorContains(t, err, `"day" and "month" exclude each other`)
	assert.ErrorContains(t, err, `"category" stands here twice`)
}

func TestStatsRefuseMoreGroupsThanTheyCanHold(t *testing.T) {
	l := begin(t, lite(t))
	for day := range 102 {
		answers := make([]consent.Answer, 1000)
		for i := range answers {
			answers[i] = consent.Answer{Category: consent.ThirdParty, Provider: fmt.Sprint(i)}
		}
		l.RecordLater(consent.Record{Reference: visitor(), Time: time.Date(2026, 1, 1+day, 0, 0, 0, 0, time.UTC), Answers: answers})
	}
	require.Eventually(t, func() bool { return l.Figures().Waiting == 0 }, time.Minute, time.Millisecond)
	byProvider := ledger.Grouping{By: []ledger.Dimension{ledger.ByDay, ledger.ByProvider}}
	_, err := l.Stats(context.Background(), ledger.Period{}, byProvider, nil)
	assert.ErrorContains(t, err, "more than 100000 groups")
	stats, err := l.Stats(context.Background(), ledger.Period{Until: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}, byProvider, nil)
	require.NoError(t, err)
	assert.Len(t, stats, 59_000)
}
