package browser

import (
	"os"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// axe returns the source of axe-core. Where it is not installed the test is
// skipped; with CI=true it fails.
func axe(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile("node_modules/axe-core/axe.min.js")
	if err != nil && os.Getenv("CI") != "true" {
		t.Skipf("axe-core is not installed, see npm ci --prefix dev/browser: %v", err)
	}
	require.NoError(t, err, "CI=true asks for axe-core: npm ci --prefix dev/browser")
	return string(source)
}

// states are what a new visitor goes through, one after the other.
var states = []struct {
	name  string
	reach func(*tab, *demo)
}{
	{"a page that asks", func(b *tab, d *demo) {
		call(b, network.ClearBrowserCookies, cdp.Empty{})
		b.visit(d.url + "/")
	}},
	{"a static page that asks", func(b *tab, d *demo) {
		b.visit(d.url + "/static")
		b.until(`document.querySelector(".charter-banner")`)
	}},
	{"a page with a film that waits", func(b *tab, d *demo) { b.visit(d.url + "/film") }},
	{"the charter before a decision", func(b *tab, d *demo) { b.visit(d.url + "/cookies/") }},
	{"a page that confirms", func(b *tab, d *demo) {
		b.visit(d.url + "/")
		b.click(".charter-banner [value=refuse]")
		b.until(`document.querySelector(".charter-done")`)
	}},
	{"the charter after a decision", func(b *tab, d *demo) { b.visit(d.url + "/cookies/") }},
	{"the charter after saving", func(b *tab, d *demo) {
		b.click("[value='third-party:Vimeo']")
		b.click("[value=save]")
		b.until(`document.querySelector("[value='third-party:Vimeo'][checked]")`)
	}},
}

// What axe leaves undecided is listed too, but for text of a table that is
// scrolled out of sight. The rule on target size is off by default, being new
// in WCAG 2.2. In forced colours the contrast is the visitor's own, and axe
// reads a colour that is not (-webkit-text-fill-color).
const runAxe = `axe.run({resultTypes: ["violations", "incomplete"], rules: {
	"target-size": {enabled: true},
	"color-contrast": {enabled: !matchMedia("(forced-colors: active)").matches},
}}).then(({violations, incomplete, passes}) => ({
	passed: passes.map(rule => rule.id),
	found: [...violations, ...incomplete].flatMap(rule => rule.nodes
		.filter(node => !(node.any.some(check => check.data?.messageKey === "elmPartiallyObscured") && document.querySelector(node.target[0]).closest(".charter-table")))
		.map(node => rule.id + ": " + node.html + "\n" + (node.failureSummary || rule.help))),
}))`

// A view is how a visitor looks at a page: with a width in CSS pixels, and a
// media feature.
type view struct {
	width          int64
	feature, value string
}

func TestAxeFindsNothingToFault(t *testing.T) {
	t.Parallel()
	source := axe(t)
	d := newDetailedDemo(t, append(declared, foreign)...)
	// How long words are has no bearing on colours.
	some := []view{{320, "prefers-color-scheme", "light"}, {1280, "prefers-color-scheme", "dark"}}
	every := append(some, view{320, "prefers-color-scheme", "dark"}, view{1280, "prefers-color-scheme", "light"}, view{320, "forced-colors", "active"})
	for language, views := range map[string][]view{"en": every, "bg": some, "de": some, "ar": some} {
		t.Run("in "+language, func(t *testing.T) {
			t.Parallel()
			b := newTab(t)
			b.speak(language)
			b.onEachPage(source)
			for _, state := range states {
				state.reach(b, d)
				for _, view := range views {
					b.resize(view.width, 800)
					b.prefer(view.feature, view.value)
					report := eval[struct{ Found, Passed []string }](b, runAxe)
					assert.Empty(t, report.Found, "%s, %v", state.name, view)
					assert.Contains(t, report.Passed, "target-size", "%s, %v", state.name, view)
				}
			}
		})
	}
}
