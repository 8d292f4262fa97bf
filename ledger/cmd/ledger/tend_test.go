package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
)

// standing makes a ledger with a consent of each of the last months.
func standing(t *testing.T, months int) (path string) {
	path = filepath.Join(t.TempDir(), "consent.db")
	l, err := ledger.Open(context.Background(), path, ledger.Config{})
	require.NoError(t, err)
	for i := range months {
		require.NoError(t, l.Record(context.Background(), consent.Record{
			Reference: consent.Reference{2, 15: byte(i)}, Time: time.Now().Add(-time.Duration(i) * 30 * 24 * time.Hour),
			Answers: []consent.Answer{{Category: consent.Statistics, Provider: "Matomo", Allowed: true}},
		}))
	}
	require.NoError(t, l.Close(context.Background()))
	return path
}

func TestTheCommandPurgesByAge(t *testing.T) {
	path := standing(t, 12)
	cut := time.Now().UTC().AddDate(0, 0, -200).Format(time.DateOnly)
	out, err := ledgerOf(t, "-db", path, "purge", "-older-than", "200d", "-dry-run")
	require.NoError(t, err)
	assert.Equal(t, "records of decisions before "+cut+"\n5 records would be deleted, and with them the proof of 0 consents that still stand\n", out)
	out, err = ledgerOf(t, "-db", path, "purge", "-older-than", "200d")
	require.NoError(t, err)
	assert.Equal(t, "records of decisions before "+cut+"\n5 records were deleted\n", out)
	_, err = ledgerOf(t, "-db", path, "verify")
	assert.NoError(t, err)
}

func TestTheCommandTakesNoProofOfConsentsThatStandUnasked(t *testing.T) {
	path := standing(t, 12)
	purge := func(flags ...string) (string, error) {
		return ledgerOf(t, append([]string{"-db", path, "purge", "-older-than", "100d"}, flags...)...)
	}
	out, err := purge("-dry-run")
	require.NoError(t, err)
	assert.Contains(t, out, "8 records would be deleted, and with them the proof of 3 consents that still stand")
	out, err = purge("-dry-run", "-lifetime", "1y")
	require.NoError(t, err)
	assert.Contains(t, out, "the proof of 8 consents")
	_, err = purge()
	require.ErrorContains(t, err, "the proof of 3 consents that still stand, and nothing was deleted")
	_, err = purge("-lifetime", "1d")
	require.NoError(t, err, "in a site where they do not stand")
	path = standing(t, 12)
	out, err = purge("-standing-too")
	require.NoError(t, err)
	assert.Contains(t, out, "8 records were deleted")
}

func TestAnAgeIsThatOfTheCalendar(t *testing.T) {
	for _, test := range []struct{ age, today, day string }{
		{"13mo", "2026-11-26", "2025-10-26"},
		{"1mo", "2026-03-31", "2026-02-28"},
		{"1mo", "2028-03-31", "2028-02-29"},
		{"12mo", "2026-01-15", "2025-01-15"},
		{"400d", "2026-11-26", "2025-10-22"},
		{"2y", "2026-11-26", "2024-11-26"},
		{"1y", "2028-02-29", "2027-02-28"},
	} {
		var a age
		require.NoError(t, a.Set(test.age))
		assert.Equal(t, test.age, a.String())
		today, err := time.Parse(time.DateOnly, test.today)
		require.NoError(t, err)
		assert.Equal(t, test.day, a.before(today.Add(23*time.Hour)).Format(time.DateOnly), "%s before %s", test.age, test.today)
	}
	for _, wrong := range []string{"", "13", "mo", "13m", "1h", "0d", "-1d", "+1d", "1.5y", "1000000d", "13 mo", "1y2mo", "99999999999999999999d"} {
		assert.Error(t, new(age).Set(wrong), wrong)
	}
}

func FuzzAnAgeLiesInThePast(f *testing.F) {
	for _, seed := range []string{"13mo", "400d", "2y", "100000y", "100000mo", "0d", "d", "١d"} {
		f.Add(seed)
	}
	now := time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		var a age
		if a.Set(s) == nil && !a.before(now).Before(now.Add(-12*time.Hour)) {
			t.Errorf("%q is %v", s, a.before(now))
		}
	})
}

func TestTheCommandBacksUpAndImports(t *testing.T) {
	path, keys := sealedBooks(t)
	anchor, err := ledgerOf(t, "-db", path, "-keys", keys, "anchor")
	require.NoError(t, err)
	file, other := filepath.Join(t.TempDir(), "backup.db"), filepath.Join(t.TempDir(), "other.db")
	out, err := ledgerOf(t, "-db", path, "-keys", keys, "backup", file)
	require.NoError(t, err)
	assert.Equal(t, "3 records and 0 notices are in "+file+"\n", out)
	_, err = ledgerOf(t, "-db", path, "-keys", keys, "backup", file)
	assert.ErrorIs(t, err, os.ErrExist)
	out, err = ledgerOf(t, "-db", other, "-keys", keys, "import", file)
	require.NoError(t, err)
	assert.Equal(t, "3 records and 0 notices were imported\n", out)
	for _, db := range []string{file, other} {
		_, err = ledgerOf(t, "-db", db, "-keys", keys, "verify", "-anchor", anchor)
		assert.NoError(t, err)
	}
	_, err = ledgerOf(t, "-db", other, "-keys", keys, "import", file)
	assert.ErrorContains(t, err, "there are rows in")
}

func TestTheCommandTellsOfFaultsThatItCarries(t *testing.T) {
	path, keys := sealedBooks(t)
	tamper(t, path, "UPDATE consent_record SET language = 'de' WHERE n = 2")
	file, other := filepath.Join(t.TempDir(), "backup.db"), filepath.Join(t.TempDir(), "other.db")
	out, err := ledgerOf(t, "-db", path, "-keys", keys, "backup", file)
	assert.ErrorIs(t, err, errNotVerified)
	assert.Contains(t, out, "FAULT: ")
	assert.FileExists(t, file)
	out, err = ledgerOf(t, "-db", other, "-keys", keys, "import", file)
	assert.ErrorContains(t, err, "nothing was imported")
	assert.Contains(t, out, "FAULT: ")
	out, err = ledgerOf(t, "-db", other, "-keys", keys, "import", "-with-faults", file)
	assert.ErrorIs(t, err, errNotVerified)
	assert.Contains(t, out, "3 records and 0 notices were imported")
}

func TestTheCommandSaysWhatIsWrongWithHowItTends(t *testing.T) {
	t.Setenv("CONSENT_DB", "")
	path, mistyped := books(t), filepath.Join(t.TempDir(), "new.db")
	for _, test := range []struct {
		args  []string
		wrong string
		usage bool
	}{
		{[]string{"import", path}, "which database", true},
		{[]string{"-db", path, "backup"}, "backup FILE", true},
		{[]string{"-db", path, "import"}, "import [-with-faults] FILE", true},
		{[]string{"-db", filepath.Join(t.TempDir(), "missing.db"), "backup", "x"}, "missing.db", false},
		{[]string{"-db", mistyped, "import", "missing.jsonl"}, "missing.jsonl", false},
		{[]string{"-db", path, "purge", "-older-than", "13 months"}, "13mo", true},
		{[]string{"-db", path, "purge", "-older-than", "13mo", "-before", "2026-01-01"}, "either -before or -older-than", true},
	} {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			out, err := ledgerOf(t, test.args...)
			assert.Empty(t, out)
			require.ErrorContains(t, err, test.wrong)
			assert.Equal(t, test.usage, errors.Is(err, errUsage))
		})
	}
	assert.NoFileExists(t, mistyped)
}
