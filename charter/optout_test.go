package charter_test

import (
	"html"
	"html/template"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cookiecharter/consent"
	"github.com/cookiecharter/consent/charter"
)

const (
	needs     = "This site needs some cookies to work. "
	asksFirst = needs + "With your consent, it also uses others "
	unless    = needs + "Unless you reject them, it also uses others "
	measures  = "to measure how it is used"
	shows     = "to show content of other sites, such as videos"
	talks     = "for “Conversation”"
	sells     = "to choose advertising and measure its effect"
	anyTime   = ". You can change your mind at any time under “Cookie settings”."
	all       = measures + ", " + shows + " and " + talks + anyTime
	notThird  = measures + " and " + talks + anyTime
	undecided = "You have not decided yet."
	presumed  = "Under the law that applies to your visit, what is set to “Allow” here is allowed until you reject it, even where this page says that your consent is needed."
	gpcBegins = "Your browser asks that third parties do not follow you (Global Privacy Control). Cookies of these kinds are therefore refused: "
	gpcEnds   = ". You can allow them here."
	gpc       = gpcBegins + "Third-party" + gpcEnds
	ad        = `third-party:<b>"Ad" & Co</b>`
)

var (
	american = map[string]string{"Country": "US"}
	british  = map[string]string{"Country": "GB"}
	lawless  = map[string]string{"Country": "AQ"}
	private  = map[string]string{"Country": "US", "Sec-GPC": "1"}
)

// found returns the first group of each match of a pattern, without HTML escapes.
func found(page, pattern string) []string {
	var found []string
	for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(page, -1) {
		found = append(found, html.UnescapeString(match[1]))
	}
	return found
}

// asked returns the banner's question, nothing if there is no banner.
func (s *site) asked() []string {
	return found(s.get("/"), `(?s)class="charter-banner [^"]*".*?</h2><p>(.*?)</p>`)
}

// said returns the status above the form, with DATE in place of the day.
func (s *site) said() string {
	said := found(s.get("/cookies/"), `<p role="status">(.*?)</p>`)
	require.Len(s, said, 1)
	return regexp.MustCompile(`<time datetime="[^"]+">[^<]+</time>`).ReplaceAllString(said[0], "DATE")
}

// chosen returns what the form on the charter's page has chosen.
func (s *site) chosen() []string { return chosenIn(s.get("/cookies/")) }

// chosenIn returns what a form has chosen: the answers for categories such as "chat=allow",
// and the values of the boxes that are ticked.
func chosenIn(page string) (chosen []string) {
	for _, field := range checkedIn(page) {
		value := field[1]
		if category, isAnswer := strings.CutPrefix(field[0], "category:"); isAnswer {
			value = category + "=" + value
		}
		chosen = append(chosen, value)
	}
	return chosen
}

var checked = regexp.MustCompile(`name="([^"]*)" value="([^"]*)" checked`)

// checkedIn returns the name and the value of each field that is checked.
func checkedIn(page string) (fields [][2]string) {
	for _, field := range checked.FindAllStringSubmatch(page, -1) {
		fields = append(fields, [2]string{html.UnescapeString(field[1]), html.UnescapeString(field[2])})
	}
	return fields
}

func TestBannerAndFormSayWhatIsSoUnderTheLawOfTheVisitor(t *testing.T) {
	measured := []string{"statistics=allow", "statistics:Matomo", "statistics:Plausible"}
	everyone := append(slices.Clip(measured), "third-party=allow", "chat=allow")
	nobody := []string{"statistics=refuse", "third-party=refuse", "chat=refuse"}
	for name, test := range map[string]struct {
		headers map[string]string
		decided url.Values
		asked   []string
		said    string
		chosen  []string
	}{
		"opt-in asks first, and chooses nothing before": {
			asked: []string{asksFirst + all}, said: undecided,
		},
		"opt-in ignores GPC": {
			headers: map[string]string{"Sec-GPC": "1"},
			asked:   []string{asksFirst + all}, said: undecided,
		},
		"opt-out says what is allowed until it is refused": {
			headers: american,
			asked:   []string{unless + all}, said: undecided + " " + presumed, chosen: everyone,
		},
		"opt-out says whom the browser refuses": {
			headers: private,
			asked:   []string{unless + notThird + " " + gpc}, said: undecided + " " + presumed + " " + gpc,
			chosen: append(slices.Clip(measured), "chat=allow"),
		},
		"opt-out after refusing": {
			headers: american, decided: url.Values{"choice": {"refuse"}},
			said: "Your choice is saved. You decided on DATE. You allow nothing that needs your consent.", chosen: nobody,
		},
		"opt-out after refusing what the browser refuses": {
			headers: private, decided: url.Values{"choice": {"refuse"}},
			said: "Your choice is saved. You decided on DATE. You allow nothing that needs your consent. Your opt-out request (Global Privacy Control) is honored.", chosen: nobody,
		},
		"the UK says what is allowed until it is refused, and asks for the rest": {
			headers: british,
			asked:   []string{unless + measures + ". With your consent, it uses still others " + shows + " and " + talks + anyTime},
			said:    undecided + " " + presumed, chosen: measured,
		},
		"the UK after refusing": {
			headers: british, decided: url.Values{"choice": {"refuse"}},
			said: "Your choice is saved. You decided on DATE. You allow nothing that needs your consent.", chosen: nobody,
		},
		"the UK knows no GPC": {
			headers: map[string]string{"Country": "GB", "Sec-GPC": "1"}, decided: url.Values{"choice": {"refuse"}},
			said: "Your choice is saved. You decided on DATE. You allow nothing that needs your consent.", chosen: nobody,
		},
		"where no law asks, nobody is asked, and the form works": {
			headers: lawless, said: undecided + " " + presumed, chosen: everyone,
		},
		"where no law asks, after refusing": {
			headers: lawless, decided: url.Values{"choice": {"refuse"}},
			said: "Your choice is saved. You decided on DATE. You allow nothing that needs your consent.", chosen: nobody,
		},
		"in a frame that holds a decision back nothing is presumed, and nobody is asked": {
			headers: map[string]string{"Country": "US", "Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site"}, said: undecided,
		},
		"opt-out after allowing what the browser refuses": {
			headers: private, decided: url.Values{"choice": {"save"}, "allow": {ad}},
			said: `Your choice is saved. You decided on DATE. You allow: <b>"Ad" & Co</b>. ` +
				`Your opt-out request (Global Privacy Control) is honored, except for those that you allow: <b>"Ad" & Co</b>.`,
			chosen: []string{"statistics=refuse", "third-party=allow", "chat=refuse"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, nil)
			s.headers = test.headers
			if test.decided != nil {
				s.do("POST", "/cookies/", test.decided)
			}
			assert.Equal(t, test.asked, s.asked())
			assert.Equal(t, test.said, s.said())
			assert.Equal(t, test.chosen, s.chosen())
		})
	}
}

// byPurpose declares one cookie in each category of the library that needs consent.
func byPurpose() []consent.Cookie {
	var cookies []consent.Cookie
	for _, category := range []consent.Category{
		consent.Statistics, consent.FirstParty, consent.ThirdParty, consent.AudienceMeasurement, consent.Personalisation,
		consent.Advertising, consent.SocialNetworks, consent.EmbeddedMedia, consent.Chat, consent.Appearance,
	} {
		cookies = append(cookies, consent.Cookie{Provider: "Of " + string(category), Name: string(category), Purpose: text("x"), Category: category})
	}
	return cookies
}

func TestBannerAndFormSayOfEachPurposeWhatIsSoUnderTheLawOfTheVisitor(t *testing.T) {
	const (
		own      = "to fit content and advertising to you"
		audience = "to measure its audience"
		fits     = "to fit what it shows to you"
		shares   = "to let you share on social networks"
		plays    = "to show videos and maps of other sites"
		chats    = "to offer you a chat"
		looks    = "to remember how you like it to look"
	)
	list := func(purposes ...string) string {
		last := len(purposes) - 1
		return strings.Join(purposes[:last], ", ") + " and " + purposes[last]
	}
	everything := strings.Fields("statistics first-party third-party audience-measurement personalisation advertising social-networks embedded-media chat appearance")
	for name, test := range map[string]struct {
		headers  map[string]string
		asked    string
		presumed []string
	}{
		"opt-in": {nil, asksFirst + list(measures, own, shows, audience, fits, sells, shares, plays, chats, looks) + anyTime, nil},
		"UK": {british, unless + list(measures, audience, looks) + ". With your consent, it uses still others " + list(own, shows, fits, sells, shares, plays, chats) + anyTime,
			strings.Fields("statistics audience-measurement appearance")},
		"opt-out": {american, unless + list(measures, own, shows, audience, fits, sells, shares, plays, chats, looks) + anyTime, everything},
		"opt-out with GPC": {private, unless + list(measures, own, audience, fits, plays, chats, looks) + anyTime + " " + gpcBegins + "Third-party, Advertising and Social networks" + gpcEnds,
			strings.Fields("statistics first-party audience-measurement personalisation embedded-media chat appearance")},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, func(c *charter.Config) { c.Middleware, c.Categories = newMiddleware(t, byPurpose()...), nil })
			s.headers = test.headers
			assert.Equal(t, []string{test.asked}, s.asked())
			var told, chosen []string
			for _, categories := range found(s.get("/"), `data-presumed="([^"]*)"`) {
				told = append(told, strings.Fields(categories)...)
			}
			for _, answer := range s.chosen() {
				category, _ := strings.CutSuffix(answer, "=allow")
				chosen = append(chosen, category)
			}
			assert.Equal(t, test.presumed, told)
			assert.Equal(t, test.presumed, chosen)
		})
	}
}

func TestTheScriptKnowsWhichLawPresumesAPurpose(t *testing.T) {
	s := newSite(t, func(c *charter.Config) { c.Middleware, c.Categories = newMiddleware(t, byPurpose()...), nil })
	uk := map[string]bool{"statistics": true, "audience-measurement": true, "appearance": true}
	script := s.get(found(s.get("/"), `<script src="([^"]*)"`)[0])
	for _, cookie := range byPurpose() {
		want := "2"
		if uk[string(cookie.Category)] {
			want = "1"
		}
		from := found(script, `"`+string(cookie.Category)+`":\{"providers":[^}]*\},"from":(\d)`)
		assert.Equal(t, []string{want}, from, cookie.Category)
	}
}

func TestWhatTheBrowserRefusesIsSaidByPurpose(t *testing.T) {
	site := func(cookies ...consent.Cookie) *site {
		s := newSite(t, func(c *charter.Config) { c.Middleware, c.Categories = newMiddleware(t, cookies...), nil })
		s.headers = private
		return s
	}
	s := site(byPurpose()[5], byPurpose()[7]) // Advertising and EmbeddedMedia
	assert.Equal(t, undecided+" "+presumed+" "+gpcBegins+"Advertising"+gpcEnds, s.said())
	s.do("POST", "/cookies/", url.Values{"choice": {"save"}, "allow": {"advertising:Of advertising"}})
	assert.Contains(t, s.said(), "is honored, except for those that you allow: Of advertising.")

	// SocialNetworks are refused, and Advertising is what the visitor allows.
	grown := site(byPurpose()[5:8]...)
	grown.cookies = s.cookies
	assert.True(t, strings.HasSuffix(grown.said(), gpcBegins+"Social networks"+gpcEnds), grown.said())
}

func TestTheBannerNamesOnlyWhatWaitsForAnAnswer(t *testing.T) {
	fewer := newSite(t, func(c *charter.Config) { c.Middleware = newMiddleware(t, declared()[:4]...) })
	fewer.do("POST", "/cookies/", url.Values{"choice": {"save"}, "allow": {"statistics:Matomo"}})
	for name, test := range map[string]struct {
		headers     map[string]string
		asked, said string
		chosen      []string
	}{
		"opt-in":  {nil, asksFirst + all, undecided, []string{"statistics=some", "statistics:Matomo"}},
		"opt-out": {american, unless + shows + " and " + talks + ".", undecided + " " + presumed, []string{"statistics=some", "statistics:Matomo", "third-party=allow", "chat=allow"}},
		"opt-out with GPC": {private, unless + talks + ".", undecided + " " + presumed + " " + gpc,
			[]string{"statistics=some", "statistics:Matomo", "chat=allow"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, nil)
			s.headers, s.cookies = test.headers, fewer.cookies
			asked := s.asked()
			require.Len(t, asked, 1)
			assert.True(t, strings.HasPrefix(asked[0], test.asked), asked[0])
			assert.Equal(t, test.said, s.said())
			assert.Equal(t, test.chosen, s.chosen())
		})
	}
}

func TestTheBannerSaysWhatIsPresumedOfWhatHasJoined(t *testing.T) {
	for name, test := range map[string]struct {
		headers        map[string]string
		before, begins string
	}{
		"UK":                         {british, "accept", unless + measures + ". With your consent, it uses still others " + shows + " and " + talks + "."},
		"opt-out":                    {american, "accept", unless + measures + " and " + talks + "."},
		"UK, after a refusal":        {british, "refuse", asksFirst},
		"opt-out, after a refusal":   {american, "refuse", asksFirst},
		"nothing presumed by opt-in": {nil, "accept", asksFirst},
	} {
		t.Run(name, func(t *testing.T) {
			fewer := newSite(t, func(c *charter.Config) { c.Middleware = newMiddleware(t, declared()[0], declared()[4]) })
			fewer.do("POST", "/cookies/", url.Values{"choice": {test.before}})
			s := newSite(t, nil)
			s.headers, s.cookies = test.headers, fewer.cookies
			asked := s.asked()
			require.Len(t, asked, 1)
			assert.True(t, strings.HasPrefix(asked[0], test.begins), asked[0])
		})
	}
}

func TestNobodyIsAskedWhomTheBrowserHasAnsweredFor(t *testing.T) {
	s := newSite(t, func(c *charter.Config) {
		c.Middleware = newMiddleware(t, append(declared()[:2], declared()[4])...)
	})
	s.headers = private
	assert.Empty(t, s.asked())
	assert.Equal(t, undecided+" "+gpc, s.said(), "and nothing is said to be allowed")
	assert.Equal(t, []string{"third-party=refuse"}, s.chosen())

	before := newSite(t, func(c *charter.Config) { c.Middleware = newMiddleware(t, declared()[:4]...) })
	before.do("POST", "/cookies/", url.Values{"choice": {"save"}, "allow": {"statistics:Matomo"}})
	s = newSite(t, func(c *charter.Config) { c.Middleware = newMiddleware(t, declared()[:5]...) })
	s.headers, s.cookies = private, before.cookies
	assert.Empty(t, s.asked())
	assert.Equal(t, "Your choice is saved. You decided on DATE. You allow: Matomo. "+gpc, s.said(), "of a third party that has joined since")
}

func TestNothingIsInventedByAllowingOneProvider(t *testing.T) {
	s := newSite(t, nil)
	s.headers = private
	s.do("POST", "/cookies/", url.Values{"choice": {"add"}, "allow": {ad}})
	s.headers = nil
	assert.Equal(t, []string{"third-party=allow"}, s.chosen(), "what was presumed under one law is no consent under another")
}

func TestEveryLanguageSaysWhatIsPresumedAndWhatTheBrowserRefuses(t *testing.T) {
	for tag := range strings.FieldsSeq("bg cs da de el en es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv") {
		s := newSite(t, nil)
		s.accept = tag
		before, said := s.asked()[0], s.said()
		s.headers = american
		assert.NotEqual(t, before, s.asked()[0], tag)
		assert.Greater(t, len(s.said()), len(said), tag)
		s.headers = private
		for _, sentence := range []string{s.asked()[0], s.said()} {
			assert.Contains(t, sentence, "Global Privacy Control", tag)
			assert.NotContains(t, sentence, "{", tag)
		}
		s.headers = british
		assert.NotEqual(t, before, s.asked()[0], tag)
		assert.Greater(t, len(s.asked()[0]), len(before), "%s: what is presumed, and what is asked for", tag)
	}
}

func TestWhoSendsGPCReadsNextToTheLinkWhatHasBecomeOfIt(t *testing.T) {
	const honored = "Your opt-out request (Global Privacy Control) is honored"
	status := func(s *site) []string { return found(s.get("/"), `<span class="charter-gpc" lang="en">(.*?)</span>`) }
	for name, test := range map[string]struct {
		headers map[string]string
		decided url.Values
		want    []string
	}{
		"before a decision":             {private, nil, []string{honored + "."}},
		"after refusing":                {private, url.Values{"choice": {"refuse"}}, []string{honored + "."}},
		"after allowing others":         {private, url.Values{"choice": {"save"}, "allow": {"chat:Chat"}}, []string{honored + "."}},
		"after allowing third parties":  {private, url.Values{"choice": {"accept"}}, []string{honored + `, except for those that you allow: <b>"Ad" & Co</b>.`}},
		"nobody who does not send it":   {american, nil, nil},
		"nobody whose law knows it not": {map[string]string{"Sec-GPC": "1"}, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, nil)
			s.headers = test.headers
			if test.decided != nil {
				s.do("POST", "/cookies/", test.decided)
			}
			assert.Equal(t, test.want, status(s))
		})
	}
}

func TestTheBannerTellsTheScriptWhatIsPresumed(t *testing.T) {
	for name, test := range map[string]struct {
		headers map[string]string
		want    []string
	}{
		"opt-in":           {nil, nil},
		"UK":               {british, []string{"statistics"}},
		"none":             {lawless, []string{"statistics third-party chat"}},
		"opt-out":          {american, []string{"statistics third-party chat"}},
		"opt-out with GPC": {private, []string{"statistics chat"}},
	} {
		s := newSite(t, nil)
		s.headers = test.headers
		assert.Equal(t, test.want, found(s.get("/"), `data-presumed="([^"]*)"`), name)
		assert.Equal(t, test.want != nil, strings.Contains(s.get("/cookies/banner.js?back=/"), "data-presumed"), name)
	}
}

func TestASitesTemplatesAreTriedUnderBothLaws(t *testing.T) {
	mw := newMiddleware(t, declared()[:5]...)
	for name, text := range map[string]string{
		"banner":      `{{if .Presumed}}{{.Nonsense}}{{end}}`,
		"link":        `{{if .GPC}}{{.Nonsense}}{{end}}`,
		"form":        `{{if not .Decided}}{{range .Groups}}{{range .Providers}}{{if .Allowed}}{{.Nonsense}}{{end}}{{end}}{{end}}{{end}}`,
		"page":        `{{if not .Decided}}{{if gt (len .Status) 200}}{{.Nonsense}}{{end}}{{end}}`,
		"placeholder": `{{if gt (len .Ask) 200}}{{.Nonsense}}{{end}}`,
	} {
		_, err := charter.New(charter.Config{Middleware: mw, Templates: template.Must(template.New(name).Parse(text))})
		assert.ErrorContains(t, err, "Nonsense", name)
	}
	s := newSite(t, func(c *charter.Config) {
		c.Templates = template.Must(template.New("banner").Parse(`{{if not .Decided}}<section class="charter-banner mine"><h2></h2><p>{{.Ask}}</p></section>{{end}}`))
	})
	s.headers = private
	assert.Equal(t, []string{unless + notThird + " " + gpc}, s.asked())
	assert.Contains(t, s.get("/"), `data-presumed="statistics chat"`)
}
