package main

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

var (
	accept = url.Values{"choice": {"accept"}, "back": {"/"}}
	refuse = url.Values{"choice": {"refuse"}, "back": {"/"}}
)

func save(allow ...string) url.Values {
	return url.Values{"choice": {"save"}, "back": {"/"}, "allow": allow}
}

func TestNothingLeaksAndNothingIsLostWhateverTheChoice(t *testing.T) {
	for _, test := range []struct {
		name    string
		choices []url.Values // one after the other
		keeps   string
		panel   []string
		choice  []string
		asked   bool
		mapped  bool
	}{
		{
			name:  "before any choice",
			keeps: "csrftoken visits",
			panel: []string{
				"csrftoken ✓ sent necessary, no consent asked",
				"visits ✓ sent anonymous statistics, no consent asked",
				"_pk_id.1.1fff ✕ removed you have not chosen yet",
				"profile ✕ removed you have not chosen yet",
				"ad_id ✕ removed you have not chosen yet",
				"gadget ✕ removed nobody declared it",
			},
			choice: []string{
				"Visit counter Valombre ✓ allowed",
				"Audience measurement Matomo ✕ not allowed",
				"Suggested datasets Valombre ✕ not allowed",
				"Advertising banner Régie Exemple ✕ not allowed",
				"Map of the town Atlas Exemple ✕ not allowed",
			},
			asked: true,
		},
		{
			name:    "after a refusal",
			choices: []url.Values{refuse},
			keeps:   "cookies_preferences csrftoken visits",
			panel: []string{
				"csrftoken ✓ sent necessary, no consent asked",
				"visits ✓ sent anonymous statistics, no consent asked",
				"_pk_id.1.1fff ✕ removed you have refused",
				"profile ✕ removed you have refused",
				"ad_id ✕ removed you have refused",
				"gadget ✕ removed nobody declared it",
			},
			choice: []string{
				"Visit counter Valombre ✓ allowed",
				"Audience measurement Matomo ✕ not allowed",
				"Suggested datasets Valombre ✕ not allowed",
				"Advertising banner Régie Exemple ✕ not allowed",
				"Map of the town Atlas Exemple ✕ not allowed",
			},
		},
		{
			name:    "after a consent to everything",
			choices: []url.Values{accept},
			keeps:   "_pk_id.1.1fff ad_id atlas_view cookies_preferences csrftoken profile visits",
			panel: []string{
				"csrftoken ✓ sent necessary, no consent asked",
				"visits ✓ sent anonymous statistics, no consent asked",
				"_pk_id.1.1fff ✓ sent you have consented",
				"profile ✓ sent you have consented",
				"ad_id ✓ sent you have consented",
				"gadget ✕ removed nobody declared it",
			},
			choice: []string{
				"Visit counter Valombre ✓ allowed",
				"Audience measurement Matomo ✓ allowed",
				"Suggested datasets Valombre ✓ allowed",
				"Advertising banner Régie Exemple ✓ allowed",
				"Map of the town Atlas Exemple ✓ allowed",
			},
			mapped: true,
		},
		{
			name:    "after a choice between two providers of one category",
			choices: []url.Values{save("statistics:Matomo", "third-party:"+atlasProvider)},
			keeps:   "_pk_id.1.1fff atlas_view cookies_preferences csrftoken visits",
			panel: []string{
				"csrftoken ✓ sent necessary, no consent asked",
				"visits ✓ sent anonymous statistics, no consent asked",
				"_pk_id.1.1fff ✓ sent you have consented",
				"profile ✕ removed you have refused",
				"ad_id ✕ removed you have refused",
				"gadget ✕ removed nobody declared it",
			},
			choice: []string{
				"Visit counter Valombre ✓ allowed",
				"Audience measurement Matomo ✓ allowed",
				"Suggested datasets Valombre ✕ not allowed",
				"Advertising banner Régie Exemple ✕ not allowed",
				"Map of the town Atlas Exemple ✓ allowed",
			},
			mapped: true,
		},
		{
			name:    "after the button on the map alone",
			choices: []url.Values{{"choice": {"add"}, "back": {"/"}, "allow": {"third-party:" + atlasProvider}}},
			keeps:   "atlas_view cookies_preferences csrftoken visits",
			panel: []string{
				"csrftoken ✓ sent necessary, no consent asked",
				"visits ✓ sent anonymous statistics, no consent asked",
				"_pk_id.1.1fff ✕ removed you have not chosen yet",
				"profile ✕ removed you have not chosen yet",
				"ad_id ✕ removed you have not chosen yet",
				"gadget ✕ removed nobody declared it",
			},
			choice: []string{
				"Visit counter Valombre ✓ allowed",
				"Audience measurement Matomo ✕ not allowed",
				"Suggested datasets Valombre ✕ not allowed",
				"Advertising banner Régie Exemple ✕ not allowed",
				"Map of the town Atlas Exemple ✓ allowed",
			},
			asked:  true,
			mapped: true,
		},
		{
			name:    "after a consent that is taken back in part, with an objection",
			choices: []url.Values{accept, {"choice": {"save"}, "back": {"/"}, "allow": {"first-party:Valombre"}, "object": {"1"}}},
			keeps:   "cookies_preferences csrftoken profile",
			panel: []string{
				"csrftoken ✓ sent necessary, no consent asked",
				"visits ✕ removed you object to it",
				"_pk_id.1.1fff ✕ removed you have refused",
				"profile ✓ sent you have consented",
				"ad_id ✕ removed you have refused",
				"gadget ✕ removed nobody declared it",
			},
			choice: []string{
				"Visit counter Valombre ✕ not allowed",
				"Audience measurement Matomo ✕ not allowed",
				"Suggested datasets Valombre ✓ allowed",
				"Advertising banner Régie Exemple ✕ not allowed",
				"Map of the town Atlas Exemple ✕ not allowed",
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := visit(t, "en")
			v.get("/")
			page := v.get("/")
			for _, choice := range test.choices {
				page = v.post("/cookies/", choice)
				assert.Equal(t, "/", page.Request.URL.Path, "back on the page that the banner was on")
				v.get("/atlas/") // as the page's frame does where there is one
			}
			panel, choice := page.lists()
			assert.Equal(t, test.panel, panel)
			assert.Equal(t, test.choice, choice)
			assert.Equal(t, test.asked, page.says(`class="charter-banner `))
			assert.Equal(t, test.asked, page.says("You have not chosen yet."))
			shown, _, _ := strings.Cut(page.body, "<template")
			assert.Equal(t, test.mapped, strings.Contains(shown, "<iframe"))
			v.get("/atlas/")
			assert.Equal(t, test.keeps, v.keeps())
		})
	}
}

func TestThePanelSpeaksFrench(t *testing.T) {
	v := visit(t, "fr")
	for _, test := range []struct {
		name string
		page answer
		want []string
	}{
		{"before any choice", v.get("/"), []string{
			"csrftoken ✓ envoyé nécessaire, sans consentement",
			"visits ✓ envoyé statistiques anonymes, sans consentement",
			"_pk_id.1.1fff ✕ retiré vous n'avez pas encore choisi",
			"profile ✕ retiré vous n'avez pas encore choisi",
			"ad_id ✕ retiré vous n'avez pas encore choisi",
			"gadget ✕ retiré personne ne l'a déclaré",
		}},
		{"after a choice", v.post("/cookies/", url.Values{"choice": {"save"}, "back": {"/"}, "allow": {"statistics:Matomo"}, "object": {"1"}}), []string{
			"csrftoken ✓ envoyé nécessaire, sans consentement",
			"visits ✕ retiré vous vous y opposez",
			"_pk_id.1.1fff ✓ envoyé vous avez accepté",
			"profile ✕ retiré vous avez refusé",
			"ad_id ✕ retiré vous avez refusé",
			"gadget ✕ retiré personne ne l'a déclaré",
		}},
	} {
		panel, choice := test.page.lists()
		assert.Equal(t, test.want, panel, test.name)
		assert.Contains(t, choice, "Plan de la ville Atlas Exemple ✕ non autorisé", test.name)
	}
}

func TestPageAndCharterFollowTheLanguageThatIsChosen(t *testing.T) {
	for _, test := range []struct {
		name, browser, chosen, page, charter string
	}{
		{"the browser's", "en-GB", "", "en", "en"},
		{"the one chosen, before the browser's", "en", "fr", "fr", "fr"},
		{"the one chosen, whatever the browser's", "de", "en", "en", "en"},
		{"one that only the charter speaks", "de", "", "fr", "de"},
		{"one that nothing here speaks", "ja", "", "fr", "fr"},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := visit(t, test.browser)
			if test.chosen != "" {
				v.post("/language", url.Values{"language": {test.chosen}})
				assert.Equal(t, test.chosen, v.jar()["django_language"])
			}
			home := v.get("/")
			assert.True(t, home.says(`<html lang="`+test.page+`"`), "the page")
			assert.True(t, home.says(`class="charter-banner charter-bar" lang="`+test.charter+`"`), "the banner")
			assert.True(t, home.says(`href="/cookies/#settings" lang="`+test.charter+`"`), "the link")
			assert.True(t, v.get("/cookies/").says(`<html lang="`+test.charter+`"`), "the charter")
		})
	}
}

func TestTheCharterTellsEveryCookie(t *testing.T) {
	charter := visit(t, "fr").get("/cookies/")
	for _, declared := range cookies.Cookies() {
		row := `<th scope="row" data-column="Nom"><code translate="no">` + declared.Name + "<"
		assert.Equal(t, 1, strings.Count(charter.body, row), declared.Name)
		purpose, _ := declared.Purpose.In(spoken[0])
		assert.True(t, charter.says(purpose), purpose)
	}
}

func TestTheCharterHasThePortalAroundIt(t *testing.T) {
	charter := visit(t, "fr").get("/cookies/")
	assert.True(t, charter.says(`<a class="brand" href="/">`))
	assert.True(t, charter.says(`href="/portal.css"`))
}

func TestACookieLivesAsLongAsTheCharterSays(t *testing.T) {
	set := visit(t, "fr").post("/cookies/", accept).Cookies()
	assert.Len(t, set, 5)
	for _, c := range set {
		for _, declared := range cookies.Lookup(c.Name) {
			assert.Equal(t, declared.Lifetime, time.Duration(c.MaxAge)*time.Second, c.Name)
		}
	}
}
