package report_test

import (
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/consentscan/internal/finding"
	"github.com/cookiecharter/consent/consentscan/internal/report"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

func TestThePolicyAllowsTheStyleOfThePageAndNothingElse(t *testing.T) {
	page := written(t, report.HTML, sample())
	style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindAllStringSubmatch(page, -1)
	require.Len(t, style, 1)
	hash := sha256.Sum256([]byte(style[0][1]))
	policy := regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)[1]
	policy = strings.NewReplacer("&#39;", "'", "&#43;", "+").Replace(policy)
	assert.Equal(t, "default-src 'none'; img-src data:; style-src 'sha256-"+base64.StdEncoding.EncodeToString(hash[:])+"'; base-uri 'none'; form-action 'none'", policy)
	assert.NotContains(t, page, " style=")
	assert.NotContains(t, page, "ZgotmplZ")
}

func TestPicturesBeyondTwentyMegabytesAreLeftOut(t *testing.T) {
	r := sample()
	for i := range 2 {
		r.Scan.Stages[i].Pictures = []seen.Picture{{Page: "/", PNG: make([]byte, 8<<20)}, {Page: "/contact", PNG: make([]byte, 3<<20)}}
	}
	page := written(t, report.HTML, r)
	assert.Equal(t, 3, strings.Count(page, "<img"), "8 + 3 + 8 MB, and no 3 more")
	assert.Contains(t, page, "1 more picture is left out")
	assert.Less(t, len(page), 27<<20)
	assert.NotContains(t, written(t, report.HTML, sample()), "left out")
}

func TestAScanOfManyFindingsHasAPageThatOpens(t *testing.T) {
	r := sample()
	for range 3000 {
		r.Findings = append(r.Findings, finding.Finding{Check: finding.Undeclared, Level: finding.Note, Name: strings.Repeat("n", 4000), Message: strings.Repeat("m", 4000)})
	}
	start := time.Now()
	page := written(t, report.HTML, r)
	assert.Equal(t, 1000, strings.Count(page, "<article"))
	assert.Less(t, len(page), 4<<20)
	assert.Contains(t, page, "2007 more findings are left out")
	assert.Less(t, time.Since(start), 5*time.Second)
}

func TestThePageSaysSoIfNothingWasFound(t *testing.T) {
	page := written(t, report.HTML, report.Report{Scan: &seen.Scan{Site: "https://example.org"}})
	assert.Contains(t, page, "Nothing was found")
	assert.Contains(t, page, "No other host was contacted")
	assert.NotContains(t, page, "<article")
	assert.NotContains(t, page, "Pictures")
}
