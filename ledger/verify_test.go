package ledger_test

import (
	"context"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNothingIsInventedThatVerifyDoesNotSee(t *testing.T) {
	a, b := visitor(), visitor()
	for name, test := range map[string]struct{ change, fault string }{
		"an answer":                     {`UPDATE consent_record SET answers = replace(answers, 'false', 'true') WHERE n = 2 AND reference = $a`, "was altered"},
		"a time":                        {`UPDATE consent_record SET decided = decided + 1 WHERE n = 1 AND reference = $a`, "was altered"},
		"a visitor":                     {`UPDATE consent_record SET n = 4, reference = $a WHERE n = 2 AND reference = $b`, "was altered"},
		"a notice":                      {`UPDATE consent_notice SET content = '{}'`, "the notice"},
		"a missing notice":              {`DELETE FROM consent_notice`, "is missing"},
		"a missing first record":        {`DELETE FROM consent_record WHERE n = 1 AND reference = $a`, "is missing"},
		"one missing from the middle":   {`DELETE FROM consent_record WHERE n = 2 AND reference = $a`, "is missing"},
		"a missing last one":            {`DELETE FROM consent_record WHERE n = 3 AND reference = $a`, "1 are missing"},
		"a missing visitor":             {`DELETE FROM consent_record WHERE reference = $a`, "3 are missing"},
		"the last record that was kept": {`DELETE FROM consent_record WHERE n = 2 AND reference = $b`, "1 are missing"},
		"everything":                    {`DELETE FROM consent_record`, "7 are missing"},
		"a missing writer":              {`DELETE FROM consent_writer`, "the writer"},
		"a record that is hidden":       {`UPDATE consent_record SET forgotten = 1 WHERE n = 3 AND reference = $a`, "marked as forgotten"},
		"a record that cannot be read":  {`UPDATE consent_record SET previous = $short WHERE n = 3 AND reference = $a`, "was altered"},
		"an erasure that was none":      {`UPDATE consent_record SET reference = NULL WHERE n = 3 AND reference = $a`, "was not forgotten"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			databases(t, func(t *testing.T, url string) {
				if strings.Contains(test.change, "$short") && !isSQLite(url) {
					return // PostgreSQL takes nothing that cannot be read
				}
				l := begin(t, url)
				for range 3 {
					keep(t, l, yes(a))
				}
				keep(t, l, yes(b))
				l.RecordLater(no(b))
				finish(t, l)
				l = begin(t, url)
				verified(t, l)

				quote := func(s string) string { return "'" + s + "'" }
				if isSQLite(url) {
					quote = func(s string) string { return "x'" + s + "'" }
				}
				execute(t, url, strings.NewReplacer("$a", quote(hex.EncodeToString(a[:])), "$b", quote(hex.EncodeToString(b[:])), "$short", quote("00")).Replace(test.change))
				report, err := l.Verify(context.Background(), nil)
				require.NoError(t, err)
				assert.False(t, report.OK())
				assert.Contains(t, strings.Join(report.Faults, "\n"), test.fault)
			})
		})
	}
}
