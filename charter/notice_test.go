package charter_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

// screenOf reads a record's notice.
func screenOf(t testing.TB, record consent.Record) (screen consent.Screen) {
	t.Helper()
	content := record.Evidence.Notice.Content()
	var version struct{ Version int }
	require.NoError(t, json.Unmarshal(content, &version))
	assert.Equal(t, 1, version.Version)
	require.NoError(t, json.Unmarshal(content, &screen), string(content))
	assert.False(t, screen.Cut)
	return screen
}

// controls are those of a site, each drawn for its visitor.
var controls = map[string]struct {
	drawn   *regexp.Regexp
	pressed string
	draw    func(*site) string
}{
	"banner":   {regexp.MustCompile(`(?s)<section class="charter-banner.*?</section>`), "accept", func(s *site) string { return s.get("/") }},
	"settings": {regexp.MustCompile(`(?s)<dialog.*</dialog>`), "save", func(s *site) string { return s.part("/cookies/banner.js?show=settings") }},
	"page":     {regexp.MustCompile(`(?s)<body.*</body>`), "refuse", func(s *site) string { return s.get("/cookies/") }},
	"placeholder": {regexp.MustCompile(`(?s)<section class="charter-placeholder.*?</section>`), "add", func(s *site) string {
		return s.embed("/", charter.Embed{Category: "chat", Provider: "Chat", Title: "{title}", Link: "https://chat.example", Content: "<p>never</p>"})
	}},
}

var (
	unseen  = regexp.MustCompile(`(?s)<template.*?</template>|<svg.*?</svg>|<head>.*?</head>`)
	element = regexp.MustCompile(`<[^>]*>`)
	blank   = regexp.MustCompile(`[ \n\t]+`)
	field   = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)
)

// seen returns the text of a control without white space, and the fields that it posts.
func seen(drawn string) (text string, fields url.Values) {
	fields = make(url.Values)
	for _, f := range field.FindAllStringSubmatch(drawn, -1) {
		fields.Add(f[1], html.UnescapeString(f[2]))
	}
	drawn = regexp.MustCompile(`<time [^>]*>.*?</time>`).ReplaceAllString(drawn, "{date}")
	return blank.ReplaceAllString(html.UnescapeString(element.ReplaceAllString(unseen.ReplaceAllString(drawn, ""), "")), ""), fields
}

// written returns the text of a notice without white space.
func written(screen consent.Screen) (text string) {
	for _, line := range screen.Lines {
		text += line.Text
	}
	return blank.ReplaceAllString(text, "")
}

func TestARecordSaysWhatTheVisitorWasToldAndNoMore(t *testing.T) {
	s, kept := newRecordedSite(t, nil)
	regimes := map[string]map[string]string{"opt-in": nil, "uk": british, "opt-out": american, "none": lawless}
	for _, language := range strings.Fields("bg cs da de el en es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv") {
		for regime, from := range regimes {
			for _, gpc := range []string{"", "1"} {
				for name, control := range controls {
					if name == "banner" && regime == "none" {
						continue // nobody is asked
					}
					what := fmt.Sprint(language, " ", regime, " GPC=", gpc, " ", name)
					s.accept, s.cookies, s.headers = language, map[string]string{}, map[string]string{"Sec-GPC": gpc}
					for name, value := range from {
						s.headers[name] = value
					}
					drawn := control.drawn.FindString(control.draw(s))
					if name == "placeholder" && drawn == "" && (regime == "none" || regime == "opt-out") {
						continue // the chat is allowed
					}
					require.NotEmpty(t, drawn, what)
					text, fields := seen(drawn)
					fields.Set("choice", control.pressed)
					kept.records = nil
					require.Equal(t, http.StatusSeeOther, s.do("POST", "/cookies/", fields).StatusCode, what)
					require.Len(t, kept.records, 1, what)
					screen := screenOf(t, kept.records[0])
					require.Equal(t, text, written(screen), what)
					assert.Equal(t, []string{name, control.pressed, regime, language, "example.org"}, []string{screen.Control, screen.Pressed, screen.Regime, screen.Language, screen.Host}, what)
					assert.Equal(t, strings.Count(drawn, " checked>"), count(screen.Lines, func(l consent.Line) bool { return l.Checked }), what)
					assert.Equal(t, strings.Count(drawn, `<button name="choice"`), count(screen.Lines, func(l consent.Line) bool { return l.As == consent.AsButton && l.Value != "" }), what)
				}
			}
		}
	}
}

func count[T any](all []T, is func(T) bool) (n int) {
	for _, one := range all {
		if is(one) {
			n++
		}
	}
	return n
}

func TestANoticeOfTheBannerHoldsNoFurtherLayer(t *testing.T) {
	s, kept := newRecordedSite(t, nil)
	s.do("POST", "/cookies/", url.Values{"choice": {"accept"}, "by": {"banner"}})
	screen := screenOf(t, kept.records[0])
	assert.Equal(t, []consent.Line{
		{Text: "Cookies: your choice", As: consent.AsHeading},
		{Text: asksFirst + all},
		{Text: "Reject all", As: consent.AsButton, Value: "refuse"},
		{Text: "Accept all", As: consent.AsButton, Value: "accept"},
		{Text: "Cookie settings", As: consent.AsButton},
	}, screen.Lines)
	assert.Equal(t, []consent.Layer{{Name: "settings", Path: "/cookies/#settings"}}, screen.Layers)
	assert.Equal(t, []consent.ScreenCategory{{Category: "statistics"}, {Category: "third-party"}, {Category: "chat"}}, screen.Categories)
	assert.Equal(t, "bar", screen.Layout)
	assert.Len(t, screen.Templates, 64)
	assert.Len(t, screen.Style, 64)
	assert.Less(t, len(kept.records[0].Evidence.Notice.Content()), 1000)
}

func TestANoticeOfTheFormHoldsTheWholeTable(t *testing.T) {
	s, kept := newRecordedSite(t, nil)
	s.do("POST", "/cookies/", url.Values{"choice": {"save"}, "by": {"settings"}})
	screen := screenOf(t, kept.records[0])
	assert.Contains(t, screen.Lines, consent.Line{Text: "_pk_id* قياس 13 months", As: consent.AsItem, Folded: true})
	assert.Contains(t, screen.Lines, consent.Line{Text: "Matomo", As: consent.AsBox, Folded: true})
	assert.Contains(t, screen.Lines, consent.Line{Text: "By provider", As: consent.AsOption})
	assert.Equal(t, []consent.Layer{{Name: "charter", Path: "/cookies/"}}, screen.Layers)
	assert.Contains(t, screen.Categories, consent.ScreenCategory{Category: "statistics", Providers: []string{"Matomo", "Plausible"}})
	s.do("POST", "/cookies/", url.Values{"choice": {"save"}, "by": {"page"}})
	screen = screenOf(t, kept.records[1])
	assert.Contains(t, screen.Lines, consent.Line{Text: "قياس", As: consent.AsCell, Language: "ar", Direction: "rtl"})
	assert.Empty(t, screen.Layers)
}

func TestVisitorsShareANotice(t *testing.T) {
	s, kept := newRecordedSite(t, nil)
	names := `Matomo|Plausible|Chat|<b>"Ad" & Co</b>`
	for i, allow := range [][]string{{"chat:Chat"}, {"statistics:Matomo", "third-party:" + `<b>"Ad" & Co</b>`}} {
		s.cookies = map[string]string{}
		s.do("POST", "/cookies/", url.Values{"choice": {"save"}, "allow": allow})
		drawn := s.part("/cookies/banner.js?show=settings")
		text, fields := seen(drawn)
		fields.Set("choice", "refuse")
		s.do("POST", "/cookies/", fields)
		screen := screenOf(t, kept.records[2*i+1])
		assert.True(t, screen.OwnAnswers)
		assert.Zero(t, count(screen.Lines, func(l consent.Line) bool { return l.Checked }), "what they had chosen before is in their records")
		text = strings.Replace(text, kept.records[2*i].Reference.String(), "{reference}", 1)
		text = regexp.MustCompile(`(Youallow:)(`+blank.ReplaceAllString(names, "")+`)(?:(?:and|,)(?:`+blank.ReplaceAllString(names, "")+`))*`).ReplaceAllString(text, "$1{providers}")
		assert.Equal(t, text, written(screen))
	}
	assert.Equal(t, kept.records[1].Evidence.Notice.Fingerprint(), kept.records[3].Evidence.Notice.Fingerprint())
	assert.Equal(t, kept.records[0].Evidence.Notice.Fingerprint(), kept.records[2].Evidence.Notice.Fingerprint())
}

func TestANoticeNamesTheHostOrNone(t *testing.T) {
	s, kept := newRecordedSite(t, nil)
	for host, want := range map[string]string{
		"Shop.Example.org": "shop.example.org", "localhost:8080": "localhost:8080", "[::1]:80": "[::1]:80", "127.0.0.1": "127.0.0.1",
		"": "", "<script>": "", "a b": "", "x.org/path": "", "x.org:port": "", strings.Repeat("a", 300): "", "-x": "", "x\n": "",
	} {
		kept.records = nil
		s.do("POST", "/cookies/", url.Values{"choice": {"refuse"}}, func(r *http.Request) { r.Host = host })
		require.Len(t, kept.records, 1)
		assert.Equal(t, want, screenOf(t, kept.records[0]).Host, host)
	}
}

func TestMadeUpHostsMakeFewNotices(t *testing.T) {
	s, kept := newRecordedSite(t, nil)
	post := func(host string) consent.Screen {
		kept.records = nil
		s.do("POST", "/cookies/", url.Values{"choice": {"refuse"}}, func(r *http.Request) { r.Host = host })
		require.Len(t, kept.records, 1)
		return screenOf(t, kept.records[0])
	}
	assert.Equal(t, "shop.example.org", post("shop.example.org").Host)
	notices := make(map[string]bool)
	for i := range 200 {
		screen := post(fmt.Sprintf("made-up-%d.example", i))
		notices[string(screen.Notice().Content())] = true
		if screen.Host == "" {
			assert.NotContains(t, string(screen.Notice().Content()), "made-up")
		}
	}
	assert.Len(t, notices, 50, "49 hosts, and none")
	assert.Equal(t, "shop.example.org", post("shop.example.org").Host, "the site's own is named still")
}

func TestANoticeOfAProgramSaysNothingThatTheProgramMayNotHaveShown(t *testing.T) {
	s, kept := newRecordedSite(t, nil)
	assert.Equal(t, http.StatusOK, s.post(`{"choice": "accept"}`).StatusCode)
	screen := screenOf(t, kept.records[0])
	assert.Equal(t, "program", screen.Control)
	assert.Equal(t, "accept", screen.Pressed)
	assert.Empty(t, screen.Lines)
	assert.Empty(t, screen.Categories)
	assert.Empty(t, screen.Layers)
}

func TestABannerInASecondTabIsRecordedAsItAsked(t *testing.T) {
	s, kept := newRecordedSite(t, nil)
	s.headers = private
	text, fields := seen(controls["banner"].drawn.FindString(s.get("/")))
	fields.Set("choice", "refuse")
	for range 2 {
		s.do("POST", "/cookies/", fields)
	}
	assert.Equal(t, text, written(screenOf(t, kept.records[1])))
}

func TestANoticeIsOfTheTemplatesOfTheSite(t *testing.T) {
	const banner = `{{define "banner"}}<script>if (1<2) no</script><STYLE>p>b{}</STYLE><p lang=fr>Oui&nbsp;?<br>Non</p><p hidden>no<form action={{.Path}} method=post>` +
		`<p>{{.Words.Accept}}: <a href="{{.Path}}">more</a><li><a href="/x">elsewhere</a><input type=submit name=choice value=accept></form><noscript>no</noscript>` +
		`<p><input type=radio id=a checked><label for=a>A</label><label for=b>B</label><input type=checkbox id=b checked></p><p>C{{end}}`
	own, kept := newRecordedSite(t, func(c *charter.Config) { c.Templates = template.Must(template.New("").Parse(banner)) })
	own.do("POST", "/cookies/", url.Values{"choice": {"accept"}, "by": {"banner"}})
	screen := screenOf(t, kept.records[0])
	for _, line := range screen.Lines {
		assert.NotContains(t, line.Text, "no")
	}
	assert.Contains(t, screen.Lines, consent.Line{Text: "Oui\u00a0?"})
	assert.Subset(t, screen.Lines, []consent.Line{{Text: "A", As: consent.AsOption, Checked: true}, {Text: "B", As: consent.AsBox, Checked: true}, {Text: "C"}})
	assert.Contains(t, screen.Lines, consent.Line{Text: "accept", As: consent.AsButton, Value: "accept"})
	assert.Equal(t, []consent.Layer{{Name: "charter", Path: "/cookies/"}}, screen.Layers)

	sums := map[string]bool{screen.Templates: true}
	for _, change := range []func(*charter.Config){nil, func(c *charter.Config) {
		c.Templates = template.Must(template.New("").Parse(strings.Replace(banner, "more", "less", 1)))
	}} {
		s, kept := newRecordedSite(t, change)
		s.do("POST", "/cookies/", url.Values{"choice": {"accept"}, "by": {"banner"}})
		sums[screenOf(t, kept.records[0]).Templates] = true
	}
	assert.Len(t, sums, 3, "each set of templates has its own sum")
}

func TestANoticeSaysWhatTheFormSaidForAWhile(t *testing.T) {
	s, kept := newRecordedSite(t, func(c *charter.Config) { c.Failed = func(*http.Request, error) {} })
	again := func(form url.Values, change ...func(*http.Request)) consent.Screen {
		drawn := controls["page"].drawn.FindString(body(s.do("POST", "/cookies/", form, change...)))
		if drawn == "" {
			drawn = controls["page"].drawn.FindString(s.get("/cookies/"))
		}
		text, fields := seen(drawn)
		fields.Set("choice", "accept")
		kept.fails, kept.records = nil, nil
		s.do("POST", "/cookies/", fields)
		require.Len(t, kept.records, 1)
		screen := screenOf(t, kept.records[0])
		for _, line := range screen.Lines {
			if !strings.Contains(line.Text, "{") {
				assert.Contains(t, text, blank.ReplaceAllString(line.Text, ""))
			}
		}
		return screen
	}
	kept.fails = errors.New("full")
	screen := again(url.Values{"choice": {"accept"}})
	assert.True(t, screen.OwnAnswers)
	assert.Contains(t, written(screen), "Yourchoicecouldnotberecorded")

	s.cookies = map[string]string{}
	screen = again(url.Values{"choice": {"accept"}}, with("Origin", "null"))
	assert.False(t, screen.OwnAnswers)
	assert.Contains(t, written(screen), "Pleasechooseagainhere.")

	screen = again(url.Values{"choice": {"refuse"}})
	assert.Contains(t, written(screen), "Yourchoiceissaved.Youdecidedon{date}")

	s.do("POST", "/cookies/", url.Values{"choice": {"refuse"}})
	kept.records = nil
	for _, said := range []string{"", "Stale", "<b>"} {
		s.do("POST", "/cookies/", url.Values{"choice": {"refuse"}, "by": {"page"}, "said": {said}})
	}
	for _, record := range kept.records {
		assert.Equal(t, kept.records[0].Evidence.Notice, record.Evidence.Notice, "nobody has a notice say what no form says")
	}
}
