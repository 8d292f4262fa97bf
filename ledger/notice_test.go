package ledger_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/ledger"
)

// historyOf returns the page of a visitor who decided by a notice.
func historyOf(t *testing.T, notice *consent.Notice) string {
	t.Helper()
	l := begin(t, lite(t))
	record := yes(visitor())
	record.Evidence.Notice = notice
	keep(t, l, record)
	history, err := l.History(context.Background(), record.Reference)
	require.NoError(t, err)
	var page bytes.Buffer
	require.NoError(t, history.WritePage(&page))
	return page.String()
}

func TestAPageOfAHistoryDrawsWhatWasOnTheScreen(t *testing.T) {
	page := historyOf(t, consent.Screen{
		Language: "ar", Direction: "rtl", Control: "settings", Pressed: "save", Regime: "opt-in", Host: "shop.example.org", Templates: "aa", Style: "bb",
		Lines: []consent.Line{
			{Text: "خصوصية", As: consent.AsHeading},
			{Text: "Allow", As: consent.AsOption, Checked: true}, {Text: "Matomo", As: consent.AsBox, Folded: true},
			{Text: "Name", As: consent.AsRow}, {Text: "Purpose", As: consent.AsCell}, {Text: "_pk", As: consent.AsRow}, {Text: "Counts.", As: consent.AsCell, Language: "en", Direction: "ltr"},
			{Text: "Save", As: consent.AsButton, Value: "save"}, {Text: "Accept", As: consent.AsButton, Value: "accept"}, {Text: "Close", As: consent.AsButton}, {Text: "Charter", As: consent.AsLink},
		},
		Categories: []consent.ScreenCategory{{Category: "statistics", Providers: []string{"Matomo", "Plausible"}}},
		Layers:     []consent.Layer{{Name: "charter", Path: "/cookies/"}},
	}.Notice())
	for _, want := range []string{
		`<dd>the dialog with the settings</dd>`, `<dd>shop.example.org</dd>`, `<dd>opt-in</dd>`, `<dd>statistics: Matomo, Plausible</dd>`, `<dd>charter, <code>/cookies/</code></dd>`, `<code>aa</code>`, `<code>bb</code>`,
		`<div class="screen" lang="ar" dir="rtl">
<p><span class="heading">خصوصية</span></p>
<p><label><input type="radio" disabled checked> <span>Allow</span></label></p>
<p class="folded"><label><input type="checkbox" disabled> <span>Matomo</span></label></p>
<div class="wide"><table><tbody>
<tr><td>Name</td><td>Purpose</td></tr>
<tr><td>_pk</td><td lang="en" dir="ltr">Counts.</td></tr>
</tbody></table></div>
<p><button type="button" disabled>Save</button> <strong lang="en" dir="ltr">pressed</strong></p>
<p><button type="button" disabled>Accept</button></p>
<p><button type="button" disabled>Close</button></p>
<p><span><u>Charter</u></span></p>
</div>`,
	} {
		assert.Contains(t, page, want)
	}
	assert.Contains(t, historyOf(t, consent.Screen{Control: "program"}.Notice()), "what it showed is not known")
	changed := historyOf(t, consent.Screen{Control: "banner", Language: "en", Changed: true}.Notice())
	assert.Contains(t, changed, "had changed since it was drawn, and what was on the screen is not known")
	for _, what := range []string{"Law", "Templates", "Style"} {
		assert.Contains(t, changed, "<dt>"+what+"</dt><dd>not known</dd>")
	}
	assert.Contains(t, historyOf(t, consent.Screen{Control: "page", OwnAnswers: true, Cut: true}.Notice()), "as the record before tells")
}

func TestNothingOfANoticeIsMoreThanText(t *testing.T) {
	const evil = `"'><script>alert(1)</script><img src=x onerror=alert(1)><b>`
	screen := consent.Screen{
		Language: evil, Direction: evil, Control: evil, Pressed: evil, Regime: evil, Host: evil, Layout: evil, Templates: evil, Style: evil, Cut: true, OwnAnswers: true,
		Categories: []consent.ScreenCategory{{Category: evil, Providers: []string{evil}}}, Layers: []consent.Layer{{Name: evil, Path: "javascript:alert(1)" + evil}},
	}
	for _, as := range []consent.LineAs{consent.AsText, consent.AsHeading, consent.AsButton, consent.AsLink, consent.AsOption, consent.AsBox, consent.AsSummary, consent.AsItem, consent.AsRow, consent.AsCell, evil} {
		screen.Lines = append(screen.Lines, consent.Line{Text: evil, As: as, Language: evil, Direction: evil, Value: evil})
	}
	page := historyOf(t, screen.Notice())
	assert.GreaterOrEqual(t, strings.Count(page, "alert(1)"), 11)
	root, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	for node := range root.Descendants() {
		assert.NotContains(t, []string{"script", "img", "link", "b", "form", "iframe"}, node.Data)
		for _, a := range node.Attr {
			assert.False(t, strings.HasPrefix(a.Key, "on"), a.Key)
			if a.Key == "href" {
				assert.Equal(t, "#", a.Val[:1], "nothing leads away")
			}
			if node.Data == "button" || node.Data == "input" {
				assert.Contains(t, []string{"type", "disabled", "lang"}, a.Key)
			}
		}
	}
}

func TestANoticeOfAnotherVersionIsShownAsItStands(t *testing.T) {
	var page bytes.Buffer
	history := ledger.History{Notices: map[string]json.RawMessage{"aa": json.RawMessage(`{"version": 2, "said": "<b>"}`)}}
	require.NoError(t, history.WritePage(&page))
	assert.Contains(t, page.String(), "<pre dir=\"ltr\"><code>{\n  &#34;version&#34;: 2,\n  &#34;said&#34;: &#34;&lt;b&gt;&#34;\n}</code></pre>")
}
