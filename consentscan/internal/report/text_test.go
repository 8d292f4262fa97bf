package report_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/cookiecharter/consent/consentscan/internal/finding"
	"github.com/cookiecharter/consent/consentscan/internal/report"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

func TestColoursAddNothingToTheText(t *testing.T) {
	plain, colored := written(t, outputs[0].write, sample()), written(t, outputs[1].write, sample())
	assert.NotContains(t, plain, "\x1b")
	assert.Contains(t, colored, "\x1b[1;31merror\x1b[0m")
	assert.Equal(t, plain, regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(colored, ""))
}

func TestNoLineIsTooWideToRead(t *testing.T) {
	text := strings.TrimSpace(written(t, outputs[0].write, hostileReport(strings.Repeat("words and more ", 20))))
	text = text[:strings.LastIndex(text, "\n")] // the counts are one line
	for line := range strings.SplitSeq(text, "\n") {
		if !strings.Contains(line, "https://") { // an address can be copied
			assert.LessOrEqual(t, utf8.RuneCountInString(line), 100, line)
		}
	}
}

func TestAFindingThatFitsIsOneLine(t *testing.T) {
	text := written(t, outputs[0].write, sample())
	assert.Contains(t, text, "\nerror answer-not-kept: The site asked again after a refusal — in refused — /shop\n")
}

func TestTheLastLineCounts(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(written(t, outputs[0].write, sample())), "\n")
	assert.Equal(t, "2 errors, 3 warnings, 2 notes; 15 pages in 6 stages (1 skipped); 2 problems; baseline: 2 known, 1 gone", lines[len(lines)-1])
	lines = strings.Split(strings.TrimSpace(written(t, outputs[0].write, report.Report{
		Scan:     &seen.Scan{Site: "https://example.org", Stages: []seen.Stage{{Name: "new", Pages: []string{"/"}}}},
		Findings: []finding.Finding{{Check: finding.Undeclared, Level: finding.Warning}},
	})), "\n")
	assert.Equal(t, "0 errors, 1 warning, 0 notes; 1 page in 1 stage", lines[len(lines)-1])
}
