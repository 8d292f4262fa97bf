package ledger_test

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
)

var newer = []byte("a key that has come after the first one")

// reported opens a ledger to read it, and verifies it.
func reported(t testing.TB, url string, config ledger.Config, anchors ...ledger.Anchor) ledger.Report {
	t.Helper()
	l, err := ledger.OpenReadOnly(context.Background(), url, config)
	require.NoError(t, err)
	report, err := l.Verify(context.Background(), nil, anchors...)
	require.NoError(t, err)
	require.NoError(t, l.Close(context.Background()))
	return report
}

func TestEveryKeyThatIsNoneIsNamed(t *testing.T) {
	bad := ledger.Config{Keys: [][]byte{secret, []byte("short"), make([]byte, 32)}}
	for name, try := range map[string]func() error{
		"Open": func() error { _, err := ledger.Open(context.Background(), lite(t), bad); return err },
		"Use":  func() error { _, err := ledger.Use(context.Background(), nil, bad); return err },
		"VerifyExport": func() error {
			_, err := ledger.VerifyExport(strings.NewReader(""), bad, nil)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := try()
			assert.ErrorContains(t, err, "Keys[1] has 5 bytes")
			assert.ErrorContains(t, err, "Keys[2] is all zero")
			assert.NotContains(t, err.Error(), "short")
		})
	}
}

func TestAKeyIsRotated(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		for i, keys := range [][][]byte{{secret}, {newer, secret}} {
			l := beginWith(t, url, ledger.Config{Keys: keys})
			keep(t, l, yes(alice))
			finish(t, l)
			assert.EqualValues(t, 3*(i+1), reported(t, url, ledger.Config{Keys: keys}).Sealed)
		}
		assert.True(t, reported(t, url, ledger.Config{Keys: [][]byte{newer, secret}}).OK())
		for _, keys := range [][][]byte{{newer}, {secret}} {
			report := reported(t, url, ledger.Config{Keys: keys})
			assert.Contains(t, strings.Join(report.Faults, "\n"), "has a seal that no key has made", "each key has sealed something")
		}
		assert.False(t, reported(t, url, ledger.Config{}).SealsChecked)
	})
}

func TestAKeyThatHasSealedNothingIsRefused(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		keep(t, l, yes(alice))
		finish(t, l)
		other := [][]byte{bytes.Repeat([]byte{9}, 32)}
		for _, open := range []func(context.Context, string, ledger.Config) (*ledger.Ledger, error){ledger.Open, ledger.OpenExisting} {
			_, err := open(context.Background(), url, ledger.Config{Keys: other})
			assert.ErrorContains(t, err, "a key that is none of Config.Keys")
		}
		// Somebody who changes the rows of writers keeps no site from starting.
		execute(t, url, `UPDATE consent_writer SET opened = opened + 1`)
		finish(t, begin(t, url))
	})
}

func TestTheFirstKeyVouchesForWhatWasThereAndForNothingElse(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		ctx := context.Background()
		l := beginWith(t, url, ledger.Config{})
		record := yes(alice)
		keep(t, l, record)
		keep(t, l, yes(bob))
		_, err := l.Forget(ctx, bob)
		require.NoError(t, err)
		users, err := l.Users(secret)
		require.NoError(t, err)
		require.NoError(t, users.Link(ctx, alice, record.Time, "42"))
		finish(t, l)
		straggler := beginWith(t, url, ledger.Config{})
		keep(t, straggler, yes(carol))

		l = begin(t, url)
		assert.NotEmpty(t, verifiedFaults(t, l), "until the first process with a key has begun")
		keep(t, l, yes(alice))
		report := verified(t, l)
		assert.EqualValues(t, 1, report.UnsealedLinks)
		users, err = l.Users(secret)
		require.NoError(t, err)
		references, err := users.References(ctx, "42")
		require.NoError(t, err)
		assert.Empty(t, references, "a link that anybody may have made is not followed")
		require.NoError(t, users.Link(ctx, alice, record.Time, "42"))
		references, err = users.References(ctx, "42")
		require.NoError(t, err)
		assert.Equal(t, []consent.Reference{alice}, references)
		assert.Zero(t, verified(t, l).UnsealedLinks)
		history, err := l.History(ctx, carol)
		require.NoError(t, err)
		assert.Equal(t, ledger.HashChecked, history.Entries[0].Checked)
		history, err = l.History(ctx, alice)
		require.NoError(t, err)
		assert.Equal(t, ledger.SealChecked, history.Entries[1].Checked)

		// A process without a key that still runs, and one that starts.
		keep(t, straggler, yes(carol))
		assert.Contains(t, verifiedFaults(t, l), "of the visitor "+carol.String()+" has no seal")
		history, err = l.History(ctx, carol)
		require.NoError(t, err)
		assert.Equal(t, ledger.Unchecked, history.Entries[1].Checked)
		_, err = ledger.Open(ctx, url, ledger.Config{})
		assert.ErrorContains(t, err, "Config.Keys has none")
		_, err = ledger.OpenExisting(ctx, url, ledger.Config{})
		assert.ErrorContains(t, err, "Config.Keys has none")

		// Nobody vouches twice.
		finish(t, l)
		l = begin(t, url)
		keep(t, l, yes(alice))
		assert.Contains(t, verifiedFaults(t, l), "has no seal")
	})
}

// verifiedFaults returns what is wrong with a ledger.
func verifiedFaults(t testing.TB, l *ledger.Ledger) string {
	t.Helper()
	report, err := l.Verify(context.Background(), nil)
	require.NoError(t, err)
	return strings.Join(report.Faults, "\n")
}

func TestAForgedLinkIsNotFollowed(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		x := attacked(t, url, config, true)
		attacks["A user is linked to another visitor"].do(x)
		l := begin(t, url)
		users, err := l.Users(secret)
		require.NoError(t, err)
		_, err = users.Latest(context.Background(), "42")
		assert.ErrorIs(t, err, ledger.ErrNoRecord)
	})
}

func TestADecisionThatWasAlteredIsCarriedToNoDevice(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		x := attacked(t, url, config, true)
		attacks["A record is changed"].do(x)
		l := begin(t, url)
		users, err := l.Users(secret)
		require.NoError(t, err)
		_, err = users.Latest(context.Background(), "42")
		assert.ErrorContains(t, err, "the visitor "+alice.String()+" was altered")
	})
}

func TestAnAnchorIsReadAsItWasWrittenOrNotAtAll(t *testing.T) {
	x := attacked(t, lite(t), config, true)
	text := x.anchor.String()
	wrapped := strings.ReplaceAll(text, " ", "\n  ")
	read, err := ledger.ParseAnchor("\n" + wrapped + "\n")
	require.NoError(t, err)
	assert.Equal(t, x.anchor, read)
	assert.Len(t, read.Heads, 1, "each process names the one before")
	for name, bad := range map[string]struct{ text, wrong string }{
		"nothing":         {"", "begins with"},
		"another version": {strings.Replace(text, "anchor/1", "anchor/2", 1), "begins with"},
		"a slip":          {strings.Replace(text, "records=", "records=1", 1), "copied badly"},
		"an end cut off":  {text[:len(text)-3], "copied badly"},
		"a word left out": {strings.Replace(text, " forgotten=1", "", 1), "copied badly"},
		"the name alone":  {"consent-ledger-anchor/1", "copied badly"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ledger.ParseAnchor(bad.text)
			assert.ErrorContains(t, err, bad.wrong)
		})
	}
	for name, change := range map[string]func(*ledger.Anchor){
		"no writer": func(a *ledger.Anchor) { a.Heads[0].Writer = "me" },
		"no hash":   func(a *ledger.Anchor) { a.Heads[0].Hash = "00" },
		"no place":  func(a *ledger.Anchor) { a.Heads[0].Records = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			a, err := ledger.ParseAnchor(text)
			require.NoError(t, err)
			change(&a)
			_, err = ledger.ParseAnchor(a.String())
			assert.ErrorContains(t, err, "a writer, a number and a hash")
			_, err = begin(t, x.url).Verify(context.Background(), nil, a)
			assert.ErrorContains(t, err, "the anchor of")
		})
	}
}

func TestAnAnchorHoldsWhileTheLedgerGoesOn(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		x := attacked(t, url, config, false)
		l := begin(t, url)
		keep(t, l, yes(alice))
		_, err := l.Forget(context.Background(), alice)
		require.NoError(t, err)
		_, err = l.Purge(context.Background(), yes(alice).Time.AddDate(1, 0, 0), nil)
		require.NoError(t, err)
		finish(t, l)
		report := reported(t, url, config, x.anchor)
		assert.True(t, report.OK(), report.Faults)
		assert.EqualValues(t, 4, report.ForgottenSince)
		assert.EqualValues(t, 11, report.PurgedSince)
		assert.EqualValues(t, 0, report.Records)
		assert.NotEqual(t, x.anchor, report.Anchor)
		assert.True(t, reported(t, url, config, x.anchor, report.Anchor).OK())
	})
}

// exported returns an export.
func exported(t testing.TB, url string, period ledger.Period) string {
	t.Helper()
	l, err := ledger.OpenReadOnly(context.Background(), url, config)
	require.NoError(t, err)
	defer l.Close(context.Background())
	var out bytes.Buffer
	require.NoError(t, l.Export(context.Background(), &out, ledger.JSONLines, period, nil))
	return out.String()
}

func TestWhatWasForgedIsTakenOutWithoutATrace(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		x := attacked(t, url, config, true)
		attacks["A process is made up, with records whose hashes are computed"].do(x)
		l := begin(t, url)
		keep(t, l, yes(alice)) // begins after the forged one, and does not count it among the others
		assert.Contains(t, verifiedFaults(t, l), "has no seal")
		x.execute(`DELETE FROM consent_record WHERE writer = $1`, x.key(x.newest()))
		x.execute(`DELETE FROM consent_writer WHERE id = $1`, x.key(x.newest()))
		verified(t, l)
	})
}
