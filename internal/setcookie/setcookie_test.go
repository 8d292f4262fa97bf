package setcookie_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent/internal/setcookie"
)

var today = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func now() time.Time { return today }

// now is what the row's line has to be read with.
func (r row) now() time.Time { return setcookie.Earliest(today, r.dates) }

func TestNothingLeaksThroughALineThatABrowserStores(t *testing.T) {
	for _, r := range readRows(t) {
		reading := setcookie.Read(r.line, r.now)
		for _, o := range []outcome{r.chromium, r.firefox} {
			if o.does != "sends" {
				continue
			}
			if reading.Deletion != setcookie.NoDeletion {
				t.Errorf("testdata/lines.txt:%d: %s is read as a deletion, but a browser then sends %s", r.number, r.written, o)
			}
			if !reading.Readable {
				continue
			}
			name, _, named := strings.Cut(o.sent, "=")
			names := []string{name}
			if !named || !strings.Contains(r.line, "=") {
				names = append(names, "")
			}
			for _, name := range names {
				if !slices.Contains(reading.Names(), name) {
					t.Errorf("testdata/lines.txt:%d: %s is read as %q, but a browser then sends %s", r.number, r.written, reading.Names(), o)
				}
			}
		}
	}
}

// denied are deletions that are not read as such: no site is known to write
// these dates, and they are close to others that Firefox stores.
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
	`a=b; Expires='Sun, 06 Nov 1994 08:49:37'`,
	`a=b; Expires=06 Nov 1994 "08:49:37"`,
	`a=b; Expires=06 Nov/08:49:37 1994`,
	`a=b; Expires=06 Nov Sun-1994 08:49:37`,
	`a=b; Expires=Sun-06 Nov 1994 08:49:37`,
}

func TestNothingIsLostOfWhatBrowsersAgreeOn(t *testing.T) {
	for _, r := range readRows(t) {
		reading := setcookie.Read(r.line, r.now)
		deleted := r.chromium.does == "deleted" && r.firefox.does == "deleted"
		if deleted && (reading.Deletion != setcookie.NoDeletion) == slices.Contains(denied, r.line) {
			t.Errorf("testdata/lines.txt:%d: %s is not read as a deletion", r.number, r.written)
		}
		name, _, named := strings.Cut(r.firefox.sent, "=")
		if r.firefox.does == "sends" && r.chromium == r.firefox && named && !slices.Equal(reading.Names(), []string{name}) {
			t.Errorf("testdata/lines.txt:%d: %s is read as %q, not as the name that browsers agree on", r.number, r.written, reading.Names())
		}
	}
}

// Some browser may not understand these dates, or not as dates of the past.
func TestNothingLeaksThroughADateThatABrowserMayReadOtherwise(t *testing.T) {
	for _, date := range []string{
		"06 94 Nov 08:49:37",
		"06 Nov 01994 08:49:37",
		"0008:49:37 06 Nov 1994",
		"06 Nov 1994 24:00:00",
		"06 Nov 1994 08:60:00",
		"06 Nov 1994 08:49:60",
		"06 08:49:37-Nov-1994",
		"Nov-06 1994 08:49:37",
		"1994 06-Nov 08:49:37",
		"06 Nov 1994 08:49:37+x",
		"06 Nov 1994 08:49:37-",
	} {
		assert.Equal(t, setcookie.NoDeletion, setcookie.Read("a=b; Expires="+date, now).Deletion, date)
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
	past := today.Add(-1000 * time.Hour)
	for _, test := range []struct {
		dates []string
		want  time.Time
	}{
		{nil, today},
		{[]string{past.Format(http.TimeFormat)}, past},
		{[]string{past.Format(time.ANSIC)}, past},
		{[]string{today.Add(time.Hour).Format(http.TimeFormat)}, today},
		{[]string{today.Format(http.TimeFormat), past.Format(http.TimeFormat)}, past},
		{[]string{past.Format(http.TimeFormat), today.Format(http.TimeFormat)}, past},
		{[]string{today.Add(-time.Hour).Format(http.TimeFormat), past.Format(http.TimeFormat)}, past},
		{[]string{past.Format(time.RFC3339)}, time.Time{}}, // Chromium reads it, Firefox does not
		{[]string{today.Format(http.TimeFormat), "junk"}, time.Time{}},
	} {
		assert.Equal(t, test.want, setcookie.Earliest(today, test.dates), test.dates)
	}
	unknown := func() time.Time { return setcookie.Earliest(today, []string{"junk"}) }
	line := "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
	assert.Equal(t, setcookie.NoDeletion, setcookie.Read(line, unknown).Deletion)
	assert.Equal(t, setcookie.Sure, setcookie.Read(line+"; Max-Age=0", unknown).Deletion)
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

func nextWeek() time.Time { return today.Add(200 * time.Hour) }

func FuzzRead(f *testing.F) {
	for _, r := range readRows(f) {
		f.Add(r.line)
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
		// nobody knows.
		padded := setcookie.Read(" \t"+line+"; X=y", now)
		if len(line) < 1000 && (padded.Deletion != r.Deletion || !slices.Equal(padded.Names(), r.Names())) {
			t.Errorf("%q is read as %v, with blanks before it as %v", line, r, padded)
		}
		if sure := setcookie.Read(line+"; Max-Age=0", now); r.Readable && sure.Deletion != setcookie.Sure {
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
