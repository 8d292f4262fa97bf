package judge_test

import (
	"go/format"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/consentscan/internal/finding"
	"github.com/cookiecharter/consent/consentscan/internal/judge"
	"github.com/cookiecharter/consent/consentscan/internal/seen"
)

// gravest returns the first finding about these events.
func gravest(t *testing.T, events []seen.Event) finding.Finding {
	findings := judge.Judge(scanOf(events), shop(), judge.Options{})
	require.NotEmpty(t, findings)
	return findings[0]
}

func by(c seen.Cause) func(*seen.Event) { return func(e *seen.Event) { e.By = c } }

func TestWhatToWriteFollowsTheCause(t *testing.T) {
	inPage := seen.Cause{Script: "https://shop.example/", Line: 4}
	script := seen.Cause{Script: "https://tags.example/tag.js?a=\"><", Line: 1}
	for name, test := range map[string]struct {
		events []seen.Event
		want   string
	}{
		"by the server":           {with(cookie(seen.Stored, "_fbp", "new"), by(seen.Cause{Header: "https://shop.example/"})), "wrap the whole site in the Middleware (mw.Wrap, or the proxy)"},
		"by a script":             {with(cookie(seen.Stored, "_ga", "new"), by(script)), `<script type="text/plain" data-consent="statistics" data-provider="Google" data-src="https://tags.example/tag.js?a=\&#34;&gt;&lt;"></script>`},
		"by a script in the page": {with(cookie(seen.Stored, "_ga", "new"), by(inPage)), `<script type="text/plain" data-consent="statistics" data-provider="Google">…</script> or have it ask consent.state.allowed["statistics"]?.includes("Google")`},
		"by a worker":             {with(cookie(seen.Stored, "_ga", "new"), by(seen.Cause{Worker: "service worker", Script: "https://shop.example/sw.js"})), `No gate reaches a service worker`},
		"by nobody knows whom":    {cookie(seen.Stored, "_ga", "new"), `<template data-consent="statistics" data-provider="Google">…</template>`},
		"after an objection":      {with(cookie(seen.Stored, "visits", "objected"), by(inPage)), `consent.state.objection in a script, Preferences.AllowsCookie("visits") in a handler`},
		"by a frame": {with(with(cookie(seen.Stored, "vuid", "new"), third("player.vimeo.example")), func(e *seen.Event) {
			e.Frame, e.By = "https://player.vimeo.example/1", script
		}), `<template data-consent="third-party" data-provider="Vimeo"><iframe src="https://player.vimeo.example/1"></iframe></template>`},
		"by a third party's response":   {with(with(cookie(seen.Stored, "vuid", "new"), third("vimeo.example")), by(seen.Cause{Header: "https://vimeo.example/p.gif"})), `hold back what loads https://vimeo.example/p.gif: <template data-consent="third-party" data-provider="Vimeo">…</template>`},
		"a frame that is contacted":     {with(contacted("i.vimeo.example", "new"), func(e *seen.Event) { e.Transport = seen.Frame }), `<iframe src="https://i.vimeo.example/…"></iframe>`},
		"a script that is contacted":    {contacted("tags.example", "new"), `data-src="https://tags.example/…"></script>`},
		"a frame in the page's markup":  {with(with(contacted("i.vimeo.example", "new"), by(inPage)), func(e *seen.Event) { e.Transport = seen.Frame }), "or site.Embed, which draws a placeholder"},
		"a script in the page's markup": {with(contacted("tags.example", "new"), by(inPage)), `data-src="https://tags.example/…"></script>; if a script in the page loads it, that one too`},
		"a gate that never opens":       {[]seen.Event{{Act: seen.Held, Stage: "accepted", Page: "/", Name: "audience-measurement"}}, `data-consent="statistics" data-provider="Google"`},
		"an image that is contacted":    {with(contacted("i.vimeo.example", "new"), func(e *seen.Event) { e.Transport = seen.Image }), "Hold the image back: <template "},
		"a beacon, after a withdrawal":  {with(contacted("i.vimeo.example", "withdrawing"), func(e *seen.Event) { e.Transport = seen.Beacon }), "Load the page again after a withdrawal"},
		"a host that nobody names":      {contacted("cdn.example", "accepted"), `Origins: []string{"https://cdn.example"} in the declaration of whoever answers there`},
		"a host by its domain":          {contacted("t.adco.example", "accepted"), `Origins: []string{"https://t.adco.example"} in the declaration of "AdCo"`},
		"a host that is well known":     {with(contacted("region1.google-analytics.com", "accepted"), by(script)), `in the declaration of "Google", and hold back what contacts it; or serve the file from the site itself. Hold the script back: <script type="text/plain" data-consent="statistics" data-provider="Google"`},
		"hosts that nobody names":       {join(contacted("edge-25ge7nzr.video.example", "accepted"), contacted("edge-9ab17fz2.video.example", "accepted")), `Origins: []string{"https://*.video.example"}`},
		"left behind": {with(cookie(seen.Kept, "_ga", "withdrawn"), attributes(seen.Attributes{Domain: "shop.example", Path: "/shop"})),
			`so that a withdrawal deletes it there: Domain: "shop.example", Path: "/shop". Wrap`},
		"left behind in two places": {join(
			with(cookie(seen.Kept, "_ga", "withdrawn"), attributes(seen.Attributes{HostOnly: true, Path: "/a"})),
			with(cookie(seen.Kept, "_ga", "withdrawn"), attributes(seen.Attributes{Domain: "shop.example", Path: "/"}))),
			`Path: "/a", Also: []consent.Place{{Domain: "shop.example", Path: "/"}}`},
		"left behind, nobody knows where": {cookie(seen.Sent, "_ga", "withdrawn"), "its Domain, its Path, and Also"},
		"left behind in a storage":        {with(with(cookie(seen.Kept, "volume", "withdrawn"), in(seen.LocalStorage)), func(e *seen.Event) {}), `<script src="/cookies/script.js" defer></script>`},
		"left behind in another storage":  {with(cookie(seen.Kept, "volume", "withdrawn"), in(seen.CacheStorage)), "Declare it with Kind: consent.CacheStorage. "},
		"left behind elsewhere":           {join(with(cookie(seen.Kept, "vuid", "withdrawn"), third("vimeo.example")), with(cookie(seen.Sent, "vuid", "withdrawn"), third("vimeo.example"))), "No site can delete what lies at vimeo.example"},
		"a lifetime":                      {with(cookie(seen.Stored, "_ga", "accepted"), attributes(seen.Attributes{HostOnly: true, Path: "/", Lifetime: 400*day + 100*day - time.Second})), "write Lifetime: 500 * 24 * time.Hour, or"},
		"a domain":                        {with(cookie(seen.Stored, "_fbp", "accepted"), attributes(seen.Attributes{Domain: "www.shop.example", Path: "/"})), `write Domain: "www.shop.example", Path: "/", or, if it lies in several places, Also: []consent.Place{{Domain: "www.shop.example", Path: "/"}}`},
		"a path":                          {with(cookie(seen.Stored, "theme", "accepted"), attributes(seen.Attributes{HostOnly: true, Path: "/basket"})), `write Path: "/basket", or have it set`},
		"a kind":                          {with(cookie(seen.Kept, "sessionid", "new"), in(seen.SessionStorage)), "write Kind: consent.SessionStorage, or"},
		"a name that cannot be declared":  {cookie(seen.Stored, "a*b", "new"), "rename it, or do not store it"},
		"a third party's undeclared":      {with(cookie(seen.Stored, "uid", "accepted"), third("t.example")), `Origins:  []string{"https://t.example"},`},
		"declared elsewhere":              {with(cookie(seen.Stored, "sessionid", "accepted"), third("t.example")), `In the declaration of "sessionid" by "Shop" write Origins: []string{"https://t.example"}`},
		"a known name, before an answer":  {with(cookie(seen.Stored, "_gat", "new"), by(script)), `data-consent="statistics" data-provider="Google"`},
		"a service worker":                {with(cookie(seen.Kept, "/sw.js", "new"), in(seen.ServiceWorker)), `Kind:     consent.Other,`},
		"a family":                        {join(cookie(seen.Stored, "basket_8f3a9c1e", "new"), cookie(seen.Stored, "basket_77aa0bcd", "new")), `Name:     "basket_*",`},
		"a family of one":                 {cookie(seen.Stored, "basket_8f3a9c1e", "new"), `Name:     "basket_8f3a9c1e",`},
		"a signal":                        {events(seen.Event{Act: seen.Signalled, Name: "Google"}, "new"), "Put site.Head(r), or /cookies/head.js without defer, before the tag"},
		"a cookie that is not taken":      {cookie(seen.Blocked, "sessionid", "new"), "look at Secure, SameSite, Domain"},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Contains(t, gravest(t, test.events).Mend, test.want)
		})
	}
}

func TestTheDeclarationThatIsProposedCompiles(t *testing.T) {
	for _, events := range [][]seen.Event{
		with(cookie(seen.Stored, "_gat", "accepted"), attributes(seen.Attributes{Domain: "shop.example", Path: "/", Lifetime: 730*day - time.Second})),
		with(cookie(seen.Kept, "filters", "accepted"), in(seen.LocalStorage)),
		join(cookie(seen.Stored, "basket_8f3a9c1e", "new"), cookie(seen.Stored, "basket_77aa0bcd", "accepted")),
	} {
		mend, found := strings.CutPrefix(gravest(t, events).Mend, "Declare it:\n")
		require.True(t, found)
		source := "package shop\n\nvar cookies = consent.MustRegistry(\n" + regexp.MustCompile("(?m)^").ReplaceAllString(mend, "\t") + "\n)\n"
		formatted, err := format.Source([]byte(source))
		require.NoError(t, err, source)
		assert.Equal(t, string(formatted), source)
	}
	mend := gravest(t, with(cookie(seen.Stored, "_gat", "accepted"), attributes(seen.Attributes{Domain: "shop.example", Path: "/", Lifetime: 730*day - time.Second}))).Mend
	for _, line := range []string{`Provider: "Google",`, "Category: consent.Statistics,", "Lifetime: 730 * 24 * time.Hour,", `Domain:   "shop.example",`, "TODO"} {
		assert.Contains(t, mend, line)
	}
}

func TestEachRuleIsOneOfTheTable(t *testing.T) {
	page, err := os.ReadFile("../../../docs/rules.md")
	require.NoError(t, err)
	anchors := make(map[string]bool)
	for _, heading := range regexp.MustCompile(`(?m)^## (.*)$`).FindAllStringSubmatch(string(page), -1) {
		anchors[strings.ReplaceAll(strings.ToLower(heading[1]), " ", "-")] = true
	}
	no := false
	scan := scanOf(
		cookie(seen.Stored, "_ga", "new"), contacted("tags.example", "new"), cookie(seen.Kept, "_fbp", "withdrawn"), cookie(seen.Stored, "promo", "new"),
		contacted("cdn.example", "new"), with(cookie(seen.Stored, "theme", "accepted"), attributes(seen.Attributes{Path: "/x"})),
		events(seen.Event{Act: seen.Signalled, Name: "Google"}, "new"), cookie(seen.Blocked, "x", "new"), cookie(seen.Blocked, "cookies_preferences", "new"),
		cookie(seen.Sent, "vuid", "withdrawn"), cookie(seen.Stored, "visits", "objected"), with(cookie(seen.Stored, "volume", "new"), in(seen.LocalStorage)),
		with(contacted("i.vimeo.example", "new"), func(e *seen.Event) { e.Transport = seen.Image }),
		cookie(seen.Kept, "_pk_id.1", "opt-out refused"), cookie(seen.Stored, "sync", "opt-out with Sec-GPC"), with(cookie(seen.Stored, "IDE", "uk"), third("adco.example")),
	)
	scan.Stages[1].Kept = &no
	checks, sources := make(map[finding.Check]bool), make(map[string]bool)
	for _, f := range judge.Judge(scan, shop(), judge.Options{}) {
		checks[f.Check], sources[f.Source] = true, true
		assert.True(t, anchors[f.Rule], "%s: no section %q", f.Check, f.Rule)
		assert.NotEmpty(t, f.Source)
		assert.Contains(t, string(page), f.Source, f.Check)
		assert.NotEmpty(t, f.Mend, f.Check)
	}
	assert.Len(t, checks, 11, "each check has been asked")
	assert.Len(t, sources, 13, "and each source")
}

func TestTheRuleIsOfTheLawThatHolds(t *testing.T) {
	source := func(name string, stages ...string) string {
		return gravest(t, cookie(seen.Stored, name, stages...)).Source
	}
	assert.Contains(t, source("_fbp", "opt-out with Sec-GPC"), "11 CCR § 7025")
	assert.Contains(t, source("_fbp", "uk"), "Privacy and Electronic Communications Regulations")
	assert.Contains(t, source("_fbp", "uk", "opt-out with Sec-GPC", "new"), "ePrivacy art. 5(3); 091 art. 2")
	assert.Contains(t, source("visits", "objected"), "GDPR art. 21(1)")
	assert.Contains(t, gravest(t, cookie(seen.Blocked, "cookies_preferences", "new")).Source, "092 §§ 38–39")
	assert.Contains(t, gravest(t, cookie(seen.Blocked, "sessionid", "new")).Source, "Planet49")
}

func TestAConsentIsAskedForWhatNeedsIt(t *testing.T) {
	declared := func(provider string, category consent.Category) consent.Cookie {
		return consent.Cookie{Provider: provider, Name: "shared", Category: category, Purpose: consent.Text{{}: "x"}}
	}
	registry := consent.MustRegistry(declared("Shop", consent.Necessary), declared("AdCo", consent.Advertising))
	f := judge.Judge(scanOf(cookie(seen.Stored, "shared", "new")), registry, judge.Options{})
	require.Len(t, f, 1)
	assert.Contains(t, f[0].Mend, `data-consent="advertising" data-provider="AdCo"`)
	assert.Equal(t, "Shop, AdCo", f[0].Provider)
	assert.Equal(t, "necessary, advertising", f[0].Category)
}

func TestWhatTheChartersScriptOpensIsHeldBackAlready(t *testing.T) {
	opened := with(contacted("cdn.example", "accepted"), by(seen.Cause{Script: "https://shop.example/cookies/script.js", Line: 1, Column: 3}))
	mend := gravest(t, opened).Mend
	assert.Contains(t, mend, `Origins: []string{"https://cdn.example"}`)
	assert.Contains(t, mend, "It waits already: the charter's script has brought it in")
	assert.NotContains(t, mend, "<script")
}
