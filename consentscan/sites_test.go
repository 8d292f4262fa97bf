package main_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent/consentscan/internal/banner"
	"github.com/cookiecharter/consent/consentscan/internal/chrome"
	"github.com/cookiecharter/consent/consentscan/internal/crawl"
	"github.com/cookiecharter/consent/consentscan/internal/finding"
	"github.com/cookiecharter/consent/consentscan/internal/judge"
	"github.com/cookiecharter/consent/consentscan/internal/scan"
	"github.com/cookiecharter/consent/consentscan/internal/sites"
	"github.com/cookiecharter/consent/consentscan/internal/steps"
	"github.com/cookiecharter/consent/internal/browsertest"
)

func TestEachFaultIsFoundAndNamedRightly(t *testing.T) {
	t.Parallel()
	scanEach(t, "bad", func(t *testing.T, site *sites.Site, found []finding.Finding) {
		for _, e := range site.Expected {
			i := slices.IndexFunc(found, func(f finding.Finding) bool { return isSubject(e, f) && string(f.Check) == e.Check })
			if i < 0 {
				assert.True(t, e.Optional, "not found: %+v", e)
				continue
			}
			compare(t, e, found[i])
		}
		for _, f := range found {
			assert.True(t, slices.ContainsFunc(site.Expected, func(e sites.Expectation) bool {
				return isSubject(e, f) && (string(f.Check) == e.Check || slices.Contains(e.Also, string(f.Check)))
			}), "false alarm: %s", told(f))
		}
	})
}

func TestGoodSitesRaiseNoAlarm(t *testing.T) {
	t.Parallel()
	scanEach(t, "good", func(t *testing.T, _ *sites.Site, found []finding.Finding) {
		for _, f := range found {
			assert.Fail(t, "false alarm", told(f))
		}
	})
}

func scanEach(t *testing.T, folder string, check func(*testing.T, *sites.Site, []finding.Finding)) {
	files, err := filepath.Glob("testdata/sites/" + folder + "/*.txt")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 30)
	browser, err := chrome.Start(t.Context(), chrome.Options{Path: browsertest.FindChromium(t)})
	require.NoError(t, err)
	t.Cleanup(browser.Close)
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			t.Parallel()
			site := sites.Open(t, path)
			setup, err := steps.Parse(strings.NewReader(site.Setup), func(string) string { return "" })
			require.NoError(t, err)
			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
			defer cancel()
			result, err := scan.Run(ctx, scan.Options{
				URL: site.URL, Registry: site.Registry, OptOut: site.OptOut, Setup: setup,
				Crawl:  crawl.Options{Pages: 10},
				Banner: banner.Options{Accept: site.Accept, Refuse: site.Refuse, Withdraw: site.Withdraw},
				Runs:   browser,
			})
			require.NoError(t, err)
			for _, problem := range result.Problems {
				t.Logf("problem: %+v", problem)
			}
			for _, stage := range result.Stages {
				if stage.Skipped != "" {
					t.Logf("%s was skipped: %s", stage.Name, stage.Skipped)
				}
			}
			found := judge.Judge(result.Scan, result.Registry, judge.Options{OwnCookies: result.OwnCookies})
			check(t, site, found)
			if t.Failed() {
				for _, f := range found {
					t.Log("found: " + told(f))
				}
			}
		})
	}
}

// isSubject reports whether a finding is about what is expected, whatever it says.
func isSubject(e sites.Expectation, f finding.Finding) bool {
	return f.Kind == e.Kind && withoutPort(f.Name) == e.Name && (e.Host == "" || f.Host == "" || withoutPort(f.Host) == e.Host)
}

func compare(t *testing.T, e sites.Expectation, f finding.Finding) {
	t.Helper()
	for _, stage := range e.Stages {
		assert.Contains(t, f.Stages, stage, "of the stages of %s", told(f))
	}
	for _, stage := range e.Never {
		assert.NotContains(t, f.Stages, stage, "of the stages of %s", told(f))
	}
	assert.True(t, e.How == "" && e.Script == "" && e.Line == 0 || slices.ContainsFunc(f.Places, func(p finding.Place) bool {
		return strings.Contains(withoutPort(p.How), e.How) && strings.HasSuffix(withoutPort(p.Script), e.Script) && (e.Line == 0 || p.Line == e.Line)
	}), "no place has how %q, script %q, line %d: %+v", e.How, e.Script, e.Line, f.Places)
}

// withoutPort takes the ports off the hosts of a text.
func withoutPort(text string) string {
	before, after, ok := strings.Cut(text, "localhost:")
	if !ok {
		return text
	}
	return before + "localhost" + withoutPort(strings.TrimLeft(after, "0123456789"))
}

func told(f finding.Finding) string {
	places := make([]string, 0, 3)
	for _, p := range f.Places[:min(3, len(f.Places))] {
		places = append(places, fmt.Sprintf("%s %s (%s)", p.Stage, p.Page, p.How))
	}
	return fmt.Sprintf("%s %s %q of %s in %v at %s", f.Check, f.Kind, f.Name, f.Host, f.Stages, strings.Join(places, "; "))
}
