package charter_test

import (
	"bytes"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/text/language"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

func TestANoticeIsInTheLanguageOfThePageThatAsked(t *testing.T) {
	s, kept := newRecordedSite(t, func(c *charter.Config) {
		// Many sites have the language in the address of the page.
		c.LanguageOf = func(r *http.Request) language.Tag { return language.Make(r.URL.Query().Get("in")) }
	})
	s.accept = "en"
	for name, control := range map[string]string{
		"banner":      regexp.MustCompile(`(?s)<section class="charter-banner.*?</section>`).FindString(s.get("/?in=fr")),
		"placeholder": controls["placeholder"].drawn.FindString(s.embed("/?in=fr", charter.Embed{Category: "chat", Provider: "Chat", Title: "{title}"})),
	} {
		text, fields := seen(control)
		require.NotEmpty(t, text, name)
		fields.Set("choice", controls[name].pressed)
		s.do("POST", "/cookies/", fields)
		record := kept.records[len(kept.records)-1]
		assert.Equal(t, language.French, record.Evidence.Language, name)
		screen := screenOf(t, record)
		assert.Equal(t, "fr", screen.Language, name)
		assert.Equal(t, text, written(screen), name)
	}
}

func TestANoticeSaysNothingOfAScreenThatTheSiteDrewBeforeItChanged(t *testing.T) {
	unchanged := func(*charter.Config) {}
	for name, test := range map[string]struct {
		change  func(*charter.Config)
		changed bool
	}{
		"the same site in another process": {unchanged, false},
		"another name":                     {func(c *charter.Config) { c.Name = "Another" }, true},
		"another layout":                   {func(c *charter.Config) { c.Layout = charter.Card }, true},
		"another style":                    {func(c *charter.Config) { c.Style = []byte("p{color:red}") }, true},
		"other sentences": {func(c *charter.Config) {
			c.Languages = fstest.MapFS{"en.json": {Data: []byte(`{"Accept": "Yes"}`)}}
		}, true},
		"a template": {func(c *charter.Config) {
			c.Templates = template.Must(template.New("").Parse(`{{define "text"}}{{.Text}}{{end}}`))
		}, true},
		"a category": {func(c *charter.Config) {
			c.Categories = map[consent.Category]charter.Category{"chat": {Title: consent.Text{language.English: "Talk"}, About: consent.Text{language.English: "About"}}}
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			before, _ := newRecordedSite(t, nil)
			after, kept := newRecordedSite(t, test.change)
			for of, control := range controls {
				_, fields := seen(control.drawn.FindString(control.draw(before)))
				require.True(t, fields.Has("drawn"), of)
				fields.Set("choice", control.pressed)
				after.cookies = map[string]string{}
				require.Equal(t, http.StatusSeeOther, after.do("POST", "/cookies/", fields).StatusCode, "the decision counts")
				record := kept.records[len(kept.records)-1]
				screen := screenOf(t, record)
				assert.Equal(t, test.changed, screen.Changed, of)
				assert.Equal(t, test.changed, len(screen.Lines) == 0, of)
				assert.Equal(t, []string{of, control.pressed, "en", "example.org"}, []string{screen.Control, screen.Pressed, screen.Language, screen.Host})
				assert.Equal(t, "opt-in", screen.Regime, "which the form says")
			}
			fields := url.Values{"choice": {"accept"}, "by": {"banner"}, "drawn": {"xx." + strings.Repeat("y", 1000)}}
			after.do("POST", "/cookies/", fields)
			screen := screenOf(t, kept.records[len(kept.records)-1])
			assert.True(t, screen.Changed, "made up")
			assert.Empty(t, screen.Language)
			assert.Empty(t, screen.Regime)
		})
	}
}

func TestANoticeSaysNothingOfAFormThatShowedAnotherDecision(t *testing.T) {
	for _, name := range []string{"settings", "page"} {
		s, kept := newRecordedSite(t, nil)
		control := controls[name]
		_, first := seen(control.drawn.FindString(control.draw(s)))
		first.Set("choice", "save")
		banner := url.Values{"by": {"banner"}, "choice": {"accept"}}
		s.do("POST", "/cookies/", banner) // in another tab
		s.do("POST", "/cookies/", first)
		screen := screenOf(t, kept.records[1])
		assert.True(t, screen.Changed, "%s: it held no answer, and the record before has one", name)
		assert.Empty(t, screen.Lines)
		assert.False(t, screen.OwnAnswers)

		text, again := seen(control.drawn.FindString(control.draw(s)))
		again.Set("choice", "save")
		s.do("POST", "/cookies/", again)
		screen = screenOf(t, kept.records[2])
		assert.False(t, screen.Changed, name)
		assert.Equal(t, text, strings.ReplaceAll(written(screen), "{reference}", kept.records[0].Reference.String()), name)

		_, abroad := seen(control.drawn.FindString(control.draw(s)))
		abroad.Set("choice", "save")
		s.headers = american // a form with boxes that were ticked in advance is none of an opt-in law, and the other way round
		s.do("POST", "/cookies/", abroad)
		assert.True(t, screenOf(t, kept.records[3]).Changed, name)
	}
}

func TestNothingIsInventedOfBoxesThatAnotherLawHadTicked(t *testing.T) {
	for _, name := range []string{"settings", "page"} {
		t.Run(name, func(t *testing.T) {
			control := controls[name]
			saved := func(drawnUnder, postedUnder map[string]string, change func(url.Values)) (*site, consent.Record) {
				s, kept := newRecordedSite(t, nil)
				s.headers = drawnUnder
				drawn := control.drawn.FindString(control.draw(s))
				_, form := seen(drawn)
				form.Set("choice", "save")
				for _, field := range checkedIn(drawn) {
					form.Add(field[0], field[1])
				}
				change(form)
				s.headers = postedUnder
				require.Equal(t, http.StatusSeeOther, s.do("POST", "/cookies/", form).StatusCode)
				require.Len(t, kept.records, 1)
				return s, kept.records[0]
			}
			s, record := saved(american, nil, func(url.Values) {})
			assert.Contains(t, record.Answers, consent.Answer{Category: "chat", Provider: "Chat", Allowed: true}, "it was ticked")
			assert.Equal(t, consent.OptOut, record.Regime, "they were asked under that law")
			assert.NotContains(t, s.allowed(), "chat")
			assert.Contains(t, s.get("/"), `class="charter-banner`, "nothing is presumed here, so they are asked")
			s.headers = american
			assert.Contains(t, s.allowed(), "chat")

			s, record = saved(nil, american, func(form url.Values) { form.Set("category:chat", "allow") })
			assert.Equal(t, consent.OptIn, record.Regime)
			s.headers = nil
			assert.Contains(t, s.allowed(), "chat", "they have ticked it themselves")
		})
	}
}

func TestABannerOfOneVisitorsOwnIsRecordedAsItAskedOrNotAtAll(t *testing.T) {
	for name, answer := range map[string]string{"as it was": "", "after an answer in another tab": "refuse"} {
		before, _ := newRecordedSite(t, func(c *charter.Config) { c.Middleware = newMiddleware(t, declared()[:5]...) })
		s, kept := newRecordedSite(t, nil) // with a chat, which nobody has asked for yet
		before.headers, s.headers = american, american
		before.do("POST", "/cookies/", url.Values{"by": {"banner"}, "choice": {"save"}, "allow": {"statistics:Matomo"}})
		s.cookies = before.cookies
		text, fields := seen(controls["banner"].drawn.FindString(s.get("/")))
		require.NotEmpty(t, text)
		fields.Set("choice", "accept")
		if answer != "" {
			s.do("POST", "/cookies/", url.Values{"by": {"banner"}, "choice": {answer}})
		}
		s.do("POST", "/cookies/", fields)
		screen := screenOf(t, kept.records[len(kept.records)-1])
		assert.Equal(t, answer != "", screen.Changed, name)
		if answer == "" {
			assert.Equal(t, text, written(screen))
		}
	}
}

func TestANoticeIsOfNoControlThatCannotAnswerSo(t *testing.T) {
	for name, form := range map[string]url.Values{
		"a banner has no boxes":            {"by": {"banner"}, "choice": {"save"}, "allow": {"chat:Chat"}},
		"a placeholder is of one provider": {"choice": {"add"}, "allow": {"chat:Chat", "statistics:Matomo"}},
	} {
		s, kept := newRecordedSite(t, nil)
		require.Equal(t, http.StatusSeeOther, s.do("POST", "/cookies/", form).StatusCode, name)
		assert.True(t, screenOf(t, kept.records[0]).Changed, name)
		assert.Empty(t, screenOf(t, kept.records[0]).Categories, name)
	}
}

func TestANoticeOfAPlaceholderHasTheButtonThatItHad(t *testing.T) {
	kept := new(recorder)
	s := newSite(t, func(c *charter.Config) {
		counts := consent.Cookie{Provider: "Matomo", Name: "count", Purpose: text("Counts."), Category: consent.Statistics, Anonymous: true}
		mw, err := consent.NewMiddleware(consent.Config{Registry: consent.MustRegistry(append(declared(), counts)...), Keys: [][]byte{bytes.Repeat([]byte("k"), 32)}, Recorder: kept})
		require.NoError(t, err)
		c.Middleware = mw
	})
	shown, fields := seen(controls["placeholder"].drawn.FindString(s.embed("/", charter.Embed{Category: consent.Statistics, Provider: "Matomo"})))
	fields.Set("choice", "add")
	s.do("POST", "/cookies/", url.Values{"choice": {"refuse"}, "object": {"1"}}) // in another tab
	s.do("POST", "/cookies/", fields)
	assert.Equal(t, shown, written(screenOf(t, kept.records[1])))
}

func TestANoticeSaysThatThePageHeldMoreOfTheSites(t *testing.T) {
	for _, name := range []string{"page", "settings"} {
		s, kept := newRecordedSite(t, func(c *charter.Config) {
			c.Aside = func(*http.Request) template.HTML { return "<p>Ask us.</p>" }
		})
		drawn := controls[name].drawn.FindString(controls[name].draw(s))
		assert.Equal(t, name == "page", strings.Contains(drawn, "Ask us."))
		_, fields := seen(drawn)
		fields.Set("choice", "save")
		s.do("POST", "/cookies/", fields)
		content := string(kept.records[0].Evidence.Notice.Content())
		assert.Equal(t, name == "page", strings.Contains(content, `"cut":true`), name)
		assert.NotContains(t, content, "Ask us.")
	}
}
