package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
)

var visitor = consent.Reference{0xab, 15: 1}

// controller is a file that says who answers for records.
const controller = "../../testdata/controller.json"

// books makes a ledger with a month of decisions.
func books(t *testing.T) (path string) {
	path = filepath.Join(t.TempDir(), "consent.db")
	l, err := ledger.Open(context.Background(), path, ledger.Config{})
	require.NoError(t, err)
	for i := range 30 {
		r := consent.Record{Reference: consent.Reference{1, 15: byte(i)}, Time: time.Date(2026, 3, 1+i, 12, 0, 0, 0, time.UTC), Answers: []consent.Answer{
			{Category: consent.Statistics, Provider: "Matomo", Allowed: i%3 != 0},
			{Category: consent.ThirdParty, Provider: "AdCo", Allowed: i%4 == 0},
		}}
		if i == 0 {
			r.Reference = visitor
		}
		l.RecordLater(r)
	}
	require.NoError(t, l.Close(context.Background()))
	return path
}

// sealedBooks makes a ledger with a key, and returns the file of that key.
func sealedBooks(t *testing.T) (path, keys string) {
	path, keys = filepath.Join(t.TempDir(), "consent.db"), filepath.Join(t.TempDir(), "keys")
	key := strings.Repeat("k", 32)
	require.NoError(t, os.WriteFile(keys, []byte(key+"\n"), 0o600))
	l, err := ledger.Open(context.Background(), path, ledger.Config{Keys: [][]byte{[]byte(key)}})
	require.NoError(t, err)
	for i, allowed := range []bool{true, false, true} { // not in one millisecond, in which they would be one decision
		require.NoError(t, l.Record(context.Background(), consent.Record{Reference: visitor, Time: time.Now().Add(time.Duration(i-3) * time.Minute), Answers: []consent.Answer{{Category: consent.Statistics, Provider: "Matomo", Allowed: allowed}}}))
	}
	require.NoError(t, l.Close(context.Background()))
	return path, keys
}

// tamper runs a statement behind the ledger's back.
func tamper(t *testing.T, path, statement string) {
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	_, err = db.Exec(statement)
	require.NoError(t, err)
	require.NoError(t, db.Close())
}

// ledgerOf runs the command and returns what it says.
func ledgerOf(t *testing.T, args ...string) (out string, err error) {
	var answer bytes.Buffer
	err = run(context.Background(), args, &answer, io.Discard)
	return answer.String(), err
}

func TestTheCommandTellsAndTends(t *testing.T) {
	path := books(t)
	out, err := ledgerOf(t, "-db", path, "history", visitor.String())
	require.NoError(t, err)
	assert.Contains(t, out, "<h1>Decisions of one visitor</h1>")
	out, err = ledgerOf(t, "-db", path, "history", "-json", strings.ToUpper(visitor.String()))
	require.NoError(t, err)
	var history ledger.History
	require.NoError(t, json.Unmarshal([]byte(out), &history))
	assert.Len(t, history.Entries, 1)

	out, err = ledgerOf(t, "-db", "sqlite:"+path, "export", "-from", "2026-03-02", "-until", "2026-03-05")
	require.NoError(t, err)
	assert.Equal(t, 4, strings.Count(out, "\n"))
	out, err = ledgerOf(t, "-db", "sqlite://"+path, "export", "-format", "jsonl")
	require.NoError(t, err)
	assert.Equal(t, 30, strings.Count(out, `"category":"statistics"`))

	out, err = ledgerOf(t, "-db", path, "stats", "-until", "2026-03-03")
	require.NoError(t, err)
	assert.Regexp(t, `2026-03-02  statistics +1 +1 +0 +100.0 %`, out)

	out, err = ledgerOf(t, "-db", path, "forget", visitor.String())
	require.NoError(t, err)
	assert.Equal(t, "1 records were erased\n", out)
	out, err = ledgerOf(t, "-db", path, "purge", "-before", "2026-03-11")
	require.NoError(t, err)
	assert.Equal(t, "10 records were deleted\n", out)
	t.Setenv("CONSENT_DB", path)
	out, err = ledgerOf(t, "verify")
	require.NoError(t, err)
	assert.Equal(t, "20 records of 20 visitors and 0 notices; 0 forgotten, 10 purged\nno record is sealed: who computes every hash anew is not found out, except by an anchor\nnothing was altered, nothing is missing\n", out)
}

func TestTheCommandTellsWhoVouchesForRecordsWithoutASeal(t *testing.T) {
	path, keys := books(t), filepath.Join(t.TempDir(), "keys")
	key := strings.Repeat("k", 32)
	require.NoError(t, os.WriteFile(keys, []byte(key+"\n"), 0o600))
	l, err := ledger.Open(context.Background(), path, ledger.Config{Keys: [][]byte{[]byte(key)}})
	require.NoError(t, err)
	require.NoError(t, l.Record(context.Background(), consent.Record{Reference: consent.Reference{7}, Time: time.Now()}))
	require.NoError(t, l.Close(context.Background()))
	out, err := ledgerOf(t, "-db", path, "-keys", keys, "verify")
	require.NoError(t, err)
	// 30 decisions, and the beginning and the end of their process
	assert.Regexp(t, `\n32 records have no seal: the first process with a key, which began at 2\d{3}-\S+Z, vouches for them;`, out)
	path, keys = sealedBooks(t)
	out, err = ledgerOf(t, "-db", path, "-keys", keys, "verify")
	require.NoError(t, err)
	assert.NotContains(t, out, "vouches")
}

func TestTheCommandSaysOfAPartThatNobodyKnowsWhatIsMissing(t *testing.T) {
	path, keys := sealedBooks(t)
	part := filepath.Join(t.TempDir(), "part.jsonl")
	for _, test := range []struct {
		keys []string
		says string
	}{
		{nil, "nothing that is here was altered; of an export of a part nobody can tell without -keys if something is missing\n"},
		{[]string{"-keys", keys}, "nothing was altered, and nothing is missing of the part that was exported\n"},
	} {
		db := append([]string{"-db", path}, test.keys...)
		out, err := ledgerOf(t, append(db, "export", "-format", "jsonl", "-from", "2026-01-01")...)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(part, []byte(out), 0o600))
		out, err = ledgerOf(t, append(test.keys, "verify", "-export", part)...)
		require.NoError(t, err)
		assert.Contains(t, out, test.says)
		assert.NotContains(t, out, "nothing is missing\n")
	}
}

func TestTheCommandSaysWhatIsWrong(t *testing.T) {
	t.Setenv("CONSENT_DB", "")
	path := books(t)
	missing := filepath.Join(t.TempDir(), "mistyped.db")
	empty := filepath.Join(t.TempDir(), "empty.db")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))
	short := filepath.Join(t.TempDir(), "short.keys")
	require.NoError(t, os.WriteFile(short, []byte(strings.Repeat("k", 32)+"\nshort\n"), 0o600))
	foreign := filepath.Join(t.TempDir(), "foreign.db")
	db, err := sql.Open("sqlite", foreign)
	require.NoError(t, err)
	_, err = db.Exec("CREATE TABLE users (id)")
	require.NoError(t, err)
	require.NoError(t, db.Close())
	for _, test := range []struct {
		args  []string
		wrong string
		usage bool
	}{
		{[]string{"verify"}, "which database", true},
		{[]string{"-db", path, "verify", "-anchor", "consent-ledger-anchor/1 2026"}, "copied badly", true},
		{[]string{"-db", path, "verify", "-anchor", empty}, "an anchor begins with", true},
		{[]string{"-db", path, "verify", "-anchor", missing}, "mistyped.db", true},
		{[]string{"verify", "-export", missing}, "mistyped.db", false},
		{[]string{"verify", "-export", empty}, "it is empty", false},
		{[]string{"-db", path, "-keys", missing, "verify"}, "mistyped.db", false},
		{[]string{"-db", path, "-keys", short, "verify"}, "short.keys, line 2: has 5 bytes", false},
		{[]string{"-db", foreign, "verify"}, "there is no ledger in", false},
		{[]string{"-db", empty, "verify"}, "there is no ledger in", false},
		{[]string{"export", "-db", path, "-from", "2026-12-01", "-until", "2026-11-01"}, "no day is from 2026-12-01 and before 2026-11-01", true},
		{[]string{"-db", path, "burn"}, `no command "burn"`, true},
		{[]string{"-db", path, "-x"}, "-x", true},
		{[]string{"-db", missing, "verify"}, "mistyped.db", false},
		{[]string{"-db", "mysql://u:hunter2@h/d", "verify"}, "mysql", false},
		{[]string{"-db", path, "history"}, "history [-json] REFERENCE", true},
		{[]string{"-db", path, "history", "'; --\x00"}, "32 hexadecimal", false},
		{[]string{"-db", path, "history", strings.Repeat("1", 32)}, "no record", false},
		{[]string{"-db", path, "forget", "x"}, "32 hexadecimal", false},
		{[]string{"-db", path, "purge"}, "either -before or -older-than", true},
		{[]string{"-db", path, "purge", "-before", "soon"}, "2026-03-31", true},
		{[]string{"-db", path, "purge", "-before", "9999-01-01"}, "yet to come", false},
		{[]string{"-db", path, "export", "-format", "xml"}, "xml", false},
		{[]string{"-db", path, "export", "-format", "27560"}, "who answers for the records? Say -controller", true},
		{[]string{"-db", path, "export", "-format", "27560", "-controller", missing}, "mistyped.db", false},
		{[]string{"-db", path, "export", "-format", "27560", "-controller", empty}, "empty.db", false},
		{[]string{"-db", path, "receipt", visitor.String()}, "Say -controller", true},
		{[]string{"-db", path, "receipt", "-controller", controller, strings.Repeat("1", 32)}, "no record", false},
		{[]string{"-db", path, "stats", "-by", "hour"}, `"hour" is none of day, week`, false},
		{[]string{"-db", path, "stats", "-by", "day,week"}, "exclude each other", false},
		{[]string{"-db", path, "stats", "-tz", "Paris"}, "Paris", true},
		{[]string{"-db", path, "stats", "-tz", "Local"}, "Europe/Paris", true},
		{[]string{"-db", path, "stats", "-format", "xml"}, "text, csv and json", true},
		{[]string{"-db", path, "stats", "-chart", "rate.png"}, ".svg", true},
		{[]string{"-db", path, "stats", "-by", "category", "-chart", "rate.svg"}, "needs day, week or month", true},
		{[]string{"-db", path, "export", "all"}, "export [-format", true},
	} {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			out, err := ledgerOf(t, test.args...)
			assert.Empty(t, out)
			require.ErrorContains(t, err, test.wrong)
			assert.Equal(t, test.usage, errors.Is(err, errUsage))
			assert.NotContains(t, err.Error(), "hunter2")
		})
	}
	assert.NoFileExists(t, missing)
	left, err := os.ReadFile(empty)
	require.NoError(t, err)
	assert.Empty(t, left, "nothing is made by asking")
	_, err = ledgerOf(t)
	assert.ErrorIs(t, err, errUsage)
	for _, args := range [][]string{{"-h"}, {"export", "-h"}} {
		_, err = ledgerOf(t, args...)
		assert.ErrorIs(t, err, flag.ErrHelp)
	}
}

func TestTheCommandFailsForALedgerThatWasAltered(t *testing.T) {
	path := books(t)
	tamper(t, path, "DELETE FROM consent_record WHERE place = 30")
	out, err := ledgerOf(t, "-db", path, "verify")
	assert.ErrorIs(t, err, errNotVerified)
	assert.Contains(t, out, "FAULT: of the 32 records")
	out, err = ledgerOf(t, "-db", path, "anchor")
	assert.ErrorIs(t, err, errNotVerified, "an anchor of what has faults says so")
	assert.Contains(t, out, "consent-ledger-anchor/1 ")
}

func TestTheCommandNamesAVisitorAsHistoryTakesThem(t *testing.T) {
	path, keys := sealedBooks(t)
	tamper(t, path, "UPDATE consent_record SET decided = decided + 1 WHERE n = 2")
	out, err := ledgerOf(t, "-db", path, "-keys", keys, "verify")
	assert.ErrorIs(t, err, errNotVerified)
	named := regexp.MustCompile("FAULT: the record .* of the visitor ([0-9a-f]+) was altered").FindStringSubmatch(out)
	require.NotNil(t, named, out)
	out, err = ledgerOf(t, "-db", path, "-keys", keys, "history", named[1])
	require.NoError(t, err)
	assert.Contains(t, out, "This record was altered.")
}

func TestTheCommandFindsWhatWasThereWhenAnAnchorWasMade(t *testing.T) {
	path, keys := sealedBooks(t)
	value, err := ledgerOf(t, "-db", path, "anchor")
	require.NoError(t, err)
	assert.Less(t, len(value), 300, "short enough to print")
	file := filepath.Join(t.TempDir(), "anchor.txt")
	require.NoError(t, os.WriteFile(file, []byte(value), 0o600))
	for _, anchor := range []string{value, strings.TrimSpace(value), file} {
		out, err := ledgerOf(t, "-db", path, "-keys", keys, "verify", "-anchor", anchor)
		require.NoError(t, err)
		assert.Equal(t, "3 records of 1 visitors and 0 notices; 0 forgotten, 0 purged\nsince the anchor, 0 were forgotten and 0 purged\nnothing was altered, nothing is missing\n", out)
	}
	out, err := ledgerOf(t, "-db", path, "verify")
	require.NoError(t, err)
	assert.Contains(t, out, "5 records are sealed, which was not checked: there is no -keys\n")

	export := filepath.Join(t.TempDir(), "export.jsonl")
	text, err := ledgerOf(t, "-db", path, "-keys", keys, "export", "-format", "jsonl")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(export, []byte(text), 0o600))

	tamper(t, path, "DELETE FROM consent_record")
	tamper(t, path, "DELETE FROM consent_writer")
	_, err = ledgerOf(t, "-db", path, "-keys", keys, "verify")
	require.NoError(t, err, "an empty ledger has no faults")
	for _, anchor := range []string{value, file} {
		out, err := ledgerOf(t, "-db", path, "-keys", keys, "verify", "-anchor", anchor)
		assert.ErrorIs(t, err, errNotVerified)
		assert.Contains(t, out, "of the 5 records that the writer")
		out, err = ledgerOf(t, "-keys", keys, "verify", "-export", export, "-anchor", anchor)
		assert.NoError(t, err)
		assert.Contains(t, out, "3 records and 0 notices;")
	}
	require.NoError(t, os.WriteFile(export, []byte(strings.Replace(text, `"allowed":false`, `"allowed":true`, 1)), 0o600))
	out, err = ledgerOf(t, "-keys", keys, "verify", "-export", export)
	assert.ErrorIs(t, err, errNotVerified)
	assert.Contains(t, out, "of the visitor "+visitor.String()+" was altered")
}

func TestTheCommandWritesWithTheKeyAlone(t *testing.T) {
	path, keys := sealedBooks(t)
	_, err := ledgerOf(t, "-db", path, "forget", visitor.String())
	assert.ErrorContains(t, err, "sealed by a key")
	t.Setenv("CONSENT_KEYS", keys)
	out, err := ledgerOf(t, "-db", path, "forget", visitor.String())
	require.NoError(t, err)
	assert.Equal(t, "3 records were erased\n", out)
	out, err = ledgerOf(t, "-db", path, "verify")
	require.NoError(t, err)
	assert.Equal(t, "0 records of 0 visitors and 0 notices; 3 forgotten, 0 purged\nnothing was altered, nothing is missing\n", out)
}
