package charter_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A page stays open while its visitor travels, or comes from a cache.
func TestARecordNamesTheLawUnderWhichItsControlWasDrawn(t *testing.T) {
	laws := map[string]map[string]string{"opt-in": nil, "uk": british, "opt-out": american, "opt-out with GPC": private}
	for drawnUnder, there := range laws {
		for postedUnder, here := range laws {
			for name, control := range controls {
				what := drawnUnder + ", then " + postedUnder + ": " + name
				s, kept := newRecordedSite(t, nil)
				s.headers = there
				drawn := control.drawn.FindString(control.draw(s))
				if name == "placeholder" && drawn == "" {
					continue // the chat is allowed
				}
				text, fields := seen(drawn)
				fields.Set("choice", control.pressed)
				s.headers = here
				require.Equal(t, http.StatusSeeOther, s.do("POST", "/cookies/", fields).StatusCode, what)
				record := kept.records[0]
				regime, _, _ := strings.Cut(drawnUnder, " ")
				assert.Equal(t, regime, record.Regime.String(), what)
				screen := screenOf(t, record)
				assert.Equal(t, regime, screen.Regime, what)
				if showsAnswers := name == "settings" || name == "page"; showsAnswers && drawnUnder != postedUnder {
					assert.True(t, screen.Changed, what)
				} else {
					assert.Equal(t, text, written(screen), what)
				}
			}
		}
	}
}

func TestNothingIsInventedOfAQuestionThatAnotherLawPut(t *testing.T) {
	wait := []string{"_pk_id.1", "chat"}
	for name, test := range map[string]struct {
		drawnUnder, postedUnder map[string]string
		want                    []string // allowed under opt-in, of those that wait
	}{
		"what the law allowed, and a stricter one": {american, nil, nil},
		"so in part": {british, nil, []string{"chat"}},
		"what nobody had allowed, and a laxer one":       {nil, american, []string{"_pk_id.1", "chat"}},
		"before the browser sent Global Privacy Control": {american, private, nil},
	} {
		for _, road := range []string{"the page", "a page from a cache"} {
			s, _ := newRecordedSite(t, nil)
			s.headers = test.drawnUnder
			banner := s.get("/")
			if road != "the page" {
				_, part, _ := strings.Cut(s.get("/cookies/script.js"), `"part":`)
				require.NoError(t, json.Unmarshal([]byte(strings.TrimSuffix(part, "})")), &struct{ HTML *string }{&banner}))
			}
			_, fields := seen(controls["banner"].drawn.FindString(banner))
			require.NotEmpty(t, fields.Get("drawn"))
			fields.Set("choice", "accept")
			s.headers = test.postedUnder
			s.do("POST", "/cookies/", fields)
			s.headers = nil
			for _, category := range wait {
				if slices.Contains(test.want, category) {
					assert.Contains(t, s.allowed(), category, "%s, %s", name, road)
				} else {
					assert.NotContains(t, s.allowed(), category, "%s, %s", name, road)
				}
			}
			s.headers = american
			assert.Contains(t, s.allowed(), "_pk_id.1", "%s, %s", name, road)
		}
	}
}

func TestNobodyGainsByALawThatTheyMakeUp(t *testing.T) {
	_, shown := seen(controls["banner"].drawn.FindString(newSite(t, nil).get("/")))
	genuine := strings.TrimSuffix(shown.Get("drawn"), "opt-in")
	for name, test := range map[string]struct {
		drawn, regime string // of the record
		isAllowed     bool   // afterwards, here
	}{
		"none":                 {genuine, "opt-in", true},
		"an unknown one":       {genuine + "lawless", "opt-in", true},
		"a number":             {genuine + "2", "opt-in", true},
		"too many":             {genuine + "a.b.opt-out", "opt-in", true},
		"a laxer one":          {genuine + "opt-out", "opt-out", false},
		"with a state":         {genuine + "xyz.opt-out", "opt-out", false},
		"one that asks nobody": {genuine + "none", "none", false},
	} {
		for _, by := range []string{"banner", "settings", "page", ""} {
			s, kept := newRecordedSite(t, nil)
			s.do("POST", "/cookies/", url.Values{"by": {by}, "choice": {"accept"}, "drawn": {test.drawn}})
			record := kept.records[0]
			assert.Equal(t, test.regime, record.Regime.String(), name)
			assert.Equal(t, test.isAllowed, strings.Contains(s.allowed(), "chat"), name)
			if name != "a laxer one" || by != "banner" { // visitors of that law see it
				assert.True(t, screenOf(t, record).Changed, "%s %s", name, by)
				assert.Empty(t, screenOf(t, record).Lines, "%s %s", name, by)
			}
			s.do("POST", "/cookies/", url.Values{"by": {by}, "choice": {"refuse"}, "drawn": {test.drawn}})
			for _, under := range []map[string]string{nil, british, american, lawless} {
				s.headers = under
				assert.NotContains(t, s.allowed(), "chat", "%s: a refusal is one", name)
			}
		}
	}
}

func TestAProgramNamesTheLawUnderWhichItHasAsked(t *testing.T) {
	for content, want := range map[string]struct {
		from               map[string]string
		record, screen     string
		isAllowed, isSaved bool
	}{
		`{"choice": "accept"}`:                                    {nil, "opt-in", "", true, true},
		`{"choice": "accept", "regime": "opt-in"}`:                {american, "opt-in", "opt-in", true, true},
		`{"choice": "accept", "regime": "opt-out"}`:               {nil, "opt-out", "opt-out", false, true},
		`{"choice": "accept", "regime": "opt-out", "gpc": true} `: {nil, "opt-out", "opt-out", false, true},
		`{"choice": "accept", "gpc": true}`:                       {american, "opt-out", "", false, true},
		`{"choice": "accept", "regime": "lawless"}`:               {nil, "", "", false, false},
		`{"choice": "accept", "regime": 2}`:                       {nil, "", "", false, false},
	} {
		s, kept := newRecordedSite(t, nil)
		s.headers = want.from
		response := s.post(content)
		if !want.isSaved {
			assert.Equal(t, http.StatusBadRequest, response.StatusCode, content)
			assert.Empty(t, kept.records, content)
			continue
		}
		require.Equal(t, http.StatusOK, response.StatusCode, content)
		s.headers = nil
		record, screen := kept.records[0], screenOf(t, kept.records[0])
		assert.Equal(t, want.record, record.Regime.String(), content)
		assert.Equal(t, want.isAllowed, strings.Contains(s.allowed(), "chat"), content)
		assert.Equal(t, want.screen, screen.Regime, content)
		assert.False(t, screen.Changed, content)
		assert.Equal(t, []string{"", "", ""}, []string{screen.Language, screen.Templates, screen.Style}, "%s: a program shows what it likes, as it likes", content)
		assert.Zero(t, record.Evidence.Language)
	}
}
