package setcookie_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent/internal/cases"
	"github.com/cookiecharter/consent/internal/setcookie"
)

var today = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func now() setcookie.Clock { return setcookie.ClockOf(today, nil) }

// clockOf returns what a row's line has to be read with.
func clockOf(r cases.Row) func() setcookie.Clock {
	return func() setcookie.Clock { return setcookie.ClockOf(today, r.Dates) }
}

func readRows(t testing.TB) []cases.Row { return cases.ReadRows(t, "testdata/lines.txt") }

func TestNothingLeaksThroughALineThatABrowserStores(t *testing.T) {
	for _, r := range readRows(t) {
		reading := setcookie.Read(r.Line, clockOf(r))
		for _, o := range []cases.Outcome{r.Chromium, r.Firefox} {
			if o.Does != "sends" {
				continue
			}
			if reading.Deletion == setcookie.Sure || reading.Deletion == setcookie.Recent && r.Dates == nil {
				t.Errorf("testdata/lines.txt:%d: %s is read as a deletion, but a browser then sends %s", r.Number, r.Written, o)
			}
			if !reading.Readable {
				continue
			}
			name, _, named := strings.Cut(o.Sent, "=")
			names := []string{name}
			if !named || !strings.Contains(r.Line, "=") {
				names = append(names, "")
			}
			for _, name := range names {
				if !slices.Contains(reading.Names(), name) {
					t.Errorf("testdata/lines.txt:%d: %s is read as %q, but a browser then sends %s", r.Number, r.Written, reading.Names(), o)
				}
			}
		}
	}
}

// denied are deletions that are not read as such: no site is known to write
// these dates, and they are close to others that Firefox stores; and a few more.
var denied = []string{
	`a=b; Expires=junk 06 Nov 1994 08:49:37`,
	`a=b; Expires=Sun, 06 Nov 1994 (08:49:37)`,
	`a=b; Expires=(Sun) 06 Nov 1994 08:49:37`,
	`a=b; Expires=06 - Nov - 1994 08:49:37`,
	`a=b; Expires=06- Nov-1994 08:49:37`,
	`a=b; Expires=06 Nov 1994 +08:49:37`,
	`a=b; Expires=06 Nov 1994.08:49:37`,
	`a=b; Expires=08:49:37.123 06 Nov 1994`,
	`a=b; Expires=1994/Nov/06 08:49:37`,
	`a=b; Expires=Sun-06-Nov-1994 08:49:37`,
	`a=b; Expires=08:49:37/06/Nov/1994`,
	`a=b; Expires=06 07 Nov 1994 08:49:37`,
	`a=b; Expires=08:49:37 09:00:00 06 Nov 1994`,
	`a=b; Expires=Dec 06 Nov 1994 08:49:37`,
	`a=b; Expires="Sun" 06 Nov 1994 08:49:37`,
	`a=b; Expires=06 Nov 1994 "08:49:37"`,
	`a=b; Expires=06 Nov/08:49:37 1994`,
	`a=b; Expires=06 Nov Sun-1994 08:49:37`,
	`a=b; Expires=Sun-06 Nov 1994 08:49:37`,
	`a=b; Expires=06 94 Nov 08:49:37`,
	`a=b; Expires=06 Nov 01994 08:49:37`,
	`a=b; Expires=0008:49:37 06 Nov 1994`,
	`a=b; Expires=06 08:49:37-Nov-1994`,
	`a=b; Expires=Nov-06 1994 08:49:37`,
	`a=b; Expires=1994 06-Nov 08:49:37`,
	`a=b; Expires=06 Nov 1994 08:49:37+x`,
	`a=b; Expires=06 Nov 1994 08:49:37-`,
	`a=b; Expires=06 Nov +0100 1994 08:49:37`,
	`a=b; Expires=06 Nov 1994 Nov 08:49:37`,
	`a=b; Expires=Sun (CET) 06 Nov 1994 08:49:37`,
	`a=b; Expires=1st, 06 Nov 1994 08:49:37`,
	`a=b; Expires=06 12 Nov 1994 08:49:37`,
	`a=b; Expires=06 Nov (1994) 08:49:37`,
	`a=b; Expires=-Sun 06 Nov 1994 08:49:37`,
	`a=b; Expires=06 Nov 1994_08:49:37`,
	`a=b; Max-Age=+0; Expires=Thu, 01 Jan 1970`, // each for a reason of its own
	`a=b; Expires=6 Nov 1994 8:9:7 ` + strings.Repeat("+", 400),
	`a=b; Expires=6 Nov 1994 8:9:7 ` + strings.Repeat("+", 990),

	// Safari may read on to the end of the quotes.
	`a="b; Max-Age=0`,
	`a="b; Max-Age=0; c"`,
	`a=b"c; Max-Age=0`,
	`"a=b; Max-Age=0`,
	`a="b"c"; Max-Age=0`,
	`a="b; Expires=Thu, 01 Jan 1970 00:00:01 GMT; c"`,
	`a=b; Comment="c; Max-Age=0; d"`,
	`a=b; Path="/; Max-Age=0`,

	// The Date has a time zone 99 hours to the west.
	`a=b; Expires=Thu, 10 Nov 1994 08:49:37 GMT`,
}

// folded are lines in which who reads the field as a list finds several cookies.
// These two browsers do not, and Safari did.
var folded = map[string][]string{
	`a=b, c=d`:                           {"a", "c"},
	"a=b,\t_c=d":                         {"a", "_c"},
	`a=b,  c = d`:                        {"a", "c"},
	`a=b,, c=d`:                          {"a", "c"},
	`a=, c=d`:                            {"a", "c"},
	`a, c=d`:                             {"a, c", "a", "c"},
	`, c=d`:                              {", c", "", "c"},
	`a=b, c=d, e=f, c=g`:                 {"a", "c", "e"},
	`a=b, Max-Age=0`:                     {"a", "Max-Age"},
	`a="b, c=d"`:                         {"a", "c"}, // Safari 3 did not know quotes
	`a=b; SameSite=Lax, c=d`:             {"a", "c"},
	`a=b, c=d; Max-Age=0`:                {"a", "c"},
	`a=; Path=/; Max-Age=0, c=d`:         {"a", "c"},
	`a=; Max-Age=0; Path=/, c=d`:         {"a", "c"},
	`sessionid=1; HttpOnly, _ga=2`:       {"sessionid", "_ga"},
	`sessionid=1; Path=/, _ga=2`:         {"sessionid", "_ga"},
	`sessionid=1; Path=/, _ga=2; Path=/`: {"sessionid", "_ga"},
	`sessionid=1; Expires=Fri, 01 Jan 2100 00:00:00 GMT, _ga=2`:                              {"sessionid", "_ga"},
	`sessionid=1; Expires=Fri, 01-Jan-2100 00:00:00 GMT; Path=/, _ga=2; Path=/, csrftoken=3`: {"sessionid", "_ga", "csrftoken"},
	`a=; Expires=Thu, 01 Jan 1970 00:00:01 GMT, c=d`:                                         {"a", "c"},
	`a=1, b=2, c=3, d=4, e=5, f=6, g=7`:                                                      {"a", "b", "c", "d", "e", "f", "g"},
	`a=1, b=2, c=3, d=4, e=5, f=6, g=7, h=8`:                                                 {"a", "b", "c", "d", "e", "f", "g", "h"},
	`a=1, b=2, c=3, d=4, e=5, f=6, g=7, h=8, i=9`:                                            nil,
}

func TestNothingLeaksThroughALineThatIsReadAsAList(t *testing.T) {
	rows := make(map[string]bool)
	for _, r := range readRows(t) {
		rows[r.Line] = true
	}
	for line, names := range folded {
		reading := setcookie.Read(line, now)
		assert.ElementsMatch(t, names, reading.Names(), line)
		assert.Equal(t, names != nil, reading.Readable, line)
		assert.Equal(t, setcookie.NoDeletion, reading.Deletion, line)
		assert.True(t, rows[line], "testdata/lines.txt has no row for %s", line)
	}
}

func TestNothingLeaksThroughAQuoteThatSafariReadsOn(t *testing.T) {
	for line, want := range map[string]setcookie.Deletion{
		`a="b; Max-Age=0; c"`:            setcookie.NoDeletion,
		`a="b; Max-Age=0`:                setcookie.NoDeletion,
		`a=b; Comment="c; Max-Age=0; d"`: setcookie.NoDeletion,
		`a="b"; Max-Age=0`:               setcookie.Sure,
		`a=""; Max-Age=0`:                setcookie.Sure,
	} {
		assert.Equal(t, want, setcookie.Read(line, now).Deletion, line)
	}
}

func TestNothingIsLostOfWhatBrowsersAgreeOn(t *testing.T) {
	for _, r := range readRows(t) {
		reading := setcookie.Read(r.Line, clockOf(r))
		deleted := r.Chromium.Does == "deleted" && r.Firefox.Does == "deleted"
		_, list := folded[r.Line]
		if deleted && (reading.Deletion != setcookie.NoDeletion) == (list || slices.Contains(denied, r.Line)) {
			t.Errorf("testdata/lines.txt:%d: %s is not read as a deletion", r.Number, r.Written)
		}
		name, _, named := strings.Cut(r.Firefox.Sent, "=")
		if r.Firefox.Does == "sends" && r.Chromium == r.Firefox && named && !list && !slices.Equal(reading.Names(), []string{name}) {
			t.Errorf("testdata/lines.txt:%d: %s is read as %q, not as the name that browsers agree on", r.Number, r.Written, reading.Names())
		}
	}
}

func TestNothingIsLostOfADeletionOnAnyDay(t *testing.T) {
	for day := time.Date(1970, 1, 1, 23, 59, 59, 0, time.UTC); day.Year() < 1972; day = day.AddDate(0, 0, 1) {
		for _, form := range []string{http.TimeFormat, "Monday, 02-Jan-06 15:04:05 GMT", time.ANSIC} {
			line := "a=; Expires=" + day.Format(form)
			assert.Equal(t, setcookie.Sure, setcookie.Read(line, now).Deletion, line)
		}
	}
}

func TestNothingIsInventedOfALineWithoutNameAndValue(t *testing.T) {
	for _, line := range []string{"", " ", "=", "\t= ", ";", " = ; Path=/", "; Max-Age=0", "=; Max-Age=0"} {
		reading := setcookie.Read(line, now)
		assert.False(t, reading.Readable, "%q", line)
		assert.Equal(t, setcookie.NoDeletion, reading.Deletion, "%q", line)
	}
}

func TestNothingLeaksThroughALineWithAControlCharacter(t *testing.T) {
	for c := range 0x100 {
		control := c < ' ' && c != '\t' || c == 0x7F
		for before := range 9 {
			for _, beside := range []string{"b", " ", "\t", "~", "\x80", "\xFF"} {
				for _, pair := range []string{"a=", "a=b; Max-Age=0; X="} {
					line := pair + strings.Repeat(beside, before) + string([]byte{byte(c)}) + strings.Repeat(beside, 9)
					if setcookie.Read(line, now).Readable == control {
						t.Errorf("%q: control character %v", line, control)
					}
				}
			}
		}
	}
}

func TestNothingLeaksWhereAClockIsWrong(t *testing.T) {
	for _, test := range []struct {
		ago  time.Duration
		want setcookie.Deletion
	}{
		{-time.Hour, setcookie.NoDeletion},
		{-time.Second, setcookie.NoDeletion},
		{0, setcookie.Recent},
		{time.Second, setcookie.Recent},
		{167 * time.Hour, setcookie.Recent},
		{168 * time.Hour, setcookie.Sure},
		{1000 * time.Hour, setcookie.Sure},
	} {
		line := "a=; Path=/; Expires=" + today.Add(-test.ago).Format("Mon, 02 Jan 2006 15:04:05 GMT")
		reading := setcookie.Read(line, now)
		assert.Equal(t, test.want, reading.Deletion, line)
		if test.want == setcookie.Recent {
			reading = setcookie.Read(line+"; Max-Age=0", now)
			assert.Equal(t, setcookie.Sure, reading.Deletion, line)
		}
	}
}

func TestNothingLeaksWhereAResponseIsDatedWrong(t *testing.T) {
	past, later := today.Add(-1000*time.Hour), today.Add(time.Hour)
	shift := 5 * 24 * time.Hour
	for _, test := range []struct {
		dates []string
		want  setcookie.Clock
	}{
		{nil, setcookie.Clock{Earliest: today, Latest: today}},
		{[]string{past.Format(http.TimeFormat)}, setcookie.Clock{Earliest: past, Latest: past}},
		{[]string{past.Format(time.ANSIC)}, setcookie.Clock{Earliest: past.Add(-shift), Latest: past}},
		{[]string{past.Format(time.RFC1123Z)}, setcookie.Clock{Earliest: past.Add(-shift), Latest: past}},
		{[]string{later.Format(http.TimeFormat)}, setcookie.Clock{Earliest: today, Latest: today}},
		{[]string{later.Format(time.ANSIC)}, setcookie.Clock{Earliest: today.Add(-shift), Latest: today}},
		{[]string{today.Format(http.TimeFormat), past.Format(http.TimeFormat)}, setcookie.Clock{Earliest: past, Latest: today}},
		{[]string{past.Format(http.TimeFormat), today.Format(http.TimeFormat)}, setcookie.Clock{Earliest: past, Latest: today}},
		{[]string{past.Format(time.RFC3339)}, setcookie.Clock{Latest: today}}, // Chromium reads it, Firefox does not
		{[]string{past.Format(http.TimeFormat), "junk"}, setcookie.Clock{Latest: today}},
		{[]string{""}, setcookie.Clock{Latest: today}},
	} {
		assert.Equal(t, test.want, setcookie.ClockOf(today, test.dates), test.dates)
	}
	unknown := func() setcookie.Clock { return setcookie.ClockOf(today, []string{"junk"}) }
	for line, want := range map[string]setcookie.Deletion{
		"a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT":            setcookie.Recent,
		"a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0": setcookie.Sure,
		"a=; Expires=Fri, 01 Jan 2100 00:00:00 GMT":            setcookie.NoDeletion,
	} {
		assert.Equal(t, want, setcookie.Read(line, unknown).Deletion, line)
	}
}

func TestReadAllocatesNothing(t *testing.T) {
	for _, line := range []string{
		"sessionid=abc; Path=/; HttpOnly; SameSite=Lax",
		"a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/",
		"_ga",
	} {
		assert.Zero(t, testing.AllocsPerRun(100, func() {
			reading := setcookie.Read(line, now)
			for _, name := range reading.Names() {
				if name == "never" {
					t.Fail()
				}
			}
		}), line)
	}
}

func nextWeek() setcookie.Clock { return setcookie.ClockOf(today.Add(200*time.Hour), nil) }

func FuzzRead(f *testing.F) {
	for _, r := range readRows(f) {
		f.Add(r.Line)
	}
	f.Add("=a =b")
	f.Fuzz(func(t *testing.T, line string) {
		r := setcookie.Read(line, now)
		for _, name := range r.Names() {
			if !strings.Contains(line, name) || name != strings.Trim(name, " \t") || strings.ContainsAny(name, ";=\x00\n") {
				t.Errorf("%q has the name %q", line, name)
			}
		}
		for i, name := range r.Names() {
			if slices.Contains(r.Names()[:i], name) {
				t.Errorf("%q has the name %q twice", line, name)
			}
		}
		if r.Readable != (len(r.Names()) > 0) {
			t.Errorf("%q is readable: %t, and has %d names", line, r.Readable, len(r.Names()))
		}
		// Blanks before a line change nothing, nor does an attribute that
		// nobody knows, if it does not come to stand in quotes.
		padded := setcookie.Read(" \t"+line+"; X=y", now)
		if len(line) < 1000 && !strings.Contains(line, `"`) && (padded.Deletion != r.Deletion || !slices.Equal(padded.Names(), r.Names())) {
			t.Errorf("%q is read as %v, with blanks before it as %v", line, r, padded)
		}
		sure := setcookie.Read(line+"; Max-Age=0", now)
		if r.Readable && (r.Deletion != setcookie.NoDeletion || !strings.Contains(line, ",")) && !strings.Contains(line, `"`) && sure.Deletion != setcookie.Sure {
			t.Errorf("%q with Max-Age=0 is no sure deletion", line)
		}
		// Whatever net/http reads, browsers store under that name.
		if c, err := http.ParseSetCookie(line); err == nil && r.Readable && !slices.Contains(r.Names(), c.Name) {
			t.Errorf("%q is read as %q, by net/http as %q", line, r.Names(), c.Name)
		}
		// Later is more past: what deletes today deletes tomorrow.
		if later := setcookie.Read(line, nextWeek); r.Deletion != setcookie.NoDeletion && later.Deletion != setcookie.Sure {
			t.Errorf("%q deletes now, and later it does not", line)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	for name, line := range map[string]string{
		"cookie":   "sessionid=0123456789abcdef; Path=/; HttpOnly; Secure; SameSite=Lax",
		"dated":    "_ga=GA1.1.2.3; Path=/; Expires=Fri, 01 Jan 2100 00:00:00 GMT",
		"deletion": "a=; Path=/; Max-Age=0",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				setcookie.Read(line, now)
			}
		})
	}
}
