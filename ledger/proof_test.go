package ledger_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
)

func TestAHistorySaysWhatIsNotAsItWasWritten(t *testing.T) {
	for name, fault := range map[string]string{
		"A record is changed":                                          "was altered",
		"Two records are swapped":                                      "was altered",
		"A record is deleted":                                          "does not follow on the one before",
		"A notice is changed":                                          "names a notice that was altered",
		"A notice is deleted":                                          "names a notice that is missing",
		"Every seal is removed":                                        "has no seal",
		"A record is changed, and every hash is computed anew":         "has a seal that no key has made",
		"A process is made up, with records whose hashes are computed": "has no seal",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			databases(t, func(t *testing.T, url string) {
				x := attacked(t, url, config, true)
				of := alice
				l := begin(t, url)
				history, err := l.History(context.Background(), of)
				require.NoError(t, err)
				assert.True(t, history.OK(), history.Entries)
				attacks[name].do(x)
				if strings.HasPrefix(name, "A process is made up") {
					of = consent.Reference(bytes.Repeat([]byte{7}, 16))
				}
				history, err = l.History(context.Background(), of)
				require.NoError(t, err)
				assert.False(t, history.OK())
				var faults []string
				for _, e := range history.Entries {
					faults = append(faults, e.Faults...)
					assert.Equal(t, len(e.Faults) == 0, e.Checked == ledger.SealChecked)
				}
				assert.Contains(t, faults, map[bool]string{true: fault + ": it was written without the key", false: fault}[fault == "has no seal"])
				var page bytes.Buffer
				require.NoError(t, history.WritePage(&page))
				assert.Contains(t, page.String(), "<strong>This record "+fault)
				assert.Contains(t, page.String(), "Not all of this is as it was written")
				assert.NotContains(t, page.String(), "Each was checked")
			})
		})
	}
}

func TestAHistoryBeginsWhereAPurgeHasEnded(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		old := yes(alice)
		old.Time = time.UnixMilli(1)
		keep(t, l, old)
		keep(t, l, no(alice))
		_, err := l.Purge(context.Background(), time.UnixMilli(1000), nil)
		require.NoError(t, err)
		history, err := l.History(context.Background(), alice)
		require.NoError(t, err)
		assert.Len(t, history.Entries, 1)
		assert.True(t, history.OK(), history.Entries[0].Faults)
		assert.Equal(t, ledger.SealChecked, history.Entries[0].Checked)
	})
}

func TestAClockIsCalledWrongOnlyWhereItWas(t *testing.T) {
	at := time.Now().UTC().Truncate(time.Millisecond)
	for name, test := range map[string]struct {
		back          time.Duration
		sameProcess   bool
		setBack, late int64
		says          string
	}{
		"set back in one process":                  {time.Hour, true, 1, 0, "A clock was wrong"},
		"a decision that waited for its turn":      {5 * time.Second, true, 0, 1, "it had to wait"},
		"a refusal that waited in another process": {time.Hour, false, 0, 1, "it had to wait"},
		"in order": {-time.Second, true, 0, 0, "Each was checked"},
		"one decision of which a part did not count": {0, true, 0, 0, "This is the same decision"},
	} {
		t.Run(name, func(t *testing.T) {
			databases(t, func(t *testing.T, url string) {
				l := begin(t, url)
				first, second := yes(alice), no(alice)
				first.Time, second.Time = at, at.Add(-test.back)
				keep(t, l, first)
				if !test.sameProcess {
					l = begin(t, url)
				}
				keep(t, l, second)
				report := verified(t, l)
				assert.Equal(t, []int64{test.setBack, test.late}, []int64{report.SetBack, report.Late})
				history, err := l.History(context.Background(), alice)
				require.NoError(t, err)
				var page bytes.Buffer
				require.NoError(t, history.WritePage(&page))
				for _, says := range []string{"A clock was wrong", "it had to wait", "This is the same decision"} {
					assert.Equal(t, says == test.says, strings.Contains(page.String(), says), says)
				}
			})
		})
	}
}

func TestOneDecisionStandsOnce(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		l := begin(t, url)
		// A consent that was written, and whose confirmation was lost: what counts of
		// the decision is recorded next, by the same process or another.
		consented := yes(alice)
		rest := consented
		rest.Answers = []consent.Answer{{Category: consent.Statistics, Provider: "Matomo"}, {Category: consent.ThirdParty, Provider: "AdCo <&> \"Sons\""}}
		keep(t, l, consented)
		keep(t, l, rest)
		later := no(alice)
		later.Time = consented.Time.Add(time.Second)
		keep(t, l, later)

		history, err := l.History(context.Background(), alice)
		require.NoError(t, err)
		var remainders []bool
		for _, e := range history.Entries {
			remainders = append(remainders, e.Remainder)
		}
		assert.Equal(t, []bool{false, true, false}, remainders)
		stats, err := l.Stats(context.Background(), ledger.Period{}, ledger.Grouping{}, nil)
		require.NoError(t, err)
		for _, s := range stats {
			assert.EqualValues(t, 2, s.Decided, "decisions of %s", s.Category)
			assert.Zero(t, s.Accepted, "of what counts, nothing was accepted")
		}
		verified(t, l)
	})
}

func TestAnExportSaysOfEachRecordWhatHolds(t *testing.T) {
	databases(t, func(t *testing.T, url string) {
		x := attacked(t, url, config, true)
		attacks["A record is changed"].do(x)
		x.execute(`UPDATE consent_record SET answers = 'x', regime = 'y' WHERE reference = $1`, x.key(carol[:]))
		l := begin(t, url)
		var lines, table bytes.Buffer
		require.NoError(t, l.Export(context.Background(), &lines, ledger.JSONLines, ledger.Period{}, nil))
		checked := make(map[ledger.Check]int)
		for decoder := json.NewDecoder(&lines); decoder.More(); {
			var e ledger.Entry
			require.NoError(t, decoder.Decode(&e))
			if e.ID != "" {
				checked[e.Checked]++
				assert.Equal(t, e.Checked == ledger.Unchecked, len(e.Faults) > 0)
			}
		}
		assert.Equal(t, map[ledger.Check]int{ledger.Unchecked: 2, ledger.SealChecked: 18}, checked)

		require.NoError(t, l.Export(context.Background(), &table, ledger.CSV, ledger.Period{}, nil))
		rows, err := csv.NewReader(&table).ReadAll()
		require.NoError(t, err)
		assert.Equal(t, []string{"checked", "faults"}, rows[0][16:])
		faults := make(map[string]int)
		for _, row := range rows[1:] {
			assert.Equal(t, row[16] == "", row[17] != "")
			faults[row[17]]++
		}
		assert.Equal(t, map[string]int{"": 8, "was altered": 1, "has a regime that cannot be read; has answers that cannot be read; was altered": 1}, faults)
	})
}

func TestAnExportIsVerifiedAwayFromTheDatabase(t *testing.T) {
	for kind, url := range map[string]func(testing.TB) string{"SQLite": lite, "PostgreSQL": postgres} {
		t.Run(kind, func(t *testing.T) {
			address := url(t)
			x := attacked(t, address, config, false)
			whole := exported(t, address, ledger.Period{})
			verify := func(t *testing.T, text string, config ledger.Config) ledger.Report {
				report, err := ledger.VerifyExport(strings.NewReader(text), config, nil, x.anchor)
				require.NoError(t, err)
				return report
			}
			report := verify(t, whole, config)
			assert.True(t, report.OK(), report.Faults)
			inTables := reported(t, address, config)
			inTables.Visitors = 0
			inTables.Anchor.Time = report.Anchor.Time
			assert.Equal(t, inTables, report)
			assert.True(t, verify(t, whole, ledger.Config{}).OK())

			// One line at a time is altered, left out, or said twice.
			lines := strings.SplitAfter(strings.TrimSuffix(whole, "\n"), "\n")
			for i := range lines[:len(lines)-1] {
				for name, change := range map[string]func([]string) []string{
					"out":   func(l []string) []string { return append(l[:i:i], l[i+1:]...) },
					"twice": func(l []string) []string { return append(append(l[:i+1:i+1], l[i]), l[i+1:]...) },
				} {
					if i == 0 && name == "out" {
						continue
					}
					changed := reseal(change(lines))
					report, err := ledger.VerifyExport(strings.NewReader(changed), config, nil)
					assert.True(t, err != nil || !report.OK(), "%s: %s", name, lines[i])
				}
			}
			for name, test := range map[string]struct {
				old, new, fault string
				config          ledger.Config
			}{
				"an answer":                       {`"allowed":true`, `"allowed":false`, "was altered", ledger.Config{}},
				"a notice":                        {`Voulez`, `Pouvez`, "the notice", ledger.Config{}},
				"the seal of the end":             {`Voulez`, `Voulez`, "the end of the export has no seal", config},
				"what another program may read":   {`"objection":false`, `"OBJECTION":true,"objection":false`, "is not as an export writes it", ledger.Config{}},
				"a word of which nobody knows":    {`"gpc":`, `"paid":true,"gpc":`, "is not as an export writes it", ledger.Config{}},
				"the same in the row of a writer": {`"opened":`, `"Opened":1,"opened":`, "is not as an export writes it", ledger.Config{}},
				"how much a writer wrote":         {`"written":4`, `"written":3`, "there are 4 records of the writer", ledger.Config{}},
			} {
				t.Run(name, func(t *testing.T) {
					report, err := ledger.VerifyExport(strings.NewReader(reseal([]string{strings.Replace(whole, test.old, test.new, 1)})), test.config, nil)
					require.NoError(t, err)
					assert.Contains(t, strings.Join(report.Faults, "\n"), test.fault)
				})
			}
			t.Run("the bytes of the file", func(t *testing.T) {
				report := verify(t, strings.Replace(whole, `{"export"`, ` {"export"`, 1), config)
				assert.Contains(t, strings.Join(report.Faults, "\n"), "not those that were written")
				report = verify(t, strings.Join(lines[:len(lines)-1], ""), config)
				assert.Contains(t, strings.Join(report.Faults, "\n"), "has no end")
			})
			t.Run("of a period", func(t *testing.T) {
				now := time.Now()
				part := exported(t, address, ledger.Period{From: now.AddDate(0, 0, -1), Until: now.AddDate(0, 0, 1)})
				report, err := ledger.VerifyExport(strings.NewReader(part), config, nil)
				require.NoError(t, err)
				assert.True(t, report.OK(), report.Faults)
				assert.True(t, report.Partial, "so that nobody says that nothing is missing")
				none := exported(t, address, ledger.Period{Until: time.UnixMilli(5)})
				report, err = ledger.VerifyExport(strings.NewReader(none), config, nil)
				require.NoError(t, err)
				assert.True(t, report.OK(), report.Faults)
				assert.Zero(t, report.Records)
				report = verify(t, strings.Replace(part, `"allowed":true`, `"allowed":false`, 1), config)
				assert.Contains(t, strings.Join(report.Faults, "\n"), "was altered")
			})
		})
	}
}

// reseal gives lines an end that fits them, as anybody can who has no key.
func reseal(lines []string) string {
	text := strings.Join(lines, "")
	if i := strings.LastIndex(text, `{"end":`); i >= 0 {
		text = text[:i]
	}
	return text + endOf(text)
}

func TestWhatIsNoExportIsNamedByItsLine(t *testing.T) {
	for name, test := range map[string]struct{ text, wrong string }{
		"nothing":          {"", "it is empty"},
		"a table":          {"id,time,reference\n", "line 1"},
		"another version":  {`{"export":{"version":2}}` + "\n", "line 1 is not the beginning of an export"},
		"no beginning":     {`{"id":""}` + "\n", "line 1 is not the beginning of an export"},
		"no key":           {`{"export":{"version":1}}` + "\n" + `{"id":"x"}` + "\n", "line 2"},
		"no hash":          {`{"export":{"version":1}}` + "\n" + `{"hash":"x"}` + "\n", "line 2"},
		"two beginnings":   {`{"export":{"version":1}}` + "\n" + `{"export":{"version":1,"from":"1970-01-01T00:00:00Z"}}` + "\n", "line 2 begins another export"},
		"something behind": {`{"export":{"version":1}}` + "\n" + endOf(`{"export":{"version":1}}`+"\n") + "{}\n", "line 2 comes after the end"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ledger.VerifyExport(strings.NewReader(test.text), config, nil)
			assert.ErrorContains(t, err, test.wrong)
		})
	}
}

// endOf returns the last line of an export with these lines.
func endOf(lines string) string {
	sum := sha256.Sum256([]byte(lines))
	return fmt.Sprintf(`{"end":{"lines":%d,"sha256":"%x"}}`+"\n", strings.Count(lines, "\n"), sum)
}
