package main_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
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
	scanEach(t, "bad", func(site *sites.Site, found []finding.Finding) (wrong []string) {
		for _, e := range site.Expected {
			i := slices.IndexFunc(found, func(f finding.Finding) bool { return isSubject(e, f) && string(f.Check) == e.Check })
			if i >= 0 {
				wrong = append(wrong, compare(e, found[i])...)
			} else if !e.Optional {
				wrong = append(wrong, fmt.Sprintf("not found: %+v", e))
			}
		}
		for _, f := range found {
			if !slices.ContainsFunc(site.Expected, func(e sites.Expectation) bool {
				return isSubject(e, f) && (string(f.Check) == e.Check || slices.Contains(e.Also, string(f.Check)))
			}) {
				wrong = append(wrong, "false alarm: "+told(f))
			}
		}
		return wrong
	})
}

func TestGoodSitesRaiseNoAlarm(t *testing.T) {
	t.Parallel()
	scanEach(t, "good", func(_ *sites.Site, found []finding.Finding) (wrong []string) {
		for _, f := range found {
			wrong = append(wrong, "false alarm: "+told(f))
		}
		return wrong
	})
}

// sample is how many sites of each folder are scanned, spread over all of them. With
// SITES=all, all of them are, which takes ten minutes.
const sample = 16

func scanEach(t *testing.T, folder string, check func(*sites.Site, []finding.Finding) (wrong []string)) {
	var again atomic.Int32
	t.Cleanup(func() {
		assert.LessOrEqual(t, again.Load(), int32(4), "sites of which two scans said different things")
	})
	files, err := filepath.Glob("testdata/sites/" + folder + "/*.txt")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), sample)
	if os.Getenv("SITES") != "all" {
		for i := range sample {
			files[i] = files[i*len(files)/sample]
		}
		files = files[:sample]
	}
	browser, err := chrome.Start(t.Context(), chrome.Options{Path: browsertest.FindChromium(t)})
	require.NoError(t, err)
	t.Cleanup(browser.Close)
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			t.Parallel()
			site := sites.Open(t, path)
			setup, err := steps.Parse(strings.NewReader(site.Setup), func(string) string { return "" })
			require.NoError(t, err)
			found := look(t, browser, site, setup)
			if wrong := check(site, found); wrong != nil {
				// On a machine that is too busy a page does late what it does. What is so of
				// the site is so the second time.
				again.Add(1)
				t.Logf("once more, since: %q", wrong)
				found = look(t, browser, site, setup)
				if wrong = check(site, found); wrong != nil {
					t.Errorf("%s", strings.Join(wrong, "\n"))
					for _, f := range found {
						t.Log("found: " + told(f))
					}
				}
			}
		})
	}
}

// look scans a site in a browser of several scans.
func look(t *testing.T, browser *chrome.Browser, site *sites.Site, setup steps.Steps) []finding.Finding {
	t.Helper()
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
	return judge.Judge(result.Scan, result.Registry, judge.Options{OwnCookies: result.OwnCookies})
}

// isSubject reports whether a finding is about what is expected, whatever it says.
func isSubject(e sites.Expectation, f finding.Finding) bool {
	return f.Kind == e.Kind && withoutPort(f.Name) == e.Name && (e.Host == "" || f.Host == "" || withoutPort(f.Host) == e.Host)
}

// compare returns what a finding should say and does not.
func compare(e sites.Expectation, f finding.Finding) (wrong []string) {
	for _, stage := range e.Stages {
		if !slices.Contains(f.Stages, stage) {
			wrong = append(wrong, fmt.Sprintf("not in %q: %s", stage, told(f)))
		}
	}
	for _, stage := range e.Never {
		if slices.Contains(f.Stages, stage) {
			wrong = append(wrong, fmt.Sprintf("in %q: %s", stage, told(f)))
		}
	}
	if (e.How != "" || e.Script != "" || e.Line != 0) && !slices.ContainsFunc(f.Places, func(p finding.Place) bool {
		return strings.Contains(withoutPort(p.How), e.How) && strings.HasSuffix(withoutPort(p.Script), e.Script) && (e.Line == 0 || p.Line == e.Line)
	}) {
		wrong = append(wrong, fmt.Sprintf("no place has how %q, script %q, line %d: %+v", e.How, e.Script, e.Line, f.Places))
	}
	return wrong
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
