package calendar_test

import (
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/ledger/internal/calendar"
)

func place(t *testing.T, name string) *time.Location {
	t.Helper()
	location, err := time.LoadLocation(name)
	require.NoError(t, err)
	return location
}

func TestADayBeginsWhenTheClocksSaySo(t *testing.T) {
	for _, test := range []struct{ place, date, begins string }{
		{"UTC", "2026-03-31", "2026-03-31T00:00:00Z"},
		{"Europe/Paris", "2026-03-29", "2026-03-28T23:00:00Z"},
		{"Europe/Paris", "2026-03-30", "2026-03-29T22:00:00Z"},
		{"America/Havana", "2026-03-08", "2026-03-08T05:00:00Z"},    // from 00:00 to 01:00
		{"America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"},    // from 01:00 back to 00:00
		{"Asia/Amman", "2021-10-29", "2021-10-28T21:00:00Z"},        // the same
		{"Atlantic/Azores", "2026-10-25", "2026-10-25T00:00:00Z"},   // the same
		{"America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"}, // from 00:00 to 01:00
		{"Asia/Kathmandu", "2026-03-31", "2026-03-30T18:15:00Z"},
		{"Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"}, // the day before was left out
		{"Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"}, // which was no day
	} {
		day, err := time.Parse(time.DateOnly, test.date)
		require.NoError(t, err)
		begins := calendar.FirstMoment(day.Year(), day.Month(), day.Day(), place(t, test.place))
		assert.Equal(t, test.begins, begins.UTC().Format(time.RFC3339), "%s, %s", test.place, test.date)
	}
}

// Hour by hour, whatever the clocks do: a moment lies in the span that begins last before
// it, and the date of a day is the one on the clocks.
func TestEveryMomentLiesInItsSpan(t *testing.T) {
	for _, name := range []string{"UTC", "Europe/Paris", "America/Havana", "Asia/Beirut", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "America/St_Johns"} {
		location := place(t, name)
		day, week, month := &calendar.Calendar{Span: calendar.Day, Location: location}, &calendar.Calendar{Span: calendar.Week, Location: location}, &calendar.Calendar{Span: calendar.Month, Location: location}
		var last time.Time
		for at := time.Date(2011, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2012; at = at.Add(30 * time.Minute) {
			d, w, m := day.Start(at.UnixMilli()), week.Start(at.UnixMilli()), month.Start(at.UnixMilli())
			in := at.In(location)
			year, number := in.ISOWeek()
			ofYear, ofNumber := w.ISOWeek()
			date := in.Day() == d.Day() && in.Month() == d.Month() && in.Year() == d.Year()
			first := in.Month() == m.Month() && m.Day() == 1
			monday := year == ofYear && number == ofNumber && w.Weekday() == time.Monday
			if !date || !first || !monday || d.After(at) || w.After(d) || m.After(d) || d.Before(last) {
				require.Failf(t, "not its span", "%s, %v: day %v, week %v, month %v", name, at, d, w, m)
			}
			last = d
		}
	}
}
