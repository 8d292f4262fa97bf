package decision_test

import (
	"bytes"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/internal/decision"
)

func TestADecisionIsReadAsItWasWritten(t *testing.T) {
	at := time.UnixMilli(1_800_000_000_123)
	matomo, plausible := decision.MarkOf("statistics", "Matomo"), decision.MarkOf("statistics", "Plausible")
	site := decision.MarkOf("first-party", "Site")
	d := decision.Decision{Revision: 300, Time: at, Objection: true, Reference: [16]byte{15: 1},
		Answers: decision.MakeAnswers(map[decision.Mark]decision.Answer{matomo: decision.Yes, plausible: decision.No, site: decision.Ticked})}

	got, err := decision.Parse(d.Append(nil))

	require.NoError(t, err)
	assert.Equal(t, uint64(300), got.Revision)
	assert.True(t, got.Time.Equal(at))
	assert.True(t, got.Objection)
	assert.Equal(t, [16]byte{15: 1}, got.Reference)
	for _, test := range []struct {
		category, provider string
		want               decision.Answer
		known              bool
	}{
		{"statistics", "Matomo", decision.Yes, true},
		{"statistics", "Plausible", decision.No, true},
		{"statistics", "Other", decision.No, false},
		{"first-party", "Site", decision.Ticked, true},
		{"first-party", "Matomo", decision.No, false},
		{"third-party", "Matomo", decision.No, false},
	} {
		given, known := got.Answers.Of(decision.MarkOf(test.category, test.provider))
		assert.Equal(t, test.want, given, test)
		assert.Equal(t, test.known, known, test)
	}
}

func TestTheSmallestAndTheLargestDecisionAreRead(t *testing.T) {
	for _, d := range []decision.Decision{
		{Time: time.UnixMilli(0)},
		{Time: time.UnixMilli(1), Revision: 1},
		{Time: time.UnixMilli(127), Revision: 127},
		{Time: time.UnixMilli(128), Revision: 128},
		{Time: time.UnixMilli(253402300799999), Revision: math.MaxUint64},
	} {
		d.Answers = decision.Answers{}
		got, err := decision.Parse(d.Append(nil))
		require.NoError(t, err)
		assert.Equal(t, d, got)
	}
	after := decision.Decision{Time: time.UnixMilli(253402300800000)} // the year 10000
	_, err := decision.Parse(after.Append(nil))
	assert.ErrorIs(t, err, decision.ErrMalformed)
}

// Cookies of visitors hold these marks.
func TestAMarkNeverChanges(t *testing.T) {
	assert.Equal(t, decision.Mark(0xBCE102E0), decision.MarkOf("statistics", "Matomo"))
	assert.NotEqual(t, decision.MarkOf("statistics", "Matomo"), decision.MarkOf("statisticsM", "atomo"))
	for i := range 100 {
		assert.Zero(t, decision.MarkOf("statistics", fmt.Sprint(i))&3, "which is for the answer")
	}
}

func TestAllNoTakesAtLeastOneAnswer(t *testing.T) {
	a, b := decision.MarkOf("statistics", "Matomo"), decision.MarkOf("statistics", "Plausible")
	for name, test := range map[string]struct {
		given map[decision.Mark]decision.Answer
		want  bool
	}{
		"none":                        {nil, false},
		"no":                          {map[decision.Mark]decision.Answer{a: decision.No, b: decision.No}, true},
		"yes":                         {map[decision.Mark]decision.Answer{a: decision.Yes, b: decision.No}, false},
		"ticked":                      {map[decision.Mark]decision.Answer{a: decision.No, b: decision.Ticked}, false},
		"no, and a yes by itself":     {map[decision.Mark]decision.Answer{a: decision.No, b: decision.Alone}, true},
		"nothing but a yes by itself": {map[decision.Mark]decision.Answer{a: decision.Alone}, false},
	} {
		assert.Equal(t, test.want, decision.MakeAnswers(test.given).AllNo(), name)
	}
}

// What a page's script reads must not move under it: a change of these bytes
// is a new version.
func TestTheFormatIsTheDocumentedOne(t *testing.T) {
	d := decision.Decision{Revision: 1, Time: time.UnixMilli(300), Objection: true,
		Answers: decision.MakeAnswers(map[decision.Mark]decision.Answer{0x01020308: decision.Yes, 0x01020304: decision.No, 0x0102030C: decision.Ticked})}
	assert.Equal(t, []byte{
		1,         // version
		1,         // revision
		0xAC, 0x2, // time
		1,          // flags
		1, 2, 3, 4, // refused
		1, 2, 3, 9, // accepted
		1, 2, 3, 14, // left as a law had presumed
	}, d.Append(nil))
	d.Reference = [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	assert.Equal(t, []byte{
		1, 1, 0xAC, 0x2,
		3, // flags
		1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
		1, 2, 3, 4, 1, 2, 3, 9, 1, 2, 3, 14,
	}, d.Append(nil))
}

func TestMalformedBytesAreRefused(t *testing.T) {
	for name, b := range map[string][]byte{
		"nothing":             {},
		"another version":     {2, 0, 0, 0},
		"no revision":         {1},
		"an endless revision": bytes.Repeat([]byte{1, 0xFF}, 20),
		"a padded revision":   {1, 0x80, 0, 0, 0},
		"no time":             {1, 0},
		"a time after 9999":   {1, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0},
		"no flags":            {1, 0, 0},
		"an unknown flag":     {1, 0, 0, 4},
		"no reference":        {1, 0, 0, 2},
		"half a reference":    {1, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8},
		"an empty reference":  append([]byte{1, 0, 0, 2}, make([]byte, 16)...),
		"a mark cut short":    {1, 0, 0, 0, 0, 0, 1},
		"marks out of order":  {1, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 4},
		"a mark twice":        {1, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 5},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := decision.Parse(b)
			assert.ErrorIs(t, err, decision.ErrMalformed)
		})
	}
}

func FuzzParse(f *testing.F) {
	d := decision.Decision{Revision: 7, Time: time.UnixMilli(1_800_000_000_000)}
	f.Add(d.Append(nil))
	for i := range 3 {
		mark := decision.MarkOf("statistics", fmt.Sprint(i))
		d.Answers = decision.MakeAnswers(map[decision.Mark]decision.Answer{mark: decision.Answer(i), mark + 4: decision.Yes})
		f.Add(d.Append(nil))
	}
	d.Reference[3] = 1
	f.Add(d.Append(nil))
	f.Add([]byte{1, 0, 0, 0, 255, 255, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := decision.Parse(b)
		if err != nil {
			return
		}
		if again := d.Append(nil); !bytes.Equal(again, b) {
			t.Errorf("%x was read, but is written as %x", b, again)
		}
		d.Answers.Of(decision.MarkOf("statistics", "Matomo"))
	})
}
